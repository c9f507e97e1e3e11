#![no_main]
//! See [`thingprint_fuzz::frames`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::frames(data));
