//! Plain channels: each message verbatim to the channels of the same label.

use oneport_link::{ChannelConfig, ChannelId, Reliability};
use oneport_wire::frame::LeaveReason;
use oneport_wire::{Kind, Payload, Topic};

use crate::client::{Channel, Role};
use crate::hub::{Filter, Lag, Profile, Publication};
use crate::relay::{Carrier, Holder};
use crate::{LinkId, Relay};

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
        let filter = Filter::Topic(topic.clone());
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
        let now = self.unix_now();
        let epoch = self.secrets.epoch();
        let client = &mut self.links[id];
        match self.hub.join(now, &client.room, epoch, Profile::default()) {
            Ok(seat) => {
                client.seat = Some(seat);
                self.holders.insert(seat, Holder::Plain(id));
                self.carriers.insert(client.owner, Carrier::Plain(id));
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
        if let Some(seat) = client.seat.take() {
            self.holders.remove(seat);
            self.hub.leave(now, seat, reason);
        }
    }

    pub(crate) fn publish_plain(
        &mut self,
        id: LinkId,
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
        let publication = Publication {
            topic,
            to: None,
            echo: false,
            is_kept,
            payload,
        };
        let now = self.unix_now();
        if let Some(seat) = self.links[id].seat {
            // Without recipients and id there is nothing to refuse.
            let _ = self.hub.publish(now, seat, publication);
        }
    }
}
