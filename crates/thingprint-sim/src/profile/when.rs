use serde::Deserialize;

use super::{Amount, HoursSeen};

/// When something happens, counted from the moment the device has its address (inside a connection: from its
/// opening).
///
/// At most one of `every_s`, `daily`, `hourly` and `again_s` is given; with none of them it happens once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Time until the first, in seconds. Left out: 0, or for `every_s` any part of the first period, or for
    /// `daily` whenever the first one falls.
    pub first_s: Option<Amount>,
    /// Time from one to the next, in seconds, counted from start to start.
    pub every_s: Option<Amount>,
    /// Mean number a day, at random moments.
    pub daily: Option<f64>,
    /// How many times in every hour of the clock (UTC): the hour is cut into as many equal parts, and each has one, at
    /// a random moment.
    pub hourly: Option<u32>,
    /// Time from the end of one connection to the start of the next, in seconds.
    pub again_s: Option<Amount>,
    /// The probability that it happens when its time comes.
    pub chance: f64,
    /// A phase of the profile in whose hours alone it happens.
    pub during: Option<String>,
    /// A phase of the profile in whose hours it does not happen.
    pub unless: Option<String>,
    /// A rhythm of the home that thins it out: it happens at its full rate in the busiest hour of the rhythm (with
    /// `daily`, the mean number a day is kept).
    pub rhythm: Option<String>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            first_s: None,
            every_s: None,
            daily: None,
            hourly: None,
            again_s: None,
            chance: 1.0,
            during: None,
            unless: None,
            rhythm: None,
        }
    }
}

/// When a device is on the network: always, for sessions, or in a given number of hours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Presence {
    /// Mean number of sessions a day, while off; left out for a device that is always on.
    pub sessions_daily: Option<f64>,
    /// How long a session lasts, in seconds.
    pub session_s: Option<Amount>,
    /// The rhythm of the home in which sessions begin.
    pub rhythm: Option<String>,
    /// Mean number of restarts a day of a device that is always on.
    pub reboots_daily: f64,
    /// In how many hours of the home's trace it is on; left out for a device that is always on or has sessions.
    pub hours: Option<HoursSeen>,
}

impl Presence {
    /// Whether others can count on the device.
    pub(crate) fn is_always(&self) -> bool {
        self.sessions_daily.is_none() && self.hours.is_none()
    }
}
