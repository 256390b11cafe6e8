//! Unguessable names, and chance.

use std::time::Duration;

use oneport_link::Credentials;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The characters of ICE user name fragments and passwords (RFC 8839 section 5.4, `ice-char`).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A stream cipher from a seed: the only source of chance, so that a test can repeat itself.
#[derive(Debug)]
pub(crate) struct Secrets(ChaCha20Rng);

impl Secrets {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// 48 bits of fragment (RFC 8445 section 5.3 wants 24) and 144 of password (it wants 128).
    pub(crate) fn credentials(&mut self) -> Credentials {
        Credentials {
            ufrag: self.ice_chars(8),
            password: self.ice_chars(24),
        }
    }

    /// Between half of a time and all of it: clients that were cut off together come back apart.
    pub(crate) fn jitter(&mut self, time: Duration) -> Duration {
        let half = time / 2;
        half + half.mul_f64(f64::from(self.0.next_u32()) / f64::from(u32::MAX))
    }

    fn ice_chars(&mut self, length: usize) -> String {
        let random = |_| usize::from(self.0.next_u32().to_be_bytes()[0] & 63);
        (0..length)
            .map(random)
            .map(|index| char::from(ICE_CHARS[index]))
            .collect()
    }
}
