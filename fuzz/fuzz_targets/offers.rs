//! [`oneport_sim::fuzz::offers`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oneport_sim::fuzz::offers(data));
