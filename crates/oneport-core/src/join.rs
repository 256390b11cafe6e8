//! Coming into a room, and coming back to it.

use std::collections::BTreeMap;

use oneport_wire::frame::{
    Author, Gap, GapReason, History, HistoryBegin, HistoryEnd, Join, Joined, NotRecovered,
    Recovery, Rejection, ServerFrame, Since,
};
use oneport_wire::{ErrorCode, Kind, MemberId, MemberName, Offset, RequestId, RoomName, Span};

use crate::client::Client;
use crate::framed::{Answer, full, internal, reject};
use crate::holder::Holder;
use crate::hub::{Filter, Profile};
use crate::sessions::{SessionKey, Stay};
use crate::{Admission, Grant, Relay};

/// How many bytes of messages and names one answer to `history` brings at most, beyond the first
/// message: as much as one of the largest messages.
const HISTORY_BYTES_MAX: usize = 256 * 1024;

impl Relay {
    /// `join`: enters a room, or comes back to it over another link.
    pub(crate) fn join(&mut self, key: SessionKey, id: Option<RequestId>, join: Join) -> Answer {
        let session = self.sessions.get(key).ok_or_else(internal)?;
        let known = session.rooms.get(&join.room).cloned();
        let is_known = known.is_some();
        let unknown = match session.resumed_until {
            Some(_) => NotRecovered::NotAMember,
            None => NotRecovered::NoSuchSession,
        };
        let stay = match known {
            Some(stay) if stay.reader.is_some() => return reject(ErrorCode::AlreadyInRoom),
            Some(stay) => stay,
            None => self.enter(key, &join)?,
        };
        let now = self.unix_now();
        self.hub.set_away(now, stay.seat, false);
        let profile = Profile {
            name: stay.grant.name.clone().or(join.name),
            meta: join.meta,
        };
        self.hub.update(now, stay.seat, profile);
        // After the news of its coming back, which may have pushed something out of the ring.
        let (recovery, from) = match (is_known, join.since) {
            (true, since) => self.recovery(&stay, since),
            (false, Some(_)) => (Recovery::NotRecovered(unknown), None),
            (false, None) => (Recovery::Fresh, None),
        };
        self.count_recovery(recovery);
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        let (owner, room) = (session.owner, join.room);
        let filter = match stay.grant.rights.subscribe {
            true => Filter::Everything,
            false => Filter::Nothing,
        };
        let lag = self.config.slow_policies.of(&room).into();
        let reader = self.hub.add_reader(owner, stay.seat, filter, lag, from);
        let seat = stay.seat;
        session.rooms.insert(room.clone(), Stay { reader, ..stay });
        let page = self.members_page(seat, None, None).ok_or_else(internal)?;
        let view = self.hub.room(seat).ok_or_else(internal)?;
        let joined = Joined {
            id: id.clone(),
            room: room.clone(),
            epoch: view.epoch(),
            offset: view.end(),
            you: view.me(),
            recovery,
            total: page.total,
            members: page.members,
        };
        let missed = from.filter(|from| view.has_transients_from(*from));
        let missed = missed.and_then(|from| Span::new(from, joined.offset));
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        session.outbox.push(joined);
        if let Some(span) = missed {
            let (room, reason) = (room.clone(), GapReason::Transient);
            session.outbox.push(Gap { room, span, reason });
            *self.stats.gaps.entry(reason.as_str()).or_default() += 1;
        }
        if join.history > 0 && recovery != Recovery::Recovered {
            let ask = History {
                room,
                before: None,
                count: join.history,
            };
            return self.history(key, id, &ask);
        }
        self.hub.wake(owner);
        Ok(None)
    }

    /// A new member.
    fn enter(&mut self, key: SessionKey, join: &Join) -> Result<Stay, Rejection> {
        let session = self.sessions.get(key).ok_or_else(internal)?;
        if session.rooms.len() >= self.config.rooms_per_session_max {
            return reject(ErrorCode::TooManyRoomsSession);
        }
        let grant = self.admit(key, join)?;
        let profile = Profile {
            name: grant.name.clone().or_else(|| join.name.clone()),
            meta: join.meta.clone(),
        };
        let seat = self.take_seat(&join.room, profile).map_err(full)?;
        self.holders.insert(seat, Holder::Session(key));
        let began = self.hub.room(seat).ok_or_else(internal)?.end();
        Ok(Stay {
            seat,
            began,
            reader: None,
            grant,
        })
    }

