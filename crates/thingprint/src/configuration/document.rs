use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::{NOT_IN_FILES, check, key, keys, settings, takes_many};
use crate::exit::Usage;
use crate::small_file;

/// A longer file is another one: a configuration has some hundred lines.
const MAX_BYTES: u64 = 1 << 20;

/// What a file says, as arguments by key.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Arguments like `--window=15m`.
    pub(super) options: BTreeMap<String, Vec<OsString>>,
    /// Values of arguments without a name.
    pub(super) positionals: BTreeMap<String, Vec<OsString>>,
}

impl Document {
    /// Reads a file, whose keys are arguments of the command.
    pub(super) fn read(path: &Path, command: &Command) -> anyhow::Result<Self> {
        let text = read_text(path)?;
        let reader = Reader { path: path.to_owned(), text: &text, command };
        let table = DeTable::parse(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reader.problem(at, error.message())
        })?;
        let mut document = Self::default();
        for (name, value) in table.get_ref() {
            let arg = reader.arg(name.get_ref(), name.span().start)?;
            let arguments = reader.arguments(arg, value)?;
            let is_named = arg.get_long().is_some();
            let to = if is_named { &mut document.options } else { &mut document.positionals };
            to.insert(key(arg), arguments);
        }
        Ok(document)
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    small_file::read_text(path, MAX_BYTES).map_err(|error| {
        let name = path.display();
        if error.kind() == ErrorKind::FileTooLarge {
            let reason =
                format!("the configuration '{name}' is longer than {MAX_BYTES} bytes; give the right file");
            return Usage(reason).into();
        }
        anyhow::Error::new(error).context(format!("failed to read the configuration '{name}'"))
    })
}

/// Reads the keys of a file by the arguments of a command.
struct Reader<'a> {
    path: PathBuf,
    text: &'a str,
    command: &'a Command,
}

impl<'a> Reader<'a> {
    /// The argument of a key.
    fn arg(&self, name: &str, at: usize) -> anyhow::Result<&'a Arg> {
        if let Some(arg) = settings(self.command).find(|arg| key(arg) == name) {
            return Ok(arg);
        }
        if NOT_IN_FILES.contains(&name) {
            return Err(self.problem(at, &format!("'{name}' belongs on the command line; remove it here")));
        }
        let keys = keys(self.command);
        let advice = nearest(name, &keys).map_or_else(
            || "--print-config lists the keys".to_owned(),
            |nearest| format!("did you mean '{nearest}'?"),
        );
        Err(self.problem(at, &format!("unknown key '{name}'; {advice}")))
    }

    /// The arguments that a value stands for.
    fn arguments(&self, arg: &Arg, value: &Spanned<DeValue<'_>>) -> anyhow::Result<Vec<OsString>> {
        let at = value.span().start;
        match (arg.get_action(), value.get_ref()) {
            (_, DeValue::Table(_)) => {
                Err(self.problem(at, "there are no sections; write every key as KEY = VALUE"))
            }
            (ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count, value) => self.flag(arg, value, at),
            (_, DeValue::Array(values)) => self.list(arg, values, at),
            (_, DeValue::Boolean(_)) if !takes_booleans(arg) => {
                Err(self.problem(at, &format!("'{}' takes a value, and not true or false", key(arg))))
            }
            (_, value) => Ok(vec![self.argument(arg, value, at)?]),
        }
    }

    fn flag(&self, arg: &Arg, value: &DeValue<'_>, at: usize) -> anyhow::Result<Vec<OsString>> {
        let is_count = matches!(arg.get_action(), ArgAction::Count);
        let times = match value {
            DeValue::Boolean(is_set) => Some(usize::from(*is_set)),
            DeValue::Integer(number) if is_count => {
                usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|times| *times <= 255)
            }
            _ => None,
        };
        let Some(times) = times else {
            let expected = if is_count { "a number of times, true or false" } else { "true or false" };
            return Err(self.problem(at, &format!("'{}' is {expected}", key(arg))));
        };
        Ok(vec![OsString::from(format!("--{}", key(arg))); times])
    }

    fn list(&self, arg: &Arg, values: &DeArray<'_>, at: usize) -> anyhow::Result<Vec<OsString>> {
        if !takes_many(arg) {
            return Err(self.problem(at, &format!("'{}' takes one value; write it without [ ]", key(arg))));
        }
        let arguments = values.iter().map(|value| self.argument(arg, value.get_ref(), value.span().start));
        let arguments = arguments.collect::<anyhow::Result<Vec<OsString>>>()?;
        let (Some(name), false) = (arg.get_long(), matches!(arg.get_action(), ArgAction::Append)) else {
            return Ok(arguments);
        };
        // An option that is given once, with all of its values behind it.
        let prefix = format!("--{name}=");
        let texts = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix(&prefix));
        match arg.get_value_delimiter() {
            Some(delimiter) => {
                let joined = texts.collect::<Vec<_>>().join(&delimiter.to_string());
                Ok(vec![OsString::from(prefix + &joined)])
            }
            None => Ok(std::iter::once(format!("--{name}"))
                .chain(texts.map(str::to_owned))
                .map(OsString::from)
                .collect()),
        }
    }

    /// An argument that its own rules accept.
    fn argument(&self, arg: &Arg, value: &DeValue<'_>, at: usize) -> anyhow::Result<OsString> {
        let value = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => {
                let digits = i128::from_str_radix(number.as_str(), number.radix());
                digits.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
            }
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(is_set) => is_set.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => {
                return Err(self.problem(at, &format!("a value of '{}' is a text or a number", key(arg))));
            }
        };
        let Some(name) = arg.get_long() else { return Ok(OsString::from(value)) };
        let argument = OsString::from(format!("--{name}={value}"));
        check(&argument, self.command).map_err(|why| self.problem(at, &why))?;
        Ok(argument)
    }

    /// An error at a byte of the file.
    fn problem(&self, at: usize, what: &str) -> anyhow::Error {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        anyhow::Error::new(Usage(format!("configuration '{}', line {line}: {what}", self.path.display())))
    }
}

fn takes_booleans(arg: &Arg) -> bool {
    arg.get_possible_values().iter().any(|value| value.get_name() == "true")
}

/// The key that was probably meant: a third of it may differ.
fn nearest<'a>(name: &str, keys: &'a [String]) -> Option<&'a str> {
    let distances = keys.iter().map(|key| (distance(name, key), key));
    let (distance, key) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= key.len().max(3)).then_some(key.as_str())
}

/// How many characters are to be put in, taken out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, a) in from.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = number + 1;
        next.push(left);
        for (b, pair) in to.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(a != *b)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_the_number_of_changes() {
        let check = |from, to, expected| assert_eq!(distance(from, to), expected, "{from} {to}");
        check("", "", 0);
        check("", "abc", 3);
        check("kitten", "sitting", 3);
        check("thresold", "threshold", 1);
    }

    #[test]
    fn the_nearest_key_is_near() {
        let keys = ["notify".to_owned(), "threshold".to_owned()];
        assert_eq!(nearest("notfy", &keys), Some("notify"));
        assert_eq!(nearest("treshhold", &keys), Some("threshold"));
        assert_eq!(nearest("window", &keys), None);
    }
}
