//! What can happen in a scenario.

#![expect(
    missing_docs,
    reason = "the numbers of an operation choose one of what there is: their names say what"
)]

use crate::Dice;

/// Something that happens. Its numbers mean one of what there is at that moment, and where nothing
/// of the kind can happen then, nothing does: so every list of operations is a scenario, also one
/// from which some were taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Somebody new comes and wants into a room.
    Arrive { room: u8, history: u8 },
    /// A member wants into another room as well.
    Join { who: u8, room: u8, history: u8 },
    /// A member leaves a room.
    Leave { who: u8, room: u8 },
    /// A member publishes.
    Publish {
        who: u8,
        room: u8,
        size: Size,
        class: u8,
        flags: u8,
    },
    /// A member publishes many at once, to be over its rate.
    Burst { who: u8, room: u8, count: u8 },
    /// A member publishes more than another one's way takes in time.
    Flood { who: u8, room: u8, whom: u8 },
    /// A member publishes another message under the id of the last one that was acknowledged.
    Repeat { who: u8 },
    /// A member publishes what the gate refuses.
    Forbidden { who: u8, room: u8 },
    /// A member changes its name.
    Rename { who: u8, room: u8 },
    /// A member removes another.
    Kick { who: u8, room: u8, whom: u8 },
    /// A member asks for history.
    History { who: u8, room: u8, count: u8 },
    /// A member asks who is there.
    Members { who: u8, room: u8 },
    /// A member does not look at what it is told, or does again.
    Sleep { who: u8, is_asleep: bool },
    /// A member makes a new link although the old one may be well.
    Reconnect { who: u8 },
    /// A member doubts its link.
    Check { who: u8 },
    /// A member says good-bye.
    Quit { who: u8 },
    /// A member's program is killed.
    Die { who: u8 },
    /// A member's program is killed and started again: it knows where it was, but not its session.
    Return { who: u8 },
    /// Nothing passes on a member's way for so long, in one direction or both.
    Cut {
        who: u8,
        direction: u8,
        tenths_s: u16,
    },
    /// A NAT gives a member another address.
    Rebind { who: u8 },
    /// A member's network becomes worse, or good again.
    Weather { who: u8, kind: Weather },
    /// The relay's next answer to a member's offer is lost.
    LoseAnswer { who: u8 },
    /// Datagrams of chance reach the relay, from nowhere or from a member's address.
    Garbage { from: u8, count: u8 },
    /// Somebody comes without a client, with a plain or a framed channel.
    Guest { room: u8, is_framed: bool },
    /// A guest says something: plain text, or what is no frame.
    GuestSays { who: u8, what: u8 },
    /// A guest that is framed goes beyond a limit.
    Exceed { who: u8, what: u8 },
    /// The relay is killed and started again.
    Restart,
    /// The relay is stopped, and another one goes on with the state that it leaves.
    HandOver,
    /// Time goes by.
    Advance { ms: u16 },
}

/// How large a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A word.
    Small,
    /// Less than a packet.
    Medium,
    /// Many packets.
    Large,
    /// The largest that a client sends.
    Largest,
}

/// How a member's network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// As it should be.
    Fair,
    /// A little of everything: loss, duplicates, jitter.
    Rain,
    /// Much loss.
    Storm,
    /// Datagrams overtake each other by much.
    Shuffle,
    /// Bits turn over.
    Corrupt,
    /// 64 KiB a second.
    Narrow,
    /// 8 KiB a second: too little for a lively room.
    Trickle,
    /// Only small datagrams pass.
    SmallMtu,
    /// Far away.
    Far,
}

impl Operation {
    /// One of them. What is common in life is common here.
    pub fn roll(dice: &mut Dice) -> Self {
        let kind = dice.below(100);
        let [who, room] = [dice.below(8) as u8, dice.below(3) as u8];
        match kind {
            0..37 => Self::publish(dice, who, room),
            37 => Self::Flood {
                who,
                room,
                whom: dice.below(8) as u8,
            },
            38 => Self::Repeat { who },
            39 => Self::Return { who },
            40..58 => Self::Advance {
                ms: dice.below(4000) as u16,
            },
            58..63 => Self::Arrive {
                room,
                history: dice.below(4) as u8 * 10,
            },
            63..67 => Self::Join {
                who,
                room,
                history: dice.below(3) as u8 * 10,
            },
            67..72 => Self::cut(dice, who),
            72..76 => Self::Weather {
                who,
                kind: Weather::roll(dice),
            },
            76 => Self::Leave { who, room },
            77 => Self::Burst {
                who,
                room,
                count: dice.below(256) as u8,
            },
            78 => Self::Rename { who, room },
            79 => Self::Kick {
                who,
                room,
                whom: dice.below(8) as u8,
            },
            80 => Self::History {
                who,
                room,
                count: dice.below(100) as u8,
            },
            81 => Self::Members { who, room },
            82 => Self::Sleep {
                who,
                is_asleep: true,
            },
            83..85 => Self::Sleep {
                who,
                is_asleep: false,
            },
            85..87 => Self::Reconnect { who },
            87 => Self::Check { who },
            88 => Self::Quit { who },
            89 => Self::Die { who },
            90 => Self::Forbidden { who, room },
            91..93 => Self::Rebind { who },
            93 => Self::LoseAnswer { who },
            94 => Self::Garbage {
                from: who,
                count: dice.below(16) as u8,
            },
            95 => Self::Guest {
                room,
                is_framed: dice.happens(500),
            },
            96..98 => Self::GuestSays {
                who,
                what: dice.below(256) as u8,
            },
            98 => Self::Exceed {
                who,
                what: dice.below(256) as u8,
            },
            _ if dice.happens(300) => match dice.happens(500) {
                true => Self::Restart,
                false => Self::HandOver,
            },
            _ => Self::Advance { ms: 60_000 },
        }
    }

    fn publish(dice: &mut Dice, who: u8, room: u8) -> Self {
        let size = match dice.below(100) {
            0..70 => Size::Small,
            70..90 => Size::Medium,
            90..99 => Size::Large,
            _ => Size::Largest,
        };
        Self::Publish {
            who,
            room,
            size,
            class: dice.below(8) as u8,
            flags: dice.below(256) as u8,
        }
    }

    fn cut(dice: &mut Dice, who: u8) -> Self {
        // Mostly shorter than the grace time.
        let longest = if dice.happens(800) { 150 } else { 900 };
        Self::Cut {
            who,
            direction: dice.below(4) as u8,
            tenths_s: dice.below(longest) as u16,
        }
    }
}

impl Weather {
    fn roll(dice: &mut Dice) -> Self {
        *dice.pick(&[
            Self::Fair,
            Self::Fair,
            Self::Rain,
            Self::Storm,
            Self::Shuffle,
            Self::Corrupt,
            Self::Narrow,
            Self::Trickle,
            Self::SmallMtu,
            Self::Far,
        ])
    }
}
