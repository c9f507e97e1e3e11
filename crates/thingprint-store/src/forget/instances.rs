//! What names a forgotten device in instances of others.

use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{Bag, BagName, Instance};

use crate::cell::Cells;
use crate::error::Problem;
use crate::instance_blob;
use crate::mentions::Mentions;
use crate::sql::{Connection, Row, params};

/// The bags whose words may be names of hosts; words of the others are numbers, ports and options.
const NAMES: [BagName; 3] = [BagName::DOMAINS, BagName::ORGANISATIONS, BagName::DECLARED];

/// What becomes of an instance.
enum Fate {
    /// It names nobody.
    Stays,
    /// It is kept so from now on.
    Changes(Vec<u8>),
    /// Nobody can read it, and it may name the device.
    Goes,
}

/// Replaces what names a device in instances; how many did, and how many were thrown away since nobody can read them.
pub(super) fn forget(transaction: &Connection, mentions: &Mentions) -> Result<(u64, u64), Problem> {
    let sql = "SELECT id FROM windows WHERE instance IS NOT NULL";
    let ids: Vec<i64> = transaction.rows(sql, params![], |row| row.get(0))?;
    let mut read = transaction.prepare("SELECT device, window_start, instance FROM windows WHERE id = ?1")?;
    let mut write = transaction.prepare("UPDATE windows SET instance = ?2 WHERE id = ?1")?;
    let (mut changed, mut damaged) = (0, 0);
    for id in ids {
        // What is no blob is damaged as well.
        let window = |row: Row<'_>| {
            let cells = Cells(row);
            Ok((cells.parsed(0)?, cells.time(1)?, row.get::<Vec<u8>>(2).unwrap_or_default()))
        };
        let Some((device, start, packed)) = read.row(params![id], window)? else { continue };
        match fate(&packed, (device, start), mentions)? {
            Fate::Stays => {}
            Fate::Changes(packed) => changed += write.execute(params![id, packed])?,
            Fate::Goes => damaged += write.execute(params![id, None::<Vec<u8>>])?,
        }
    }
    Ok((changed, damaged))
}

fn fate(packed: &[u8], of: (DeviceId, Timestamp), mentions: &Mentions) -> Result<Fate, Problem> {
    if !may_name(packed, mentions) {
        return Ok(Fate::Stays);
    }
    let unpack = |packed: &[u8]| instance_blob::unpack(packed, of.0, of.1).ok().flatten();
    let Some(mut instance) = unpack(packed) else { return Ok(Fate::Goes) };
    if !replace_in(&mut instance, mentions) {
        return Ok(Fate::Stays);
    }
    let packed = instance_blob::pack(&instance)?;
    if unpack(&packed).as_ref() != Some(&instance) {
        let what = format!("an instance of {} does not come back as it was written", of.0);
        return Err(Problem::Damaged { what });
    }
    Ok(Fate::Changes(packed))
}

/// Whether an instance has to be read: its text has the letters of a name, or a sign that may hide them, or it is damaged.
/// Most have none, and reading takes longer than looking.
fn may_name(packed: &[u8], mentions: &Mentions) -> bool {
    let Ok(line) = instance_blob::line(packed) else { return true };
    line.contains(&b'\\') || mentions.may_be_in(&line)
}

/// Replaces what names a device in the words of bags; whether there was something.
fn replace_in(instance: &mut Instance, mentions: &Mentions) -> bool {
    let mut is_changed = false;
    for name in BagName::all() {
        let Some(bag) = instance.bags.take(name) else { continue };
        let mut all = Bag::new();
        for (word, count) in bag {
            let has_names = NAMES.contains(&name);
            let other = if has_names { mentions.replaced(&word) } else { mentions.without_addresses(&word) };
            is_changed |= other.is_some();
            let sum = all.entry(other.unwrap_or(word)).or_default();
            *sum = u64::saturating_add(*sum, count);
        }
        instance.bags.insert(name, all);
    }
    is_changed
}