    /// What the client may do in the room: what the gate grants, and for the link's own room no more than
    /// signaling granted, unless the client shows another token here.
    fn admit(&mut self, key: SessionKey, join: &Join) -> Result<Grant, Rejection> {
        let now = self.unix_now();
        let session = self.sessions.get(key).ok_or_else(internal)?;
        let client = session.link.and_then(|link| self.links.get(link));
        // Without a gate nobody reads a token, so it changes nothing.
        let has_token = self.gate.is_some() && join.token.is_some();
        let is_granted = |client: &&Client| client.room == join.room && !has_token;
        let granted = client.map(|client| &**client).filter(is_granted);
        let granted = granted.map(|client| &client.grant);
        let admission = Admission {
            room: &join.room,
            name: join.name.as_ref(),
            token: join.token.as_ref(),
            granted,
            address: client.map(|client| client.address),
            session: session.label,
            now,
        };
        let grant = match &mut self.gate {
            Some(gate) => gate.admit(admission).map_err(|code| {
                let wait = gate.retry_after(admission, code);
                Rejection {
                    retry_after_ms: wait
                        .map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
                    ..Rejection::of(code)
                }
            })?,
            None => Grant::default(),
        };
        Ok(match granted {
            Some(bound) => grant.within(bound),
            None => grant,
        })
    }

    fn count_recovery(&mut self, recovery: Recovery) {
        let how = match recovery {
            Recovery::Fresh => return,
            Recovery::Recovered => "recovered",
            Recovery::NotRecovered(reason) => reason.as_str(),
        };
        *self.stats.recoveries.entry(how).or_default() += 1;
    }

    /// What a member that comes back can have of what it missed: everything from its position on, or
    /// nothing. Only the streams of this membership have positions in it: a repeated join whose first
    /// answer was lost names one from before, and recovers as little as the first did.
    fn recovery(&self, stay: &Stay, since: Option<Since>) -> (Recovery, Option<Offset>) {
        let (Some(since), Some(view)) = (since, self.hub.room(stay.seat)) else {
            return (Recovery::Fresh, None);
        };
        let reason = if since.epoch != view.epoch() {
            NotRecovered::EpochChanged
        } else if since.offset > view.end() {
            NotRecovered::UnknownOffset
        } else if since.offset < stay.began {
            NotRecovered::NotAMember
        } else if since.offset < view.complete_from() {
            NotRecovered::FellOff
        } else {
            return (Recovery::Recovered, Some(since.offset));
        };
        (Recovery::NotRecovered(reason), None)
    }

    /// `history`: the last messages before a place, oldest first, between two marks.
    pub(crate) fn history(
        &mut self,
        key: SessionKey,
        id: Option<RequestId>,
        ask: &History,
    ) -> Answer {
        let stay = self.stay(key, &ask.room)?;
        if !stay.grant.rights.subscribe {
            return reject(ErrorCode::Forbidden);
        }
        let view = self.hub.room(stay.seat).ok_or_else(internal)?;
        // What the member is still owed comes to it anyway, and must not come twice.
        let owed = stay.reader.and_then(|reader| self.hub.cursor(reader));
        let position = owed.unwrap_or(view.end());
        let before = ask.before.unwrap_or(position).min(position);
        let count_max = self.config.history_max.min(ask.count as usize);
        let mut entries = view.history_before(before).peekable();
        let mut frames: Vec<(Kind, Vec<u8>)> = Vec::new();
        let mut authors: BTreeMap<MemberId, &MemberName> = BTreeMap::new();
        let (mut bytes, mut from) = (0, before);
        while frames.len() < count_max
            && bytes < HISTORY_BYTES_MAX
            && authors.len() < HistoryBegin::AUTHORS_MAX
            && let Some(entry) = entries.next()
        {
            let (kind, frame) = entry.frame();
            bytes += frame.len();
            if let Some(author) = entry.author()
                && let Some(name) = view.name_of(author)
                && authors.insert(author, name).is_none()
            {
                bytes += Author::BYTES_MAX;
            }
            from = entry.offset;
            frames.push((kind, frame.to_vec()));
        }
        let more = entries.peek().is_some();
        drop(entries);
        if !more {
            from = view.complete_from().min(from);
        }
        let author = |(id, name): (MemberId, &MemberName)| Author {
            id,
            name: name.clone(),
        };
        let authors = authors.into_iter().map(author).collect();
        let room: RoomName = ask.room.clone();
        let span = Span::new(from, before).ok_or_else(internal)?;
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        session.outbox.push(HistoryBegin {
            id: id.clone(),
            room: room.clone(),
            authors,
        });
        for (kind, frame) in frames.into_iter().rev() {
            session.outbox.push_encoded(kind, frame);
        }
        self.hub.wake(session.owner);
        let end = HistoryEnd {
            id,
            room,
            span,
            more,
        };
        Ok(Some(ServerFrame::from(end)))
    }
}
