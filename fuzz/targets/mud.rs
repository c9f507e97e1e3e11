#![no_main]
//! See [`thingprint_fuzz::mud`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::mud(data));
