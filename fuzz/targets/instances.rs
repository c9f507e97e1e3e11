#![no_main]
//! See [`thingprint_fuzz::instances`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::instances(data));
