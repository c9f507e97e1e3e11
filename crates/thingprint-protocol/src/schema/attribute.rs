use serde::{Deserialize, Serialize};

/// Something to read from a protocol's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attribute {
    /// What it is called, such as `user-agent`.
    pub name: String,
    /// Whose messages it is read from. Missing: both sides'.
    #[serde(default, skip_serializing_if = "Direction::is_combined")]
    pub direction: Direction,
    /// What its values are.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// For a list that is read from bytes: how many of them make one number, 1 to 8. Missing: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_bytes: Option<u8>,
    /// The order of the bytes of numbers on the wire, and of the lengths of options. Missing: network order.
    #[serde(default, skip_serializing_if = "ByteOrder::is_network")]
    pub byte_order: ByteOrder,
    /// Whether it is written as `***` unless credentials are asked for. Missing: it is not. A parser of the program knows
    /// by itself what it has to hide.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// How it is read.
    pub read: Reading,
}

/// Direction of the messages of a protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client.
    Request,
    /// From the server.
    Response,
    /// Both.
    #[default]
    Combined,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// The most significant one: network order.
    #[default]
    BigEndian,
    /// The least significant one.
    LittleEndian,
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ValueType {
    /// Text; bytes outside printable ASCII are written `\xNN`.
    String,
    /// Bytes as sent.
    Bytes,
    /// A whole number from 0: at most eight bytes in the order of `byte-order`; or, from a capture, decimal digits.
    Unsigned,
    /// From a capture: a text for each place where the expression matches. From a range: numbers of `item-bytes` bytes
    /// each. From an option that comes once: the same; from one that comes again: the bytes of each.
    List,
}

/// How an attribute is read from a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reading {
    /// A part of what a regular expression matches.
    Capture(Capture),
    /// The bytes between two offsets.
    Range(Range),
    /// The value of a tag-length-value option.
    Option(OptionField),
    /// By the parser of this name, which is part of the program: each built-in model has the name of its parser. A model
    /// with such an attribute detects its protocol only where the parser agrees.
    Builtin(String),
}

/// A part of what a regular expression matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capture {
    /// Regular expression, as for a matcher of type `string`.
    pub pattern: String,
    /// Name of the group, as in `(?<name>...)`, or its number. Missing: all that the expression matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// The bytes between two offsets.
///
/// Offsets are expressions: whole numbers, `+`, `-`, brackets, `$(n)` for the byte at offset n and `$(n, k)` for k bytes
/// from there in network order, `$le(n, k)` for k bytes with the least significant one first, `a < n` for a shift to the
/// left by n bits, `a | b` for a bitwise or; shift and or bind tighter than plus and minus. In `to`, the word `from` stands for the first offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Range {
    /// Byte pattern that offsets count from, from its first byte where it is found first. Missing: offsets count from the
    /// payload's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seek: Option<String>,
    /// Offset of the first byte.
    pub from: String,
    /// Offset behind the last byte.
    pub to: String,
}

/// The value of a tag-length-value option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OptionField {
    /// Byte pattern behind which the options begin. Missing: at the payload's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seek: Option<String>,
    /// Byte pattern at the start of the wanted option, such as `0c`.
    pub tag: String,
    /// Bytes of a tag: 1 to 4. Missing: 1.
    #[serde(default = "OptionField::one")]
    pub tag_bytes: u8,
    /// Bytes of a length: 1 to 4. Missing: 1.
    #[serde(default = "OptionField::one")]
    pub length_bytes: u8,
    /// Tags that stand alone, without length and value, such as padding. Missing: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lone_tags: Vec<u32>,
    /// Tag behind which no options come. Missing: they go on to the payload's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_tag: Option<u32>,
}

impl OptionField {
    const fn one() -> u8 {
        1
    }
}

impl ByteOrder {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_network(&self) -> bool {
        *self == Self::BigEndian
    }

    /// The number that bytes are, of which there are at most eight.
    pub(crate) fn number(self, bytes: &[u8]) -> Option<u64> {
        let join = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        let is_short = (1..=8).contains(&bytes.len());
        is_short.then(|| match self {
            Self::BigEndian => bytes.iter().fold(0, join),
            Self::LittleEndian => bytes.iter().rev().fold(0, join),
        })
    }
}

impl Direction {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_combined(&self) -> bool {
        *self == Self::Combined
    }
}
