//! Chance that can be repeated.

/// Chance that can be repeated: drawn from a seed, or spent from bytes that a fuzzer chose.
///
/// A fuzzer changes a byte here and there and looks at what that does, so bytes are spent in order,
/// one or two for each decision, and no decision depends on how an earlier one was encoded.
#[derive(Clone, Debug)]
pub struct Dice {
    chosen: Option<Vec<u8>>,
    spent: usize,
    state: u64,
}

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            chosen: None,
            spent: 0,
            state: seed,
        }
    }

    /// From these bytes. When they are spent, everything is 0.
    pub fn chosen(bytes: &[u8]) -> Self {
        Self {
            chosen: Some(bytes.to_vec()),
            spent: 0,
            state: 0,
        }
    }

    /// Whether all bytes are spent. Dice with a seed never are.
    pub fn is_spent(&self) -> bool {
        self.chosen
            .as_ref()
            .is_some_and(|bytes| self.spent >= bytes.len())
    }

    /// From 0 up to the limit, which is not reached.
    pub fn below(&mut self, limit: u64) -> u64 {
        match &self.chosen {
            None => self.mixed() % limit.max(1),
            Some(bytes) => {
                let mut value = 0;
                for _ in 0..if limit > 256 { 2 } else { 1 } {
                    let byte = bytes.get(self.spent).copied().unwrap_or(0);
                    self.spent += 1;
                    value = value << 8 | u64::from(byte);
                }
                // Two bytes reach far enough: spread them over what is larger.
                let value = if limit > 1 << 16 {
                    value * (limit >> 16)
                } else {
                    value
                };
                value % limit.max(1)
            }
        }
    }

    /// Whether something happens that happens so often in a thousand.
    pub fn happens(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// Where there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// The place of one of so many.
    pub fn index(&mut self, count: usize) -> usize {
        self.below(count as u64) as usize
    }

    /// So many bytes, or as many as are left.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count && !self.is_spent() {
            bytes.push(self.below(256) as u8);
        }
        bytes
    }

    /// 32 bytes for a seed.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for part in seed.chunks_exact_mut(8) {
            part.copy_from_slice(&self.mixed().to_be_bytes());
        }
        seed
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014): each state gives another number.
    fn mixed(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed);
            (0..20).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
    }

    #[test]
    fn chosen_bytes_are_spent_in_order() {
        let mut dice = Dice::chosen(&[3, 1, 0, 255]);
        assert_eq!((dice.below(10), dice.below(1000)), (3, 256));
        assert!(!dice.is_spent());
        assert_eq!((dice.below(256), dice.is_spent()), (255, true));
        assert_eq!(dice.below(7), 0);
    }
}
