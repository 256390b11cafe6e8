//! The attributes of a section, or of the whole session, as far as they are read.

use super::fingerprint::Fingerprint;
use super::media::MediaLine;
use super::section::Codec;

/// The attributes of a media section, or those of the whole session. Of one that is repeated the first counts.
#[derive(Default)]
pub(super) struct Attributes<'a> {
    pub(super) mid: Option<&'a str>,
    pub(super) ufrag: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    pub(super) setup: Option<&'a str>,
    /// The preferred one of those that can be checked.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether there is one at all.
    pub(super) has_fingerprint: bool,
    pub(super) sctp_port: Option<&'a str>,
    pub(super) sctpmap: Option<&'a str>,
    pub(super) max_message_size: Option<&'a str>,
    pub(super) is_bundle_only: bool,
    pub(super) has_rtcp_mux: bool,
    /// The `a=rtpmap` of the first codec, and its `a=fmtp`.
    rtpmap: Option<&'a str>,
    fmtp: Option<&'a str>,
}

/// What is no codec by itself: repairs, redundancy, tones and noise beside one.
const NO_CODECS: [&str; 6] = [
    "red",
    "rtx",
    "ulpfec",
    "flexfec-03",
    "telephone-event",
    "CN",
];

/// The longest payload type, in bytes: 127 is the largest (RFC 3550 section 5.1).
const PAYLOAD_TYPE_BYTES_MAX: usize = 3;

impl<'a> Attributes<'a> {
    pub(super) fn read(&mut self, name: &str, value: &'a str) {
        let first = match name {
            "mid" => &mut self.mid,
            "ice-ufrag" => &mut self.ufrag,
            "ice-pwd" => &mut self.password,
            "setup" => &mut self.setup,
            "sctp-port" => &mut self.sctp_port,
            "sctpmap" => &mut self.sctpmap,
            "max-message-size" => &mut self.max_message_size,
            "rtpmap" if self.rtpmap.is_none() && is_codec(value) => &mut self.rtpmap,
            "fmtp" if self.is_of_codec(value) => &mut self.fmtp,
            "fingerprint" => return self.read_fingerprint(value),
            "bundle-only" => {
                self.is_bundle_only = true;
                return;
            }
            "rtcp-mux" | "rtcp-mux-only" => {
                self.has_rtcp_mux = true;
                return;
            }
            _ => return,
        };
        if first.is_none() && !value.is_empty() {
            *first = Some(value);
        }
    }

    fn read_fingerprint(&mut self, value: &str) {
        self.has_fingerprint = true;
        let Some(fingerprint) = Fingerprint::parse(value) else {
            return;
        };
        let preferred = self.fingerprint.as_ref().map(Fingerprint::digest);
        if preferred.is_none_or(|preferred| fingerprint.digest() < preferred) {
            self.fingerprint = Some(fingerprint);
        }
    }

    /// Whether an `a=fmtp` belongs to the codec whose `a=rtpmap` came before it.
    fn is_of_codec(&self, fmtp: &str) -> bool {
        self.rtpmap
            .is_some_and(|rtpmap| payload_type(rtpmap) == payload_type(fmtp))
    }

    /// The codec that an answer can repeat: the first that the section describes, or the first that needs no
    /// description (RFC 3551 section 6).
    pub(super) fn codec(&self, line: &MediaLine<'_>) -> Option<Codec> {
        const STATIC: std::ops::Range<u8> = 0..35;
        if let Some(rtpmap) = self.rtpmap {
            let wanted = payload_type(rtpmap);
            if line.formats().any(|format| format == wanted) {
                return Some(Codec {
                    payload_type: wanted.into(),
                    rtpmap: Some(rtpmap.into()),
                    fmtp: self.fmtp.map(Into::into),
                });
            }
        }
        let is_static = |format: &&str| format.parse().is_ok_and(|number| STATIC.contains(&number));
        Some(Codec {
            payload_type: line.formats().find(is_static)?.into(),
            rtpmap: None,
            fmtp: None,
        })
    }
}

fn payload_type(map: &str) -> &str {
    map.split_ascii_whitespace().next().unwrap_or_default()
}

/// Whether an `a=rtpmap` describes a codec. Its payload type is short, as it is compared with that of each
/// `a=fmtp`.
fn is_codec(rtpmap: &str) -> bool {
    let mut words = rtpmap.split_ascii_whitespace();
    let payload_type = words.next().unwrap_or_default();
    let encoding = words.next().unwrap_or_default();
    let name = encoding.split('/').next().unwrap_or_default();
    payload_type.len() <= PAYLOAD_TYPE_BYTES_MAX
        && !name.is_empty()
        && !NO_CODECS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}
