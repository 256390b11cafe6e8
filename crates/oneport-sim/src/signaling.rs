//! How offers and answers travel: as over HTTP, with the delays of the member's way.

use oneport_client::{Client, CommandError};
use oneport_core::{Connected, Refusal, parse_offer};

use crate::World;
use crate::traffic::Parcel;
use crate::world::{Node, home};

impl World {
    pub(crate) fn deliver_offer(&mut self, index: usize, attempt: u64, sdp: &str) {
        let member = &mut self.members[index];
        let ip = member.access.outside.ip();
        self.touched.insert(Node::Relay);
        let grant = self.grant.clone();
        let offer = parse_offer(sdp);
        let answer =
            offer.and_then(|offer| self.relay.connect(self.now, &home(), &offer, ip, grant));
        if member.answers_to_lose > 0 {
            member.answers_to_lose -= 1;
            return;
        }
        let answer = answer.map(Box::new);
        let at = self.now + member.access.down.delay;
        let member = index;
        self.in_flight.push(
            at,
            Parcel::Answer {
                member,
                attempt,
                answer,
            },
        );
    }

    pub(crate) fn deliver_answer(
        &mut self,
        index: usize,
        attempt: u64,
        answer: Result<Box<Connected>, Refusal>,
    ) {
        let member = &mut self.members[index];
        if member.is_dead || member.access.is_cut() || attempt != member.attempt {
            return;
        }
        self.touched.insert(Node::Member(index));
        match answer {
            Ok(connected) => {
                let accepted = member.client.accept_answer(self.now, &connected.answer);
                // It may have had enough of waiting.
                if let Err(error) = accepted {
                    log_late(&member.client, &error);
                }
            }
            Err(_) => member.client.abandon_offer(self.now, None),
        }
    }
}

/// An answer that comes when nobody waits for it any more does no harm; anything else is a bug.
fn log_late(client: &Client, error: &CommandError) {
    use CommandError::{Ended, NotNow};
    assert!(matches!(error, NotNow | Ended), "{error:?}: {client:?}");
}
