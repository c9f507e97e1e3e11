#![no_main]
//! See [`thingprint_fuzz::http`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::http(data));
