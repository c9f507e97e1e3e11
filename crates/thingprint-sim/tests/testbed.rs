//! What the extractor finds in the simulated testbed, beside what is published of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};

use thingprint_flow::{Capture, GatewayPolicy, Trace, TraceOptions};
use thingprint_instance::{Attribute, Bag, BagName, Builder, Instance, InstanceOptions, PartId, Partial};
use thingprint_protocol::{Engine, Limits};
use thingprint_sim::{CaptureReader, Home, HoursSeen, Kind, Simulation, SimulationOptions, unsw28};

/// The beginning of the trace, and its hours.
const START_S: i64 = 1_475_244_000;
const HOURS: u32 = 4368;

/// What instances are made of, for the tests.
struct Class(Vec<Instance>);

impl Class {
    fn words(&self, bag: impl Fn(&Instance) -> &Bag) -> BTreeSet<String> {
        self.0.iter().flat_map(|instance| bag(instance).keys().cloned()).collect()
    }

    fn ports(&self) -> BTreeSet<String> {
        self.words(|instance| instance.bags.get(BagName::PORTS).unwrap())
    }

    fn domains(&self) -> BTreeSet<String> {
        self.words(|instance| instance.bags.get(BagName::DOMAINS).unwrap())
    }

    fn ciphers(&self) -> BTreeSet<String> {
        self.words(|instance| instance.bags.get(BagName::CIPHER_SUITES).unwrap())
    }

    /// The share of instances without any word in a bag.
    fn empty(&self, bag: impl Fn(&Instance) -> &Bag) -> f64 {
        let empty = self.0.iter().filter(|instance| bag(instance).is_empty()).count();
        empty as f64 / self.0.len() as f64
    }

