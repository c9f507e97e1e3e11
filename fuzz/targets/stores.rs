#![no_main]
//! See [`thingprint_fuzz::stores`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::stores(data));
