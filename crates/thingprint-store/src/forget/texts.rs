//! What names a forgotten device in texts of others.

use serde_json::Value;
use thingprint_watch::WordCount;

use crate::cell::{Cells, json};
use crate::error::Problem;
use crate::mentions::Mentions;
use crate::record_rows;
use crate::sql::{Cell, Connection, FromCell, Row, SqlResult, ToCell, params};

/// A column of text that may name a device.
struct Column {
    table: &'static str,
    key: &'static str,
    name: &'static str,
    replaced: fn(&Mentions, &str) -> Option<String>,
}

/// The columns. Labels are words of a person about other devices, and stay.
const COLUMNS: [Column; 6] = [
    Column { table: "events", key: "id", name: "subject", replaced: Mentions::replaced },
    Column { table: "events", key: "id", name: "text", replaced: Mentions::replaced },
    Column { table: "events", key: "id", name: "evidence", replaced: in_json },
    Column { table: "findings", key: "id", name: "seen", replaced: Mentions::replaced },
    // Addresses and ports of a flow, and no names.
    Column { table: "findings", key: "id", name: "example", replaced: Mentions::without_addresses },
    Column { table: "devices", key: "device", name: "names", replaced: in_words },
];

/// Gives a finding the flows and the times of one that it becomes equal to.
const JOIN_FINDING: &str = "UPDATE findings SET flows = findings.flows + o.flows,
        first_seen = CASE WHEN o.first_seen < findings.first_seen THEN o.first_seen ELSE findings.first_seen END,
        last_seen = CASE WHEN o.last_seen > findings.last_seen THEN o.last_seen ELSE findings.last_seen END
     FROM findings o WHERE findings.id = ?1 AND o.id <> ?1 AND o.device = findings.device
        AND o.rule = findings.rule AND o.said_by = findings.said_by AND o.seen = ?2";

/// Takes out the one that it becomes equal to: the two are one.
const DROP_JOINED: &str = "DELETE FROM findings WHERE id <> ?1 AND seen = ?2 AND EXISTS (SELECT 1 FROM findings o
        WHERE o.id = ?1 AND o.device = findings.device AND o.rule = findings.rule AND o.said_by = findings.said_by)";

/// The key of a row.
enum Key {
    Number(i64),
    Text(String),
}

/// Replaces what names a device in texts; how many texts did.
pub(super) fn forget(transaction: &Connection, mentions: &Mentions) -> Result<u64, Problem> {
    COLUMNS.iter().map(|column| column.forget(transaction, mentions)).sum()
}

impl ToCell for Key {
    fn to_cell(&self) -> Cell<'_> {
        match self {
            Self::Number(number) => Cell::Integer(*number),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

impl FromCell for Key {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Some(Self::Number(number)),
            Cell::Text(text) => Some(Self::Text(text.to_owned())),
            _ => None,
        }
    }
}

impl Column {
    fn forget(&self, transaction: &Connection, mentions: &Mentions) -> Result<u64, Problem> {
        let Self { table, key, name, replaced } = self;
        let sql = format!("SELECT {key}, {name} FROM {table}");
        let rows: Vec<(Key, String)> =
            transaction.rows(&sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let update = format!("UPDATE {table} SET {name} = ?2 WHERE {key} = ?1");
        let mut count = 0;
        for (id, text) in rows {
            let Some(text) = replaced(mentions, &text) else { continue };
            let was_sound = self.read(transaction, &id).is_ok();
            if *name == "seen" {
                transaction.execute(JOIN_FINDING, params![id, text])?;
                transaction.execute(DROP_JOINED, params![id, text])?;
            }
            transaction.execute(&update, params![id, text])?;
            if was_sound {
                self.read(transaction, &id)?;
            }
            count += 1;
        }
        Ok(count)
    }

    /// Reads a row as readers do: what is written must not be what nobody can read.
    fn read(&self, transaction: &Connection, id: &Key) -> SqlResult<()> {
        let (columns, of): (&str, fn(Row<'_>) -> SqlResult<()>) = match self.table {
            "events" => (record_rows::EVENT, |row| record_rows::event(row).map(drop)),
            "findings" => (record_rows::FINDING, |row| record_rows::finding(row).map(drop)),
            _ => ("names", |row| Cells(row).json::<Vec<WordCount>>(0).map(drop)),
        };
        let Self { table, key, .. } = self;
        transaction.one(&format!("SELECT {columns} FROM {table} WHERE {key} = ?1"), params![id], of)
    }
}

/// The same in the strings of JSON. What is no JSON is a text.
fn in_json(mentions: &Mentions, text: &str) -> Option<String> {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return mentions.replaced(text) };
    (mentions.replace_in(&mut value) > 0).then(|| value.to_string())
}

/// The same in words with counts: words that become equal are counted together.
fn in_words(mentions: &Mentions, text: &str) -> Option<String> {
    let Ok(words) = serde_json::from_str::<Vec<WordCount>>(text) else { return in_json(mentions, text) };
    let mut is_changed = false;
    let mut all: Vec<WordCount> = Vec::with_capacity(words.len());
    for WordCount { word, count } in words {
        let other = mentions.replaced(&word);
        is_changed |= other.is_some();
        let word = other.unwrap_or(word);
        match all.iter_mut().find(|known| known.word == word) {
            Some(known) => known.count = known.count.saturating_add(count),
            None => all.push(WordCount { word, count }),
        }
    }
    if is_changed { json(&all).ok() } else { None }
}
