#![no_main]
//! See [`thingprint_fuzz::quic`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::quic(data));
