//! The commands of other threads, on their way to the machine.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use oneport_link::Machine;

use crate::stats::Stats;

/// How many commands are carried out in one turn: at 2 ms for the dearest (a new link) no more than
/// some 30 ms in which datagrams wait. The others follow in the next turn.
const COMMANDS_PER_TURN: usize = 16;

/// A command and the way back for its reply.
pub(crate) struct Call<M: Machine> {
    pub(crate) command: M::Command,
    /// Holds one reply, so that the loop never waits for the caller.
    pub(crate) reply: SyncSender<M::Reply>,
    /// When the caller gives up waiting.
    pub(crate) expires: Instant,
}

/// The loop's end of the queue.
pub(crate) struct CommandQueue<M: Machine> {
    calls: Receiver<Call<M>>,
    /// Whether the last turn may have left some.
    left: bool,
}

impl<M: Machine> CommandQueue<M> {
    /// A queue for at most `commands_max` calls, and its other end.
    pub(crate) fn new(commands_max: usize) -> (Self, SyncSender<Call<M>>) {
        // With no room at all a call would get through only at the very moment of a look into it.
        let (sender, calls) = sync_channel(commands_max.max(1));
        (Self { calls, left: false }, sender)
    }

    /// Whether there may be commands that no wake-up announces any more.
    pub(crate) fn is_ready(&self) -> bool {
        self.left
    }

    /// Has the machine carry out the commands of one turn.
    ///
    /// A command whose caller has given up is not carried out: under load that would be work for
    /// nobody, and the caller was told that it timed out. That is judged by the clock, not by `now`:
    /// the commands before it may have taken long.
    pub(crate) fn turn(&mut self, now: Instant, machine: &mut M, stats: &mut Stats) {
        let mut taken = 0;
        for call in self.calls.try_iter().take(COMMANDS_PER_TURN) {
            taken += 1;
            if call.expires <= Instant::now() {
                stats.commands_expired += 1;
                continue;
            }
            let reply = machine.handle_command(now, call.command);
            stats.commands += 1;
            // The caller may have given up meanwhile.
            let _ = call.reply.try_send(reply);
            if machine.is_finished() {
                break;
            }
        }
        self.left = taken == COMMANDS_PER_TURN;
    }
}
