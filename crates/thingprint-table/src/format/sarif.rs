//! SARIF 2.1.0, which an audit makes.

use super::{Spec, Writes, no_rows};

pub(super) const SPEC: Spec =
    Spec { name: "sarif", extensions: &["sarif"], writes: Writes::Document, is_binary: false, open: no_rows };
