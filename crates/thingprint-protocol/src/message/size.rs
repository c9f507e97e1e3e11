//! How much memory parts of messages take, about: lengths of texts, without what allocators add.
use crate::{Text, Uri};

pub(crate) fn text(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

pub(crate) fn said(text: Option<&Text>) -> usize {
    text.map_or(0, Text::held_bytes)
}

pub(crate) fn uri(uri: Option<&Uri>) -> usize {
    uri.map_or(0, |uri| uri.reveal().len())
}
