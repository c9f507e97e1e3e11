//! Tests of the command as a user runs it, and of the shape of the code; all of them are under `tests/`.
