use std::sync::Arc;

use super::World;
use super::agenda::{Agenda, Event};
use super::beat::next_random;
use super::calendar::Calendar;
use super::chores;
use super::join::{join, rejoin, renew};
use super::nic::Nic;
use super::script::{Script, Task};
use super::session::{Session, Step};
use crate::clock::{SECOND_NS, span_ns};
use crate::profile::{Profile, Unit};
use crate::wire::Noise;

/// How many sessions a device holds at once; more are not opened.
const MOST_SESSIONS: usize = 256;

/// What lies between a restart and the end of its hours at least, for there to be one.
const MINUTE_NS: i64 = 60 * SECOND_NS;

/// A device at play.
pub(crate) struct Device {
    script: Script,
    nic: Nic,
    agenda: Agenda,
    sessions: Vec<Option<Session>>,
    /// The hours in which it is on, where they are counted.
    calendar: Option<Calendar>,
    /// Whether it was on the network before.
    is_return: bool,
}

impl Device {
    pub(crate) fn new(
        profile: &Profile,
        unit: &Unit,
        world: &Arc<World>,
        (start_ns, seed): (i64, u64),
    ) -> Self {
        let mut device = Self {
            script: Script::new(profile, unit, world),
            nic: Nic::new(profile, unit, world.clone(), seed),
            agenda: Agenda::default(),
            sessions: Vec::new(),
            calendar: calendar_of(profile, unit, (world, seed)),
            is_return: false,
        };
        let joins = if profile.presence.hours.is_some() {
            device.next_hours(start_ns)
        } else if profile.presence.sessions_daily.is_some() {
            Some(device.next_session(start_ns))
        } else {
            Some(start_ns + span_ns(world.network.settle_s * device.nic.chance.unit()))
        };
        device.plan_join(joins);
        device
    }

    /// When its next frame passes; none when it has nothing more to say before the end.
    pub(crate) fn next_time(&mut self) -> Option<i64> {
        let end_ns = self.nic.world.end_ns;
        loop {
            let frame = self.nic.outbox.next_time();
            let event = self.agenda.next_time().filter(|at| *at < end_ns);
            match (frame, event) {
                (None, None) => return None,
                (Some(frame), event) if event.is_none_or(|event| frame <= event) => {
                    return Some(frame).filter(|at| *at < end_ns);
                }
                _ => self.take_event(),
            }
        }
    }

    /// Writes its next frame, no more than `limit` bytes of it; its time and true length.
    pub(crate) fn write_next(
        &mut self,
        noise: &Noise,
        limit: usize,
        frame: &mut Vec<u8>,
    ) -> Option<(i64, usize)> {
        self.nic.outbox.write_next(noise, limit, frame)
    }

    /// How many frames wait to leave.
    #[cfg(test)]
    pub(crate) fn planned(&self) -> usize {
        self.nic.outbox.len()
    }

    fn take_event(&mut self) {
        let Some((now, event)) = self.agenda.next() else { return };
        self.nic.outbox.begin(now);
        match event {
            Event::Join => self.join(now),
            Event::Leave => self.leave(now),
            Event::Renew => {
                renew(&mut self.nic, &self.script.identity, now);
                self.plan_renewal(now);
            }
            Event::Start(act) => self.start(act, now),
            Event::Continue(session) => self.go_on(session, now),
        }
    }

    fn join(&mut self, now: i64) {
        self.nic.forget(self.script.directory.len());
        let hours = self.script.presence.hours.as_ref();
        let keeps_address = hours.is_some_and(|hours| hours.keeps_address);
        let ready = if keeps_address {
            rejoin(&mut self.nic, now)
        } else {
            join(&mut self.nic, &self.script.identity, now, self.is_return)
        };
        self.is_return = true;
        if !keeps_address {
            self.plan_renewal(now);
        }
        if let Some(leaves) = self.next_leave(now) {
            self.agenda.plan(leaves, Event::Leave);
        }
        for (index, act) in self.script.acts.iter().enumerate() {
            let first = act.when.first(ready, &self.nic.world, &mut self.nic.chance);
            self.agenda.plan(first, Event::Start(index));
        }
    }

    /// It is gone at once, as when it is unplugged or out of reach.
    fn leave(&mut self, now: i64) {
        self.agenda.clear();
        self.nic.outbox.clear();
        self.sessions.clear();
        let back = if self.script.presence.sessions_daily.is_some() {
            Some(self.next_session(now))
        } else {
            self.restarted(now)
        };
        self.plan_join(back);
    }

    fn plan_join(&mut self, at: Option<i64>) {
        if let Some(at) = at {
            self.agenda.plan(at, Event::Join);
        }
    }

    /// When it is back from a restart, or from what lay between its hours.
    fn restarted(&mut self, now: i64) -> Option<i64> {
        let back = now + self.nic.between_ms(8_000.0, 45_000.0);
        match &self.calendar {
            None => Some(back),
            Some(calendar) => match calendar.next(now) {
                Some((_, end)) if back < end - MINUTE_NS => Some(back),
                Some((_, end)) => self.next_hours(end),
                None => None,
            },
        }
    }

    /// When it joins for the hours under way or the next ones: in the first quarter of them, and no later than devices
    /// that are always on.
    fn next_hours(&mut self, now: i64) -> Option<i64> {
        let (start, end) = self.calendar.as_ref()?.next(now)?;
        let settle = span_ns(self.nic.world.network.settle_s).min((end - start) / 4);
        Some(start + span_ns(settle as f64 / 1e9 * self.nic.chance.unit()))
    }

