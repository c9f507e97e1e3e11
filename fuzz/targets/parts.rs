#![no_main]
//! See [`thingprint_fuzz::parts`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::parts(data));
