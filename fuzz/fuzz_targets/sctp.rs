//! [`oneport_sim::fuzz::sctp_in_turn`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oneport_sim::fuzz::sctp_in_turn(data));
