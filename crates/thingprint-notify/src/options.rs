use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// The first pause before an event is tried again: a server that restarts is back soon.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause: a receiver that is back is used again within a minute.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// An event that nobody took for an hour is given up: what waits behind it is newer, and the store has it.
const GIVE_UP_AFTER: Duration = Duration::from_hours(1);

/// One attempt takes at most this long: a webhook that needs longer should queue the work itself.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);

/// Topics below this one are where Home Assistant looks for devices, unless it is set up otherwise.
const DISCOVERY_PREFIX: &str = "homeassistant";

/// What sinks need to know beside where they send to.
pub struct NotifyOptions {
    /// Signs the body of webhooks (HMAC-SHA256); unsigned without it.
    pub webhook_key: Option<Secret>,
    /// A PEM file with the certificates that servers of webhooks are checked against, in place of the public ones.
    pub webhook_roots: Option<PathBuf>,
    /// The password for the user in `mqtt://user@host`.
    pub mqtt_password: Option<Secret>,
    /// What Home Assistant is told by MQTT.
    pub discovery: Discovery,
    /// The topic below which Home Assistant looks for devices.
    pub discovery_prefix: String,
    /// The name of this machine in syslog; `None` for what the system says.
    pub host_name: Option<String>,
    /// When an event is tried again.
    pub schedule: RetrySchedule,
    /// Where `stdout` goes; `None` for standard output.
    pub standard_output: Option<Box<dyn Write + Send>>,
}

impl Default for NotifyOptions {
    fn default() -> Self {
        Self {
            webhook_key: None,
            webhook_roots: None,
            mqtt_password: None,
            discovery: Discovery::default(),
            discovery_prefix: DISCOVERY_PREFIX.to_owned(),
            host_name: None,
            schedule: RetrySchedule::default(),
            standard_output: None,
        }
    }
}

impl fmt::Debug for NotifyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotifyOptions")
            .field("webhook_key", &self.webhook_key)
            .field("webhook_roots", &self.webhook_roots)
            .field("mqtt_password", &self.mqtt_password)
            .field("discovery", &self.discovery)
            .field("discovery_prefix", &self.discovery_prefix)
            .field("host_name", &self.host_name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

/// What Home Assistant is told by MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Discovery {
    /// Devices with their MAC addresses: those that another integration knows become one device with ours.
    #[default]
    ByMac,
    /// Devices without MAC addresses: each stays a device of its own.
    Apart,
    /// Nothing.
    Off,
}

impl Discovery {
    /// All of them, with the names that an option takes.
    pub const ALL: [(&'static str, Self); 3] =
        [("by-mac", Self::ByMac), ("apart", Self::Apart), ("off", Self::Off)];
}

impl std::str::FromStr for Discovery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, one)| *one).ok_or_else(|| "expected by-mac, apart or off".to_owned())
    }
}

/// When an event is tried again, and for how long. The pauses double and have no random part: one sender needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// The pause after the first failure.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// An event is given up this long after it happened.
    pub give_up_after: Duration,
    /// An attempt fails after this time.
    pub attempt_limit: Duration,
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self {
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
            give_up_after: GIVE_UP_AFTER,
            attempt_limit: ATTEMPT_LIMIT,
        }
    }
}

impl RetrySchedule {
    /// The pause after so many failures, from 1.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first_pause.saturating_mul(factor).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let schedule = RetrySchedule::default();
        let pauses: Vec<u64> = (1..=8).map(|failures| schedule.pause(failures).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(schedule.pause(u32::MAX).as_secs(), 60);
    }

    #[test]
    fn a_way_of_discovery_has_a_name() {
        for (name, discovery) in Discovery::ALL {
            assert_eq!(name.parse(), Ok(discovery));
        }
        assert!("mac".parse::<Discovery>().is_err());
    }
}
