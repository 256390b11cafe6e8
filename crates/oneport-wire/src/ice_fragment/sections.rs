//! Which section of a fragment has the transport of the data channels.

use std::collections::BTreeMap;

use super::IceFragmentError;

/// The attributes of one section, or those before the first.
#[derive(Clone, Copy, Default)]
pub(super) struct Section<'a> {
    /// What follows `m=`.
    pub(super) media: Option<&'a str>,
    pub(super) mid: Option<&'a str>,
    pub(super) ufrag: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    is_bundle_only: bool,
}

/// The section whose credentials count: where sections have different ones, that of the first tag of the
/// BUNDLE group (RFC 9143 section 7.2), or else that of data channels. Rejected sections have none.
pub(super) fn chosen(text: &str) -> Result<Section<'_>, IceFragmentError> {
    let mut session = Section::default();
    let mut group = "";
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.split(['\r', '\n']).map(str::trim) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push(Section {
                media: Some(media),
                ..Section::default()
            });
        } else if let Some(tags) = line.strip_prefix("a=group:BUNDLE ") {
            group = tags;
        } else {
            sections.last_mut().unwrap_or(&mut session).read(line)?;
        }
    }
    let all = sections.iter().map(|section| section.within(&session));
    let all: Vec<_> = all.filter(Section::has_credentials).collect();
    let mut open: Vec<_> = all
        .iter()
        .filter(|section| !section.is_rejected())
        .collect();
    if open.is_empty() {
        open = all.iter().collect();
    }
    let Some(first) = open.first().copied() else {
        return Ok(session);
    };
    let is_same =
        |section: &&Section<'_>| (section.ufrag, section.password) == (first.ufrag, first.password);
    if open.iter().all(is_same) {
        return Ok(*first);
    }
    // A map, because a fragment can have thousands of tags and of sections. Of equal tags the first counts.
    let by_mid = open.iter().rev();
    let by_mid: BTreeMap<_, _> = by_mid.map(|section| (section.mid, section)).collect();
    let mut tags = group.split_ascii_whitespace();
    let tagged = tags.find_map(|tag| by_mid.get(&Some(tag)).copied());
    let mut data = open.iter().filter(|section| section.is_data());
    let only_data = data.next().filter(|_| data.next().is_none());
    let chosen = tagged.or(only_data);
    chosen
        .map(|section| **section)
        .ok_or(IceFragmentError::Ambiguous)
}

impl<'a> Section<'a> {
    fn read(&mut self, line: &'a str) -> Result<(), IceFragmentError> {
        let Some((name, value)) = line.strip_prefix("a=").map(split) else {
            return Ok(());
        };
        let attribute = match name {
            "ice-ufrag" => &mut self.ufrag,
            "ice-pwd" => &mut self.password,
            "mid" => {
                self.mid.get_or_insert(value);
                return Ok(());
            }
            "bundle-only" => {
                self.is_bundle_only = true;
                return Ok(());
            }
            _ => return Ok(()),
        };
        match attribute.replace(value) {
            Some(before) if before != value => Err(IceFragmentError::Ambiguous),
            _ => Ok(()),
        }
    }

    /// With the attributes of the session where it has none of its own.
    fn within(&self, session: &Self) -> Self {
        Self {
            ufrag: self.ufrag.or(session.ufrag),
            password: self.password.or(session.password),
            ..*self
        }
    }

    fn has_credentials(&self) -> bool {
        self.ufrag.is_some() || self.password.is_some()
    }

    /// Port 0 rejects a section, unless it uses the transport of another (RFC 9143 section 6).
    fn is_rejected(&self) -> bool {
        let port = self.media.and_then(|media| media.split(' ').nth(1));
        port == Some("0") && !self.is_bundle_only
    }

    fn is_data(&self) -> bool {
        self.media
            .is_some_and(|media| media.starts_with("application "))
    }
}

fn split(attribute: &str) -> (&str, &str) {
    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
    (name, value.trim())
}
