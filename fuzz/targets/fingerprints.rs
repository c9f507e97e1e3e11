#![no_main]
//! See [`thingprint_fuzz::fingerprints`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::fingerprints(data));
