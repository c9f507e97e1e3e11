use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{ExtractionRecipe, Instance};

use crate::cell::Cells;
use crate::error::StoreError;
use crate::instance_blob;
use crate::reader::Reader;
use crate::resume::final_until;
use crate::sql::{Row, SqlError, SqlResult, params};

/// Instances that are unpacked at once.
const ROWS_AT_ONCE: usize = 1024;

/// Rows that are tried one by one in a damaged store, whose highest number may be damaged, too.
const MOST_DAMAGED_ROWS: i64 = 50_000_000;

/// Which windows are exported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportOptions {
    /// Those that begin at this time or later; all where it is `None`.
    pub from: Option<Timestamp>,
    /// Those that begin before this time; all where it is `None`.
    pub to: Option<Timestamp>,
    /// How the instances were made, whatever their evidence: a file has those of one recipe.
    pub recipe: Option<ExtractionRecipe>,
    /// Whether windows in which the reading began or ended are among them.
    pub with_cut: bool,
}

/// What became of the windows of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Those that were exported.
    pub written: u64,
    /// Those that were left out since the reading began or ended in them.
    pub cut: u64,
    /// Those that were left out since they were made by another recipe.
    pub other_recipe: u64,
    /// Those that were left out since they have no instance.
    pub without_instance: u64,
    /// Those that were left out since their instance is damaged.
    pub unreadable: u64,
    /// Those that were pruned or forgotten while the export ran.
    pub pruned: u64,
}

/// A window with how it was made compared with how it should be.
const WINDOW: &str =
    "SELECT w.device, w.window_start, w.is_cut, w.instance, r.recipe IS NOT DISTINCT FROM CAST(?2 AS TEXT)
     FROM windows w LEFT JOIN recipes r ON r.id = w.recipe WHERE w.id = ?1";

/// A window on its way out.
struct Packed {
    device: DeviceId,
    start: Timestamp,
    is_cut: bool,
    has_recipe: bool,
    instance: Option<Vec<u8>>,
}

impl Reader {
    /// How the instance of the last window was made, with all evidence that windows made so have; `None` where no window says.
    pub fn recipe(&self) -> Result<Option<ExtractionRecipe>, StoreError> {
        let sql = "SELECT recipe, evidence FROM recipes WHERE id =
                   (SELECT recipe FROM windows WHERE recipe IS NOT NULL ORDER BY window_start DESC LIMIT 1)";
        let recipe = |row: Row<'_>| {
            let (recipe, evidence): (ExtractionRecipe, _) = (Cells(row).parsed(0)?, Cells(row).parsed(1)?);
            Ok(recipe.with_evidence(evidence))
        };
        let recipe = self.database.connection.row(sql, params![], recipe);
        recipe.map_err(|error| self.database.error(error))
    }

    /// Until when windows are final; `None` where nothing is yet.
    pub fn final_until(&self) -> Result<Option<Timestamp>, StoreError> {
        final_until(&self.database.connection).map_err(|error| self.database.error(error))
    }

    /// Gives the instances of windows, in the order of windows, then of devices, some at a time; says what was left out.
    pub fn export<E: From<StoreError>>(
        &self,
        options: &ExportOptions,
        rows: &mut dyn FnMut(Vec<Instance>) -> Result<(), E>,
    ) -> Result<ExportCounts, E> {
        let failed = |error: SqlError| E::from(self.database.error(error));
        let (ids, is_by_row) = self.ids(options).map_err(failed)?;
        let mut window = self.database.connection.prepare(WINDOW).map_err(failed)?;
        let recipe = options.recipe.as_ref().map(ExtractionRecipe::without_evidence);
        let recipe = recipe.as_ref().map(ExtractionRecipe::as_str);
        let mut counts = ExportCounts::default();
        for some in ids.chunks(ROWS_AT_ONCE) {
            let mut instances = Vec::with_capacity(some.len());
            for id in some {
                match window.row(params![*id, recipe], packed) {
                    Ok(Some(window)) => instances.extend(counts.take(&window, options)),
                    Ok(None) if is_by_row => {}
                    Ok(None) => counts.pruned += 1,
                    Err(error) if error.is_of_row() => counts.unreadable += 1,
                    Err(error) => return Err(failed(error)),
                }
            }
            rows(instances)?;
        }
        Ok(counts)
    }

    /// The rows of the windows in the time of an export. Where the index is damaged, all rows that there may be: each is
    /// asked for alone then, and most are not there; whether it is so.
    fn ids(&self, options: &ExportOptions) -> SqlResult<(Vec<i64>, bool)> {
        let connection = &self.database.connection;
        let sql = "SELECT id FROM windows WHERE window_start >= ?1 AND window_start < ?2
                   ORDER BY window_start, device, part";
        let (from, to) = options.span();
        match connection.rows(sql, params![from.as_nanos(), to.as_nanos()], |row| row.get(0)) {
            Err(error) if error.is_of_damage() => {
                let end = |which: &str| -> SqlResult<Option<i64>> {
                    connection.one(&format!("SELECT {which}(id) FROM windows"), params![], |row| row.get(0))
                };
                let (first, last) = (end("min")?.unwrap_or(1), end("max")?.unwrap_or(0));
                Ok(((first..=last.min(first.saturating_add(MOST_DAMAGED_ROWS))).collect(), true))
            }
            found => found.map(|ids| (ids, false)),
        }
    }
}

impl ExportOptions {
    fn span(&self) -> (Timestamp, Timestamp) {
        (self.from.unwrap_or(Timestamp::MIN), self.to.unwrap_or(Timestamp::MAX))
    }
}

fn packed(row: Row<'_>) -> SqlResult<Packed> {
    let cells = Cells(row);
    Ok(Packed {
        device: cells.parsed(0)?,
        start: cells.time(1)?,
        is_cut: row.get(2)?,
        instance: row.get(3)?,
        has_recipe: row.get(4)?,
    })
}

impl ExportCounts {
    /// The instance of a window, where it is wanted and can be read; counts it.
    fn take(&mut self, window: &Packed, options: &ExportOptions) -> Option<Instance> {
        let (from, to) = options.span();
        if window.start < from || window.start >= to {
            return None;
        }
        let Some(packed) = &window.instance else {
            self.without_instance += 1;
            return None;
        };
        if window.is_cut && !options.with_cut {
            self.cut += 1;
            return None;
        }
        if !window.has_recipe {
            self.other_recipe += 1;
            return None;
        }
        let unpacked = instance_blob::unpack(packed, window.device, window.start).ok().flatten();
        *if unpacked.is_some() { &mut self.written } else { &mut self.unreadable } += 1;
        unpacked.map(|instance| *instance)
    }
}
