//! Tests of the shape of the repository; all of them are under `tests/`.
