#![no_main]
//! See [`thingprint_fuzz::captures`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::captures(data));
