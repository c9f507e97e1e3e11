//! What an account changes in the tables.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::EvidenceSet;
use thingprint_watch::{
    Account, Event, FindingRecord, Sighting, Standing, StandingChange, Update, WindowRecord,
};

use crate::cell::{Cells, json, whole};
use crate::error::Problem;
use crate::instance_blob;
use crate::merge::{self, Base, Bases};
use crate::record_rows;
use crate::sql::{Connection, Params, SqlResult, Statement, named_params, params};
use crate::store::NEXT_EVENT;

/// What became of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Windows that are kept since.
    pub windows: u64,
    /// Windows that were there already, and stay as they are.
    pub known_windows: u64,
    /// Updates that the tables refuse, such as a number that is none.
    pub refused: u64,
}

/// Writes accounts within one transaction.
pub(crate) struct AccountWriter<'a> {
    transaction: &'a Connection,
    /// What earlier readings counted of each device.
    bases: &'a mut Bases,
    /// The row of the recipe by which the instances were made.
    recipe: Option<i64>,
    /// Whether each update can be undone alone.
    is_careful: bool,
    /// The statements that were used, which take longer to compile than to run.
    statements: BTreeMap<&'static str, Statement<'a>>,
}

impl<'a> AccountWriter<'a> {
    pub(crate) const fn new(transaction: &'a Connection, bases: &'a mut Bases, recipe: Option<i64>) -> Self {
        Self { transaction, bases, recipe, is_careful: false, statements: BTreeMap::new() }
    }

    /// The same, where an update that is refused does not undo the others.
    pub(crate) fn careful(self) -> Self {
        Self { is_careful: true, ..self }
    }

    /// Runs a statement; how many rows it changed.
    fn execute(&mut self, sql: &'static str, params: Params<'_>) -> SqlResult<u64> {
        self.statement(sql)?.execute(params)
    }

