//! What follows from statements: certainty, contradictions, addresses, limits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod network;

use network::{DEVICE_IP, Network, OTHER_IP, dhcp, mdns, record, txt, values};
use thingprint_identity::{
    Certainty, ClassName, Field, IdentityOptions, IdentitySummary, Knowledge, TableName,
};

const MDNS: [u8; 4] = [224, 0, 0, 251];
/// Blocks of addresses: of a brand, and of a maker of modules.
const APPLE: [u8; 6] = [0x50, 0xa6, 0xd8, 0, 0, 7];
const ESPRESSIF: [u8; 6] = [0x24, 0x0a, 0xc4, 0, 0, 7];

fn speaker(network: Network) -> Network {
    let message = mdns(&[txt("hall._airplay._tcp.local", &["model=AudioAccessory1,1"])], &[]);
    network.says((5353, 5353), MDNS, &message)
}

#[test]
fn a_model_says_vendor_and_type() {
    let identity = speaker(Network::new()).identity();
    assert_eq!(values(&identity)[..3], [Some("Apple"), Some("HomePod"), Some("smart-speaker")]);
    let answer = identity.answer(Field::Vendor);
    assert_eq!(answer.reasons[0].statement.to_string(), "dns_sd _airplay._tcp model=AudioAccessory1,1");
}

#[test]
fn who_makes_radios_is_not_whose_device_it_is() {
    let quiet = |mac| {
        let network = Network::of(mac);
        network.says((5000, 5000), OTHER_IP, b"?").identity()
    };
    let apple = quiet(APPLE);
    assert_eq!(values(&apple), [Some("Apple"), None, None, None, None]);
    assert_eq!(apple.answer(Field::Vendor).certainty, Some(Certainty::VendorOnly));
    assert_eq!(values(&quiet(ESPRESSIF)), [None; 5]);
    assert_eq!(values(&quiet([0x52, 0xa6, 0xd8, 0, 0, 7])), [None; 5], "a randomised address");
}

#[test]
fn what_contradicts_is_shown() {
    let lamp = Network::of(APPLE);
    let mut knowledge = Knowledge::builtin().unwrap();
    let row = "kind,pattern,vendor,model,type,os,certainty\nhost-name,acme-*,Acme,,light,,likely\nhost-name,lock-*,Bolt,,door-lock,,likely\n";
    knowledge.add(TableName::Patterns, row, Some("mine")).unwrap();
    let statements = lamp.says((5353, 5353), MDNS, &mdns(&[record("acme-1.local", 1, &DEVICE_IP)], &[]));
    let identity = statements.identity_by(&knowledge);
    let vendor = identity.answer(Field::Vendor);
    assert_eq!((vendor.value.as_deref(), vendor.certainty), (Some("Acme"), Some(Certainty::Likely)));
    assert_eq!(vendor.sources(), ["dns_sd (mine)"]);
    let against: Vec<&str> = vendor.contradictions.iter().map(|claim| claim.value.as_str()).collect();
    assert_eq!(against, ["Apple"], "a vendor of the address that is another");

    let both = Network::new()
        .says((5353, 5353), MDNS, &mdns(&[record("acme-1.local", 1, &DEVICE_IP)], &[]))
        .says((5353, 5353), MDNS, &mdns(&[record("lock-1.local", 1, &DEVICE_IP)], &[]));
    let identity = both.identity_by(&knowledge);
    for field in [Field::Vendor, Field::Type] {
        let answer = identity.answer(field);
        assert_eq!((answer.value.as_deref(), answer.certainty), (None, None), "{field}");
        assert_eq!((answer.reasons.len(), answer.contradictions.len()), (1, 1), "both are shown");
    }
}

