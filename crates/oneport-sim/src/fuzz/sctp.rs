//! What a client sends under its data channels: SCTP packets of any kind, while two members talk.

mod impostor;
mod packet;

use std::time::Duration;

use super::scene::{BEGINNING, Kept, Measure, Scene, WHOLE, play};
use crate::Dice;
use impostor::Impostor;
use packet::{Chunk, kind};

/// How many inputs meet the same association.
const INPUTS_PER_ASSOCIATION: usize = 64;

thread_local! {
    /// With the stranger, and how many inputs it has met.
    static KEPT: Kept<Option<(Impostor, usize)>> = const { Kept::new(None) };
}

/// A stranger has an association, and sends chunks that no SCTP library would.
///
/// # Panics
///
/// Where the members notice, or the relay exceeds a bound or keeps something.
pub fn sctp(data: &[u8]) {
    let mut scene = Scene::new();
    let mut stranger = associate(&mut scene);
    disturb(&mut scene, &mut Dice::chosen(data), &mut stranger, WHOLE);
    scene.end();
}

/// [`sctp`], but only the beginning, and one input after the other in the same world and over the same
/// association: many times faster.
///
/// # Panics
///
/// As there.
pub fn sctp_in_turn(data: &[u8]) {
    let mut dice = Dice::chosen(data);
    play(&KEPT, |scene, kept| {
        let alive = kept.take().filter(|_| scene.has_stranger());
        let (mut stranger, inputs) = match alive {
            Some((stranger, INPUTS_PER_ASSOCIATION)) => {
                scene.dismiss(stranger.guest());
                (associate(scene), 0)
            }
            Some(kept) => kept,
            None => (associate(scene), 0),
        };
        disturb(scene, &mut dice, &mut stranger, BEGINNING);
        *kept = Some((stranger, inputs + 1));
    });
}

fn associate(scene: &mut Scene) -> Impostor {
    let mut stranger = Impostor::new(&mut scene.world);
    stranger.run(&mut scene.world, Duration::from_millis(100));
    assert!(stranger.is_associated(), "the impostor is no good");
    stranger
}

fn disturb(scene: &mut Scene, dice: &mut Dice, stranger: &mut Impostor, measure: Measure) {
    for _ in 0..measure.operations_max {
        if dice.is_spent() {
            break;
        }
        match dice.below(8) {
            0 => {
                let time = Duration::from_millis(dice.below(64));
                stranger.run(&mut scene.world, time);
            }
            1 => {
                let time = Duration::from_millis(dice.below(10_000));
                scene.run_for(time / measure.pause_divisor);
            }
            _ => {
                let count = 1 + dice.index(3);
                let chunks: Vec<_> = (0..count).map(|_| any(dice, stranger)).collect();
                let tag = match dice.below(8) {
                    0 => Some(dice.below(1 << 16) as u32),
                    _ => None,
                };
                let times = if dice.below(16) == 0 { 32 } else { 1 };
                for _ in 0..times {
                    stranger.send(&mut scene.world, tag, &chunks);
                }
            }
        }
    }
}

/// A number near one that means something, or any.
fn near(dice: &mut Dice, number: u32) -> u32 {
    match dice.below(8) {
        0 => number.wrapping_add(dice.below(1 << 32) as u32),
        1 => number.wrapping_sub(dice.below(8) as u32),
        _ => number.wrapping_add(dice.below(8) as u32),
    }
}

fn any(dice: &mut Dice, stranger: &mut Impostor) -> Chunk {
    let mut chunk = match dice.below(10) {
        0..4 => data(dice, stranger),
        4 => sack(dice, stranger),
        5 => reset(dice, stranger),
        6 => forward(dice, stranger),
        7 => init(dice),
        _ => {
            let kind = *dice.pick(&kind::ALL);
            let length = dice.index(64);
            let body = dice.bytes(length);
            Chunk::new(kind, dice.below(8) as u8, body)
        }
    };
    if dice.below(16) == 0 {
        chunk.claimed_length = Some(dice.below(1 << 16) as u16);
    }
    chunk
}

