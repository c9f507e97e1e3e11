#![no_main]
//! See [`thingprint_fuzz::logs`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::logs(data));
