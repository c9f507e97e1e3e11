#![no_main]
//! See [`thingprint_fuzz::ntp`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::ntp(data));
