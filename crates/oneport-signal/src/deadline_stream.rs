//! A stream whose reads and writes end at a moment, not after a silence.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::config::deadline;
use crate::transport::{Peek, Transport};

/// A blocking [`Transport`] with a total deadline for reading and one for writing.
///
/// A socket's own timeouts count from the last byte, so that a peer that drips bytes would hold a
/// thread for as long as it likes. Here every call gets only what is left until the deadline; past
/// it, calls fail with [`ErrorKind::TimedOut`] (and only then with that or `WouldBlock`).
#[derive(Debug)]
pub(crate) struct DeadlineStream<T> {
    stream: T,
    read_by: Instant,
    write_by: Instant,
}

impl<T: Transport> DeadlineStream<T> {
    /// Takes over a stream, which must be in blocking mode. Both deadlines have passed already:
    /// set them first.
    pub(crate) fn new(stream: T) -> Self {
        let now = Instant::now();
        Self {
            stream,
            read_by: now,
            write_by: now,
        }
    }

    /// The same deadlines, with something between.
    pub(crate) fn wrap<U>(
        self,
        wrapper: impl FnOnce(Self) -> io::Result<U>,
    ) -> io::Result<DeadlineStream<U>> {
        let Self {
            read_by, write_by, ..
        } = self;
        Ok(DeadlineStream {
            stream: wrapper(self)?,
            read_by,
            write_by,
        })
    }

    /// Waits for the first byte, which stays to be read. `None` if there will be none.
    pub(crate) fn first_byte(&mut self) -> io::Result<Option<u8>>
    where
        T: Peek,
    {
        let mut first = [0];
        loop {
            self.stream.set_read_timeout(left(self.read_by)?)?;
            match self.stream.peek(&mut first) {
                Ok(count) => return Ok((count > 0).then_some(first[0])),
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// From now on, reading ends after this time.
    pub(crate) fn read_within(&mut self, timeout: Duration) {
        self.read_by = deadline(timeout);
    }

    /// From now on, writing ends after this time.
    pub(crate) fn write_within(&mut self, timeout: Duration) {
        self.write_by = deadline(timeout);
    }

    /// See [`Transport::end_writing`].
    pub(crate) fn end_writing(&mut self) -> io::Result<()> {
        self.stream.end_writing()
    }

    /// Closes in the order that lets the peer read what was written last: says that nothing more
    /// will come, takes what the peer still sends until it closes as well, then goes. Closing with
    /// unread bytes would send a reset, which can overtake the response (RFC 9112 section 9.6).
    pub(crate) fn linger(mut self, timeout: Duration) {
        self.read_within(timeout);
        self.write_within(timeout);
        // To say so takes a record in TLS.
        let ended = self.stream.set_write_timeout(timeout);
        if ended.and_then(|()| self.stream.end_writing()).is_err() {
            return;
        }
        let mut scrap = [0; 4096];
        let mut budget = LINGER_BYTES_MAX;
        while let Ok(count @ 1..) = self.read(&mut scrap) {
            let Some(rest) = budget.checked_sub(count) else {
                return;
            };
            budget = rest;
        }
    }
}

/// What is read and thrown away of a peer that sends on after the last response: several offers of
/// the largest size, or what a socket's buffers hold, so that only a flood meets the reset.
const LINGER_BYTES_MAX: usize = 1024 * 1024;

impl<T: Transport> Read for DeadlineStream<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(left(self.read_by)?)?;
            match self.stream.read(buffer) {
                Err(error) if is_temporary(&error) => {}
                result => return result,
            }
        }
    }
}

impl<T: Transport> Write for DeadlineStream<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            self.stream.set_write_timeout(left(self.write_by)?)?;
            match self.stream.write(buffer) {
                Err(error) if is_temporary(&error) => {}
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            self.stream.set_write_timeout(left(self.write_by)?)?;
            match self.stream.flush() {
                Err(error) if is_temporary(&error) => {}
                result => return result,
            }
        }
    }
}

/// The time that is left, never zero: a zero timeout would mean "wait forever".
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// The call returned without having done anything; whether it is too late is for [`left`] to say.
fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;

    use super::*;
    use crate::transport::SharedTcp;

    fn pair() -> (DeadlineStream<SharedTcp>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let far = TcpStream::connect(listener.local_addr().expect("bound")).expect("listening");
        let (near, _) = listener.accept().expect("connected");
        (DeadlineStream::new(SharedTcp(Arc::new(near))), far)
    }

    #[test]
    fn a_past_deadline_reads_and_writes_nothing_even_if_it_could() {
        let (mut near, mut far) = pair();
        far.write_all(b"here").expect("open");
        let kind = |result: io::Result<usize>| result.expect_err("too late").kind();
        assert_eq!(kind(near.read(&mut [0; 4])), ErrorKind::TimedOut);
        assert_eq!(kind(near.write(b"x")), ErrorKind::TimedOut);
        near.read_within(Duration::from_secs(60));
        assert_eq!(near.read(&mut [0; 4]).ok(), Some(4));
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let (mut near, _far) = pair();
        let begin = Instant::now();
        near.read_within(Duration::from_millis(50));
        let error = near.read(&mut [0; 4]).expect_err("nothing was sent");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begin.elapsed() >= Duration::from_millis(50));
    }

    #[test]
    fn lingering_waits_for_the_peer_but_not_for_a_flood() {
        let (near, mut far) = pair();
        let lingering = std::thread::spawn(move || near.linger(Duration::from_secs(60)));
        assert_eq!(far.read(&mut [0]).ok(), Some(0), "nothing more will come");
        let flood = vec![0; 64 * 1024];
        let sent = (0..1000)
            .take_while(|_| far.write_all(&flood).is_ok())
            .count();
        assert!(sent < 1000, "the near end went away");
        assert!(lingering.join().is_ok());
    }
}
