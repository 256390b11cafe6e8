//! Who is told what happens in the rooms.

use std::fmt;

use oneport_wire::{Epoch, MemberName, RoomName, UnixMillis};

use super::{Entry, Hub};

/// Something that has happened in a room. Lossy messages are nothing that stays, and are not told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A room came into being; its first member follows.
    RoomOpened {
        /// Its name.
        room: &'a RoomName,
        /// Which life of it begins.
        epoch: Epoch,
        /// When.
        time: UnixMillis,
    },
    /// A room and its history are gone, and whoever may still have been in it has left.
    RoomClosed {
        /// Its name.
        room: &'a RoomName,
        /// Which life of it has ended.
        epoch: Epoch,
        /// When.
        time: UnixMillis,
    },
    /// A message, or a change of who is there.
    Entry {
        /// Of the room.
        epoch: Epoch,
        /// What.
        entry: &'a Entry,
        /// The name of the author, if the entry is a message and its author has a name.
        author: Option<&'a MemberName>,
    },
}

/// The embedder's code that is told of events, in the order in which they happen. It is called in the
/// middle of the relay's work and on its thread, so it must not wait for anything: not for a lock that
/// is held for long, and not for a place in a queue.
pub trait Observer: fmt::Debug + Send {
    /// This has happened.
    fn observe(&mut self, event: Event<'_>);
}

impl Hub {
    /// From now on this is told what happens. There is one at most.
    pub fn set_observer(&mut self, observer: Box<dyn Observer>) {
        self.observer = Some(observer);
    }
}
