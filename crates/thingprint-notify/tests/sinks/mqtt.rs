//! Against mosquitto, as Debian has it. Skipped where it is not installed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use tempfile::TempDir;
use thingprint_flow::Timestamp;
use thingprint_notify::{Discovery, Notifier, NotifyOptions, Secret};
use thingprint_watch::{DeviceRecord, Severities, Sighting, Standing};

use crate::{PATIENCE, event, events, fast, start, wait_until};

/// Where Debian installs it, beside the path of the user.
const PROGRAMS: [&str; 2] = ["mosquitto", "/usr/sbin/mosquitto"];

const CAMERA: &str = "a8:40:7c:0b:33:f2";
const CAMERA_CONFIG: &str = "homeassistant/device/thingprint_a8407c0b33f2/config";
const CAMERA_STATE: &str = "thingprint/device/a8407c0b33f2/state";
const PLUG: &str = "30:c4:6a:10:7e:b3";
const PLUG_CONFIG: &str = "homeassistant/device/thingprint_30c46a107eb3/config";
const PLUG_STATE: &str = "thingprint/device/30c46a107eb3/state";

/// A broker on a port of this machine, which keeps nothing over its end.
struct Broker {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Broker {
    /// `None`, with the reason printed, where there is no mosquitto.
    fn start(more: &str) -> Option<Self> {
        let is_there = |program: &&&str| {
            Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
        };
        let Some(program) = PROGRAMS.iter().find(is_there) else {
            eprintln!("skipped: mosquitto is not installed (apt-get install mosquitto)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let more = more.replace("FOLDER", &folder.path().display().to_string());
        // The broker does not start without the file that it is told of.
        fs::write(folder.path().join("passwords"), "").unwrap();
        let settings = format!("user root\nlistener {port} 127.0.0.1\npersistence false\n{more}\n");
        fs::write(folder.path().join("mosquitto.conf"), settings).unwrap();
        let mut broker = Self { port, folder, process: None };
        broker.run(program);
        Some(broker)
    }

    fn run(&mut self, program: &str) {
        let config = self.folder.path().join("mosquitto.conf");
        let mut command = Command::new(program);
        let command = command.arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        wait_until("the broker", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn restart(&mut self) {
        let program = PROGRAMS.iter().find(|program| Path::new(program).exists()).unwrap_or(&PROGRAMS[0]);
        self.run(program);
    }

    fn spec(&self) -> String {
        format!("mqtt://127.0.0.1:{}/thingprint", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Somebody who listens to everything.
struct Listener {
    client: Client,
    /// All messages, in the order in which they came, with whether the broker had kept them.
    heard: Arc<Mutex<Vec<(String, String, bool)>>>,
}

impl Listener {
    fn start(port: u16) -> Self {
        // A broker throws out whoever has the name of one who comes.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut options = MqttOptions::new(format!("listener-{number}"), "127.0.0.1", port);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 100);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&heard);
        let subscriber = client.clone();
        thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        subscriber.try_subscribe("#", QoS::AtLeastOnce).unwrap();
                    }
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let text = String::from_utf8(message.payload.to_vec()).unwrap();
                        to.lock().unwrap().push((message.topic, text, message.retain));
                    }
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => break,
                    Ok(_) => {}
                    Err(_) => thread::sleep(Duration::from_millis(20)),
                }
            }
        });
        Self { client, heard }
    }

    /// Waits for a message of a topic, from the first one that was not waited for.
    fn wait(&self, topic: &str) -> String {
        let mut found = None;
        wait_until(topic, || {
            let mut heard = self.heard.lock().unwrap();
            let at = heard.iter().position(|(name, _, _)| name == topic);
            found = at.map(|at| heard.remove(at).1);
            found.is_some()
        });
        found.unwrap()
    }

    fn json(&self, topic: &str) -> serde_json::Value {
        serde_json::from_str(&self.wait(topic)).unwrap()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.client.try_disconnect();
    }
}

/// What the broker keeps, by topic.
fn kept(port: u16) -> BTreeMap<String, String> {
    let listener = Listener::start(port);
    // Kept messages come in one go; the last of them is known by what is published behind them.
    wait_until("a subscription", || {
        let _ = listener.client.try_publish("end", QoS::AtLeastOnce, false, "end");
        thread::sleep(Duration::from_millis(50));
        listener.heard.lock().unwrap().iter().any(|(topic, _, _)| topic == "end")
    });
    let heard = listener.heard.lock().unwrap();
    heard
        .iter()
        .filter(|(_, _, is_kept)| *is_kept)
        .map(|(topic, text, _)| (topic.clone(), text.clone()))
        .collect()
}

fn device(address: &str, host_name: &str) -> DeviceRecord {
    let time = Timestamp::from_seconds(1_700_000_000);
    DeviceRecord {
        sighting: Sighting {
            device: address.parse().unwrap(),
            gateway: None,
            is_randomised: false,
            addresses: Vec::new(),
            host_name: Some(host_name.to_owned()),
            vendor_class: None,
            identity: None,
            names: Vec::new(),
            server_ports: Vec::new(),
            served_ports: Vec::new(),
            services: Vec::new(),
            first_seen: time,
            last_seen: time,
            packets_up: 1,
            packets_down: 1,
        },
        label: None,
        verdict: Some(Standing {
            class: Some("camera".to_owned()),
            best_guess: "camera".to_owned(),
            confidence: 0.97,
            likeness: None,
            reason: None,
            family: None,
            windows: 3,
            since: time,
        }),
        provisional: None,
        windows: 3,
        findings: Severities { error: 1, warning: 0, note: 0 },
        open_events: 0,
        is_new: false,
        is_muted: false,
    }
}

fn stop(notifier: Notifier) {
    let health = notifier.stop(PATIENCE);
    assert_eq!(health[0].waiting, 0, "{health:?}");
}

#[test]
fn events_and_devices_arrive_and_join_by_address() {
    let Some(broker) = Broker::start("allow_anonymous true") else { return };
    let listener = Listener::start(broker.port);
    let notifier = start(&broker.spec(), fast());
    let hostile = "evil/#+/\"{{ states }}\u{202e}\n";
    notifier.show(&[device(CAMERA, hostile)]);
    let mut about_network = event(2);
    about_network.device = None;
    notifier.send(&[event(1), about_network]);
    assert_eq!(listener.wait("thingprint/status"), "online");
    let config = listener.json(CAMERA_CONFIG);
    assert_eq!(config["device"]["connections"], serde_json::json!([["mac", CAMERA]]));
    assert_eq!(config["device"]["name"], "evil/#+/\"{{ states }}\u{fffd} ");
    let state = listener.json(config["state_topic"].as_str().unwrap());
    assert_eq!((&state["class"], &state["confidence_percent"]), (&"camera".into(), &97.0.into()));
    let fired = listener.json(config["components"]["event"]["state_topic"].as_str().unwrap());
    assert_eq!((&fired["event_type"], &fired["id"]), (&"new-device".into(), &1.into()));
    let all = [listener.json("thingprint/events"), listener.json("thingprint/events")];
    assert_eq!((&all[0]["id"], &all[1]["id"]), (&1.into(), &2.into()));
    assert_eq!(listener.json("thingprint/network")["devices"], 1);
    assert!(notifier.flush(PATIENCE));
    let kept = kept(broker.port);
    assert!([CAMERA_CONFIG, CAMERA_STATE, "thingprint/status"].iter().all(|topic| kept.contains_key(*topic)));
    assert!(!kept.keys().any(|topic| topic.contains("event")), "events are not kept: {kept:?}");
    stop(notifier);
    assert_eq!(listener.wait("thingprint/status"), "offline");
}

#[test]
fn a_device_that_is_forgotten_is_taken_away() {
    let Some(broker) = Broker::start("allow_anonymous true") else { return };
    let options = NotifyOptions { discovery: Discovery::Apart, ..fast() };
    let notifier = start(&broker.spec(), options);
    notifier.show(&[device(CAMERA, "hub"), device(PLUG, "plug")]);
    wait_until("two devices", || kept(broker.port).contains_key(PLUG_CONFIG));
    assert!(!kept(broker.port)[PLUG_CONFIG].contains("connections"));
    notifier.show(&[device(CAMERA, "hub")]);
    wait_until("one device", || !kept(broker.port).contains_key(PLUG_CONFIG));
    let kept = kept(broker.port);
    assert!(kept.contains_key(CAMERA_STATE) && !kept.contains_key(PLUG_STATE), "{kept:?}");
    stop(notifier);
}

#[test]
fn devices_of_an_earlier_run_are_taken_away() {
    let Some(broker) = Broker::start("allow_anonymous true") else { return };
    let first = start(&broker.spec(), fast());
    first.show(&[device(CAMERA, "hub"), device(PLUG, "plug")]);
    stop(first);
    assert!(kept(broker.port).contains_key(PLUG_CONFIG));
    let second = start(&broker.spec(), fast());
    second.show(&[device(CAMERA, "hub")]);
    wait_until("one device", || !kept(broker.port).contains_key(PLUG_CONFIG));
    let kept = kept(broker.port);
    assert!(kept.contains_key(CAMERA_CONFIG) && !kept.contains_key(PLUG_STATE), "{kept:?}");
    stop(second);
}

#[test]
fn a_broker_that_comes_back_gets_everything_again() {
    let Some(mut broker) = Broker::start("allow_anonymous true") else { return };
    let listener = Listener::start(broker.port);
    let notifier = start(&broker.spec(), fast());
    notifier.show(&[device(CAMERA, "hub")]);
    notifier.send(&events(1..=1));
    assert_eq!(listener.json("thingprint/events")["id"], 1);
    assert!(notifier.flush(PATIENCE));
    broker.stop();
    notifier.send(&events(2..=3));
    wait_until("a failure", || notifier.health()[0].problem.is_some());
    broker.restart();
    assert!(notifier.flush(PATIENCE), "{:?}", notifier.health());
    wait_until("the device", || kept(broker.port).contains_key(CAMERA_CONFIG));
    assert_eq!(kept(broker.port)["thingprint/status"], "online");
    let health = &notifier.health()[0];
    assert_eq!((health.delivered, health.dropped), (3, 0), "{health:?}");
    stop(notifier);
}

#[test]
fn a_connection_that_breaks_is_said_by_the_last_will() {
    let Some(broker) = Broker::start("allow_anonymous true") else { return };
    let listener = Listener::start(broker.port);
    let cable = Cable::start(broker.port);
    let notifier = start(&format!("mqtt://127.0.0.1:{}/thingprint", cable.port), fast());
    assert_eq!(listener.wait("thingprint/status"), "online");
    cable.cut();
    assert_eq!(listener.wait("thingprint/status"), "offline");
    assert_eq!(listener.wait("thingprint/status"), "online");
    stop(notifier);
}

#[test]
fn a_password_opens_the_broker_and_a_wrong_one_is_named() {
    let Some(mut broker) = Broker::start("allow_anonymous false\npassword_file FOLDER/passwords") else {
        return;
    };
    broker.stop();
    let passwords = broker.folder.path().join("passwords");
    let created =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["ann", "hunter2"]).status();
    if !created.is_ok_and(|status| status.success()) {
        eprintln!("skipped: mosquitto_passwd does not run");
        return;
    }
    broker.restart();
    let spec = format!("mqtt://ann@127.0.0.1:{}", broker.port);
    let with = |password: &str| NotifyOptions { mqtt_password: Some(Secret::new(password)), ..fast() };
    let notifier = start(&spec, with("hunter2"));
    notifier.send(&events(1..=1));
    assert!(notifier.flush(PATIENCE), "{:?}", notifier.health());
    stop(notifier);
    let notifier = start(&spec, with("wrong"));
    notifier.send(&events(1..=1));
    wait_until("a refusal", || {
        notifier.health()[0].problem.as_deref().is_some_and(|why| why.contains("NotAuthorized"))
    });
    let health = notifier.stop(Duration::from_millis(500));
    assert_eq!(health[0].waiting, 1);
    assert!(!format!("{health:?}").contains("hunter2"));
}

/// A connection between two ports that can be cut.
struct Cable {
    port: u16,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let streams = Arc::new(Mutex::new(Vec::new()));
        let held = Arc::clone(&streams);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
                held.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || carry(from, to));
                }
            }
        });
        Self { port, streams }
    }

    fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let length = from.read(&mut bytes)?;
        if length == 0 {
            return to.shutdown(Shutdown::Both);
        }
        to.write_all(&bytes[..length])?;
    }
}