    fn statement(&mut self, sql: &'static str) -> SqlResult<&mut Statement<'a>> {
        match self.statements.entry(sql) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(self.transaction.prepare(sql)?)),
        }
    }

    /// Makes all changes of an account. An update that the tables refuse is left out and counted: it would be refused each
    /// time, and nothing behind it would ever be written.
    pub(crate) fn account(&mut self, account: &Account) -> Result<Written, Problem> {
        let mut written = Written::default();
        for update in &account.updates {
            match self.alone(update, &mut written) {
                Err(problem) if problem.is_of_value() && self.may_go_on() => written.refused += 1,
                done => done?,
            }
        }
        self.evidence(account)?;
        self.next_event(account)?;
        if let Some(until) = account.final_until {
            self.final_until(until)?;
        }
        Ok(written)
    }

    /// Whether the transaction is what it was before the update that was refused.
    fn may_go_on(&self) -> bool {
        self.is_careful || !self.transaction.session().undoes_all()
    }

    fn alone(&mut self, update: &Update, written: &mut Written) -> Result<(), Problem> {
        if !self.is_careful {
            return self.update(update, written);
        }
        let session = self.transaction.session();
        session.batch("SAVEPOINT one_update")?;
        let done = self.update(update, written);
        session.batch(if done.is_ok() { "RELEASE one_update" } else { "ROLLBACK TO one_update" })?;
        done
    }

    fn update(&mut self, update: &Update, written: &mut Written) -> Result<(), Problem> {
        match update {
            Update::Device(sighting) => self.device(sighting)?,
            Update::Window(window) if self.window(window)? => written.windows += 1,
            Update::Window(_) => written.known_windows += 1,
            Update::Provisional(window) => self.provisional(window)?,
            Update::Standing(device, standing) => self.standing(*device, standing)?,
            Update::Changed(change) => self.change(change)?,
            Update::Finding(finding) => self.finding(finding)?,
            Update::Event(event) => self.event(event)?,
        }
        Ok(())
    }

    /// Notes the number behind the last event, also for the time when that event is pruned or forgotten: a number that was
    /// told to others is never used again.
    fn next_event(&mut self, account: &Account) -> Result<(), Problem> {
        let number = |update: &Update| match update {
            Update::Event(event) => Some(event.id),
            _ => None,
        };
        let Some(last) = account.updates.iter().filter_map(number).max() else { return Ok(()) };
        self.execute(
            "INSERT INTO state (name, value) VALUES (?1, ?2)
             ON CONFLICT (name, device) DO UPDATE SET value = excluded.value WHERE excluded.value > state.value",
            params![NEXT_EVENT, whole(last.saturating_add(1))],
        )?;
        Ok(())
    }

    /// Notes which evidence instances of the recipe have: an export has a column for each.
    fn evidence(&mut self, account: &Account) -> Result<(), Problem> {
        let Some(recipe) = self.recipe else { return Ok(()) };
        let of_update = |update: &Update| match update {
            Update::Window(window) => window.instance.as_ref().map(|instance| instance.evidence()),
            _ => None,
        };
        let evidence =
            account.updates.iter().filter_map(of_update).fold(EvidenceSet::NONE, EvidenceSet::with);
        if evidence == EvidenceSet::NONE {
            return Ok(());
        }
        let sql = "SELECT evidence FROM recipes WHERE id = ?1";
        let known: EvidenceSet = self.transaction.one(sql, params![recipe], |row| Cells(row).parsed(0))?;
        if known.with(evidence) != known {
            let all = known.with(evidence).to_string();
            self.transaction
                .execute("UPDATE recipes SET evidence = ?2 WHERE id = ?1", params![recipe, all])?;
        }
        Ok(())
    }

    /// What the reading says last counts: after a step back of its clock, less is final than it said before.
    fn final_until(&mut self, until: Timestamp) -> Result<(), Problem> {
        self.execute(
            "INSERT INTO state (name, value) VALUES ('final_until', ?1)
             ON CONFLICT (name, device) DO UPDATE SET value = excluded.value",
            params![until.as_nanos()],
        )?;
        Ok(())
    }

    /// A device that is spoken of before it was sighted has a row, so that nothing hangs in the air.
    fn known(&mut self, device: DeviceId, at: Timestamp) -> Result<(), Problem> {
        self.execute(
            "INSERT INTO devices (device, first_seen, last_seen) VALUES (?1, ?2, ?2) ON CONFLICT (device) DO NOTHING",
            params![device.to_string(), at.as_nanos()],
        )?;
        Ok(())
    }

    /// Keeps what is known of a device together with what this reading has seen.
    fn device(&mut self, seen: &Sighting) -> Result<(), Problem> {
        let known = self.known_sighting(seen.device)?;
        let base = *self.bases.entry(seen.device).or_insert_with(|| Base::of(known.as_ref()));
        let sighting = &merge::merged(known, seen, base);
        self.execute(
            "INSERT INTO devices (device, gateway, is_randomised, addresses, host_name, vendor_class, names,
                server_ports, served_ports, services, first_seen, last_seen, packets_up, packets_down, identity)
             VALUES (:device, :gateway, :is_randomised, :addresses, :host_name, :vendor_class, :names,
                :server_ports, :served_ports, :services, :first_seen, :last_seen, :packets_up, :packets_down,
                :identity)
             ON CONFLICT (device) DO UPDATE SET gateway = excluded.gateway, is_randomised = excluded.is_randomised,
                addresses = excluded.addresses, host_name = excluded.host_name,
                vendor_class = excluded.vendor_class, names = excluded.names,
                server_ports = excluded.server_ports, served_ports = excluded.served_ports,
                services = excluded.services,
                first_seen = CASE WHEN excluded.first_seen < devices.first_seen THEN excluded.first_seen
                    ELSE devices.first_seen END,
                last_seen = CASE WHEN excluded.last_seen > devices.last_seen THEN excluded.last_seen
                    ELSE devices.last_seen END,
                packets_up = excluded.packets_up,
                packets_down = excluded.packets_down, identity = excluded.identity",
            named_params! {
                ":device": sighting.device.to_string(), ":gateway": sighting.gateway,
                ":is_randomised": sighting.is_randomised, ":addresses": json(&sighting.addresses)?,
                ":host_name": sighting.host_name, ":vendor_class": sighting.vendor_class,
                ":names": json(&sighting.names)?, ":server_ports": json(&sighting.server_ports)?,
                ":served_ports": json(&sighting.served_ports)?, ":services": json(&sighting.services)?,
                ":first_seen": sighting.first_seen.as_nanos(), ":last_seen": sighting.last_seen.as_nanos(),
                ":packets_up": whole(sighting.packets_up), ":packets_down": whole(sighting.packets_down),
                ":identity": sighting.identity.as_ref().map(json).transpose()?,
            },
        )?;
        self.history(seen)
    }

    /// What is known of a device. A row that nobody can read is written anew.
    fn known_sighting(&mut self, device: DeviceId) -> SqlResult<Option<Sighting>> {
        let statement = self.statement(record_rows::SIGHTING)?;
        let found = statement.row(params![device.to_string()], |row| Ok(record_rows::sighting(row).ok()));
        Ok(found?.flatten())
    }

    /// Notes the addresses and the name that a device has now.
    fn history(&mut self, sighting: &Sighting) -> Result<(), Problem> {
        let (device, at) = (sighting.device.to_string(), sighting.last_seen.as_nanos());
        for address in &sighting.addresses {
            self.execute(
                "INSERT INTO addresses (device, address, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (device, address) DO UPDATE SET
                    first_seen = CASE WHEN excluded.first_seen < addresses.first_seen THEN excluded.first_seen
                        ELSE addresses.first_seen END,
                    last_seen = CASE WHEN excluded.last_seen > addresses.last_seen THEN excluded.last_seen
                        ELSE addresses.last_seen END",
                params![device, address.to_string(), at],
            )?;
        }
        if let Some(name) = &sighting.host_name {
            self.execute(
                "INSERT INTO host_names (device, host_name, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3)
                 ON CONFLICT (device, host_name) DO UPDATE SET
                    first_seen = CASE WHEN excluded.first_seen < host_names.first_seen THEN excluded.first_seen
                        ELSE host_names.first_seen END,
                    last_seen = CASE WHEN excluded.last_seen > host_names.last_seen THEN excluded.last_seen
                        ELSE host_names.last_seen END",
                params![device, name, at],
            )?;
        }
        // Nobody judges a gateway. What was said of it before it was known as one does not stand.
        if sighting.gateway.is_some() {
            self.execute("DELETE FROM provisional WHERE device = ?1", params![sighting.device.to_string()])?;
        }
        Ok(())
    }

    /// Keeps a window, unless it is there; whether it was new.
    fn window(&mut self, window: &WindowRecord) -> Result<bool, Problem> {
        self.known(window.device, window.window_start)?;
        let answer = window.answer.as_ref();
        let instance = window.instance.as_deref().map(instance_blob::pack).transpose()?;
        let added = self.execute(
            "INSERT INTO windows (device, window_start, part, window_s, is_cut, packets_up, packets_down,
                bytes_up, bytes_down, flows, sleep_time_s, class, best_guess, confidence, likeness, reason,
                distribution, recipe, instance)
             VALUES (:device, :window_start, :part, :window_s, :is_cut, :packets_up, :packets_down, :bytes_up,
                :bytes_down, :flows, :sleep_time_s, :class, :best_guess, :confidence, :likeness, :reason,
                :distribution, :recipe, :instance)
             ON CONFLICT (device, window_start, part) DO NOTHING",
            named_params! {
                ":device": window.device.to_string(), ":window_start": window.window_start.as_nanos(),
                ":part": window.part, ":window_s": window.window_s, ":is_cut": window.is_cut,
                ":packets_up": whole(window.packets_up), ":packets_down": whole(window.packets_down),
                ":bytes_up": whole(window.bytes_up), ":bytes_down": whole(window.bytes_down),
                ":flows": whole(window.flows), ":sleep_time_s": window.sleep_time_s,
                ":class": answer.and_then(|answer| answer.class.as_deref()),
                ":best_guess": answer.map(|answer| answer.best_guess.as_str()),
                ":confidence": answer.map(|answer| answer.confidence),
                ":likeness": answer.and_then(|answer| answer.likeness),
                ":reason": answer.and_then(|answer| answer.reason.as_deref()),
                ":distribution": answer.and_then(|answer| instance_blob::pack_numbers(&answer.distribution)),
                ":recipe": instance.is_some().then_some(self.recipe).flatten(), ":instance": instance,
            },
        )?;
        // What was said of it, or of a window before, so far.
        self.execute(
            "DELETE FROM provisional WHERE device = ?1 AND window_start <= ?2",
            params![window.device.to_string(), window.window_start.as_nanos()],
        )?;
        Ok(added > 0)
    }

    fn provisional(&mut self, window: &WindowRecord) -> Result<(), Problem> {
        self.known(window.device, window.window_start)?;
        let answer = window.answer.as_ref();
        self.execute(
            "INSERT INTO provisional (device, window_start, part, window_s, is_cut, packets_up,
                packets_down, bytes_up, bytes_down, flows, sleep_time_s, class, best_guess, confidence, likeness,
                reason, provisional_after_s)
             VALUES (:device, :window_start, :part, :window_s, :is_cut, :packets_up, :packets_down, :bytes_up,
                :bytes_down, :flows, :sleep_time_s, :class, :best_guess, :confidence, :likeness, :reason, :after)
             ON CONFLICT (device) DO UPDATE SET window_start = excluded.window_start, part = excluded.part,
                window_s = excluded.window_s, is_cut = excluded.is_cut, packets_up = excluded.packets_up,
                packets_down = excluded.packets_down, bytes_up = excluded.bytes_up,
                bytes_down = excluded.bytes_down, flows = excluded.flows,
                sleep_time_s = excluded.sleep_time_s, class = excluded.class,
                best_guess = excluded.best_guess, confidence = excluded.confidence,
                likeness = excluded.likeness, reason = excluded.reason,
                provisional_after_s = excluded.provisional_after_s",
            named_params! {
                ":device": window.device.to_string(), ":window_start": window.window_start.as_nanos(),
                ":part": window.part, ":window_s": window.window_s, ":is_cut": window.is_cut,
                ":packets_up": whole(window.packets_up), ":packets_down": whole(window.packets_down),
                ":bytes_up": whole(window.bytes_up), ":bytes_down": whole(window.bytes_down),
                ":flows": whole(window.flows), ":sleep_time_s": window.sleep_time_s,
                ":class": answer.and_then(|answer| answer.class.as_deref()),
                ":best_guess": answer.map(|answer| answer.best_guess.as_str()),
                ":confidence": answer.map(|answer| answer.confidence),
                ":likeness": answer.and_then(|answer| answer.likeness),
                ":reason": answer.and_then(|answer| answer.reason.as_deref()),
                ":after": window.provisional_after_s,
            },
        )?;
        Ok(())
    }

    fn standing(&mut self, device: DeviceId, standing: &Standing) -> Result<(), Problem> {
        self.known(device, standing.since)?;
        self.execute(
            "INSERT INTO verdicts
                (device, class, best_guess, confidence, likeness, reason, family, windows, since)
             VALUES (:device, :class, :best_guess, :confidence, :likeness, :reason, :family, :windows, :since)
             ON CONFLICT (device) DO UPDATE SET class = excluded.class, best_guess = excluded.best_guess,
                confidence = excluded.confidence, likeness = excluded.likeness, reason = excluded.reason,
                family = excluded.family, windows = excluded.windows, since = excluded.since",
            named_params! {
                ":device": device.to_string(), ":class": standing.class, ":best_guess": standing.best_guess,
                ":confidence": standing.confidence, ":likeness": standing.likeness, ":reason": standing.reason,
                ":family": standing.family, ":windows": whole(standing.windows),
                ":since": standing.since.as_nanos(),
            },
        )?;
        Ok(())
    }

    fn change(&mut self, change: &StandingChange) -> Result<(), Problem> {
        self.known(change.device, change.at)?;
        self.execute(
            "INSERT INTO changes (device, at, from_class, to_class, confidence) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (device, at) DO NOTHING",
            params![
                change.device.to_string(),
                change.at.as_nanos(),
                change.from,
                change.to,
                change.confidence
            ],
        )?;
        Ok(())
    }

    fn finding(&mut self, finding: &FindingRecord) -> Result<(), Problem> {
        self.known(finding.device, finding.first_seen)?;
        self.execute(
            "INSERT INTO findings (device, rule, severity, said_by, flows, seen, expected, reference, remediation,
                first_seen, last_seen, example, acknowledged_at)
             VALUES (:device, :rule, :severity, :said_by, :flows, :seen, :expected, :reference, :remediation,
                :first_seen, :last_seen, :example, :acknowledged_at)
             ON CONFLICT (device, rule, said_by, seen) DO UPDATE SET flows = findings.flows + excluded.flows,
                severity = excluded.severity,
                expected = excluded.expected, reference = excluded.reference, remediation = excluded.remediation,
                first_seen = CASE WHEN excluded.first_seen < findings.first_seen THEN excluded.first_seen
                    ELSE findings.first_seen END,
                last_seen = CASE WHEN excluded.last_seen > findings.last_seen THEN excluded.last_seen
                    ELSE findings.last_seen END,
                acknowledged_at = coalesce(findings.acknowledged_at, excluded.acknowledged_at)",
            named_params! {
                ":device": finding.device.to_string(), ":rule": finding.rule,
                ":severity": finding.severity.as_str(), ":said_by": finding.by, ":flows": whole(finding.flows),
                ":seen": finding.seen, ":expected": finding.expected, ":reference": finding.reference,
                ":remediation": finding.remediation, ":first_seen": finding.first_seen.as_nanos(),
                ":last_seen": finding.last_seen.as_nanos(), ":example": finding.example,
                ":acknowledged_at": finding.acknowledged_at.map(Timestamp::as_nanos),
            },
        )?;
        Ok(())
    }

    /// An event of a known number takes its place; what a person acknowledged meanwhile stays so.
    fn event(&mut self, event: &Event) -> Result<(), Problem> {
        self.execute(
            "INSERT INTO events (id, at, kind, severity, device, subject, text, evidence, times, acknowledged_at)
             VALUES (:id, :at, :kind, :severity, :device, :subject, :text, :evidence, :times, :acknowledged_at)
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, kind = excluded.kind, severity = excluded.severity,
                device = excluded.device, subject = excluded.subject, text = excluded.text,
                evidence = excluded.evidence, times = excluded.times,
                acknowledged_at = coalesce(events.acknowledged_at, excluded.acknowledged_at)",
            named_params! {
                ":id": whole(event.id), ":at": event.at.as_nanos(), ":kind": event.kind.as_str(),
                ":severity": event.severity.as_str(), ":device": event.device.map(|device| device.to_string()),
                ":subject": event.subject, ":text": event.text, ":evidence": json(&event.evidence)?,
                ":times": whole(event.times),
                ":acknowledged_at": event.acknowledged_at.map(Timestamp::as_nanos),
            },
        )?;
        Ok(())
    }
}
