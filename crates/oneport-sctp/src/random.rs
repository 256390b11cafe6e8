//! Unpredictable numbers and message authentication from one seed: SipHash-2-4 as a keyed function.

/// Derives the association's random numbers and authenticates its cookies.
///
/// The caller's 32 bytes are two keys of SipHash-2-4. One is used in counter mode for tags and initial
/// sequence numbers, the other authenticates state cookies. Both are secret as long as the seed is.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    numbers: Key,
    cookies: Key,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Key(u64, u64);

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let word = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&seed[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Self {
            numbers: Key(word(0), word(8)),
            cookies: Key(word(16), word(24)),
            count: 0,
        }
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.count += 1;
        siphash(self.numbers, &self.count.to_le_bytes())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    pub(crate) fn nonzero_u32(&mut self) -> u32 {
        loop {
            let number = self.u32();
            if number != 0 {
                return number;
            }
        }
    }

    /// Returns the authentication code of a cookie.
    pub(crate) fn authenticate(&self, cookie: &[u8]) -> u64 {
        siphash(self.cookies, cookie)
    }
}

fn siphash(key: Key, message: &[u8]) -> u64 {
    let mut v = [
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ];
    let mut words = message.chunks_exact(8);
    for word in &mut words {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        absorb(&mut v, u64::from_le_bytes(bytes));
    }
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    // The low byte of the length, as the definition says.
    last[7] = (message.len() & 0xff) as u8;
    absorb(&mut v, u64::from_le_bytes(last));
    v[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the paper's appendix A: key 00..0f, message 00..0e.
    #[test]
    fn siphash_is_that_of_the_paper() {
        let key = Key(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let message: Vec<u8> = (0..15).collect();
        assert_eq!(siphash(key, &message), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn numbers_depend_on_the_seed_alone() {
        let numbers = |seed| {
            let mut random = Random::new([seed; 32]);
            [random.u64(), random.u64(), random.u64()]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        let [a, b, c] = numbers(1);
        assert!(a != b && b != c);
    }
}
