//! Plain channels: each message verbatim to the channels of the same label.

use oneport_link::{ChannelConfig, ChannelId, Reliability};
use oneport_wire::frame::{Class, LeaveReason};
use oneport_wire::{Kind, Payload, Topic};

use crate::client::{Channel, Role};
use crate::holder::{Carrier, Holder};
use crate::hub::{Filter, Lag, Profile, Publication, SeatId};
use crate::lossy::Waiting;
use crate::{Draft, LinkId, Relay, Verdict};

impl Relay {
    /// The client's first plain channel makes it a member of its room.
    pub(crate) fn open_plain(&mut self, id: LinkId, channel: ChannelId, config: &ChannelConfig) {
        let Ok(topic) = config.label.parse::<Topic>() else {
            return;
        };
        if self.links[id].seat.is_none() && !self.seat_plain(id) {
            return;
        }
        let client = &mut self.links[id];
        let Some(seat) = client.seat else {
            return;
        };
        let lag = match config.reliability {
            Reliability::Reliable => Lag::Disconnect,
            Reliability::LifetimeMs(_) | Reliability::Retransmits(_) => Lag::Skip,
        };
        let filter = match client.grant.rights.subscribe {
            true => Filter::Topic(topic.clone()),
            false => Filter::Nothing,
        };
        let reader = self.hub.add_reader(client.owner, seat, filter, lag, None);
        if let Some(reader) = reader {
            let is_kept = lag == Lag::Disconnect;
            let role = Role::Plain {
                reader,
                topic,
                is_kept,
            };
            client.channels.push(Channel { id: channel, role });
        }
    }

    /// Answers whether it got a seat. The place was free when the offer came; if it is not any
    /// longer, the client is told by the end of its link.
    fn seat_plain(&mut self, id: LinkId) -> bool {
        let client = &self.links[id];
        let profile = Profile {
            name: client.grant.name.clone(),
            meta: None,
        };
        let room = client.room.clone();
        let seat = self.take_seat(&room, profile);
        let client = &mut self.links[id];
        match seat {
            Ok(seat) => {
                client.seat = Some(seat);
                self.holders.insert(seat, Holder::Plain(id));
                self.carriers.insert(client.owner, Carrier::Plain(id));
                self.lossy.insert(client.owner, Waiting::new());
                true
            }
            Err(code) => {
                client.link.close(self.now, code.as_str());
                false
            }
        }
    }

    pub(crate) fn leave_plain(&mut self, id: LinkId, reason: LeaveReason) {
        let now = self.unix_now();
        let client = &mut self.links[id];
        self.hub.remove_owner(client.owner);
        self.carriers.remove(client.owner);
        self.lossy.remove(client.owner);
        if let Some(seat) = client.seat.take() {
            self.holders.remove(seat);
            self.hub.leave(now, seat, reason);
        }
    }

    /// Publishes what came on a plain channel. One that is not to be published closes the channel:
    /// there is no other way to tell.
    pub(crate) fn publish_plain(
        &mut self,
        id: LinkId,
        channel: ChannelId,
        topic: Topic,
        kind: Kind,
        payload: Vec<u8>,
        is_kept: bool,
    ) {
        let payload = match kind {
            Kind::Binary => Payload::Binary(payload.into()),
            Kind::Text => match String::from_utf8(payload) {
                Ok(text) => Payload::Text(text.into()),
                // The link has checked that.
                Err(_) => return,
            },
        };
        let client = &self.links[id];
        let Some(seat) = client.seat else {
            return;
        };
        let publication = Publication {
            topic,
            to: None,
            echo: false,
            is_kept,
            payload,
        };
        let class = if is_kept { Class::Kept } else { Class::Lossy };
        let judged = match client.grant.rights.publish {
            true => self.judge(seat, class, publication),
            false => Err("without the right to publish".into()),
        };
        let publication = match judged {
            Ok(publication) => publication,
            Err(why) => {
                log::info!("link {}: a channel is closed: {why}", self.links[id].number);
                self.stats.undeliverable += 1;
                self.links[id].link.close_channel(self.now, channel);
                self.close_channel(id, channel);
                return;
            }
        };
        let now = self.unix_now();
        // Without recipients there is nothing to refuse.
        let _ = match is_kept {
            true => self.hub.publish(now, seat, publication).map(|_| ()),
            false => self.publish_lossy(seat, publication),
        };
    }

    /// Asks the gate about a message: returns it, with another payload if the gate says so, or the reason
    /// why it is not published.
    pub(crate) fn judge(
        &mut self,
        seat: SeatId,
        class: Class,
        publication: Publication,
    ) -> Result<Publication, String> {
        let (Some(gate), Some(view)) = (&mut self.gate, self.hub.room(seat)) else {
            return Ok(publication);
        };
        let draft = Draft {
            room: view.name(),
            from: view.me(),
            topic: &publication.topic,
            to: publication.to.as_ref(),
            class,
            payload: &publication.payload,
        };
        match gate.judge(draft) {
            Verdict::Accept => Ok(publication),
            Verdict::Rewrite(payload) => Ok(Publication {
                payload,
                ..publication
            }),
            Verdict::Refuse(why) => Err(why),
        }
    }
}
