//! Packets for the peer.

use std::time::Instant;

use super::Association;
use crate::handshake::Phase;
use crate::types::Time;
use crate::wire::{CHUNK_HEADER_BYTES, PacketWriter, Sack, kind};

impl Association {
    /// Writes the next packet into `out`, in place of what is there. Returns false if there is none.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.is_quiet() {
            return false;
        }
        let now = self.clock.time(now);
        let is_written = if self.closing.has_ended() {
            self.write_farewell(out)
        } else {
            self.handshake.write(&self.config, out)
                || (self.handshake.peer_tag().0 != 0
                    && (self.write_path_probe(now, out) || self.write_packet(now, out)))
        };
        self.packets.sent += u64::from(is_written);
        is_written
    }

    /// Returns true if there is certainly no packet: most calls ask for one in vain.
    fn is_quiet(&self) -> bool {
        self.handshake.is_quiet()
            && !self.closing.has_ended()
            && self.control.is_empty()
            && !self.receiver.is_acknowledgement_due()
            && self.sender.is_quiet(&self.channels)
            && !self.is_occasion()
    }

    fn is_occasion(&self) -> bool {
        self.heartbeat.is_due()
            || self.reset.is_due()
            || self.closing.is_due()
            || self.path_mtu.is_due()
    }

    fn packet<'a>(&self, out: &'a mut Vec<u8>) -> PacketWriter<'a> {
        let (port, tag) = (self.config.port, self.handshake.peer_tag());
        PacketWriter::new(out, port, tag, self.path_mtu.current())
    }

    fn write_farewell(&mut self, out: &mut Vec<u8>) -> bool {
        let Some((kind, value)) = self.closing.take_farewell() else {
            return false;
        };
        let mut packet = self.packet(out);
        packet.chunk(kind, 0, &value);
        packet.finish(self.supported.zero_checksum)
    }

    /// A packet that is larger than others, and nothing is lost if it does not pass.
    fn write_path_probe(&mut self, now: Time, out: &mut Vec<u8>) -> bool {
        if self.handshake.phase() != Phase::Done {
            return false;
        }
        let random = &mut self.random;
        let Some((bytes, value)) = self.path_mtu.take(now, || random.u64()) else {
            return false;
        };
        let mut packet = self.packet(out);
        packet.extend_to(bytes);
        packet.chunk(kind::HEARTBEAT, 0, &value);
        let padding = packet.room().saturating_sub(CHUNK_HEADER_BYTES);
        packet.chunk(kind::PAD, 0, &vec![0; padding]);
        packet.finish(self.supported.zero_checksum)
    }

    fn write_packet(&mut self, now: Time, out: &mut Vec<u8>) -> bool {
        let mut packet = self.packet(out);
        match self.handshake.phase() {
            Phase::Done => {
                self.write_control(&mut packet);
                if self.is_occasion() {
                    self.write_occasional(now, &mut packet);
                }
                self.write_sack(&mut packet);
            }
            // Data goes along with COOKIE ECHO, which makes it acceptable to the peer
            // (RFC 9260 section 5.1); alone it would not be.
            Phase::CookieEchoed if self.handshake.write_echo(&mut packet) => {}
            _ => {
                self.write_control(&mut packet);
                return packet.finish(false);
            }
        }
        self.sender.write_forward(now, &mut packet);
        self.sender.write_data(now, &mut packet, &mut self.channels);
        let is_written = packet.finish(self.supported.zero_checksum);
        if is_written && self.channels.is_draining() {
            self.settle(now);
        }
        is_written
    }

    fn write_control(&mut self, packet: &mut PacketWriter<'_>) {
        while let Some(control) = self.control.front() {
            if CHUNK_HEADER_BYTES + control.value.len() > packet.room() {
                break;
            }
            if control.kind == kind::COOKIE_ACK {
                packet.require_checksum();
            }
            packet.chunk(control.kind, 0, &control.value);
            self.control.pop_front();
        }
    }

    fn write_occasional(&mut self, now: Time, packet: &mut PacketWriter<'_>) {
        let random = &mut self.random;
        if packet.room() >= HEARTBEAT_BYTES
            && let Some(value) = self.heartbeat.take(now, || random.u64())
        {
            packet.chunk(kind::HEARTBEAT, 0, &value);
        }
        let timeout = self.sender.retransmission_timeout();
        self.reset.write(now, timeout, packet);
        let cumulative = self.receiver.cumulative();
        self.closing.write(now, timeout, cumulative, packet);
    }

    /// Appends a SACK if it is due; or if data follows in this packet and something is not
    /// acknowledged.
    fn write_sack(&mut self, packet: &mut PacketWriter<'_>) {
        let is_due = self.receiver.is_acknowledgement_due();
        if !is_due && !self.receiver.is_acknowledgement_pending() {
            return;
        }
        let mut room = packet.room();
        if !is_due {
            if !self.sender.has_data(&self.channels) {
                return;
            }
            let data = self.sender.next_chunk_bytes(&mut self.channels);
            room = room.saturating_sub(data.next_multiple_of(4));
        }
        if room >= Sack::BYTES {
            packet.with(|out| self.receiver.write_sack(room, out));
        }
    }
}

/// A HEARTBEAT of ours.
const HEARTBEAT_BYTES: usize = 16;
