//! The form in which the protocol paper published its six models, read as [`Model`]s.
//!
//! It has other names for the same things, byte patterns of `byteseek`, regular expressions of Java, and readings of
//! attributes by offsets and by tag, length and value. What it says beyond that (namespace, network scope, content
//! class, relationship) does not help to detect a flow and is left out. `select` is called `protocol` there.
mod form;
mod java;
#[cfg(test)]
mod tests;

use crate::schema::{
    Attribute, ByteOrder, Capture, Contents, Direction, Info, Matcher, Metadata, Model, OptionField, Range,
    Reading, Section, ServerPort, ValueType, named_in, without_place,
};
use crate::secrecy::is_secret_attribute;
use crate::{Fault, ModelError, SyntaxError};
use form::{AttributeForm, DataType, DirectionForm, MatcherForm, ModelForm, ParserType, SectionForm};

/// Reads a model in the published form.
pub fn from_json(text: &str) -> Result<Model, ModelError> {
    let form: ModelForm = serde_json::from_str(text).map_err(|error| ModelError {
        model: named_in(text).unwrap_or_default(),
        path: format!("line {}, column {}", error.line(), error.column()),
        fault: Fault::Form(without_place(&error)),
    })?;
    let info = info(&form);
    let base = Model { info, ..Model::default() };
    let attributes = form.attributes.iter().enumerate().map(|(index, attribute)| {
        let path = |field| format!("attributes[{index}].parser-pattern.{field}");
        self::attribute(attribute).map_err(|(field, fault)| base.error(path(field), fault))
    });
    Ok(Model {
        metadata: metadata(&form),
        contents: Contents {
            request: form.contents.request.as_ref().map(section),
            response: form.contents.response.as_ref().map(section),
            combined: form.contents.combined.as_ref().map(section),
            select: form.contents.protocol.clone(),
        },
        opening: None,
        attributes: attributes.collect::<Result<_, _>>()?,
        ..base.clone()
    })
}

/// Whether a JSON text has the published form, by names that only this form has.
pub fn is_published(text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return false };
    let marks = [
        "/info/namespace",
        "/info/protocol-url",
        "/metadata/server-port",
        "/contents/protocol",
        "/contents/request/matchers/0/matcher-type",
        "/contents/response/matchers/0/matcher-type",
        "/contents/combined/matchers/0/matcher-type",
        "/attributes/0/parser-type",
    ];
    marks.iter().any(|mark| value.pointer(mark).is_some())
}

fn info(form: &ModelForm) -> Info {
    let info = &form.info;
    Info {
        abbreviation: info.abbreviation.clone(),
        standard_name: info.standard_name.clone(),
        description: info.description.clone(),
        source: info.protocol_url.clone().into_iter().collect(),
        version: info.version,
        last_update: info.last_update.clone(),
    }
}

fn metadata(form: &ModelForm) -> Metadata {
    let metadata = &form.metadata;
    let protocols: Vec<_> = metadata.ip_protocols.iter().map(|protocol| protocol.0).collect();
    let ports = metadata.server_port.iter().flat_map(|ports| &ports.port);
    let of_each = |&port: &u16| protocols.iter().map(move |&ip_protocol| ServerPort { ip_protocol, port });
    Metadata {
        ether_types: metadata.ether_types.clone(),
        server_ports: ports.flat_map(of_each).collect(),
        traffic_mode: metadata.traffic_mode.iter().map(|mode| mode.plain()).collect(),
        ip_protocols: protocols.clone(),
    }
}

fn section(form: &SectionForm) -> Section {
    Section { matchers: form.matchers.iter().map(matcher).collect(), eval: form.eval.clone() }
}

fn matcher(form: &MatcherForm) -> Matcher {
    let (id, pattern) = (form.id().to_string(), &form.pattern().pattern);
    match form {
        MatcherForm::Regex { .. } => Matcher::String { id, pattern: java::regex(pattern) },
        MatcherForm::Byteseek { .. } => {
            let place = form.pattern().index.map_or_else(String::new, |index| format!("@{index} "));
            Matcher::Byte { id, pattern: format!("{place}{pattern}") }
        }
    }
}

fn attribute(form: &AttributeForm) -> Result<Attribute, (&'static str, Fault)> {
    let pattern = &form.parser_pattern;
    let text = |field: &'static str, text: &Option<String>| {
        text.clone().ok_or_else(|| (field, Fault::Meaning("missing".to_owned())))
    };
    let read = match form.parser_type {
        ParserType::Regex => {
            let java = text("pattern", &pattern.pattern)?;
            let fault = |error: SyntaxError| ("pattern", error.of(&java));
            let (pattern, group) = java::capture(&java, pattern.group.unwrap_or(0)).map_err(fault)?;
            Reading::Capture(Capture { pattern, group })
        }
        ParserType::Range => Reading::Range(Range {
            seek: pattern.seek_pattern_from.clone(),
            from: text("from", &pattern.from)?,
            to: text("to", &pattern.to)?,
        }),
        ParserType::Tlv => Reading::Option(OptionField {
            seek: pattern.seek_pattern.clone(),
            tag: text("tag-pattern", &pattern.tag_pattern)?,
            tag_bytes: whole_bytes(pattern.tag_bit_length).map_err(|fault| ("tag-bit-length", fault))?,
            length_bytes: whole_bytes(pattern.length_bit_length)
                .map_err(|fault| ("length-bit-length", fault))?,
            lone_tags: Vec::new(),
            end_tag: None,
        }),
    };
    let value_type = match form.data_type {
        _ if pattern.find_all => ValueType::List,
        DataType::String => ValueType::String,
        DataType::Bytes => ValueType::Bytes,
    };
    let direction = match form.direction {
        DirectionForm::Request => Direction::Request,
        DirectionForm::Response => Direction::Response,
        DirectionForm::Combined => Direction::Combined,
    };
    // The form cannot mark secrets: their names identify them.
    let secret = is_secret_attribute(&form.name);
    Ok(Attribute {
        name: form.name.clone(),
        direction,
        value_type,
        item_bytes: None,
        byte_order: ByteOrder::default(),
        secret,
        read,
    })
}

fn whole_bytes(bits: Option<u8>) -> Result<u8, Fault> {
    let bits = bits.unwrap_or(8);
    let is_whole = bits.is_multiple_of(8);
    is_whole.then_some(bits / 8).ok_or_else(|| Fault::Meaning("expected whole bytes".to_owned()))
}
