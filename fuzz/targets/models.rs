#![no_main]
//! See [`thingprint_fuzz::models`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::models(data));
