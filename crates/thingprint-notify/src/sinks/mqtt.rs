use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thingprint_endpoint::Endpoint;

use super::{Kind, Parsed, Sink, Target};
use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;
use crate::roster::Roster;

mod discovery;
mod link;
mod topics;

use discovery::Announcer;
use link::{Link, Login, Message};
use topics::Topics;

/// `mqtt://[USER@]HOST[:PORT][/PREFIX]`: events, states of devices, and their discovery by Home Assistant.
pub(crate) const KIND: Kind = Kind { forms: &["mqtt://[USER@]HOST:PORT/PREFIX"], parse };

const DEFAULT_PORT: u16 = 1883;

const DEFAULT_PREFIX: &str = "thingprint";

/// Messages that are sent before their acknowledgements are waited for; brokers keep some hundreds for a client.
const BATCH: usize = 50;

/// The first pause between two attempts to connect; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Topics that a broker may hold from earlier runs: two for each device, and some devices that are gone.
const MAX_TOPICS: usize = 8000;

fn parse(text: &str) -> Option<Parsed> {
    if text.starts_with("mqtts:") {
        let problem =
            "MQTT over TLS is not spoken; send to a broker on this machine, and let that one bridge with TLS";
        return Some(Err(NotifyError::bad_sink(text.split('@').next_back().unwrap_or_default(), problem)));
    }
    let rest = text.strip_prefix("mqtt://")?;
    Some(read(rest).map(|target| Arc::new(target) as Arc<dyn Target>))
}

fn read(text: &str) -> Result<MqttTarget, NotifyError> {
    let (authority, prefix) = text.split_once('/').unwrap_or((text, ""));
    let (user, endpoint) = match authority.rsplit_once('@') {
        Some((user, endpoint)) => (Some(user.to_owned()), endpoint),
        None => (None, authority),
    };
    let bad = |problem: String| NotifyError::bad_sink(format!("mqtt://{endpoint}"), problem);
    if user.as_ref().is_some_and(|user| user.contains(':') || user.is_empty()) {
        let problem = "a password in the address would be seen by others; write mqtt://USER@HOST, and give the password \
                       with --mqtt-password-file";
        return Err(bad(problem.to_owned()));
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let prefix = if prefix.is_empty() { DEFAULT_PREFIX } else { prefix };
    topics::check(prefix).map_err(bad)?;
    let endpoint = Endpoint::parse(endpoint, Some(DEFAULT_PORT)).map_err(bad)?;
    if endpoint.host().contains('%') {
        return Err(bad(
            "a broker is not spoken to by the name of a link; give its name or another address".to_owned()
        ));
    }
    Ok(MqttTarget { user, endpoint, prefix: prefix.to_owned() })
}

struct MqttTarget {
    user: Option<String>,
    endpoint: Endpoint,
    prefix: String,
}

impl fmt::Display for MqttTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mqtt://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}/{}", self.endpoint, self.prefix)
    }
}

impl MqttTarget {
    fn login(&self, options: &NotifyOptions) -> Result<Option<Login>, NotifyError> {
        let bad = |problem: &str| Err(NotifyError::bad_sink(self.to_string(), problem));
        let Some(user) = &self.user else {
            return match options.mqtt_password {
                Some(_) => bad("there is a password and no user; write mqtt://USER@HOST"),
                None => Ok(None),
            };
        };
        let password = options.mqtt_password.as_ref().map(|password| password.bytes().to_vec());
        match String::from_utf8(password.unwrap_or_default()) {
            Ok(password) => Ok(Some(Login { user: user.clone(), password })),
            Err(_) => bad("the password is not UTF-8; write another one"),
        }
    }
}

impl Target for MqttTarget {
    fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        topics::check(&options.discovery_prefix)
            .map_err(|problem| NotifyError::bad_sink(self.to_string(), problem))?;
        let topics = Topics::new(&self.prefix, &options.discovery_prefix);
        Ok(Box::new(Mqtt {
            login: self.login(options)?,
            endpoint: self.endpoint.clone(),
            announcer: Announcer::new(topics.clone(), options.discovery),
            topics,
            link: None,
            is_greeted: false,
            retry_at: Instant::now(),
            pause: FIRST_PAUSE,
            roster: None,
            published: BTreeMap::new(),
            is_dirty: false,
        }))
    }
}

struct Mqtt {
    endpoint: Endpoint,
    login: Option<Login>,
    topics: Topics,
    announcer: Announcer,
    link: Option<Link>,
    /// Whether the broker knows that we are there.
    is_greeted: bool,
    /// When a connection that broke is made again, where no event asks for it.
    retry_at: Instant,
    /// The pause after the next connection that breaks.
    pause: Duration,
    roster: Option<Arc<Roster>>,
    /// What the broker keeps of ours, by topic; an empty text where it is not known.
    published: BTreeMap<String, String>,
    /// Whether what should be published may differ from what is.
    is_dirty: bool,
}

