//! A line of chunks: a doubly linked list through the queue that holds them.

use std::collections::VecDeque;

use super::flight::Chunk;
use crate::types::LongTsn;

/// The neighbours of a chunk in its line, as TSNs; 0, which is no long TSN, is none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    pub(super) previous: u64,
    pub(super) next: u64,
}

/// The ends of a line, as in [`Link`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    head: u64,
    tail: u64,
}

const NONE: u64 = 0;

impl Line {
    pub(super) fn first(&self) -> Option<LongTsn> {
        (self.head != NONE).then_some(LongTsn(self.head))
    }

    pub(super) fn last(&self) -> Option<LongTsn> {
        (self.tail != NONE).then_some(LongTsn(self.tail))
    }

    /// Puts a chunk that is in no line at the end of this one. `first` is the TSN of the first chunk.
    pub(super) fn append(&mut self, chunks: &mut VecDeque<Chunk>, first: LongTsn, tsn: LongTsn) {
        let link = |tsn: u64| (tsn - first.0) as usize;
        chunks[link(tsn.0)].link = Link {
            previous: self.tail,
            next: NONE,
        };
        match self.tail {
            NONE => self.head = tsn.0,
            tail => chunks[link(tail)].link.next = tsn.0,
        }
        self.tail = tsn.0;
    }

    /// Takes a chunk that is in this line out of it.
    pub(super) fn remove(&mut self, chunks: &mut VecDeque<Chunk>, first: LongTsn, tsn: LongTsn) {
        let at = |tsn: u64| (tsn - first.0) as usize;
        let Link { previous, next } = chunks[at(tsn.0)].link;
        match previous {
            NONE => self.head = next,
            previous => chunks[at(previous)].link.next = next,
        }
        match next {
            NONE => self.tail = previous,
            next => chunks[at(next)].link.previous = previous,
        }
    }
}
