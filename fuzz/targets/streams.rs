#![no_main]
//! See [`thingprint_fuzz::streams`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::streams(data));