    fn next_session(&mut self, now: i64) -> i64 {
        let presence = &self.script.presence;
        let daily = presence.sessions_daily.unwrap_or(1.0);
        let world = &self.nic.world;
        let pulse = presence.rhythm.as_ref().and_then(|name| world.pulses.get(name));
        next_random(now, daily, pulse, &mut self.nic.chance)
    }

    /// When a session that begins at `now` is over, or a device that is always on restarts.
    fn next_leave(&mut self, now: i64) -> Option<i64> {
        let presence = &self.script.presence;
        if let Some(lasts) = presence.session_s {
            let lasts = span_ns(lasts.draw(&mut self.nic.chance)).max(30 * SECOND_NS);
            return Some(now.saturating_add(lasts));
        }
        let over = self.calendar.as_ref().and_then(|calendar| calendar.next(now)).map(|(_, end)| end - 1);
        if presence.reboots_daily == 0.0 {
            return over;
        }
        let restarts = next_random(now, presence.reboots_daily, None, &mut self.nic.chance);
        Some(over.map_or(restarts, |over| over.min(restarts)))
    }

    fn plan_renewal(&mut self, now: i64) {
        let half_s = f64::from(self.nic.world.network.lease_s) / 2.0;
        let wait = span_ns(half_s * self.nic.chance.between(0.98, 1.0));
        self.agenda.plan(now.saturating_add(wait), Event::Renew);
    }

    fn start(&mut self, index: usize, now: i64) {
        let Some(act) = self.script.acts.get(index) else { return };
        if let Some(next) = act.when.next(now, &self.nic.world, &mut self.nic.chance) {
            self.agenda.plan(next, Event::Start(index));
        }
        let happens = act.when.happens(now, &self.nic.world, &mut self.nic.chance);
        if happens && self.nic.phases.allow(&act.when, now) {
            self.perform(index, now);
        } else {
            self.start_again(index, now);
        }
    }

    fn perform(&mut self, index: usize, now: i64) {
        let (script, nic) = (&self.script, &mut self.nic);
        let Some(act) = script.acts.get(index) else { return };
        match &act.task {
            Task::Connect(_) => self.open_all(index, now),
            Task::Lookup(spec) => chores::lookup(nic, script, (act, spec), now),
            Task::Ntp(spec) => chores::clock(nic, script, (act, spec), now),
            Task::Ping(spec) => chores::ping(nic, script, (act, spec), now),
            Task::Ssdp(spec) => chores::simple_discovery(nic, script, spec, now),
            Task::Mdns(spec) => chores::multicast_dns(nic, script, spec, now),
        }
    }

    /// Opens as many connections as the profile has at once, within a moment.
    fn open_all(&mut self, act: usize, now: i64) {
        let at_once = self.script.connect(act).and_then(|connect| connect.connection.at_once);
        let count = at_once.map_or(1, |at_once| at_once.draw_few(&mut self.nic.chance));
        let mut at = now;
        for _ in 0..count {
            self.open(act, at);
            at += self.nic.between_ms(1.0, 250.0);
        }
    }

    fn open(&mut self, act: usize, at: i64) {
        let server = self.script.acts.get(act).and_then(|act| act.choice.draw(&mut self.nic.chance));
        let slot = self.free_slot();
        let opened = server
            .filter(|_| slot.is_some())
            .and_then(|server| Session::open(&mut self.nic, &self.script, (act, server), at));
        let (Some((session, goes_on)), Some(slot)) = (opened, slot) else {
            self.start_again(act, at);
            return;
        };
        self.agenda.plan(goes_on, Event::Continue(slot));
        if let Some(place) = self.sessions.get_mut(slot) {
            *place = Some(session);
        }
    }

    fn free_slot(&mut self) -> Option<usize> {
        let free = self.sessions.iter().position(Option::is_none);
        if free.is_none() && self.sessions.len() < MOST_SESSIONS {
            self.sessions.push(None);
            return Some(self.sessions.len() - 1);
        }
        free
    }

    fn go_on(&mut self, slot: usize, now: i64) {
        let Some(session) = self.sessions.get_mut(slot).and_then(Option::as_mut) else { return };
        let act = session.act;
        match session.step(&mut self.nic, &self.script, now) {
            Step::At(next) => self.agenda.plan(next, Event::Continue(slot)),
            Step::Ended => {
                if let Some(place) = self.sessions.get_mut(slot) {
                    *place = None;
                }
                self.start_again(act, now);
            }
        }
    }

    /// Plans what an activity does some time after its end.
    fn start_again(&mut self, index: usize, now: i64) {
        let again = self.script.acts.get(index).and_then(|act| act.when.again_s);
        if let Some(again) = again {
            let wait = span_ns(again.draw(&mut self.nic.chance)).max(SECOND_NS / 2);
            self.agenda.plan(now.saturating_add(wait), Event::Start(index));
        }
    }
}

/// The hours in which a device is on, where its profile counts them.
fn calendar_of(profile: &Profile, unit: &Unit, (world, seed): (&World, u64)) -> Option<Calendar> {
    let hours = profile.presence.hours.as_ref()?;
    let pulse = hours.rhythm.as_ref().and_then(|name| world.pulses.get(name));
    Some(Calendar::new(hours, world.trace.as_ref()?, pulse, (seed, &unit.name)))
}
