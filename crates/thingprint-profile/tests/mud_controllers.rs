//! Who serves the classes of controllers in a profile, as stories.

mod home;
mod lamp;

use std::collections::BTreeSet;

use home::{Story, dhcp_ack, ntp_request};
use lamp::{LAMP, assert_structure, checked, entry, matches, options, published, written};
use serde_json::json;
use thingprint_profile::MudProfile;

#[test]
fn name_time_and_dhcp_servers_are_controllers() {
    let story = Story::default()
        .sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x")
        .sends(7, (LAMP, 40_001), ("192.168.1.1", 123), &ntp_request())
        .sends(7, ("0.0.0.0", 68), ("255.255.255.255", 67), b"x")
        .sends(7, (LAMP, 68), ("192.168.1.1", 67), b"x")
        .sends(7, (LAMP, 40_002), ("239.255.255.250", 1900), b"x")
        .sends(7, (LAMP, 40_003), ("8.8.8.8", 53), b"x");
    let udp = |port: u16| json!({ "destination-port": { "operator": "eq", "port": port } });
    let controller = |class: &str, port| {
        let class = format!("urn:ietf:params:mud:{class}");
        json!({ "ietf-mud:mud": { "controller": class }, "ipv4": { "protocol": 17 }, "udp": udp(port) })
    };
    let address = |address: &str, port| json!({ "ipv4": { "protocol": 17, "destination-ipv4-network": address }, "udp": udp(port) });
    let dhcp = json!({
        "ietf-mud:mud": { "controller": MudProfile::DHCP_CONTROLLER },
        "ipv4": { "protocol": 17 },
        "udp": udp(67),
    });
    let expected = [
        dhcp,
        controller("dns", 53),
        controller("ntp", 123),
        address("8.8.8.8/32", 53),
        address("239.255.255.250/32", 1900),
        address("255.255.255.255/32", 67),
    ];
    assert_eq!(matches(&written(&story), "from"), expected);
}

#[test]
fn a_resolver_that_the_caller_names_is_the_only_one() {
    let story = Story::default().sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x");
    let flows = story.flows();
    let mut builder = flows.builder();
    builder.give_controller(MudProfile::DNS_CONTROLLER, "192.168.1.53".parse().unwrap());
    let profile = builder.profile(flows.device(7), &options()).profile;
    assert_eq!(matches(&profile, "from")[0]["ietf-mud:mud"], json!({ "local-networks": [null] }));
}

#[test]
fn once_dhcp_named_the_servers_no_other_is_one() {
    let reply = dhcp_ack([192, 168, 1, 53]);
    let asked = |server: &str| {
        Story::default().receives(7, ("192.168.1.1", 67), (LAMP, 68), &reply).sends(
            7,
            (LAMP, 40_000),
            (server, 53),
            b"x",
        )
    };
    let empty = published(&json!([]), &json!([])).unwrap();
    let implied = |server: &str| checked(&asked(server), &empty).implied_flows;
    assert_eq!((implied("192.168.1.53"), implied("192.168.1.66")), (1, 0));
}

#[test]
fn the_dhcp_server_is_the_one_that_names_itself() {
    let ack = dhcp_ack([192, 168, 1, 53]);
    let renewed = |server: &str| {
        let asked = Story::default().sends(7, ("0.0.0.0", 68), ("255.255.255.255", 67), b"x");
        let answered = asked.receives(7, ("192.168.1.1", 67), (LAMP, 68), &ack);
        answered.sends(7, (LAMP, 68), (server, 67), b"x")
    };
    let peers = |story: &Story| -> BTreeSet<String> {
        let profile = written(story);
        assert_structure(&profile.to_json());
        let report = checked(story, &profile);
        assert_eq!((report.denied_flows, report.implied_flows), (0, 0), "{:?}", report.denied);
        let all = ["from", "to"].into_iter().flat_map(|side| matches(&profile, side));
        all.filter_map(|entry| Some(entry.get("ietf-mud:mud")?.to_string())).collect()
    };
    let class = format!(r#"{{"controller":"{}"}}"#, MudProfile::DHCP_CONTROLLER);
    assert_eq!(peers(&renewed("192.168.1.1")), BTreeSet::from([class.clone()]));
    let local = r#"{"local-networks":[null]}"#.to_owned();
    assert_eq!(peers(&renewed("192.168.1.9")), BTreeSet::from([class, local]));
    // Nobody has to be told of name and time servers; of DHCP servers a network has to be.
    let empty = published(&json!([]), &json!([])).unwrap();
    assert_eq!(checked(&renewed("192.168.1.1"), &empty).implied_flows, 0);
}

#[test]
fn the_controller_of_a_device_is_who_the_caller_says() {
    let story = Story::default().sends(7, (LAMP, 40_000), ("192.168.1.9", 9999), b"x");
    let matches = json!({ "ietf-mud:mud": { "my-controller": [null] } });
    let profile = published(&json!([entry(&matches)]), &json!([])).unwrap();
    let flows = story.flows();
    let denied = |controller: Option<&str>| {
        let mut builder = flows.builder();
        if let Some(address) = controller {
            builder.give_controller(MudProfile::MY_CONTROLLER, address.parse().unwrap());
        }
        let report = builder.check(flows.device(7), &profile);
        (report.denied_flows, report.entries[0].assumed.len())
    };
    assert_eq!(denied(None), (0, 1), "any local address, which is said");
    assert_eq!(denied(Some("192.168.1.9")), (0, 0));
    assert_eq!(denied(Some("192.168.1.8")), (1, 0));
}

#[test]
fn local_name_and_time_servers_are_for_every_device() {
    let story = Story::default().sends(7, (LAMP, 40_000), ("192.168.1.1", 53), b"x").sends(
        7,
        (LAMP, 40_000),
        ("8.8.8.8", 53),
        b"x",
    );
    let report = checked(&story, &published(&json!([]), &json!([])).unwrap());
    assert_eq!((report.flows, report.implied_flows, report.denied_flows), (2, 1, 1));
    assert_eq!(report.denied[0].contact.peer.to_string(), "8.8.8.8");
}

#[test]
fn dhcp_answers_are_allowed_although_the_question_went_to_all() {
    let (anyone, all) = ("0.0.0.0", "255.255.255.255");
    let asked = Story::default().sends(7, (anyone, 68), (all, 67), b"x");
    let flows = asked.receives(7, ("192.168.1.1", 67), (LAMP, 68), b"x").flows();
    let builder = flows.builder();
    let draft = builder.profile(flows.device(7), &options());
    let checked = builder.check(flows.device(7), &draft.profile);
    assert_eq!((draft.unanswered_flows, checked.denied_flows, checked.flows), (0, 0, 2));
    let from_others = Story::default().sends(7, (anyone, 68), (all, 67), b"x");
    let flows = from_others.receives(7, ("192.168.1.9", 69), (LAMP, 68), b"x").flows();
    let checked = flows.builder().check(flows.device(7), &draft.profile);
    assert_eq!(checked.denied_flows, 1, "another port is another service");
}
