//! Short forms for a world in which everybody is a member of one room.

use oneport_core::RoomName;
use oneport_sim::World;

pub(crate) fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

pub(crate) trait Lobby {
    /// A member of the lobby.
    fn enter(&mut self, name: &str) -> usize;
    /// A member wants into the lobby.
    fn join(&mut self, member: usize, name: &str, history: u32);
    /// Publishes in the lobby, under the text as id.
    fn say(&mut self, member: usize, text: &str);
}

impl Lobby for World {
    fn enter(&mut self, name: &str) -> usize {
        self.add_to(&lobby(), name)
    }

    fn join(&mut self, member: usize, name: &str, history: u32) {
        let now = self.now();
        self.member_mut(member).join(now, &lobby(), name, history);
    }

    fn say(&mut self, member: usize, text: &str) {
        let now = self.now();
        self.member_mut(member).say(now, &lobby(), text);
    }
}
