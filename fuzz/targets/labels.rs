#![no_main]
//! See [`thingprint_fuzz::labels`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::labels(data));
