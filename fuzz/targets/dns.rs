#![no_main]
//! See [`thingprint_fuzz::dns`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::dns(data));
