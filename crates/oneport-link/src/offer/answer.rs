//! The answer to an offer.

use super::section::{Reply, Section};
use super::{Offer, Role};

/// What an answer says of our own side.
pub(crate) struct Ours<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) password: &'a str,
    /// As the value of `a=fingerprint`.
    pub(crate) fingerprint: &'a str,
    /// Each as it stands behind `a=`.
    pub(crate) candidates: &'a [String],
    /// The largest message that we take, in bytes.
    pub(crate) message_bytes_max: usize,
}

/// How many streams the old notation promises. It is what Chromium's SCTP always had.
const STREAMS: u16 = 1024;

impl Offer {
    /// The answer of an ICE-lite agent, in the form of the offer (RFC 8829 section 5.3.1): the same sections in
    /// the same order, each with its own tag, protocol and format.
    ///
    /// A transport that sections share is described once, for the whole session: RFC 9143 section 7.1.3 does
    /// not allow it in each section, and aiortc wants each to have it.
    pub(crate) fn answer(&self, ours: &Ours<'_>) -> String {
        let mut answer = Lines(String::with_capacity(2048));
        answer.line("v=0", "");
        let session_id = session_id(ours.ufrag);
        answer.line("o=- ", &format!("{session_id} 1 IN IP4 0.0.0.0"));
        answer.line("s=-", "");
        answer.line("t=0 0", "");
        if !self.group.is_empty() {
            answer.line("a=group:BUNDLE ", &self.group.join(" "));
        }
        answer.line("a=ice-lite", "");
        let is_shared = self.group.len() > 1;
        if is_shared {
            self.write_transport(ours, &mut answer);
        }
        for (index, section) in self.sections.iter().enumerate() {
            section.write(&mut answer);
            if index == self.tagged {
                if !is_shared {
                    self.write_transport(ours, &mut answer);
                }
                for candidate in ours.candidates {
                    answer.line("a=", candidate);
                }
                answer.line("a=end-of-candidates", "");
            }
            section.write_data(ours, &mut answer);
        }
        answer.0
    }

    fn write_transport(&self, ours: &Ours<'_>, answer: &mut Lines) {
        answer.line("a=ice-ufrag:", ours.ufrag);
        answer.line("a=ice-pwd:", ours.password);
        answer.line("a=fingerprint:", ours.fingerprint);
        answer.line(
            "a=setup:",
            match self.role {
                Role::ActPass | Role::Active => "passive",
                Role::Passive => "active",
            },
        );
    }
}

impl Section {
    fn write(&self, answer: &mut Lines) {
        let (port, formats) = match &self.reply {
            Reply::Rejected => ("0", self.formats.clone()),
            Reply::Inactive => ("9", self.payload_type().into()),
            Reply::Data => ("9", super::media::WEBRTC.into()),
            Reply::DataByPort(sctp_port) => ("9", sctp_port.to_string()),
        };
        let (media, protocol) = (&self.media, &self.protocol);
        let line = format!("{media} {port} {protocol} {formats}");
        answer.line("m=", line.trim_end());
        answer.line("c=IN IP4 0.0.0.0", "");
        if let Some(mid) = &self.mid {
            answer.line("a=mid:", mid);
        }
        if !self.is_data() && self.media != "application" {
            answer.line("a=inactive", "");
        }
        if self.reply == Reply::Inactive {
            answer.line("a=rtcp-mux", "");
        }
        if let Some(codec) = &self.codec {
            for (name, value) in [("a=rtpmap:", &codec.rtpmap), ("a=fmtp:", &codec.fmtp)] {
                if let Some(value) = value {
                    answer.line(name, value);
                }
            }
        }
    }

    fn is_data(&self) -> bool {
        matches!(self.reply, Reply::Data | Reply::DataByPort(_))
    }

    fn payload_type(&self) -> &str {
        self.codec.as_ref().map_or("0", |codec| &codec.payload_type)
    }

    fn write_data(&self, ours: &Ours<'_>, answer: &mut Lines) {
        match self.reply {
            Reply::Rejected | Reply::Inactive => return,
            Reply::Data => answer.line("a=sctp-port:5000", ""),
            Reply::DataByPort(port) => {
                let map = format!("{port} {} {STREAMS}", super::media::WEBRTC);
                answer.line("a=sctpmap:", &map);
            }
        }
        answer.line("a=max-message-size:", &ours.message_bytes_max.to_string());
    }
}

/// A text of lines.
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        self.0.push_str(name);
        self.0.push_str(value);
        self.0.push_str("\r\n");
    }
}

/// RFC 8829 section 5.2.1 wants a random number of 63 bits. Our user name fragment is random and public.
fn session_id(ufrag: &str) -> u64 {
    let fold = |id: u64, byte| id.wrapping_mul(31).wrapping_add(u64::from(byte));
    ufrag.bytes().fold(1, fold) >> 1
}