/// RFC 9260 section 3.3.1, with what RFC 8832 has in it, or a message.
fn data(dice: &mut Dice, stranger: &mut Impostor) -> Chunk {
    const OPEN: [&[u8]; 4] = [
        b"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x0achatoneport.v1",
        b"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00chat",
        b"\x03\x81\x00\x00\x00\x00\x00\x01\x00\x04\xff\xffchat",
        b"\x02",
    ];
    let protocol = *dice.pick(&[50, 51, 53, 56, 57, 52, 54, 0]);
    let payload = match (protocol, dice.below(4)) {
        (50, 0..3) => dice.pick(&OPEN).to_vec(),
        (_, 0) => br#"{"t":"hello","version":1}"#.to_vec(),
        (_, 1) => vec![b'x'; 1000],
        _ => {
            let count = dice.index(32);
            dice.bytes(count)
        }
    };
    let flags = *dice.pick(&[3, 3, 3, 3, 3, 2, 1, 0, 7, 6, 5, 4, 8, 255]);
    let sequence = near(dice, stranger.next_tsn);
    if sequence == stranger.next_tsn {
        stranger.next_tsn = stranger.next_tsn.wrapping_add(1);
    }
    let stream = *dice.pick(&[0, 1, 2, 3, 1023, 65_535]);
    let order = dice.below(4) as u16;
    let body = [
        &sequence.to_be_bytes()[..],
        &u16::to_be_bytes(stream),
        &order.to_be_bytes(),
        &u32::to_be_bytes(protocol),
        &payload,
    ];
    Chunk::new(kind::DATA, flags, body.concat())
}

/// RFC 9260 section 3.3.4.
fn sack(dice: &mut Dice, stranger: &Impostor) -> Chunk {
    let acknowledged = near(dice, stranger.their_tsn);
    let window = *dice.pick(&[0u32, 1, 1500, 1 << 20, u32::MAX]);
    let [gaps, doubles] = [dice.below(4) as u16, dice.below(3) as u16];
    let mut body = acknowledged.to_be_bytes().to_vec();
    body.extend(window.to_be_bytes());
    body.extend(gaps.to_be_bytes());
    body.extend(doubles.to_be_bytes());
    for _ in 0..2 * gaps {
        body.extend((dice.below(256) as u16).to_be_bytes());
    }
    for _ in 0..doubles {
        body.extend(near(dice, stranger.their_tsn).to_be_bytes());
    }
    Chunk::new(kind::SACK, 0, body)
}

/// RFC 6525 section 4.1, 4.2 and 4.4.
fn reset(dice: &mut Dice, stranger: &Impostor) -> Chunk {
    let request = near(dice, stranger.next_tsn);
    let mut value = request.to_be_bytes().to_vec();
    let parameter = *dice.pick(&[13u16, 13, 14, 15, 16, 17]);
    match parameter {
        13 => {
            value.extend(near(dice, stranger.their_tsn).to_be_bytes());
            value.extend(near(dice, stranger.next_tsn).to_be_bytes());
            for _ in 0..dice.below(4) {
                value.extend((dice.below(4) as u16).to_be_bytes());
            }
        }
        16 => value.extend((dice.below(8) as u32).to_be_bytes()),
        _ => {
            let count = dice.index(16);
            value.extend(dice.bytes(count));
        }
    }
    let mut body = parameter.to_be_bytes().to_vec();
    body.extend((4 + value.len() as u16).to_be_bytes());
    body.extend(value);
    Chunk::new(kind::RECONFIG, 0, body)
}

/// RFC 3758 section 3.2.
fn forward(dice: &mut Dice, stranger: &mut Impostor) -> Chunk {
    let until = near(dice, stranger.next_tsn);
    let mut body = until.to_be_bytes().to_vec();
    for _ in 0..dice.below(4) {
        body.extend((dice.below(4) as u16).to_be_bytes());
        body.extend((dice.below(8) as u16).to_be_bytes());
    }
    Chunk::new(kind::FORWARD_TSN, 0, body)
}

/// RFC 9260 section 3.3.2.
fn init(dice: &mut Dice) -> Chunk {
    let parameters = dice.index(24);
    let parameters = dice.bytes(parameters);
    let streams = *dice.pick(&[1024u16, 0, 1, 65_535]);
    let mut chunk = packet::init(streams, &parameters);
    chunk.kind = *dice.pick(&[kind::INIT, kind::INIT_ACK]);
    chunk
}
