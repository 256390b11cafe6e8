//! From text to [`Offer`].
//!
//! The cost is linear in the bytes: the lines are read once, and each BUNDLE group once more. What no
//! data connection needs is not read: other attributes, candidates, and the lines `o=`, `s=`, `t=`, `c=`, `b=`
//! and `i=`.

use std::collections::BTreeMap;

use super::attributes::Attributes;
use super::fingerprint::Fingerprint;
use super::media::{MediaLine, WEBRTC};
use super::section::{Reply, Section};
use super::{DEFAULT_MESSAGE_BYTES_MAX, Ice, Offer, OfferError, Role};

/// The longest offer, in bytes. Browsers need about 1 KiB for data alone and some 10 KiB for each video.
pub(super) const OFFER_BYTES_MAX: usize = 64 * 1024;

/// The most lines, blank ones included. A video section of a browser has about 150.
pub(super) const LINES_MAX: usize = 8 * 1024;

/// The most media sections. The answer repeats each of them.
pub(super) const SECTIONS_MAX: usize = 64;

/// The longest user name fragment and password, in characters (RFC 8839 section 5.4).
const CREDENTIAL_CHARS_MAX: usize = 256;

/// A session description as it was written.
#[derive(Default)]
struct Description<'a> {
    session: Attributes<'a>,
    /// The values of `a=group:BUNDLE`.
    bundles: Vec<&'a str>,
    is_ice_lite: bool,
    media: Vec<(MediaLine<'a>, Attributes<'a>)>,
}

pub(super) fn parse(sdp: &str) -> Result<Offer, OfferError> {
    Description::read(sdp)?.into_offer()
}

impl<'a> Description<'a> {
    fn read(sdp: &'a str) -> Result<Self, OfferError> {
        if sdp.len() > OFFER_BYTES_MAX {
            return Err(OfferError::TooManyBytes);
        }
        let lines = sdp.split(['\r', '\n']);
        let mut lines = lines.map(str::trim_ascii);
        if lines.find(|line| !line.is_empty()) != Some("v=0") {
            return Err(OfferError::NotSdp);
        }
        let count = |end: u8| sdp.bytes().filter(|byte| *byte == end).count();
        if count(b'\n').max(count(b'\r')) > LINES_MAX {
            return Err(OfferError::TooManyLines);
        }
        let mut description = Self::default();
        for line in lines {
            if let Some(media) = line.strip_prefix("m=") {
                if description.media.len() == SECTIONS_MAX {
                    return Err(OfferError::TooManySections);
                }
                let media = MediaLine::parse(media)?;
                description.media.push((media, Attributes::default()));
            } else if let Some(attribute) = line.strip_prefix("a=") {
                description.read_attribute(attribute);
            }
        }
        Ok(description)
    }

    fn read_attribute(&mut self, attribute: &'a str) {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        let value = value.trim_ascii();
        match (name, self.media.last_mut()) {
            ("ice-lite", _) => self.is_ice_lite = true,
            ("group", None) => {
                let tags = value.strip_prefix("BUNDLE");
                let tags = tags.filter(|tags| tags.starts_with([' ', '\t']));
                self.bundles.extend(tags);
            }
            (_, Some((_, attributes))) => attributes.read(name, value),
            (_, None) => self.session.read(name, value),
        }
    }

    fn into_offer(self) -> Result<Offer, OfferError> {
        let data = self.data_section()?;
        if self.is_ice_lite {
            return Err(OfferError::IceLite);
        }
        let mut sections: Vec<_> = self
            .media
            .iter()
            .map(|(line, attributes)| {
                let codec = line.is_rtp().then(|| attributes.codec(line)).flatten();
                Section::new(line, attributes.mid, codec)
            })
            .collect();
        sections[data.index].reply = data.reply;
        let members = self.bundle_of(data.index);
        let mut shared = Vec::new();
        for index in members.iter().copied() {
            if sections[index].codec.is_some() && self.can_share(index) {
                sections[index].reply = Reply::Inactive;
            }
            if sections[index].reply != Reply::Rejected {
                shared.push(index);
            }
        }
        let group = shared
            .iter()
            .filter_map(|index| sections[*index].mid.clone());
        let group = group.collect();
        let tagged = shared.first().copied().unwrap_or(data.index);
        // Where the tagged section lacks something, others of the group may have it: that costs nothing.
        let sources: Vec<&Attributes<'_>> = [tagged, data.index]
            .iter()
            .chain(&members)
            .map(|index| &self.media[*index].1)
            .collect();
        Ok(Offer {
            ice: self.ice(&sources)?,
            fingerprint: self.fingerprint(&sources)?,
            role: self.role(&sources)?,
            message_bytes_max: message_bytes_max(self.media[data.index].1.max_message_size),
            sections,
            tagged,
            group,
        })
    }

    /// The first section of data channels that is not rejected.
    fn data_section(&self) -> Result<Data, OfferError> {
        let mut sections = self.media.iter().enumerate();
        let data = sections.find_map(|(index, (line, attributes))| {
            let is_open = !line.is_port_zero || attributes.is_bundle_only;
            let reply = data_reply(line, attributes).filter(|_| is_open)?;
            Some(Data { index, reply })
        });
        data.ok_or(OfferError::NoDataChannel)
    }

