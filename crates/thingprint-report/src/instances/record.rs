use thingprint_flow::{DeviceId, Timestamp};
use thingprint_instance::{
    Attribute, Attributes, Bag, BagName, Bags, Counts, EvidenceSet, ExtractionRecipe, Instance, Kind, Label,
    Labeled, Spread, Spreads,
};

use super::columns::{self, SpreadPart};
use super::{InstanceHead, json_rows, number};
use crate::error::{Place, ReportError};
use thingprint_table::{Cell, rfc3339};

/// Length that a window has where a file does not say: the clock hour that is the default everywhere.
const DEFAULT_WINDOW_S: f64 = 3600.0;

/// The cells of one row, in the order of [`columns::all`].
pub(super) struct Record {
    place: Place,
    cells: std::vec::IntoIter<Cell>,
}

impl Record {
    pub(super) fn new(place: Place, cells: Vec<Cell>) -> Self {
        Self { place, cells: cells.into_iter() }
    }

    /// The instance that the cells make, which are taken in the order of columns.
    pub(super) fn read(mut self, head: &mut InstanceHead) -> Result<Labeled, ReportError> {
        let labeled = self.labeled()?;
        let text = self.text(columns::EXTRACTION)?;
        if head.rows > 0 && head.recipe_text == text {
            head.rows += 1;
            return Ok(labeled);
        }
        let recipe = self.recipe(text.as_deref())?;
        if head.rows > 0 && head.recipe != recipe {
            let text = |recipe: Option<&ExtractionRecipe>| {
                recipe.map_or("nothing".to_owned(), ExtractionRecipe::to_string)
            };
            let reason =
                format!("'{}', after rows with '{}'", text(recipe.as_ref()), text(head.recipe.as_ref()));
            return Err(self.bad(columns::EXTRACTION, reason));
        }
        (head.recipe, head.recipe_text) = (recipe, text);
        head.rows += 1;
        Ok(labeled)
    }

    fn recipe(&self, text: Option<&str>) -> Result<Option<ExtractionRecipe>, ReportError> {
        let recipe = text.map(str::parse::<ExtractionRecipe>).transpose();
        recipe.map_err(|error| self.bad(columns::EXTRACTION, error))
    }

    fn labeled(&mut self) -> Result<Labeled, ReportError> {
        let device = self.device()?;
        let window_start = self.window_start()?;
        let window_s = self.real(columns::WINDOW_S)?.unwrap_or(DEFAULT_WINDOW_S);
        let label = self.label()?;
        let attributes = self.attributes()?;
        let bags = self.bags()?;
        let counts = self.counts()?;
        let spread = self.spreads()?;
        let capture = self.text(columns::CAPTURE)?;
        let instance = Instance { device, window_start, window_s, capture, attributes, bags, counts, spread };
        Ok(Labeled { instance, label })
    }

    fn device(&mut self) -> Result<DeviceId, ReportError> {
        let text = self.text(columns::DEVICE)?;
        let text = text.ok_or_else(|| self.bad(columns::DEVICE, "absent"))?;
        text.parse().map_err(|error| self.bad(columns::DEVICE, error))
    }

    fn window_start(&mut self) -> Result<Timestamp, ReportError> {
        let seconds = match self.next() {
            Cell::Time(time) => return Ok(time),
            Cell::Text(text) => text,
            Cell::Unsigned(seconds) => seconds.to_string(),
            Cell::Signed(seconds) => seconds.to_string(),
            Cell::Real(seconds) => seconds.to_string(),
            other => {
                return Err(self.bad(columns::WINDOW_START, format!("{} is no time", number::noun(&other))));
            }
        };
        rfc3339::parse(&seconds).ok_or_else(|| {
            let reason = format!(
                "'{seconds}' is no time: expected one like 2019-07-01T13:00:00Z or seconds since 1970"
            );
            self.bad(columns::WINDOW_START, reason)
        })
    }

