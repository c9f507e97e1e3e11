#![no_main]
//! See [`thingprint_fuzz::tls`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::tls(data));
