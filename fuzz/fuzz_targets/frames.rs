//! [`oneport_sim::fuzz::frames`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oneport_sim::fuzz::frames(data));
