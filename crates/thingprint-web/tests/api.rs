//! What programs get, and what they may ask for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use thingprint_flow::{DeviceLosses, LossKind};
use thingprint_watch::{Choice, LeftOut, Request};

use client::{Stream, ask, get, post, post_json, start};
use fake::{Fake, id, now};

mod client;
mod fake;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn devices_have_the_names_of_the_commands_and_all_keys() {
    let fake = Fake::with_devices(12);
    let web = start(fake.clone());
    let list = get(&web, "/api/v1/devices").json();
    assert_eq!((&list["total"], &list["page"], &list["pages"]), (&json!(12), &json!(1), &json!(1)));
    let devices = list["devices"].as_array().unwrap();
    let sets: BTreeSet<Vec<&str>> = devices.iter().map(keys).collect();
    assert_eq!(sets.len(), 1, "all devices have the same keys");
    let known = sets.first().unwrap();
    for key in [
        "device",
        "addresses",
        "host_name",
        "names",
        "first_seen",
        "label",
        "verdict",
        "provisional",
        "is_new",
    ] {
        assert!(known.contains(&key), "{key} is not in {known:?}");
    }
    let one = get(&web, "/api/v1/devices/A8-40-00-00-00-03").json();
    assert_eq!(one["device"], "a8:40:00:00:00:03");
    assert_eq!((&one["verdict"]["class"], &one["label"]), (&Value::Null, &Value::Null));
    assert_eq!(one["verdict"]["best_guess"], "osprel-camera");
    assert_eq!(one["findings"], json!({ "error": 1, "warning": 0, "note": 0 }));
    assert_eq!(one["identity"], Value::Null);
}

