//! Tests of the shape of the code; all of them are under `tests/`.
