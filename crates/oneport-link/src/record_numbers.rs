//! The encryption of DTLS 1.3 record numbers, at a fraction of its price.

use std::sync::LazyLock;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use dimpl::CryptoError;
use dimpl::crypto::aws_lc_rs::default_provider;
use dimpl::crypto::{
    Cipher, CryptoProvider, Dtls13CipherSuite, HashAlgorithm, SupportedDtls13CipherSuite,
};

/// dimpl's cryptography, with our record numbers.
pub(crate) fn provider() -> CryptoProvider {
    static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
        let suites = default_provider().dtls13_cipher_suites.iter();
        suites.map(|suite| Suite(*suite)).collect()
    });
    static REFERENCES: LazyLock<Vec<&dyn SupportedDtls13CipherSuite>> =
        LazyLock::new(|| SUITES.iter().map(|suite| suite as _).collect());
    CryptoProvider {
        dtls13_cipher_suites: &REFERENCES,
        ..default_provider()
    }
}

/// A cipher suite of dimpl's, but for the record numbers.
///
/// Each record needs one block of AES for its number (RFC 9147 section 4.2.3). dimpl 0.9.0 has aws-lc-rs
/// make a key for it each time, and wipe it byte by byte: a sixth of all that the relay did for a small
/// message. The `aes` crate, which dimpl has for its CCM suites, needs a fiftieth of that.
#[derive(Debug)]
struct Suite(&'static dyn SupportedDtls13CipherSuite);

impl SupportedDtls13CipherSuite for Suite {
    fn suite(&self) -> Dtls13CipherSuite {
        self.0.suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn iv_len(&self) -> usize {
        self.0.iv_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn min_protected_fragment_len(&self) -> usize {
        self.0.min_protected_fragment_len()
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        self.0.create_cipher(key)
    }

    fn encrypt_sn(&self, key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        let mask = match self.suite() {
            Dtls13CipherSuite::AES_128_GCM_SHA256 => encrypt::<Aes128>(key, sample),
            Dtls13CipherSuite::AES_256_GCM_SHA384 => encrypt::<Aes256>(key, sample),
            _ => None,
        };
        mask.unwrap_or_else(|| self.0.encrypt_sn(key, sample))
    }
}

/// One block; `None` for a key of another length.
fn encrypt<C: KeyInit + BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>>(
    key: &[u8],
    sample: &[u8; 16],
) -> Option<[u8; 16]> {
    let mut block = Block::from(*sample);
    C::new_from_slice(key).ok()?.encrypt_block(&mut block);
    Some(block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_what_dimpl_makes_them() {
        let suites = provider().dtls13_cipher_suites;
        assert_eq!(suites.len(), default_provider().dtls13_cipher_suites.len());
        for (ours, theirs) in suites.iter().zip(default_provider().dtls13_cipher_suites) {
            assert_eq!(ours.suite(), theirs.suite());
            for seed in 0..32_u8 {
                let key: Vec<u8> = (0..theirs.key_len() as u8).map(|n| n ^ seed).collect();
                let sample = [seed.wrapping_mul(37); 16];
                let expected = theirs.encrypt_sn(&key, &sample);
                assert_eq!(
                    ours.encrypt_sn(&key, &sample),
                    expected,
                    "{:?}",
                    ours.suite()
                );
            }
        }
    }
}
