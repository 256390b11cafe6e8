//! The loads.

use std::fmt;

use super::contender::Contender;

/// A load by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Load {
    /// 10 members, 100 bytes, 20,000 deliveries a second.
    #[value(name = "small-10")]
    Small10,
    /// The same with 100 members.
    #[value(name = "small-100")]
    Small100,
    /// 10 members, 4,000 bytes, 2,000 deliveries a second.
    Medium,
    /// 10 members, 60,000 bytes, 1,000 deliveries a second.
    Large,
    /// small-10 over `oneport.v1`; others are not measured.
    Framed,
    /// What a join costs: 100 clients who say nothing.
    Connect,
    /// The most deliveries a second that are held: 10 members, 100 bytes.
    Most,
    /// Latency at one rate after the other, up to what is held.
    Curve,
    /// What oneport's deliveries cost, the more members a room has.
    Members,
    /// The larger messages are.
    Sizes,
    /// The more rooms there are.
    Rooms,
    /// The more clients there are elsewhere who say nothing.
    Idle,
}

/// What a load is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) clients: u32,
    pub(crate) rooms: u32,
    /// More clients, who say nothing.
    pub(crate) idle: u32,
    pub(crate) bytes: u32,
    /// Deliveries a second, over all clients.
    pub(crate) rate: f64,
    pub(crate) is_framed: bool,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clients,
            bytes,
            rate,
            ..
        } = self;
        write!(f, "{clients} clients, {bytes} bytes, {rate:.0}/s")
    }
}

/// How it is brought.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Course {
    /// Once.
    Fixed(Shape),
    /// The highest rate that is held is searched, from this one.
    Search(Shape),
    /// At double the rate again and again, until it is not held.
    Climb(Shape),
    /// One after the other, each for its place on the axis.
    Series(Vec<(f64, Shape)>),
}

const SMALL: Shape = Shape {
    clients: 10,
    rooms: 1,
    idle: 0,
    bytes: 100,
    rate: 20_000.0,
    is_framed: false,
};

const MEMBERS: [u32; 7] = [2, 5, 10, 20, 50, 100, 200];
const SIZES: [u32; 6] = [50, 200, 1000, 4000, 16_000, 60_000];
const ROOMS: [u32; 7] = [1, 2, 5, 10, 20, 50, 100];
const IDLE: [u32; 6] = [0, 40, 90, 190, 390, 790];

/// Of the series over members: with two, each message is one delivery only.
const MEMBERS_RATE: f64 = 10_000.0;
/// Of the series over sizes: little enough that the largest can be brought, too.
const SIZES_RATE: f64 = 1000.0;
/// Of the series over rooms.
const ROOM_MEMBERS: u32 = 4;
/// Where a climb begins.
const CLIMB_RATE: f64 = 1250.0;

impl Load {
    pub(crate) const ALL: [Self; 12] = [
        Self::Small10,
        Self::Small100,
        Self::Medium,
        Self::Large,
        Self::Framed,
        Self::Connect,
        Self::Most,
        Self::Curve,
        Self::Members,
        Self::Sizes,
        Self::Rooms,
        Self::Idle,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small10 => "small-10",
            Self::Small100 => "small-100",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Framed => "framed",
            Self::Connect => "connect",
            Self::Most => "most",
            Self::Curve => "curve",
            Self::Members => "members",
            Self::Sizes => "sizes",
            Self::Rooms => "rooms",
            Self::Idle => "idle",
        }
    }

    /// How it is brought, with all rates multiplied by a number.
    pub(crate) fn course(self, scale: f64) -> Course {
        let small = Shape {
            rate: SMALL.rate * scale,
            ..SMALL
        };
        let with = |clients, bytes, rate| Shape {
            clients,
            bytes,
            rate: rate * scale,
            ..SMALL
        };
        let series = |values: &[u32], shape: &dyn Fn(u32) -> Shape| {
            Course::Series(values.iter().map(|&n| (f64::from(n), shape(n))).collect())
        };
        match self {
            Self::Small10 => Course::Fixed(small),
            Self::Small100 => Course::Fixed(with(100, SMALL.bytes, SMALL.rate)),
            Self::Medium => Course::Fixed(with(10, 4000, 2000.0)),
            Self::Large => Course::Fixed(with(10, 60_000, 1000.0)),
            Self::Framed => Course::Fixed(Shape {
                is_framed: true,
                ..small
            }),
            Self::Connect => Course::Fixed(with(100, SMALL.bytes, 0.0)),
            Self::Most => Course::Search(small),
            Self::Curve => Course::Climb(with(SMALL.clients, SMALL.bytes, CLIMB_RATE)),
            Self::Members => series(&MEMBERS, &|n| with(n, SMALL.bytes, MEMBERS_RATE)),
            Self::Sizes => series(&SIZES, &|n| with(SMALL.clients, n, SIZES_RATE)),
            Self::Rooms => series(&ROOMS, &|rooms| Shape {
                rooms,
                ..with(ROOM_MEMBERS * rooms, SMALL.bytes, SMALL.rate)
            }),
            Self::Idle => series(&IDLE, &|idle| Shape { idle, ..small }),
        }
    }

    /// Whether it says anything about this one.
    pub(crate) fn is_for(self, contender: Contender) -> bool {
        match self {
            Self::Framed | Self::Members | Self::Sizes | Self::Rooms | Self::Idle => {
                contender == Contender::Oneport
            }
            // Of the floor's latency most is its own ticks.
            Self::Medium | Self::Large | Self::Connect | Self::Curve => {
                contender != Contender::Floor
            }
            Self::Small10 | Self::Small100 | Self::Most => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for load in Load::ALL {
            let value = load.to_possible_value().expect("it can be named");
            assert_eq!(value.get_name(), load.name());
        }
        assert_eq!(Load::value_variants(), Load::ALL);
    }

    #[test]
    fn only_rates_are_scaled() {
        let Course::Series(rooms) = Load::Rooms.course(0.5) else {
            panic!("a series");
        };
        let (x, shape) = rooms[2];
        assert_eq!((x, shape.rooms, shape.clients), (5.0, 5, 20));
        assert!((shape.rate - 10_000.0).abs() < 1e-9);
        assert_eq!(Load::Most.course(1.0), Course::Search(SMALL));
    }
}
