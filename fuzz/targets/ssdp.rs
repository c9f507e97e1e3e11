#![no_main]
//! See [`thingprint_fuzz::ssdp`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::ssdp(data));