#[test]
fn who_a_device_says_it_is_stands_beside_its_class() {
    let web = start(Fake::with_devices(12));
    let one = get(&web, &format!("/api/v1/devices/{}", id(1))).json();
    assert_eq!(one["identity"]["type"]["value"], "camera");
    assert_eq!((&one["identity"]["vendor"], &one["identity"]["os"]), (&Value::Null, &Value::Null));
    assert_eq!(one["identity"]["contradictions"][0]["of_class"], "computer");
    let page = get(&web, &format!("/devices/{}", id(1))).body;
    for text in [
        "It says otherwise: type camera (declared, by ssdp and dns_sd), not computer",
        "What it says of itself",
        "&lt;b&gt;Eye&lt;/b&gt; 2",
        "likely, by ssdp",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let other = get(&web, &format!("/devices/{}", id(2))).body;
    assert!(!other.contains("What it says of itself") && !other.contains("It says otherwise"));
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let web = start(Fake::with_devices(50));
    let names = |query: &str| {
        let list = get(&web, &format!("/api/v1/devices?{query}")).json();
        let devices = list["devices"].as_array().unwrap().clone();
        devices
            .into_iter()
            .map(|device| device["device"].as_str().unwrap()[15..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("q=OSPREL-camera&limit=1"), ["03"]);
    assert_eq!(names("q=10.0.0.14"), ["04"]);
    assert_eq!(names("show=new"), ["08", "19", "2a"]);
    assert_eq!(names("show=gateways"), ["06"]);
    assert_eq!(names("sort=first_seen&limit=2"), ["27", "26"]);
    assert_eq!(names("sort=-last_seen&limit=2"), ["00", "28"], "equal ones stand by name");
    let (first, second) = (names("sort=name&limit=20"), names("sort=name&limit=20&page=2"));
    assert!(first.len() == 20 && second.len() == 20 && first.iter().all(|name| !second.contains(name)));
    // A confidence that there is not stands last in both orders.
    for order in ["sort=confidence&limit=100", "sort=-confidence&limit=100"] {
        let last = names(order).pop().unwrap();
        assert!(["06", "08", "15", "22", "2f"].contains(&last.as_str()), "{order}: {last}");
    }
}

#[test]
fn a_first_guess_is_shown_as_one_and_gateways_are_not_judged() {
    let web = start(Fake::with_devices(300));
    let row = |number: &str| get(&web, &format!("/?q=a8:40:00:00:00:{number}")).body;
    assert!(row("08").contains("so far, not final"));
    let unknown = row("ff");
    assert!(unknown.contains("unknown</span>") && unknown.contains(">so far, like "), "{unknown}");
    assert!(!unknown.contains("not final"), "nobody accepted it");
    let gateway = row("06");
    assert!(gateway.contains("not judged") && !gateway.contains("so far"), "{gateway}");
}

#[test]
fn what_is_wrong_is_said_as_json() {
    let web = start(Fake::with_devices(3));
    let check = |path: &str, status: u16, text: &str| {
        let answer = get(&web, path);
        assert_eq!(answer.status, status, "{path}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(text), "{path}: {error}");
    };
    check("/api/v1/devices?sort=colour", 400, "'colour' is none of attention, name");
    check("/api/v1/devices?limit=5000", 400, "limit is 1 to 1000");
    check("/api/v1/devices?page=x", 400, "cannot be read");
    // What is misspelt would be ignored, and the answer be another than asked for.
    check("/api/v1/devices?shwo=unknown", 400, "unknown field `shwo`, expected one of `q`, `show`");
    for path in ["events", "findings", "changes", "health", "labels", "training"] {
        check(&format!("/api/v1/{path}?colour=red"), 400, "`colour`");
    }
    for path in ["", "/windows", "/changes", "/why"] {
        check(&format!("/api/v1/devices/{}{path}?colour=red", id(1)), 400, "`colour`");
    }
    check("/api/v1/devices/lamp", 400, "'lamp' is neither a MAC address nor an IP address");
    check("/api/v1/devices/00:00:00:00:00:09", 404, "No device 00:00:00:00:00:09 was seen");
    check("/api/v1/devices/00:00:00:00:00:09/windows", 404, "was seen");
    check("/api/v1/events?kind=boring", 400, "unknown kind of event 'boring'");
    check("/api/v1/events?since=yesterday", 400, "'yesterday' is no time");
    check("/api/v1/changes?since=yesterday", 400, "24h");
    check("/api/v1/nothing", 404, "nothing at this address");
    check("/api/v1/devices/%FF", 400, "cannot be read");
    let json = [("Content-Type", "application/json")];
    let method = ask(&web, "PUT", "/api/v1/devices", &json, "{}");
    assert_eq!((method.status, method.header("allow")), (405, Some("GET,HEAD")));
    assert!(method.json()["error"].as_str().unwrap().contains("GET"));
    let page = ask(&web, "PUT", "/model", &json, "{}");
    assert!(page.status == 405 && page.body.contains("<h1>Request refused</h1>"), "{page:?}");
    assert!(get(&web, "/devices/%FF").body.contains("<h1>"));
}

#[test]
fn what_is_kept_is_there() {
    let web = start(Fake::with_devices(12));
    let device = format!("/api/v1/devices/{}", id(2));
    let windows = get(&web, &format!("{device}/windows?limit=5")).json();
    let windows = windows["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 5);
    assert!(windows[0]["window_start"].as_str() > windows[1]["window_start"].as_str(), "the latest first");
    assert!(windows[0].get("bytes_up").is_some() && windows[0]["provisional_after_s"].is_null());
    assert_eq!(get(&web, &format!("{device}/why")).json()["why"]["joint"]["rival"], "lumenhaus-hub");
    assert_eq!(get(&web, &format!("{device}/changes")).json(), json!({ "changes": [] }));
    let events = get(&web, "/api/v1/events?limit=3").json();
    let before = events["next_before"].as_u64().unwrap();
    let next = get(&web, &format!("/api/v1/events?limit=3&before={before}")).json();
    assert!(next["events"][0]["id"].as_u64().unwrap() < before);
    assert_eq!(get(&web, "/api/v1/events?kind=new-device").json()["events"].as_array().unwrap().len(), 1);
    assert_eq!(get(&web, "/api/v1/findings").json()["findings"].as_array().unwrap().len(), 3);
    assert_eq!(get(&web, "/api/v1/health").json()["packets"], 1_234_567);
    assert_eq!(get(&web, "/api/v1/labels").json()["labels"].as_array().unwrap().len(), 4);
    let changes = get(&web, "/api/v1/changes?since=1h").json();
    assert_eq!((&changes["new_devices"], &changes["events"]), (&json!([]), &json!([])));
    let metrics = get(&web, "/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.body.ends_with("# EOF\n"));
}

#[test]
fn requests_go_to_the_backend_and_bad_ones_do_not() {
    let fake = Fake::with_devices(12);
    let web = start(fake.clone());
    let device = id(3);
    let label = |label: Value| json!({ "request": "label", "device": device.to_string(), "label": label });
    assert_eq!(post_json(&web, "/api/v1/requests", &label(json!("  porch camera "))).status, 200);
    assert_eq!(
        fake.world().requests.pop(),
        Some(Request::Label { device, label: Some("porch camera".into()) })
    );
    assert_eq!(get(&web, &format!("/api/v1/devices/{device}")).json()["label"], "porch camera");
    assert_eq!(post_json(&web, "/api/v1/requests", &label(json!(" "))).status, 200);
    assert_eq!(fake.world().requests.pop(), Some(Request::Label { device, label: None }));
    let refused = |json: &Value, status: u16, text: &str| {
        let answer = post_json(&web, "/api/v1/requests", json);
        assert_eq!(answer.status, status, "{json}");
        assert!(answer.json()["error"].as_str().unwrap().contains(text), "{}", answer.body);
    };
    refused(&label(json!("x".repeat(201))), 400, "at most 200 characters");
    refused(&label(json!("a\u{202e}b")), 400, "control characters");
    refused(&json!({ "request": "reboot" }), 422, "docs/page.md");
    refused(&json!({ "request": "acknowledge" }), 422, "event");
    refused(&json!({ "request": "label", "device": device.to_string() }), 422, "label");
    refused(&json!({ "request": "mute", "device": "lamp", "is_muted": true }), 400, "'lamp' is neither");
    assert!(fake.world().requests.is_empty());
    refused(&json!({ "request": "acknowledge", "event": 9_999 }), 422, "there is no event 9999");
    fake.world().requests.clear();
    let discard = json!({ "request": "decide", "choice": "discard" });
    assert_eq!(post_json(&web, "/api/v1/requests", &discard).status, 200);
    assert_eq!(fake.world().requests.pop(), Some(Request::Decide(Choice::Discard)));
    let long = json!({ "request": "label", "device": device.to_string(), "label": "x".repeat(20_000) });
    assert_eq!(post_json(&web, "/api/v1/requests", &long).status, 413);
}

#[test]
fn forms_work_without_scripts() {
    let fake = Fake::with_devices(12);
    let web = start(fake.clone());
    let page = format!("/devices/{}", id(8));
    let check = |form: &str, expected: Request| {
        let answer = post(&web, "/requests", &format!("{form}&back={page}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some(page.as_str())), "{}", answer.body);
        assert_eq!(fake.world().requests.pop(), Some(expected));
    };
    let device = id(8);
    assert!(get(&web, &page).body.contains("badge note\">new<"));
    let event = get(&web, &format!("/api/v1/events?device={device}&kind=new-device")).json();
    let event = event["events"][0]["id"].as_u64().unwrap();
    check(&format!("request=acknowledge&event={event}"), Request::Acknowledge { event });
    assert!(!get(&web, &page).body.contains("badge note\">new<"));
    let label = Some("Küche & Bad".to_owned());
    check(
        &format!("request=label&device={device}&label=K%C3%BCche+%26+Bad"),
        Request::Label { device, label },
    );
    assert!(get(&web, &page).body.contains("Küche &amp; Bad"));
    check(&format!("request=mute&device={device}&is_muted=true"), Request::Mute { device, is_muted: true });
    assert!(get(&web, &page).body.contains(">Unmute<"));
    check("request=decide&choice=discard", Request::Decide(Choice::Discard));
    let several = post(&web, "/requests", "request=acknowledge&event=1,2,3&back=https://evil.example");
    assert_eq!((several.status, several.header("location")), (303, Some("/")));
    assert_eq!(fake.world().requests.pop(), Some(Request::AcknowledgeAll { events: vec![1, 2, 3] }));
    let partly = post(&web, "/requests", "request=acknowledge&event=4,9999,5");
    assert!(partly.status == 422 && partly.body.contains("there is no event 9999"), "{partly:?}");
    let open = get(&web, "/api/v1/events?is_open=true&before=6").json();
    assert_eq!(open["events"].as_array().map(Vec::len), Some(2), "all of them or none: {open}");
    let finding = format!("request=acknowledge-finding&device={device}&rule=TLS-003");
    check(&finding, Request::AcknowledgeFinding { device, rule: "TLS-003".to_owned() });
    for bad in ["request=reboot", "request=label&device=x", "request=acknowledge&event=x", "x=y", ""] {
        let answer = post(&web, "/requests", bad);
        assert!(matches!(answer.status, 400 | 415 | 422), "{bad}: {}", answer.status);
        assert!(answer.body.contains("<h1>"), "{bad} gives a page");
    }
}

#[test]
fn a_model_is_trained_compared_and_switched() {
    let fake = Fake::with_devices(12);
    fake.world().training_time = Duration::from_millis(300);
    let web = start(fake.clone());
    let mut stream = Stream::open(&web).unwrap();
    assert!(get(&web, "/model").body.contains("Train from 4 labelled devices"));
    let answer = post_json(&web, "/api/v1/requests", &json!({ "request": "train" }));
    assert_eq!(answer.json()["training"]["state"], "running");
    assert_eq!(keys(&answer.json()["training"]), ["error", "since", "state", "trained"]);
    assert_eq!(stream.next(), ("training".into(), json!({ "state": "running" })));
    assert!(get(&web, "/model").body.contains("A model is being trained"));
    assert_eq!(post_json(&web, "/api/v1/requests", &json!({ "request": "train" })).status, 409);
    assert_eq!(stream.next(), ("training".into(), json!({ "state": "trained" })));
    let page = get(&web, "/model").body;
    for text in
        ["98.6 %", "95.1 %", "better by 3.5 percentage points", "lumenhaus-bulb", "Switch to the new model"]
    {
        assert!(
            page.contains(text) || page.contains(&text.replace("98.6", "99").replace("95.1", "95")),
            "{text}"
        );
    }
    assert_eq!(get(&web, "/api/v1/training").json()["training"]["trained"]["accuracy"], 0.986);
    assert_eq!(post(&web, "/requests", "request=decide&choice=switch&back=/model").status, 303);
    assert_eq!(fake.world().requests.pop(), Some(Request::Decide(Choice::Switch)));
    assert_eq!(get(&web, "/api/v1/training").json()["training"]["state"], "none");
    assert!(get(&web, "/model").body.contains("trained here from labels"));
}

#[test]
fn evidence_is_not_made_anew_for_everybody() {
    let fake = Fake::with_devices(3);
    let web = start(fake.clone());
    for _ in 0..3 {
        assert_eq!(get(&web, &format!("/devices/{}", id(1))).status, 200);
        assert_eq!(get(&web, &format!("/api/v1/devices/{}/why", id(1))).status, 200);
    }
    assert_eq!(fake.world().explained, 1);
    assert_eq!(get(&web, &format!("/devices/{}", id(2))).status, 200);
    assert_eq!(fake.world().explained, 2);
    assert_eq!(post(&web, "/requests", "request=decide&choice=switch").status, 303);
    assert_eq!(get(&web, &format!("/devices/{}", id(1))).status, 200);
    assert_eq!(fake.world().explained, 3, "another model gives other evidence");
}

#[test]
fn a_training_that_fails_says_why() {
    let fake = Fake::with_devices(3);
    fake.world().trained = None;
    fake.world().training_time = Duration::ZERO;
    let web = start(fake);
    assert_eq!(post(&web, "/requests", "request=train").status, 303);
    sleep(Duration::from_millis(200));
    assert!(get(&web, "/model").body.contains("2 labelled devices are too few: label at least 3"));
}

#[test]
fn records_that_cannot_be_read_are_an_error_with_a_way_out() {
    let fake = Fake::with_devices(3);
    fake.world().broken = Some("the disk <is> full".into());
    let web = start(fake.clone());
    let page = get(&web, "/");
    assert_eq!(page.status, 500);
    assert!(page.body.contains("the disk &lt;is&gt; full") && page.body.contains("Capture"));
    assert_eq!(get(&web, "/api/v1/devices").status, 500);
    assert_eq!(get(&web, "/health").status, 200);
    fake.world().broken = None;
    assert_eq!(get(&web, "/").status, 200);
}

#[test]
fn what_limits_left_out_is_told_by_device_on_the_page_and_in_the_api() {
    let fake = Fake::default();
    let device = "02:00:00:00:00:01".parse().unwrap();
    let mut losses = DeviceLosses::default();
    losses.add(device, LossKind::FLOWS, 12);
    losses.add_other(LossKind::DEVICES, 3);
    fake.world().health.losses = LeftOut::of(&losses);
    let web = start(fake);
    let page = get(&web, "/health").body;
    for text in ["02:00:00:00:00:01", "12 flows", "addresses that nobody answered, and others", "3 devices"] {
        assert!(page.contains(text), "{text}");
    }
    let losses = &get(&web, "/api/v1/health").json()["losses"];
    assert_eq!(losses["devices"][0]["device"], "02:00:00:00:00:01");
    assert_eq!((&losses["totals"]["flows"], &losses["others"]["devices"]), (&12.into(), &3.into()));
}

#[test]
fn empty_views_say_what_will_appear() {
    let fake = Fake::default();
    fake.world().health.clock = Some(now());
    fake.world().health.last_arrival = Some(now());
    let web = start(fake);
    for (path, text) in [
        ("/", "No device yet"),
        ("/changes", "Nothing changed in this time"),
        ("/findings", "No finding yet"),
        ("/health", "No source yet"),
        ("/model", "label devices on their pages first"),
    ] {
        let page = get(&web, path);
        assert!(page.status == 200 && page.body.contains(text), "{path}");
    }
}

#[test]
fn without_a_model_no_page_promises_a_class() {
    let fake = Fake::with_devices(3);
    let web = start(fake.clone());
    let device = {
        let mut world = fake.world();
        world.health.model = None;
        world.devices.values_mut().for_each(|device| {
            device.verdict = None;
            device.provisional = None;
            device.sighting.gateway = None;
        });
        *world.devices.keys().next().unwrap()
    };
    let list = get(&web, "/").body;
    assert!(list.contains("no model") && !list.contains("no verdict yet"), "{list:.2000}");
    assert!(!list.contains("</strong> unknown"), "nobody knows how many are unknown");
    let page = get(&web, &format!("/devices/{device}")).body;
    assert!(page.contains("There is no model") && !page.contains("No verdict yet"), "{page:.2000}");
    fake.world().health.model = Some("home.model".to_owned());
    let list = get(&web, "/").body;
    assert!(list.contains("no verdict yet") && list.contains("</strong> unknown"), "{list:.2000}");
}
