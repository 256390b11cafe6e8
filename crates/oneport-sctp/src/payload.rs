//! The bytes of a message to send, shared with whoever else sends them.

use std::ops::Range;
use std::sync::Arc;

/// The bytes of one message: a shared slice, and optionally a head that goes before it.
///
/// Nothing is copied until a packet is written. A relay that sends one message to many peers clones
/// the payload, which increments a counter.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    head: Option<Arc<[u8]>>,
    body: Option<Arc<[u8]>>,
    start: u32,
    end: u32,
}

impl Payload {
    /// Returns a payload of all of `bytes`.
    ///
    /// # Panics
    /// If `bytes` are 4 GiB or more.
    #[must_use]
    pub fn new(bytes: Arc<[u8]>) -> Self {
        let range = 0..bytes.len();
        Self::slice(bytes, range)
    }

    /// Returns a payload of a part of `bytes`.
    ///
    /// # Panics
    /// If the range is not within `bytes`, or ends at 4 GiB or later.
    #[must_use]
    pub fn slice(bytes: Arc<[u8]>, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= bytes.len());
        let narrow = |at| u32::try_from(at).expect("a payload is below 4 GiB");
        Self {
            head: None,
            start: narrow(range.start),
            end: narrow(range.end),
            body: Some(bytes),
        }
    }

    /// Puts `head` before the bytes, in place of an earlier head.
    #[must_use]
    pub fn with_head(mut self, head: Arc<[u8]>) -> Self {
        self.head = Some(head);
        self
    }

    /// Returns the number of bytes, those of the head included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head().len() + (self.end - self.start) as usize
    }

    /// Returns true if there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn head(&self) -> &[u8] {
        self.head.as_deref().unwrap_or_default()
    }

    fn body(&self) -> &[u8] {
        let range = self.start as usize..self.end as usize;
        self.body.as_deref().map_or(&[], |body| &body[range])
    }

    /// Appends `len` bytes from `at` on, which are there.
    pub(crate) fn write(&self, at: usize, len: usize, out: &mut Vec<u8>) {
        let head = self.head();
        if at >= head.len() {
            let at = at - head.len();
            out.extend_from_slice(&self.body()[at..at + len]);
            return;
        }
        let from_head = len.min(head.len() - at);
        out.extend_from_slice(&head[at..at + from_head]);
        out.extend_from_slice(&self.body()[..len - from_head]);
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.into())
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_may_span_head_and_body() {
        let body: Arc<[u8]> = [9, 3, 4, 5, 9].into();
        let payload = Payload::slice(body, 1..4).with_head([0, 1, 2].into());
        assert_eq!(payload.len(), 6);
        for start in 0..6 {
            for end in start..=6 {
                let mut out = Vec::new();
                payload.write(start, end - start, &mut out);
                let expected: Vec<u8> = (start as u8..end as u8).collect();
                assert_eq!(out, expected);
            }
        }
    }

    #[test]
    fn nothing_is_a_payload() {
        assert!(Payload::default().is_empty());
        assert!(Payload::from(Vec::new()).is_empty());
    }
}
