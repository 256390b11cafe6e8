//! [`oneport_sim::fuzz::datagrams`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oneport_sim::fuzz::datagrams(data));