    /// The median over instances that have this attribute.
    fn median(&self, attribute: Attribute) -> f64 {
        let mut values: Vec<f64> =
            self.0.iter().filter_map(|instance| instance.attributes.get(attribute)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

/// The testbed with the classes that are wanted, on all the time.
fn always_on(wanted: impl Fn(&str) -> bool) -> Home {
    let mut home = unsw28().unwrap();
    home.profiles.retain(|profile| wanted(&profile.label));
    for profile in &mut home.profiles {
        let keeps_address = profile.presence.hours.as_ref().unwrap().keeps_address;
        profile.presence.hours =
            Some(HoursSeen { seen: HOURS, spells: Some(1), rhythm: None, keeps_address });
    }
    home
}

fn simulate(home: &Home, hours: u32) -> Simulation {
    let duration_s = u64::from(hours) * 3600;
    let options = SimulationOptions { start_s: START_S, duration_s, seed: 3, snaplen: Some(600) };
    Simulation::new(home, options).unwrap()
}

/// The instances of each class in the first hours of the trace.
fn extract(home: &Home, hours: u32) -> BTreeMap<String, Class> {
    let capture = Capture::once("simulated", Box::new(CaptureReader::new(simulate(home, hours))));
    let mut trace = Trace::new(vec![capture], TraceOptions::default());
    let mut options = InstanceOptions::default();
    options.flow.gateways = ["14:cc:20:51:33:ea".parse().unwrap()].into();
    let engine = Engine::new(Limits::default());
    let mut builder = Builder::new(options.clone(), &engine);
    while let Some(packet) = trace.next_packet() {
        builder.push(&packet);
    }
    let mut partial = Partial::default();
    partial.insert(builder.finish(PartId::of_text("simulated"), None).0.unwrap());
    let labels: BTreeMap<String, String> =
        home.labels().into_iter().map(|device| (device.mac, device.label)).collect();
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    for instance in partial.assemble(&options, &GatewayPolicy::default()).instances {
        let label = labels.get(&instance.device.to_string()).unwrap();
        classes.entry(label.clone()).or_insert_with(|| Class(Vec::new())).0.push(instance);
    }
    classes
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_testbed_has_the_paper_s_devices_and_instances() {
    let home = unsw28().unwrap();
    assert!(home.origin.contains("simulated") && !home.licence.is_empty());
    let mut hours: BTreeMap<&str, u32> = BTreeMap::new();
    for profile in &home.profiles {
        let seen = profile.presence.hours.as_ref().unwrap().seen;
        *hours.entry(&profile.label).or_default() += seen * u32::try_from(profile.units.len()).unwrap();
    }
    assert_eq!(hours.len(), 29);
    assert_eq!(hours.values().sum::<u32>(), 50_378);
    let told = [
        ("Blipcare BP Meter", 13),
        ("Google Chromecast", 21),
        ("Ring Door Bell", 486),
        ("Amazon Echo", 2247),
        ("Smart Things", 2868),
        ("Dropcam", 4177),
        ("Netat. Weather", 3714),
    ];
    for (class, seen) in told {
        assert_eq!(hours[class], seen, "{class}");
    }
    assert_eq!(hours.values().max(), Some(&4177));
    let nobody_tells = hours.values().filter(|seen| (2167..=2168).contains(*seen)).count();
    assert_eq!(nobody_tells, 12, "{hours:?}");
    let iot = home.labels().into_iter().filter(|device| device.kind == Kind::Iot);
    assert_eq!(iot.map(|device| device.mac).collect::<BTreeSet<_>>().len(), 28);
}

#[test]
fn devices_are_seen_in_as_many_hours_of_the_trace_as_their_profiles_say() {
    let few =
        ["Blipcare BP Meter", "Google Chromecast", "Hello Barbie", "NEST Smoke Sensor", "Ring Door Bell"];
    let mut home = unsw28().unwrap();
    home.profiles.retain(|profile| few.contains(&profile.label.as_str()));
    let classes = extract(&home, HOURS);
    let counts = few.map(|class| classes[class].0.len());
    assert_eq!(counts, [13, 21, 41, 182, 486]);
    let blipcare = &classes["Blipcare BP Meter"];
    assert_eq!(blipcare.ports(), words("53 8777"));
    for instance in &blipcare.0 {
        assert!(
            instance.bags.get(BagName::PORTS).unwrap().values().all(|count| (1..=2).contains(count)),
            "{:?}",
            instance.bags
        );
    }
    let ring = &classes["Ring Door Bell"];
    let one_query = Bag::from([("53".to_owned(), 1)]);
    let asleep =
        ring.0.iter().filter(|instance| *instance.bags.get(BagName::PORTS).unwrap() == one_query).count();
    assert!((450..=475).contains(&asleep), "{asleep} of 486, 465 in the paper");
}

#[test]
fn ports_names_and_lists_are_those_that_were_published() {
    let home = always_on(|_| true);
    let classes = extract(&home, 14);
    let ports = [
        ("Amazon Echo", "0 53 80 123 443 1900 33434"),
        ("LiFX Bulb", "53 123 56700"),
        ("Awair air quality", "53 443 8883"),
        ("Netat. Weather", "53 25050"),
        ("Belkin Camera", "53 3478 8443"),
        ("Belkin Motion Sensor", "53 3478 8443"),
        ("Belkin Switch", "53 123 3478 8443"),
        ("Smart Things", "53 123 443"),
        ("Samsung Smart Cam", "5222 1900"),
        ("Triby Speaker", "53 5228 8090"),
    ];
    for (class, expected) in ports {
        let found = classes[class].ports();
        assert!(found.is_superset(&words(expected)), "{class}: {found:?}");
    }
    let domains = [
        ("Amazon Echo", "www.example.com www.example.net www.example.org device-metrics-us.amazon.com"),
        ("LiFX Bulb", "pool.ntp.org v2.broker.lifx.co"),
        ("Smart Things", "pool.ntp.org"),
        ("Belkin Camera", "belkin.com d3gjecg2uu2faq.cloudfront.net"),
        ("Belkin Motion Sensor", "belkin.com d3gjecg2uu2faq.cloudfront.net"),
        ("Belkin Switch", "belkin.com d3gjecg2uu2faq.cloudfront.net"),
        ("Withings Scale", "scalews.withings.net"),
        ("Withings Sleep Sensor", "scalews.withings.net"),
    ];
    for (class, expected) in domains {
        let found = classes[class].domains();
        assert!(found.is_superset(&words(expected)), "{class}: {found:?}");
    }
    assert_eq!(classes["LiFX Bulb"].ciphers(), words("0035-002f-0004"));
    let bulb = &classes["LiFX Bulb"];
    assert_eq!(bulb.domains(), words("pool.ntp.org v2.broker.lifx.co"));
    assert!(bulb.ports().is_disjoint(&words("0 80 443")), "{:?}", bulb.ports());
    assert!((2..=5).contains(&classes["Amazon Echo"].ciphers().len()));
    let [frame, bell] = ["Pixstar Photo Frame", "August Doorbell Cam"].map(|class| classes[class].ciphers());
    assert!(
        frame.len() == 1 && bell.is_superset(&frame) && (17..=18).contains(&bell.len()),
        "{}",
        bell.len()
    );
    for class in [
        "Belkin Motion Sensor",
        "Belkin Switch",
        "Netat. Weather",
        "NEST Smoke Sensor",
        "Smart Things",
        "TP-Link Plug",
        "Withings Baby Monitor",
        "Blipcare BP Meter",
    ] {
        assert!(classes[class].ciphers().is_empty(), "{class}");
    }
    let computers = &classes["NonIoT"];
    assert!(computers.domains().len() > 1000 && computers.ports().len() > 200);
}

#[test]
fn ports_that_nobody_explains_belong_to_five_cameras_alike() {
    let cameras =
        ["August Doorbell Cam", "Belkin Camera", "Canary Camera", "Samsung Smart Cam", "TP-Link Camera"];
    let mut home = unsw28().unwrap();
    home.profiles.retain(|profile| cameras.contains(&profile.label.as_str()));
    for profile in &mut home.profiles {
        profile.connection.retain(|connection| connection.other_ports.is_some());
        assert_eq!(profile.connection.len(), 1, "{}", profile.label);
    }
    let classes = extract(&home, HOURS);
    let ports: BTreeSet<String> = classes.values().flat_map(Class::ports).collect();
    // 421 of all devices, some thirty of them explained.
    assert!((360..=430).contains(&ports.len()), "{}", ports.len());
    let most = classes.values().map(|class| class.ports().len()).max().unwrap();
    assert!(most < 130, "{most} ports belong to one device");
}

#[test]
fn names_and_clocks_keep_the_beat_that_was_published() {
    let wanted = ["LiFX Bulb", "Smart Things", "Belkin Switch", "Belkin Motion Sensor", "Amazon Echo"];
    let classes = extract(&always_on(|label| wanted.contains(&label)), 30);
    let check = |class: &str, attribute: Attribute, seconds: f64| {
        let found = classes[class].median(attribute);
        assert!((found / seconds - 1.0).abs() < 0.02, "{class}: {attribute:?} is {found}, not {seconds}");
    };
    check("LiFX Bulb", Attribute::DNS_INTERVAL_S, 300.0);
    check("LiFX Bulb", Attribute::NTP_INTERVAL_S, 300.0);
    check("Smart Things", Attribute::DNS_INTERVAL_S, 600.0);
    check("Smart Things", Attribute::NTP_INTERVAL_S, 600.0);
    check("Belkin Switch", Attribute::NTP_INTERVAL_S, 60.0);
    check("Belkin Motion Sensor", Attribute::DNS_INTERVAL_S, 1800.0);
    let echo = classes["Amazon Echo"].median(Attribute::NTP_INTERVAL_S);
    assert!((45.0..75.0).contains(&echo), "{echo}");
}

#[test]
fn bags_are_empty_as_often_as_was_published() {
    // Shares without ports, names and lists; below zero where nothing is told.
    let told = [
        ("HP Printer", [0.38, 0.962, 0.971]),
        ("iHome Plug", [0.1, 0.125, 0.82]),
        ("Hello Barbie", [0.72, 0.714, 0.786]),
        ("Samsung Smart Cam", [-1.0, 0.734, 1.0]),
        ("Hue Bulb", [-1.0, 0.11, 0.992]),
        ("Triby Speaker", [-1.0, 0.0, 0.548]),
        ("Withings Sleep Sensor", [-1.0, 0.004, 0.765]),
        ("Withings Scale", [-1.0, 0.018, 0.577]),
        ("Ring Door Bell", [0.0, 0.0, 0.922]),
        ("Netat. Camera", [0.0, 0.022, 0.003]),
        ("Pixstar Photo Frame", [-1.0, 0.007, 0.003]),
        ("Amazon Echo", [0.0, 0.0, 0.0]),
        ("Awair air quality", [0.0, 0.004, 0.008]),
        ("Canary Camera", [0.0, 0.0, 0.0]),
        ("Dropcam", [-1.0, 1.0, 1.0]),
    ];
    let home = always_on(|label| told.iter().any(|(class, _)| *class == label));
    let classes = extract(&home, 400);
    for (class, shares) in told {
        let class_of = &classes[class];
        let found = [
            class_of.empty(|instance| instance.bags.get(BagName::PORTS).unwrap()),
            class_of.empty(|instance| instance.bags.get(BagName::DOMAINS).unwrap()),
            class_of.empty(|instance| instance.bags.get(BagName::CIPHER_SUITES).unwrap()),
        ];
        for (share, found_share) in shares.into_iter().zip(found) {
            let agrees = share < 0.0 || (share - found_share).abs() < 0.065;
            assert!(agrees, "{class}: {found:?} without ports, names, lists; {shares:?} in the paper");
        }
    }
}

#[test]
fn computers_are_without_names_and_lists_as_often_as_was_published() {
    let computers = &extract(&always_on(|label| label == "NonIoT"), 48)["NonIoT"];
    let names = computers.empty(|instance| instance.bags.get(BagName::DOMAINS).unwrap());
    let lists = computers.empty(|instance| instance.bags.get(BagName::CIPHER_SUITES).unwrap());
    assert!((names - 0.297).abs() < 0.08, "{names}");
    assert!((lists - 0.363).abs() < 0.15, "{lists}");
}

#[test]
fn the_testbed_is_the_same_however_it_is_read() {
    let home = always_on(|_| true);
    let mut whole = Vec::new();
    CaptureReader::new(simulate(&home, 2)).read_to_end(&mut whole).unwrap();
    let mut reader = BufReader::with_capacity(997, CaptureReader::new(simulate(&home, 2)));
    let mut pieces = Vec::new();
    let mut piece = [0; 313];
    loop {
        let length = reader.read(&mut piece).unwrap();
        if length == 0 {
            break;
        }
        pieces.extend_from_slice(&piece[..length]);
    }
    assert!(whole.len() > 1_000_000 && whole == pieces);
}

#[test]
fn frames_cut_short_keep_their_true_lengths() {
    let mut simulation = simulate(&always_on(|_| true), 6);
    let (mut cut, mut longest) = (0, 0);
    while let Some(frame) = simulation.next_frame() {
        let true_bytes = usize::try_from(frame.original_bytes).unwrap();
        assert_eq!(frame.bytes.len(), true_bytes.min(600));
        cut += u32::from(true_bytes > 600);
        if frame.bytes[12..14] == [8, 0] {
            let ip_bytes = usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
            assert_eq!(true_bytes, (14 + ip_bytes).max(60));
            longest = longest.max(ip_bytes);
        }
    }
    assert!(cut > 1000, "{cut}");
    assert!((5000..=14_480 + 40).contains(&longest), "{longest}");
}
