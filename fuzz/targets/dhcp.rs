#![no_main]
//! See [`thingprint_fuzz::dhcp`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::dhcp(data));
