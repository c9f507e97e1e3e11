use serde::Deserialize;
use thingprint_flow::ParseOptionError;
use thingprint_instance::ExtractionRecipe;

use crate::definition::Extraction;
use crate::error::ExperimentError;
use crate::fields::{Field, optional, required, tables};

/// A data set of captures, as its `dataset.toml` describes it. The captures themselves are somewhere else: whoever
/// runs an experiment says where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What the data are, for readers.
    pub description: String,
    /// Who recorded them.
    pub origin: String,
    /// Under which licence they may be used.
    pub licence: String,
    /// How to obtain them.
    pub obtain: String,
    /// The label file: a path below the folder of the captures, else below the folder of `dataset.toml`.
    pub labels: String,
    /// How they have to be extracted whatever an experiment says, as `key=value` with blanks between, like
    /// `window=capture`.
    #[serde(default)]
    pub options: String,
    /// Captures that belong together; each trace has a gateway and a time of its own.
    #[serde(rename = "trace")]
    pub traces: Vec<DatasetTrace>,
}

/// Captures that are one trace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetTrace {
    /// Files, folders or globs below the folder of the captures; `.` is the folder itself.
    pub captures: Vec<String>,
    /// Where they come from, when the data set has several sources.
    #[serde(default)]
    pub origin: String,
}

/// What a description may have, for errors that name all that is wrong.
const FIELDS: [Field; 7] = [
    required::<String>("description", "a text"),
    required::<String>("origin", "a text"),
    required::<String>("licence", "a text"),
    required::<String>("obtain", "a text"),
    required::<String>("labels", "the path of a label file"),
    optional::<String>("options", "options as key=value"),
    tables::<DatasetTrace>("trace", "tables [[trace]] with captures", true),
];

impl Dataset {
    /// Reads a data set's description; `file` is its name in errors. Unknown fields are refused.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ExperimentError> {
        let dataset: Self = toml::from_str(text)
            .map_err(|error| ExperimentError::of_toml(file, text, (error, FIELDS.as_slice())))?;
        let fail = |field: &str, problem: String| {
            Err(ExperimentError::Field { file: file.to_owned(), field: field.to_owned(), problem })
        };
        if let Err(error) = dataset.recipe() {
            return fail("options", error.to_string());
        }
        if !is_below(&dataset.labels) {
            return fail("labels", format!("'{}' is no path below a folder", dataset.labels));
        }
        let mut paths = dataset.traces.iter().flat_map(|trace| &trace.captures);
        if let Some(path) = paths.find(|path| !is_below(path)) {
            return fail("trace", format!("'{path}' is no path below a folder"));
        }
        if dataset.traces.iter().all(|trace| trace.captures.is_empty()) {
            return fail("trace", "names no capture".to_owned());
        }
        Ok(dataset)
    }

    fn recipe(&self) -> Result<ExtractionRecipe, ParseOptionError> {
        Extraction::default().recipe(&self.options)
    }
}

/// Whether a path stays below the folder that it is looked up in.
fn is_below(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &str, options: &str, captures: &str) -> String {
        format!(
            "description = 'd'\norigin = 'o'\nlicence = 'l'\nobtain = 'x'\nlabels = '{labels}'\noptions = '{options}'\n\
             [[trace]]\ncaptures = {captures}\n"
        )
    }

    fn problem(text: &str) -> String {
        Dataset::from_toml("dataset.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_description_is_read() {
        let dataset =
            Dataset::from_toml("x", &text("labels.csv", "window=capture", "['a', 'b/*.pcap']")).unwrap();
        assert_eq!(dataset.traces[0].captures, ["a", "b/*.pcap"]);
        assert_eq!(dataset.options, "window=capture");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let outside = "dataset.toml: field 'trace': '../a' is no path below a folder";
        assert_eq!(problem(&text("l.csv", "", "['../a']")), outside);
        assert!(problem(&text("/l.csv", "", "['a']")).contains("field 'labels': '/l.csv' is no path below"));
        assert!(problem(&text("l.csv", "", "[]")).contains("names no capture"));
        assert!(problem(&text("l.csv", "window=often", "['a']")).contains("field 'options'"));
        let unknown = problem(&format!("colour = 'red'\n{}", text("l.csv", "", "['a']")));
        assert!(
            unknown.contains("dataset.toml") && unknown.contains("line 1") && unknown.contains("colour"),
            "{unknown}"
        );
    }
}
