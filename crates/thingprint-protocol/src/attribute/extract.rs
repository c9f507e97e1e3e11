use regex_automata::meta;

use super::Value;
use super::offset::Offset;
use crate::matcher::{self, BytePattern};
use crate::schema::{self, Attribute, ByteOrder, Direction, OptionField, Reading, ValueType};
use crate::secrecy::is_secret_attribute;
use crate::text::escaped;
use crate::{Fault, SyntaxError};

/// A list has at most this many values, whatever a payload says.
const MOST_VALUES: usize = 1024;

/// An attribute's reading, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Extractor {
    name: String,
    direction: Direction,
    value_type: ValueType,
    item_bytes: usize,
    byte_order: ByteOrder,
    is_secret: bool,
    source: Source,
}

/// A payload with the sides that its sender may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) may_be_request: bool,
    pub(crate) may_be_response: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Capture { regex: Box<meta::Regex>, group: usize },
    Range { seek: Option<Seek>, from: Offset, to: Offset },
    Option { seek: Option<Seek>, tag: Seek, field: OptionField },
}

/// A byte pattern that is searched, or stands at an offset.
#[derive(Clone, Debug)]
struct Seek {
    regex: Box<meta::Regex>,
    offset: Option<usize>,
}

impl Extractor {
    /// Compiles an attribute; `None` where a built-in parser reads it. Errors come with the field that they are in.
    pub(crate) fn new(attribute: &Attribute) -> Result<Option<Self>, (&'static str, Fault)> {
        let item_bytes = attribute.item_bytes.unwrap_or(1);
        if !(1..=8).contains(&item_bytes) {
            return Err(("item-bytes", Fault::Meaning("expected 1 to 8 bytes".to_owned())));
        }
        let source = match &attribute.read {
            Reading::Capture(capture) => capture_source(capture)?,
            Reading::Range(range) => range_source(range)?,
            Reading::Option(field) => option_source(field)?,
            Reading::Builtin(_) => return Ok(None),
        };
        Ok(Some(Self {
            name: attribute.name.clone(),
            direction: attribute.direction,
            value_type: attribute.value_type,
            item_bytes: usize::from(item_bytes),
            byte_order: attribute.byte_order,
            is_secret: attribute.secret || is_secret_attribute(&attribute.name),
            source,
        }))
    }

    /// What the attribute is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The attribute's value, if the payload has it.
    pub(crate) fn read(&self, input: Input<'_>) -> Option<Value> {
        let value = self.read_openly(input)?;
        Some(if self.is_secret { value.hidden() } else { value })
    }

    /// Whether the sender of the payload may send the attribute.
    pub(crate) const fn is_of(&self, input: Input<'_>) -> bool {
        match self.direction {
            Direction::Request => input.may_be_request,
            Direction::Response => input.may_be_response,
            Direction::Combined => true,
        }
    }

    fn read_openly(&self, input: Input<'_>) -> Option<Value> {
        if !self.is_of(input) {
            return None;
        }
        match &self.source {
            Source::Capture { regex, group } => self.captured(regex, *group, input.payload),
            Source::Range { seek, from, to } => {
                let base =
                    seek.as_ref().map_or(Some(0), |seek| seek.find(input.payload).map(|at| at.start))?;
                let payload = input.payload.get(base..)?;
                let first = from.value(payload, None)?;
                let behind = to.value(payload, Some(first))?;
                let (first, behind) = (usize::try_from(first).ok()?, usize::try_from(behind).ok()?);
                self.of_bytes(payload.get(first..behind)?)
            }
            Source::Option { seek, tag, field } => {
                let start =
                    seek.as_ref().map_or(Some(0), |seek| seek.find(input.payload).map(|at| at.end))?;
                self.of_options(&options(input.payload.get(start..)?, tag, field, self.byte_order))
            }
        }
    }

    fn captured(&self, regex: &meta::Regex, group: usize, payload: &[u8]) -> Option<Value> {
        let bytes = |captures: &regex_automata::util::captures::Captures| {
            payload.get(captures.get_group(group)?.range())
        };
        if self.value_type == ValueType::List {
            let found = regex.captures_iter(payload).take(MOST_VALUES);
            let values: Vec<_> =
                found.filter_map(|captures| Some(Value::String(escaped(bytes(&captures)?).into()))).collect();
            return (!values.is_empty()).then_some(Value::List(values));
        }
        let captures = regex.captures_iter(payload).next()?;
        let bytes = bytes(&captures)?;
        if self.value_type == ValueType::Unsigned {
            return std::str::from_utf8(bytes).ok()?.trim().parse().ok().map(Value::Unsigned);
        }
        self.of_bytes(bytes)
    }

    fn of_bytes(&self, bytes: &[u8]) -> Option<Value> {
        Some(match self.value_type {
            ValueType::String => Value::String(escaped(bytes).into()),
            ValueType::Bytes => Value::Bytes(bytes.to_vec()),
            ValueType::Unsigned => Value::Unsigned(self.byte_order.number(bytes)?),
            ValueType::List => {
                let items = bytes.chunks_exact(self.item_bytes).take(MOST_VALUES);
                let numbers = items.filter_map(|item| self.byte_order.number(item));
                Value::List(numbers.map(Value::Unsigned).collect())
            }
        })
    }

