//! The memory into which datagrams are received.

use std::io::{self, IoSliceMut};
use std::iter;

use quinn_udp::{BATCH_SIZE, RecvMeta};

/// The size of one buffer: the largest datagram, and as much as the kernel merges into one (GRO).
const BUFFER_BYTES: usize = 64 * 1024;

/// The buffers of one receive call, 2 MiB where the kernel takes 32 at once. One set serves all
/// sockets of a loop in turn; pages that nothing was ever written to cost nothing.
pub(crate) struct ReceiveBatch {
    memory: Vec<u8>,
    meta: [RecvMeta; BATCH_SIZE],
    filled: usize,
}

impl ReceiveBatch {
    pub(crate) fn new() -> Self {
        Self {
            memory: vec![0; BUFFER_BYTES * BATCH_SIZE],
            meta: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
        }
    }

    /// Fills the buffers by one call of `receive`, which says how many it filled.
    pub(crate) fn fill(
        &mut self,
        receive: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> io::Result<usize>,
    ) -> io::Result<()> {
        self.filled = 0;
        let mut buffers = self.memory.chunks_exact_mut(BUFFER_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = std::array::from_fn(|_| {
            IoSliceMut::new(buffers.next().expect("memory for BATCH_SIZE buffers"))
        });
        self.filled = receive(&mut slices, &mut self.meta)?;
        Ok(())
    }

    /// Whether the kernel had no more than this. Where it fills one buffer at a time that is not known.
    pub(crate) fn was_the_last(&self) -> bool {
        let fills_all = cfg!(any(target_os = "linux", target_os = "android"));
        fills_all && self.filled < BATCH_SIZE
    }

    /// The filled buffers: each has one datagram in it or several that took the same path.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = (&RecvMeta, &[u8])> {
        iter::zip(&self.meta, self.memory.chunks_exact(BUFFER_BYTES))
            .take(self.filled)
            .map(|(meta, buffer)| (meta, &buffer[..meta.len.min(BUFFER_BYTES)]))
    }
}

/// The datagrams in a buffer: each is `stride` bytes long, the last may be shorter. An empty buffer
/// is one empty datagram.
pub(crate) fn datagrams(buffer: &[u8], stride: usize) -> impl Iterator<Item = &[u8]> {
    let (first, others) = buffer.split_at(stride.min(buffer.len()));
    // A stride of zero comes with an empty buffer only; `chunks` does not take it.
    iter::once(first).chain(others.chunks(stride.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(buffer: &[u8], stride: usize) -> Vec<&[u8]> {
        datagrams(buffer, stride).collect()
    }

    #[test]
    fn merged_datagrams_are_split_by_their_stride() {
        let parts: [&[u8]; 3] = [b"abc", b"def", b"g"];
        assert_eq!(split(b"abcdefg", 3), parts);
        assert_eq!(split(b"abcdef", 3), parts[..2]);
    }

    #[test]
    fn one_datagram_is_one() {
        assert_eq!(split(b"abc", 3), [b"abc"]);
        assert_eq!(split(b"abc", 64), [b"abc"]);
        assert_eq!(split(b"", 0), [b""]);
    }

    #[test]
    fn only_what_was_filled_is_there() {
        let mut batch = ReceiveBatch::new();
        batch
            .fill(|slices, meta| {
                for (index, text) in [&b"one"[..], b"three"].into_iter().enumerate() {
                    slices[index][..text.len()].copy_from_slice(text);
                    meta[index].len = text.len();
                }
                Ok(2)
            })
            .expect("filled");
        let texts: Vec<&[u8]> = batch.buffers().map(|(_, bytes)| bytes).collect();
        assert_eq!(texts, [&b"one"[..], b"three"]);

        let failed = batch.fill(|_, _| Err(io::ErrorKind::WouldBlock.into()));
        assert!(failed.is_err());
        assert_eq!(batch.buffers().count(), 0);
    }
}