#[test]
fn a_hub_that_talks_to_many_clouds_is_nobodys() {
    let mut knowledge = Knowledge::builtin().unwrap();
    let rows = "domain,vendor,role\na.example,Acme,cloud\nb.example,Bolt,cloud\nc.example,Cord,website\nd.example,,push\n";
    knowledge.add(TableName::Domains, rows, None).unwrap();
    let vendor = |names: &[&str]| {
        let mut network = Network::new();
        for name in names {
            network = network.asks(format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n").as_bytes());
        }
        network.identity_by(&knowledge).value(Field::Vendor).map(str::to_owned)
    };
    assert_eq!(vendor(&["x.a.example", "y.a.example"]), Some("Acme".to_owned()));
    assert_eq!(vendor(&["x.a.example", "b.example"]), None);
    assert_eq!(vendor(&["c.example"]), None, "a website is visited by all");
    assert_eq!(
        vendor(&["x.a.example", "d.example"]),
        None,
        "a telephone uses the clouds of what it controls"
    );
}

#[test]
fn a_device_that_makes_up_names_takes_nothing_of_others() {
    let options = IdentityOptions { most_statement_bytes: 4096, ..IdentityOptions::default() };
    let mut network = Network::with(options).says((68, 67), [255; 4], &dhcp(b"\x0c\x04lamp"));
    network = network.hears((67, 68), b"?");
    let mac = network.mac;
    network.mac = [2, 0, 0, 0, 0, 0x66];
    for number in 0..300 {
        let name = format!("GET / HTTP/1.1\r\nHost: h{number}.example.com\r\n\r\n");
        network = network.asks(name.as_bytes());
    }
    network.mac = mac;
    let losses = network.left_out();
    assert!(
        losses.by_size().iter().all(|(device, _)| device.to_string() == "02:00:00:00:00:66"),
        "{losses:?}"
    );
    assert!(!losses.is_empty());
    assert!(network.said().contains(&"dhcp host_name=lamp".to_owned()));
}

#[test]
fn what_a_device_declares_is_held_against_its_class() {
    let knowledge = Knowledge::builtin().unwrap();
    let identity = speaker(Network::new()).identity_by(&knowledge);
    let against = |class: &str| -> Vec<String> {
        let class = ClassName::of(class, &knowledge);
        class
            .disagreements(&IdentitySummary::of(&identity), &knowledge)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(against("laptop"), ["type smart-speaker (declared, by dns_sd), not computer"]);
    assert_eq!(
        against("Sonos speaker"),
        ["vendor Apple (declared, by dns_sd), not Sonos"],
        "a speaker is one as well"
    );
    assert_eq!(against("HomePod"), [""; 0]);
    assert_eq!(against("thing-7"), [""; 0]);
    let by_address = Network::of(APPLE).says((68, 67), [255; 4], b"?").identity_by(&knowledge);
    let class = ClassName::of("Sonos speaker", &knowledge);
    assert_eq!(
        class.disagreements(&IdentitySummary::of(&by_address), &knowledge),
        [],
        "an address block declares nothing"
    );
}

#[test]
fn an_import_stands_behind_and_is_named() {
    let mut knowledge = Knowledge::builtin().unwrap();
    let file = "thingprint-knowledge 1\n[ouis] IEEE\nprefix,organisation\n50A6D8,\"Bolt, Inc.\"\n\
        [oui-vendors] mine\noui_name,vendor,kind\nBolt,Bolt,brand\n[patterns] recog\n\
        kind,pattern,vendor,model,type,os,certainty,source,date\nhost-name,re:^cord-([a-z]+)$,Cord,{1},camera,,likely,x,\n";
    knowledge.import(file).unwrap();
    let sizes: Vec<_> = knowledge.sizes().filter(|(import, ..)| import.is_some()).collect();
    assert_eq!(
        sizes,
        [
            (Some("IEEE"), TableName::Ouis, 1),
            (Some("mine"), TableName::OuiVendors, 1),
            (Some("recog"), TableName::Patterns, 1)
        ]
    );
    let network = || Network::of(APPLE).says((68, 67), [255; 4], b"?");
    assert_eq!(network().identity_by(&knowledge).value(Field::Vendor), Some("Bolt"));
    let announced = mdns(&[record("cord-eye.local", 1, &DEVICE_IP)], &[]);
    let identity = network().says((5353, 5353), MDNS, &announced).identity_by(&knowledge);
    assert_eq!(values(&identity)[..3], [Some("Cord"), Some("eye"), Some("camera")]);
    assert_eq!(identity.answer(Field::Model).sources(), ["dns_sd (recog)"]);
    for (text, reason) in [
        ("a,b\n", "expected a file that 'knowledge import' wrote"),
        ("thingprint-knowledge 1\n[colours] x\na\n", "no table of this name"),
    ] {
        let error = Knowledge::default().import(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_brand_is_shown_and_its_maker_is_no_contradiction() {
    let mut knowledge = Knowledge::builtin().unwrap();
    knowledge.add(TableName::Families, "brand,maker\nBolt,Apple\n", None).unwrap();
    let rows = "kind,pattern,vendor,model,type,os,certainty\nhost-name,bolt-*,Bolt,,,,likely\n";
    knowledge.add(TableName::Patterns, rows, None).unwrap();
    let announced = mdns(&[record("bolt-1.local", 1, &DEVICE_IP)], &[]);
    let identity = Network::of(APPLE).says((5353, 5353), MDNS, &announced).identity_by(&knowledge);
    let vendor = identity.answer(Field::Vendor);
    assert_eq!((vendor.value.as_deref(), vendor.contradictions.len()), (Some("Bolt"), 0));
    let declared = speaker(Network::of(APPLE)).says((5353, 5353), MDNS, &announced).identity_by(&knowledge);
    assert_eq!(declared.value(Field::Vendor), Some("Bolt"), "the brand, though the maker is more certain");
}

#[test]
fn vendors_of_matter_are_numbers() {
    let mut knowledge = Knowledge::builtin().unwrap();
    knowledge.add(TableName::VendorCodes, "scheme,code,vendor\nmatter,65521,Acme\n", None).unwrap();
    let message = mdns(&[txt("1._matterc._udp.local", &["VP=65521+32768", "DN=Lamp"])], &[]);
    let identity = Network::new().says((5353, 5353), MDNS, &message).identity_by(&knowledge);
    assert_eq!((identity.value(Field::Vendor), identity.value(Field::Name)), (Some("Acme"), Some("Lamp")));
}

#[test]
fn a_wrong_table_names_the_line_and_what_to_do() {
    let error = |table, text: &str| Knowledge::default().add(table, text, None).unwrap_err().to_string();
    let text = "service,key,field\n_a._tcp,md,model\n_a._tcp,xx,colour\n";
    let expected = "table 'txt-keys', line 3: unknown field 'colour': use vendor, model, type, name, os, type-code:SCHEME or vendor-code:SCHEME";
    assert_eq!(error(TableName::TxtKeys, text), expected);
    assert!(error(TableName::Domains, "domain,vendor\na.example,Acme\n").contains("role"));
}

#[test]
fn the_tables_name_types_that_exist_and_vendors_in_one_spelling() {
    let knowledge = Knowledge::builtin().unwrap();
    let types: Vec<&str> = knowledge.types().map(|row| &*row.name).collect();
    assert!(types.len() >= 50 && types.contains(&"camera"));
    for table in [TableName::Services, TableName::TypeCodes, TableName::Patterns, TableName::ClassWords] {
        let mut rows = csv::Reader::from_reader(table.builtin().as_bytes());
        let at = rows.headers().unwrap().iter().position(|column| column == "type").unwrap();
        for row in rows.records() {
            let row = row.unwrap();
            let named = &row[at];
            assert!(named.is_empty() || types.contains(&named), "{table}: {row:?}");
        }
    }
}

#[test]
fn every_row_of_a_table_says_where_it_is_from() {
    for table in TableName::ALL.iter().filter(|table| table.columns().contains(&"source")) {
        let mut rows = csv::Reader::from_reader(table.builtin().as_bytes());
        let headers: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(headers, table.columns(), "{table}");
        for row in rows.records() {
            let row = row.unwrap();
            let (source, date) = (&row[row.len() - 2], &row[row.len() - 1]);
            assert!(!source.is_empty() && date.len() == 10, "{table}: {row:?}");
        }
    }
}

#[test]
fn what_was_known_stays_until_something_as_certain_speaks() {
    let knowledge = Knowledge::builtin().unwrap();
    let printer = b"NOTIFY * HTTP/1.1\r\nNT: urn:schemas-upnp-org:device:Printer:1\r\n\r\n";
    let printer = Network::new().says((1900, 1900), [239, 255, 255, 250], printer).identity_by(&knowledge);
    let speaker = speaker(Network::new()).identity_by(&knowledge);
    let value = |summary: &IdentitySummary| summary.get(Field::Type).map(|known| known.value.clone());
    let of_printer = IdentitySummary::of(&printer);
    assert_eq!(value(&of_printer).as_deref(), Some("printer"));
    let declared = of_printer.followed_by(&speaker);
    assert_eq!(value(&declared).as_deref(), Some("smart-speaker"));
    assert_eq!(declared.followed_by(&printer), declared, "what is likely does not outweigh what is declared");
    let silent = Network::new().identity_by(&knowledge);
    assert_eq!(of_printer.followed_by(&silent), of_printer);
    assert!(IdentitySummary::of(&silent).is_empty());
}
