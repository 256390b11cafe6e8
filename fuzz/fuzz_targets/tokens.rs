//! [`oneport_tests::fuzz::tokens`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oneport_tests::fuzz::tokens(data));
