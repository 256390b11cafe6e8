//! Which TSNs have arrived: everything up to one point, and a bitmap of those beyond.

use std::collections::VecDeque;

use crate::config::TSN_AHEAD_MAX;
use crate::types::{LongTsn, Tsn};
use crate::wire::GapBlock;
use crate::work;

#[derive(Debug)]
pub(super) struct TsnWindow {
    cumulative: LongTsn,
    /// The TSN of the lowest bit, while there are words. Bits up to the cumulative one are set.
    origin: LongTsn,
    words: VecDeque<u64>,
    /// How many arrived beyond the cumulative one.
    ahead: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    New,
    Duplicate,
    TooFar,
}

const BITS: u64 = 64;

impl TsnWindow {
    /// Nothing has arrived; `first` is the first to come.
    pub(super) fn new(first: Tsn) -> Self {
        let first = LongTsn::starting_at(first);
        Self {
            cumulative: first.previous(),
            origin: first,
            words: VecDeque::new(),
            ahead: 0,
        }
    }

    pub(super) fn cumulative(&self) -> LongTsn {
        self.cumulative
    }

    pub(super) fn has_gaps(&self) -> bool {
        self.ahead > 0
    }

    pub(super) fn has(&self, tsn: LongTsn) -> bool {
        tsn <= self.cumulative || self.is_set(tsn)
    }

