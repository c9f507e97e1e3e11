#![no_main]
//! See [`thingprint_fuzz::patterns`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::patterns(data));
