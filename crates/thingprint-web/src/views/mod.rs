//! What people see: one file for each view.

pub(crate) mod changes;
pub(crate) mod device;
pub(crate) mod devices;
mod event_table;
mod evidence;
mod field;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod login;
pub(crate) mod model;
pub(crate) mod shell;
mod status;
mod words;