    fn of_options(&self, values: &[&[u8]]) -> Option<Value> {
        match values {
            [] => None,
            [first, _, ..] if self.value_type != ValueType::List => self.of_bytes(first),
            [only] => self.of_bytes(only),
            _ => Some(Value::List(values.iter().map(|value| Value::Bytes(value.to_vec())).collect())),
        }
    }
}

impl Seek {
    fn new(pattern: &str) -> Result<Self, SyntaxError> {
        let BytePattern { offset, hir } = BytePattern::parse(pattern)?;
        Ok(Self { regex: Box::new(matcher::searcher(&hir, pattern)?), offset })
    }

    /// Where the pattern is in a payload.
    fn find(&self, payload: &[u8]) -> Option<std::ops::Range<usize>> {
        let Some(offset) = self.offset else { return Some(self.regex.find(payload)?.range()) };
        let length = self.prefix_length(payload.get(offset..)?)?;
        Some(offset..offset + length)
    }

    /// Length of the pattern where bytes begin with it.
    fn prefix_length(&self, bytes: &[u8]) -> Option<usize> {
        let input = regex_automata::Input::new(bytes).anchored(regex_automata::Anchored::Yes);
        self.regex.search(&input).map(|found| found.end())
    }
}

fn capture_source(capture: &schema::Capture) -> Result<Source, (&'static str, Fault)> {
    let fault = |error: SyntaxError| ("read.capture.pattern", error.of(&capture.pattern));
    let hir = matcher::hir(&capture.pattern).map_err(fault)?;
    let regex = matcher::searcher(&hir, &capture.pattern).map_err(fault)?;
    let groups = regex.group_info();
    let group = match &capture.group {
        None => Some(0),
        Some(name) => match name.parse() {
            Ok(number) => Some(number).filter(|&number: &usize| number < groups.all_group_len()),
            Err(_) => groups.to_index(regex_automata::PatternID::ZERO, name),
        },
    };
    let group = group.ok_or_else(|| {
        let name = capture.group.as_deref().unwrap_or_default();
        ("read.capture.group", Fault::Meaning(format!("the expression has no group {name:?}")))
    })?;
    Ok(Source::Capture { regex: Box::new(regex), group })
}

fn range_source(range: &schema::Range) -> Result<Source, (&'static str, Fault)> {
    let seek = seek_of(range.seek.as_deref()).map_err(|fault| ("read.range.seek", fault))?;
    let offset = |text: &str, has_from| Offset::parse(text, has_from).map_err(|error| error.of(text));
    let from = offset(&range.from, false).map_err(|fault| ("read.range.from", fault))?;
    let to = offset(&range.to, true).map_err(|fault| ("read.range.to", fault))?;
    Ok(Source::Range { seek, from, to })
}

fn option_source(field: &OptionField) -> Result<Source, (&'static str, Fault)> {
    let is_width = |bytes| (1..=4).contains(&bytes);
    let width = || Fault::Meaning("expected 1 to 4 bytes".to_owned());
    if !is_width(field.tag_bytes) {
        return Err(("read.option.tag-bytes", width()));
    }
    if !is_width(field.length_bytes) {
        return Err(("read.option.length-bytes", width()));
    }
    let seek = seek_of(field.seek.as_deref()).map_err(|fault| ("read.option.seek", fault))?;
    let tag = Seek::new(&field.tag).map_err(|error| ("read.option.tag", error.of(&field.tag)))?;
    if tag.offset.is_some() {
        let reason = "a tag stands at the start of an option: no `@` here".to_owned();
        return Err(("read.option.tag", Fault::Meaning(reason)));
    }
    Ok(Source::Option { seek, tag, field: field.clone() })
}

fn seek_of(pattern: Option<&str>) -> Result<Option<Seek>, Fault> {
    pattern.map(|pattern| Seek::new(pattern).map_err(|error| error.of(pattern))).transpose()
}

/// The values of the options with a tag, from the first option up to the end or to what is broken.
fn options<'a>(bytes: &'a [u8], wanted: &Seek, field: &OptionField, order: ByteOrder) -> Vec<&'a [u8]> {
    let mut values = Vec::new();
    let mut rest = bytes;
    while let Some((tag, after_tag)) = rest.split_at_checked(usize::from(field.tag_bytes)) {
        let tag = ByteOrder::BigEndian.number(tag).and_then(|tag| u32::try_from(tag).ok());
        if tag.is_some() && tag == field.end_tag {
            break;
        }
        if tag.is_some_and(|tag| field.lone_tags.contains(&tag)) {
            rest = after_tag;
            continue;
        }
        let Some((length, after)) = after_tag.split_at_checked(usize::from(field.length_bytes)) else {
            break;
        };
        let length = order.number(length).and_then(|length| usize::try_from(length).ok());
        let Some(length) = length else { break };
        let Some((value, after)) = after.split_at_checked(length) else { break };
        if wanted.prefix_length(rest).is_some() && values.len() < MOST_VALUES {
            values.push(value);
        }
        rest = after;
    }
    values
}
