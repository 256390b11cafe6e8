//! Unguessable names.

use oneport_link::Credentials;
use oneport_wire::{Epoch, ResumeToken, SessionId, SessionLabel};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The characters of ICE user name fragments and passwords (RFC 8839 section 5.4, `ice-char`).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A source of unguessable names: a stream cipher from a seed, so that the relay needs no other
/// randomness and a test can repeat itself.
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

    pub(crate) fn session_id(&mut self) -> SessionId {
        SessionId::from_random(self.bits())
    }

    pub(crate) fn session_label(&mut self) -> SessionLabel {
        SessionLabel::from_random(self.bits())
    }

    pub(crate) fn resume_token(&mut self) -> ResumeToken {
        ResumeToken::from_random(self.bits())
    }

    pub(crate) fn epoch(&mut self) -> Epoch {
        Epoch::from_random(self.bits())
    }

    /// A number below this one, or 0; every one about as likely as any other.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = u64::from(self.0.next_u32()) * u64::from(bound);
        (scaled >> 32) as u32
    }

    fn bits<const N: usize>(&mut self) -> [u8; N] {
        let mut bits = [0; N];
        self.0.fill_bytes(&mut bits);
        bits
    }

    fn ice_chars(&mut self, length: usize) -> String {
        let random = |_| usize::from(self.0.next_u32().to_be_bytes()[0] & 63);
        (0..length)
            .map(random)
            .map(|index| char::from(ICE_CHARS[index]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_from_its_seed_and_never_within() {
        let names = |seed| {
            let mut secrets = Secrets::new([seed; 32]);
            (0..1000)
                .map(|_| secrets.credentials().ufrag)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
        let mut sorted = names(1);
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 1000);
    }
}