impl Mqtt {
    /// The connection; another one where it broke.
    fn link(&mut self) -> Result<Link, String> {
        if let Some(link) = self.link.as_ref().filter(|link| !link.has_ended()) {
            return Ok(link.clone());
        }
        let link = Link::start(&self.endpoint, self.login.as_ref(), &self.topics)
            .map_err(|error| format!("start a thread for {}: {error}", self.endpoint))?;
        self.is_greeted = false;
        self.retry_at = Instant::now() + self.pause;
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Ok(self.link.insert(link).clone())
    }

    /// Waits for the connection, and does what a new one needs: says that we are there, and asks what the broker keeps of
    /// an earlier run.
    fn connect(&mut self, connect_limit: Duration, limit: Duration) -> Result<Link, String> {
        let link = self.link()?;
        link.wait_connected(connect_limit)?;
        if !self.is_greeted {
            let online = Message::retained(self.topics.status(), topics::ONLINE);
            link.publish(&[online], limit)?;
            link.subscribe(&self.topics.any_device_state())?;
            // A broker may have forgotten everything.
            self.published.clear();
            self.is_dirty = true;
            self.is_greeted = true;
            self.pause = FIRST_PAUSE;
        }
        Ok(link)
    }

    /// Publishes what changed of the devices, and takes away what is not there any more.
    fn refresh(&mut self, link: &Link, limit: Duration) -> Result<(), String> {
        for id in link.take_found() {
            self.remember(&id);
        }
        let Some(roster) = self.roster.clone().filter(|_| self.is_dirty) else { return Ok(()) };
        let wanted = self.announcer.wanted(&roster);
        let changed = wanted.iter().filter(|(topic, payload)| self.published.get(*topic) != Some(*payload));
        let mut messages: Vec<Message> =
            changed.map(|(topic, payload)| Message::retained(topic.clone(), payload)).collect();
        let gone = self.published.keys().filter(|topic| !wanted.contains_key(*topic));
        messages.extend(gone.map(|topic| Message::retained(topic.clone(), "")));
        for batch in messages.chunks(BATCH) {
            link.publish(batch, limit)?;
            for message in batch {
                self.note_published(message);
            }
        }
        self.is_dirty = false;
        Ok(())
    }

    fn note_published(&mut self, message: &Message) {
        if message.payload.is_empty() {
            self.published.remove(&message.topic);
        } else {
            self.published.insert(message.topic.clone(), message.payload.clone());
        }
    }

    /// Notes a device that the broker keeps, of this run or an earlier one.
    fn remember(&mut self, id: &str) {
        for topic in [self.topics.state(id), self.topics.discovery(id)] {
            if self.published.len() < MAX_TOPICS && !self.published.contains_key(&topic) {
                self.published.insert(topic, String::new());
                self.is_dirty = true;
            }
        }
    }

    /// Whether all is well, with a connection after so long; else why not.
    fn look_after(&mut self, connect_limit: Duration, limit: Duration) -> Result<bool, String> {
        let link = self.connect(connect_limit, limit)?;
        self.refresh(&link, limit)?;
        Ok(true)
    }
}

impl Sink for Mqtt {
    fn deliver(&mut self, delivery: &Delivery, limit: Duration) -> Result<(), Failure> {
        let event = &delivery.letter.event;
        let json = delivery.json_with(&format!("\"event_type\":\"{}\",", event.kind));
        let mut messages = vec![Message::passing(self.topics.events(), json.clone())];
        if let Some(device) = event.device {
            messages.push(Message::passing(self.topics.event(&topics::id(device)), json));
        }
        let link = self.connect(limit, limit).map_err(Failure::later)?;
        link.publish(&messages, limit).map_err(Failure::later)
    }

    fn shows_devices(&self) -> bool {
        true
    }

    fn show(&mut self, roster: Arc<Roster>, limit: Duration) -> Result<bool, String> {
        self.is_dirty |= self.roster.as_ref() != Some(&roster);
        self.roster = Some(roster);
        self.look_after(limit, limit)
    }

    fn idle(&mut self, limit: Duration) -> Result<bool, String> {
        if let Some(link) = self.link.as_ref().filter(|link| link.has_ended())
            && Instant::now() < self.retry_at
        {
            return Err(link.problem());
        }
        // The thread of the connection waits for the broker: nothing here does.
        self.look_after(Duration::ZERO, limit).or_else(|why| {
            let is_connecting = self.link.as_ref().is_some_and(Link::is_connecting);
            if is_connecting { Ok(false) } else { Err(why) }
        })
    }

    fn close(&mut self, limit: Duration) {
        if let Some(link) = self.link.take() {
            let offline = Message::retained(self.topics.status(), topics::OFFLINE);
            // The last will says the same where this does not arrive.
            let _ = link.publish(&[offline], limit);
            link.close(limit);
        }
    }
}