    /// A kind without a label says nothing; a label without a kind is that of an IoT device.
    fn label(&mut self) -> Result<Option<Label>, ReportError> {
        let class = self.text(columns::LABEL)?;
        let kind = match self.text(columns::KIND)? {
            None => Kind::Iot,
            Some(kind) => kind.parse().map_err(|error| self.bad(columns::KIND, error))?,
        };
        let family = self.text(columns::FAMILY)?;
        Ok(class.map(|class| Label { class, kind, family }))
    }

    fn attributes(&mut self) -> Result<Attributes, ReportError> {
        EvidenceSet::all().numbers().map(|attribute| Ok((attribute, self.real(attribute.name())?))).collect()
    }

    fn bags(&mut self) -> Result<Bags, ReportError> {
        let mut bag = |name: BagName| Ok(self.bag(name.name())?.map(|bag| (name, bag)));
        EvidenceSet::all().bags().filter_map(|name| bag(name).transpose()).collect()
    }

    fn counts(&mut self) -> Result<Counts, ReportError> {
        let mut count = |column| Ok(self.count(column)?.unwrap_or(0));
        Ok(Counts {
            flows: count(columns::FLOWS)?,
            packets_up: count(columns::PACKETS_UP)?,
            packets_down: count(columns::PACKETS_DOWN)?,
            bytes_up: count(columns::BYTES_UP)?,
            bytes_down: count(columns::BYTES_DOWN)?,
        })
    }

    fn spreads(&mut self) -> Result<Spreads, ReportError> {
        let mut spread = |attribute| Ok(self.spread(attribute)?.map(|spread| (attribute, spread)));
        EvidenceSet::all().numbers().filter_map(|attribute| spread(attribute).transpose()).collect()
    }

    /// There is a spread where all five parts are.
    fn spread(&mut self, attribute: Attribute) -> Result<Option<Spread>, ReportError> {
        let count = number::count(&self.next())
            .map_err(|reason| self.bad(&SpreadPart::Count.column(attribute), reason))?;
        let mut real = |part: SpreadPart| {
            number::real(&self.next()).map_err(|reason| self.bad(&part.column(attribute), reason))
        };
        let (sum, sd, min, max) =
            (real(SpreadPart::Sum)?, real(SpreadPart::Sd)?, real(SpreadPart::Min)?, real(SpreadPart::Max)?);
        let spread = || Some(Spread { count: count?, sum: sum?, sd: sd?, min: min?, max: max? });
        Ok(spread())
    }

    fn bag(&mut self, column: &str) -> Result<Option<Bag>, ReportError> {
        match self.next() {
            Cell::Absent => Ok(None),
            Cell::Bag(bag) => Ok(Some(bag)),
            Cell::List(words) if words.is_empty() => Ok(Some(Bag::new())),
            Cell::Text(text) => json_rows::parse_bag(&text)
                .map(Some)
                .map_err(|error| self.bad(column, format!("no bag of words like {{\"443\":12}}: {error}"))),
            other => Err(self.bad(column, format!("{} is no bag of words", number::noun(&other)))),
        }
    }

    fn text(&mut self, column: &str) -> Result<Option<String>, ReportError> {
        match self.next() {
            Cell::Absent => Ok(None),
            Cell::Text(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Cell::Unsigned(number) => Ok(Some(number.to_string())),
            Cell::Signed(number) => Ok(Some(number.to_string())),
            other => Err(self.bad(column, format!("{} is no text", number::noun(&other)))),
        }
    }

    fn real(&mut self, column: &str) -> Result<Option<f64>, ReportError> {
        number::real(&self.next()).map_err(|reason| self.bad(column, reason))
    }

    fn count(&mut self, column: &str) -> Result<Option<u64>, ReportError> {
        number::count(&self.next()).map_err(|reason| self.bad(column, reason))
    }

    fn next(&mut self) -> Cell {
        self.cells.next().unwrap_or(Cell::Absent)
    }

    #[expect(clippy::needless_pass_by_value, reason = "errors and texts alike are handed over")]
    fn bad(&self, column: &str, reason: impl ToString) -> ReportError {
        ReportError::BadValue {
            place: self.place.clone(),
            column: column.to_owned(),
            reason: reason.to_string(),
        }
    }
}