    /// The sections of the first BUNDLE group with the data section, in the order of the group; empty if there
    /// is no such group.
    fn bundle_of(&self, data: usize) -> Vec<usize> {
        let Some(data_mid) = self.media[data].1.mid else {
            return Vec::new();
        };
        let has_data = |group: &&&str| tags(group).any(|tag| tag == data_mid);
        let Some(group) = self.bundles.iter().find(has_data) else {
            return Vec::new();
        };
        let mut by_mid: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, (_, attributes)) in self.media.iter().enumerate() {
            if let Some(mid) = attributes.mid {
                by_mid.entry(mid).or_insert(index);
            }
        }
        by_mid.insert(data_mid, data);
        // Removing each makes a tag that is repeated count once.
        tags(group).filter_map(|tag| by_mid.remove(tag)).collect()
    }

    /// Whether a section of audio or video can be answered as inactive. Sections are not rejected without need:
    /// browsers with the policy `max-bundle` have a transport only for the first section of a group, and
    /// aiortc knows no rejection.
    fn can_share(&self, index: usize) -> bool {
        let (line, attributes) = &self.media[index];
        let is_open = !line.is_port_zero || attributes.is_bundle_only;
        is_open && attributes.has_rtcp_mux
    }

    fn ice(&self, sources: &[&Attributes<'_>]) -> Result<Ice, OfferError> {
        let pair = sources.iter().find_map(|source| {
            let ufrag = source.ufrag.or(self.session.ufrag)?;
            let password = source.password.or(self.session.password)?;
            Some((ufrag, password))
        });
        let (ufrag, password) = pair.ok_or(OfferError::NoCredentials)?;
        if !is_credential(ufrag) || !is_credential(password) {
            return Err(OfferError::BadCredentials);
        }
        Ok(Ice {
            ufrag: ufrag.into(),
            password: password.into(),
        })
    }

    fn fingerprint(&self, sources: &[&Attributes<'_>]) -> Result<Fingerprint, OfferError> {
        let session = &self.session;
        let mut levels = sources.iter().flat_map(|source| [*source, session]);
        let fingerprint = levels.clone().find_map(|level| level.fingerprint.clone());
        fingerprint.ok_or_else(|| match levels.any(|level| level.has_fingerprint) {
            true => OfferError::BadFingerprint,
            false => OfferError::NoFingerprint,
        })
    }

    fn role(&self, sources: &[&Attributes<'a>]) -> Result<Role, OfferError> {
        let setup = |source: &&Attributes<'a>| source.setup.or(self.session.setup);
        match sources.iter().find_map(setup) {
            // RFC 8842 section 5.2 demands `actpass` of an offer.
            None => Ok(Role::ActPass),
            Some(setup) if setup.eq_ignore_ascii_case("actpass") => Ok(Role::ActPass),
            Some(setup) if setup.eq_ignore_ascii_case("active") => Ok(Role::Active),
            Some(setup) if setup.eq_ignore_ascii_case("passive") => Ok(Role::Passive),
            Some(_) => Err(OfferError::BadSetup),
        }
    }
}

/// The tags of a group. There are no more that mean something than sections.
fn tags(group: &str) -> impl Iterator<Item = &str> {
    group.split_ascii_whitespace().take(SECTIONS_MAX)
}

/// A data section.
struct Data {
    index: usize,
    reply: Reply,
}

/// How a section is answered that is one of data channels.
fn data_reply(line: &MediaLine<'_>, attributes: &Attributes<'_>) -> Option<Reply> {
    if !line.is_sctp() {
        return None;
    }
    let mut formats = line.formats();
    if formats.any(|format| format.eq_ignore_ascii_case(WEBRTC)) {
        // RFC 8841 section 5.2: port 0 is no association.
        let is_open = attributes
            .sctp_port
            .is_none_or(|port| port.parse() != Ok(0_u16));
        return is_open.then_some(Reply::Data);
    }
    let port = line.formats().find_map(|format| format.parse().ok());
    let port = port.filter(|port| *port > 0)?;
    let is_webrtc = attributes.sctpmap.is_none_or(|map| {
        let application = map.split_ascii_whitespace().nth(1);
        application.is_some_and(|word| word.eq_ignore_ascii_case(WEBRTC))
    });
    is_webrtc.then_some(Reply::DataByPort(port))
}

fn is_credential(text: &str) -> bool {
    text.len() <= CREDENTIAL_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 8841 section 6.1: an attribute of the data section, in which zero means "any size".
pub(crate) fn message_bytes_max(attribute: Option<&str>) -> usize {
    let digits = attribute.filter(|value| !value.is_empty());
    let Some(digits) = digits.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
    else {
        return DEFAULT_MESSAGE_BYTES_MAX;
    };
    match digits.parse() {
        Ok(0) | Err(_) => usize::MAX,
        Ok(bytes) => bytes,
    }
}
