//! A page of HTML, which an audit makes.

use super::{Spec, Writes, no_rows};

pub(super) const SPEC: Spec =
    Spec { name: "html", extensions: &["html"], writes: Writes::Document, is_binary: false, open: no_rows };
