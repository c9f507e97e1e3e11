#![no_main]
//! See [`thingprint_fuzz::parcels`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::parcels(data));
