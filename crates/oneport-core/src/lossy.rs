//! Lossy messages: never in a ring, dropped for whoever cannot take them at once.

use std::collections::VecDeque;
use std::sync::Arc;

use oneport_wire::frame::Message;
use oneport_wire::{ErrorCode, Kind};

use crate::Relay;
use crate::hub::{OwnerId, Publication, ReaderId, SeatId};

/// How many lossy messages may wait for the end of a batch of inputs, for each owner: the oldest go,
/// because newer ones say it better.
const WAITING_MAX: usize = 256;

/// A lossy message, encoded once for all its receivers.
#[derive(Debug)]
pub(crate) struct Lossy {
    pub(crate) message: Message<'static>,
    pub(crate) kind: Kind,
    pub(crate) frame: Vec<u8>,
}

/// Lossy messages on their way to one owner, each for one of its readers.
pub(crate) type Waiting = VecDeque<(ReaderId, Arc<Lossy>)>;

impl Relay {
    /// Hands a lossy message to everybody whom it is for.
    pub(crate) fn publish_lossy(
        &mut self,
        seat: SeatId,
        publication: Publication,
    ) -> Result<(), ErrorCode> {
        let (message, readers) = self.hub.audience(self.unix_now(), seat, publication)?;
        let mut frame = Vec::new();
        let kind = message.encode_into(&mut frame);
        let lossy = Arc::new(Lossy {
            message,
            kind,
            frame,
        });
        for (owner, reader) in readers {
            let Some(waiting) = self.lossy.get_mut(owner) else {
                continue;
            };
            if waiting.len() >= WAITING_MAX {
                waiting.pop_front();
                self.stats.lossy_dropped += 1;
            }
            waiting.push_back((reader, Arc::clone(&lossy)));
            self.hub.wake(owner);
        }
        Ok(())
    }

    /// Takes what waits for an owner.
    pub(crate) fn take_lossy(&mut self, owner: OwnerId) -> Waiting {
        self.lossy
            .get_mut(owner)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}
