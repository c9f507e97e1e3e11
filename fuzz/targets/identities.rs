#![no_main]
//! See [`thingprint_fuzz::identities`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::identities(data));
