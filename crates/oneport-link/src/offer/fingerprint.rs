//! Certificate fingerprints (RFC 8122 section 5).

use std::fmt::Write;

use aws_lc_rs::digest;

/// A hash function for certificates, the preferred one first. All but SHA-1 are collision resistant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Digest {
    Sha256,
    Sha384,
    Sha512,
    Sha224,
    Sha1,
}

impl Digest {
    fn named(name: &str) -> Option<Self> {
        let named = |digest: &Self| digest.name().eq_ignore_ascii_case(name);
        [
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
            Self::Sha224,
            Self::Sha1,
        ]
        .into_iter()
        .find(named)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Sha224 => "sha-224",
            Self::Sha1 => "sha-1",
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha224 => &digest::SHA224,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        }
    }

    /// The hash that str0m compares with [`Fingerprint::for_str0m`]. str0m checks SHA-256 only, so every other
    /// function is hashed once more: SHA-256 of equal hashes is equal, and of different ones it is not.
    pub(crate) fn of_certificate(self, der: &[u8]) -> [u8; 32] {
        let hash = digest::digest(self.algorithm(), der);
        self.to_sha256(hash.as_ref())
    }

    fn to_sha256(self, hash: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        match self {
            Self::Sha256 => bytes.copy_from_slice(hash),
            _ => bytes.copy_from_slice(digest::digest(&digest::SHA256, hash).as_ref()),
        }
        bytes
    }
}

/// The hash of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    digest: Digest,
    hash: Vec<u8>,
}

impl Fingerprint {
    /// Parses the value of an `a=fingerprint` attribute; `None` where it cannot be checked.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (name, pairs) = value.split_once([' ', '\t'])?;
        let digest = Digest::named(name)?;
        let hash: Option<Vec<u8>> = pairs.trim().split(':').map(byte).collect();
        let hash = hash.filter(|hash| hash.len() == digest.algorithm().output_len())?;
        Some(Self { digest, hash })
    }

    /// The hash function.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// The fingerprint that str0m gets: always SHA-256.
    pub(crate) fn for_str0m(&self) -> String {
        attribute(&self.digest.to_sha256(&self.hash))
    }
}

/// The SHA-256 fingerprint of a certificate, as the value of `a=fingerprint`.
pub(crate) fn of_our_certificate(der: &[u8]) -> String {
    attribute(&Digest::Sha256.of_certificate(der))
}

fn attribute(hash: &[u8; 32]) -> String {
    let mut text = String::from("sha-256");
    for (at, byte) in hash.iter().enumerate() {
        let separator = if at == 0 { ' ' } else { ':' };
        let _ = write!(text, "{separator}{byte:02X}");
    }
    text
}

/// Two hexadecimal digits, of either case.
fn byte(pair: &str) -> Option<u8> {
    let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(pair, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_functions_by_any_case() {
        for (name, bytes) in [
            ("sha-1", 20),
            ("SHA-224", 28),
            ("sha-256", 32),
            ("Sha-384", 48),
            ("SHA-512", 64),
        ] {
            let hash = vec!["aB"; bytes].join(":");
            let fingerprint = Fingerprint::parse(&format!("{name} {hash}"));
            assert_eq!(fingerprint.expect(name).hash, vec![0xab; bytes]);
            for wrong in [&hash[3..], &hash[1..], &format!("{hash}:AB"), ""] {
                assert_eq!(
                    Fingerprint::parse(&format!("{name} {wrong}")),
                    None,
                    "{wrong}"
                );
            }
        }
        for wrong in ["", "sha-256", "md5 AB", "sha-3 AB", "sha-256 +1:02"] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn equal_for_str0m_if_and_only_if_the_certificate_is_the_same() {
        for digest in [
            Digest::Sha256,
            Digest::Sha384,
            Digest::Sha512,
            Digest::Sha224,
            Digest::Sha1,
        ] {
            let hash = digest::digest(digest.algorithm(), b"theirs")
                .as_ref()
                .to_vec();
            let fingerprint = Fingerprint { digest, hash };
            let seen = |der| attribute(&digest.of_certificate(der));
            assert_eq!(fingerprint.for_str0m(), seen(b"theirs"));
            assert_ne!(fingerprint.for_str0m(), seen(b"another"));
        }
    }
}
