//! A reading that nobody reads: devices, windows, findings and events made up, kept in memory.

#![allow(dead_code, reason = "each test and the example use a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod records;
mod story;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use thingprint_flow::{DeviceId, MacAddr, Timestamp};
use thingprint_watch::{
    Choice, DeviceRecord, Event, EventKind, FindingRecord, GivenLabel, Health, Records, RecordsError,
    Request, RequestError, Severity, StandingChange, Trained, Update, WindowRecord,
};
use thingprint_web::{Backend, Why};

use records::Snapshot;

/// A backend that tests look into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fake(Arc<Mutex<World>>);

/// All that there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) devices: BTreeMap<DeviceId, DeviceRecord>,
    pub(crate) windows: BTreeMap<DeviceId, Vec<WindowRecord>>,
    pub(crate) findings: Vec<FindingRecord>,
    /// The latest last.
    pub(crate) events: Vec<Event>,
    pub(crate) changes: Vec<StandingChange>,
    pub(crate) labels: Vec<GivenLabel>,
    pub(crate) health: Health,
    pub(crate) why: Option<Why>,
    /// How often evidence was asked for.
    pub(crate) explained: usize,
    pub(crate) requests: Vec<Request>,
    /// What training gives, and how long it takes.
    pub(crate) trained: Option<Trained>,
    pub(crate) training_time: Duration,
    /// Why records cannot be had.
    pub(crate) broken: Option<String>,
    /// How long the records take.
    pub(crate) delay: Duration,
}

impl Fake {
    /// A network of so many devices, as it may be at home or at a school.
    pub(crate) fn with_devices(devices: usize) -> Self {
        Self(Arc::new(Mutex::new(story::world(devices, now()))))
    }

    /// One device whose every text is this one.
    pub(crate) fn hostile(text: &str) -> Self {
        Self(Arc::new(Mutex::new(story::hostile(text, now()))))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// A device appears; gives what a live reading would publish.
    pub(crate) fn appear(&self, name: &str) -> Vec<Update> {
        let mut world = self.world();
        let number = world.devices.len() + 1;
        let device = story::new_device(number, name, now());
        let event = Event {
            device: Some(device.sighting.device),
            subject: device.sighting.device.to_string(),
            text: format!("New device {name} at {}.", device.sighting.device),
            ..story::event(&mut world, EventKind::NewDevice, Severity::Note)
        };
        world.health.clock = Some(now());
        world.events.push(event.clone());
        world.devices.insert(device.sighting.device, device.clone());
        vec![Update::Device(device.sighting), Update::Event(event)]
    }
}

/// The time of the machine.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_nanos(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap())
}

/// A device of a number.
pub(crate) fn id(number: usize) -> DeviceId {
    let number = u32::try_from(number).unwrap().to_be_bytes();
    DeviceId::Mac(MacAddr::new([0xa8, 0x40, number[0], number[1], number[2], number[3]]))
}

impl Backend for Fake {
    fn records(&self) -> Result<Box<dyn Records>, RecordsError> {
        let (broken, delay) = {
            let world = self.world();
            (world.broken.clone(), world.delay)
        };
        std::thread::sleep(delay);
        match broken {
            Some(why) => Err(RecordsError(why)),
            None => Ok(Box::new(Snapshot(Arc::clone(&self.0)))),
        }
    }

    fn health(&self) -> Health {
        self.world().health.clone()
    }

    fn request(&self, request: Request) -> Result<Option<Trained>, RequestError> {
        self.world().requests.push(request.clone());
        match request {
            Request::Label { device, label } => self.label(device, label),
            Request::Acknowledge { event } => self.acknowledge(event),
            Request::AcknowledgeAll { events } => {
                let known = self.world().events.iter().map(|event| event.id).collect::<Vec<_>>();
                if let Some(gone) = events.iter().find(|event| !known.contains(event)) {
                    return Err(RequestError(format!("there is no event {gone}")));
                }
                events.into_iter().try_fold(None, |_, event| self.acknowledge(event))
            }
            Request::AcknowledgeFinding { device, rule } => {
                let mut world = self.world();
                let now = Some(now());
                for finding in world
                    .findings
                    .iter_mut()
                    .filter(|finding| (finding.device, &finding.rule) == (device, &rule))
                {
                    finding.acknowledged_at = now;
                }
                Ok(None)
            }
            Request::Mute { device, is_muted } => {
                let mut world = self.world();
                let device =
                    world.devices.get_mut(&device).ok_or(RequestError("there is no such device".into()))?;
                device.is_muted = is_muted;
                Ok(None)
            }
            Request::Train => {
                let World { training_time: time, trained, .. } = self.world().clone();
                std::thread::sleep(time);
                trained
                    .map(Some)
                    .ok_or(RequestError("2 labelled devices are too few: label at least 3".into()))
            }
            Request::Decide(choice) => {
                let mut world = self.world();
                if choice == Choice::Switch {
                    world.health.model = Some("trained here from labels".into());
                }
                Ok(None)
            }
        }
    }

    fn explain(&self, _: DeviceId) -> Result<Option<Why>, RecordsError> {
        let mut world = self.world();
        world.explained += 1;
        Ok(world.why.clone())
    }

    fn metrics(&self) -> String {
        "# TYPE thingprint_packets counter\nthingprint_packets_total 5\n# EOF\n".to_owned()
    }
}

impl Fake {
    fn label(&self, device: DeviceId, label: Option<String>) -> Result<Option<Trained>, RequestError> {
        let mut world = self.world();
        let record = world.devices.get_mut(&device).ok_or(RequestError("there is no such device".into()))?;
        record.label.clone_from(&label);
        world.labels.retain(|given| given.device != device);
        if let Some(label) = label {
            world.labels.push(GivenLabel { device, label, at: now() });
        }
        Ok(None)
    }

    fn acknowledge(&self, number: u64) -> Result<Option<Trained>, RequestError> {
        let mut world = self.world();
        let world = &mut *world;
        let event = world.events.iter_mut().find(|event| event.id == number);
        let event = event.ok_or_else(|| RequestError(format!("there is no event {number}")))?;
        event.acknowledged_at = Some(now());
        let Some(device) = event.device else { return Ok(None) };
        let record = world.devices.get_mut(&device).unwrap();
        record.open_events = record.open_events.saturating_sub(1);
        if event.kind == EventKind::NewDevice {
            record.is_new = false;
        }
        if event.kind == EventKind::Finding {
            let own =
                |finding: &&mut FindingRecord| finding.device == device && finding.rule == event.subject;
            for finding in world.findings.iter_mut().filter(own) {
                finding.acknowledged_at = Some(now());
            }
            record.findings = story::severities(&world.findings, device);
        }
        Ok(None)
    }
}
