#![no_main]
//! See [`thingprint_fuzz::experiments`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::experiments(data));
