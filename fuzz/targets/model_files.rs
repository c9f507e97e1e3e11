#![no_main]
//! See [`thingprint_fuzz::model_files`].

libfuzzer_sys::fuzz_target!(|data: &[u8]| thingprint_fuzz::model_files(data));
