#![no_main]
//! See [`thingprint_fuzz::homes`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::homes(data));
