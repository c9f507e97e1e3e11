#![no_main]
//! See [`thingprint_fuzz::policies`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::policies(data));