    fn is_set(&self, tsn: LongTsn) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let bit = tsn.since(self.origin);
        let word = self.words.get((bit / BITS) as usize);
        word.is_some_and(|word| word & (1 << (bit % BITS)) != 0)
    }

    /// Notes an arrival.
    pub(super) fn insert(&mut self, tsn: LongTsn) -> Arrival {
        if tsn == self.cumulative.next() && self.words.is_empty() {
            self.cumulative = tsn;
            return Arrival::New;
        }
        if self.has(tsn) {
            return Arrival::Duplicate;
        }
        if tsn.since(self.cumulative) > TSN_AHEAD_MAX {
            return Arrival::TooFar;
        }
        if self.words.is_empty() {
            self.origin = self.cumulative.next();
        }
        let bit = tsn.since(self.origin);
        let word = (bit / BITS) as usize;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (bit % BITS);
        self.ahead += 1;
        self.advance();
        Arrival::New
    }

    /// Moves the cumulative point over what has arrived.
    fn advance(&mut self) {
        while let Some(word) = self.words.front() {
            work::step(1);
            let ones = u64::from(word.trailing_ones());
            let point = self.origin.plus(ones).previous();
            if point > self.cumulative {
                self.ahead = self.ahead.saturating_sub(point.since(self.cumulative));
                self.cumulative = point;
            }
            if ones < BITS {
                break;
            }
            self.words.pop_front();
            self.origin = self.origin.plus(BITS);
        }
        if self.ahead == 0 {
            self.words = VecDeque::new();
        }
    }

    /// Counts everything up to `tsn` as arrived.
    pub(super) fn forward(&mut self, tsn: LongTsn) {
        if tsn <= self.cumulative {
            return;
        }
        while !self.words.is_empty() && self.origin.plus(BITS - 1) <= tsn {
            let word = self.words.pop_front().unwrap_or_default();
            self.ahead -= self.count_beyond(word);
            self.origin = self.origin.plus(BITS);
            self.cumulative = self.origin.previous();
        }
        if let Some(word) = self.words.front().copied().filter(|_| self.origin <= tsn) {
            let below = (1u64 << (tsn.since(self.origin) + 1)) - 1;
            self.ahead -= self.count_beyond(word & below);
            self.words[0] = word | below;
        }
        self.cumulative = self.cumulative.max(tsn);
        self.advance();
    }

    /// Counts the bits of the first word that are beyond the cumulative point.
    fn count_beyond(&self, word: u64) -> u64 {
        let known = if self.cumulative >= self.origin {
            self.cumulative.since(self.origin) + 1
        } else {
            0
        };
        let beyond = word.checked_shr(known as u32).unwrap_or_default();
        beyond.count_ones().into()
    }

    /// Returns the runs beyond the cumulative point, at most `max`.
    pub(super) fn gaps(&self, max: usize) -> Vec<GapBlock> {
        let mut blocks: Vec<GapBlock> = Vec::new();
        if self.ahead == 0 {
            return blocks;
        }
        let mut position = self.cumulative.next();
        let end = self.origin.plus(self.words.len() as u64 * BITS);
        while position < end && blocks.len() < max {
            work::step(1);
            let start = position.plus(self.run(position, false));
            if start >= end {
                break;
            }
            let mut last = start;
            while last < end {
                let ones = self.run(last, true);
                last = last.plus(ones);
                if ones == 0 || !last.since(self.origin).is_multiple_of(BITS) {
                    break;
                }
            }
            let distance = |tsn: LongTsn| tsn.since(self.cumulative) as u16;
            blocks.push(GapBlock {
                start: distance(start),
                end: distance(last.previous()),
            });
            position = last;
        }
        blocks
    }

    /// Returns how many bits from `tsn` on are alike: set, within the word; or not set, over words.
    fn run(&self, tsn: LongTsn, is_set: bool) -> u64 {
        let bit = tsn.since(self.origin);
        let mut at = (bit / BITS) as usize;
        let Some(word) = self.words.get(at) else {
            return 0;
        };
        let shift = bit % BITS;
        if is_set {
            return u64::from((word >> shift).trailing_ones()).min(BITS - shift);
        }
        let mut run = u64::from((word >> shift).trailing_zeros()).min(BITS - shift);
        while run + shift >= BITS && (run + shift).is_multiple_of(BITS) {
            work::step(1);
            at += 1;
            let Some(word) = self.words.get(at) else {
                break;
            };
            run += u64::from(word.trailing_zeros());
            if *word != 0 {
                break;
            }
        }
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const FIRST: Tsn = Tsn(u32::MAX - 3);

    fn at(n: u64) -> LongTsn {
        LongTsn::starting_at(FIRST).plus(n)
    }

    /// The same by a set.
    #[derive(Default)]
    struct Model(BTreeSet<u64>, u64);

    impl Model {
        fn advance(&mut self) {
            while self.0.remove(&self.1) {
                self.1 += 1;
            }
            let next = self.1;
            self.0.retain(|n| *n >= next);
        }

        fn gaps(&self) -> Vec<GapBlock> {
            let mut blocks: Vec<GapBlock> = Vec::new();
            for n in &self.0 {
                let distance = (n + 1 - self.1) as u16;
                match blocks.last_mut() {
                    Some(block) if block.end + 1 == distance => block.end = distance,
                    _ => blocks.push(GapBlock {
                        start: distance,
                        end: distance,
                    }),
                }
            }
            blocks
        }
    }

    #[test]
    fn it_does_what_a_set_does() {
        let mut random = crate::random::Random::new([3; 32]);
        for round in 0..200 {
            let mut window = TsnWindow::new(FIRST);
            let mut model = Model::default();
            let spread = 1 + random.u64() % 300;
            for _ in 0..300 {
                let n = model.1 + random.u64() % spread;
                if random.u64().is_multiple_of(40) {
                    window.forward(at(n));
                    model.1 = model.1.max(n + 1);
                } else {
                    let is_new = n >= model.1 && model.0.insert(n);
                    let expected = if is_new {
                        Arrival::New
                    } else {
                        Arrival::Duplicate
                    };
                    assert_eq!(window.insert(at(n)), expected);
                }
                model.advance();
                assert_eq!(window.cumulative(), at(model.1).previous(), "round {round}");
                assert_eq!(window.ahead, model.0.len() as u64, "round {round}");
                assert_eq!(window.gaps(usize::MAX), model.gaps(), "round {round}");
            }
        }
    }

    #[test]
    fn what_is_too_far_ahead_is_refused() {
        let mut window = TsnWindow::new(FIRST);
        assert_eq!(window.insert(at(TSN_AHEAD_MAX)), Arrival::TooFar);
        assert_eq!(window.insert(at(TSN_AHEAD_MAX - 1)), Arrival::New);
        assert_eq!(window.words.len() as u64, TSN_AHEAD_MAX / BITS);
        window.forward(at(1 << 30));
        assert!(window.words.is_empty());
    }

    #[test]
    fn gap_blocks_are_bounded_in_number_and_work() {
        let mut window = TsnWindow::new(FIRST);
        for n in 1..TSN_AHEAD_MAX / 2 {
            window.insert(at(2 * n));
        }
        let steps = work::count(|| assert_eq!(window.gaps(64).len(), 64));
        assert!(steps < 200, "{steps}");
    }
}
