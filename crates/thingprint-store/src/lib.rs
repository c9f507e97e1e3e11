//! Keeps devices, windows, verdicts, findings and events in `SQLite`.
