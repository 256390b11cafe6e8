//! What a framed client asks about the members of a room, itself included.

use oneport_wire::frame::{
    Change, Kick, LeaveReason, Left, Member, Members, MembersPage, Rejection, Update,
};
use oneport_wire::{ErrorCode, MemberId, Notice, Offset, RequestId, RoomName};

use crate::Relay;
use crate::framed::{Answer, ack, internal, reject};
use crate::holder::Holder;
use crate::hub::{Profile, SeatId};
use crate::sessions::SessionKey;

impl Relay {
    pub(crate) fn leave_room(
        &mut self,
        key: SessionKey,
        id: Option<RequestId>,
        room: RoomName,
    ) -> Answer {
        let now = self.unix_now();
        let session = self.sessions.get_mut(key).ok_or_else(internal)?;
        let stay = session.rooms.remove(&room);
        let stay = stay.ok_or_else(|| Rejection::of(ErrorCode::NotInRoom))?;
        self.holders.remove(stay.seat);
        self.hub.leave(now, stay.seat, LeaveReason::Left);
        let reason = LeaveReason::Left;
        let message = None;
        Ok(Some(
            Left {
                id,
                room,
                reason,
                message,
            }
            .into(),
        ))
    }

    pub(crate) fn members(
        &mut self,
        key: SessionKey,
        id: Option<RequestId>,
        ask: &Members,
    ) -> Answer {
        let stay = self.stay(key, &ask.room)?;
        let page = self
            .members_page(stay.seat, id, ask.after)
            .ok_or_else(internal)?;
        Ok(Some(page.into()))
    }

    pub(crate) fn members_page(
        &self,
        seat: SeatId,
        id: Option<RequestId>,
        after: Option<MemberId>,
    ) -> Option<MembersPage> {
        let view = self.hub.room(seat)?;
        let mut members = view.members_after(after);
        let page: Vec<_> = members.by_ref().take(Member::PAGE_MAX).collect();
        Some(MembersPage {
            id,
            room: view.name().clone(),
            offset: view.end(),
            total: u32::try_from(view.members_count()).unwrap_or(u32::MAX),
            more: members.next().is_some(),
            members: page,
        })
    }

    pub(crate) fn update(
        &mut self,
        key: SessionKey,
        request: Option<RequestId>,
        update: Update,
    ) -> Answer {
        let stay = self.stay(key, &update.room)?;
        let view = self.hub.room(stay.seat).ok_or_else(internal)?;
        let mut profile: Profile = view.my_profile().clone();
        match update.name {
            // A name that is prescribed stays.
            _ if stay.grant.name.is_some() => {}
            Change::Keep => {}
            Change::Clear => profile.name = None,
            Change::Set(name) => profile.name = Some(name),
        }
        match update.meta {
            Change::Keep => {}
            Change::Clear => profile.meta = None,
            Change::Set(meta) => profile.meta = Some(meta),
        }
        let now = self.unix_now();
        let offset = self.hub.update(now, stay.seat, profile);
        Ok(ack(request, update.room, offset))
    }

    pub(crate) fn kick(
        &mut self,
        key: SessionKey,
        request: Option<RequestId>,
        kick: Kick,
    ) -> Answer {
        let stay = self.stay(key, &kick.room)?;
        if !stay.grant.rights.kick {
            return reject(ErrorCode::Forbidden);
        }
        let seat = self
            .hub
            .room(stay.seat)
            .and_then(|view| view.seat(kick.member));
        let seat = seat.ok_or_else(|| Rejection {
            member: Some(kick.member),
            ..Rejection::of(ErrorCode::NoSuchMember)
        })?;
        let left_at = self.expel(&kick.room, seat, kick.message);
        Ok(ack(request, kick.room, left_at))
    }

    /// Removes a member from its room, whoever wants it. Answers the place of the entry that tells the
    /// others, if it is there already: a plain channel's member leaves with its link.
    pub(crate) fn expel(
        &mut self,
        room: &RoomName,
        seat: SeatId,
        message: Option<Notice>,
    ) -> Option<Offset> {
        match self.holders.get(seat).copied()? {
            Holder::Plain(link) => {
                self.links[link].link.close(self.now, "kicked");
                self.unsettled.push_back(link);
                None
            }
            Holder::Session(key) => {
                let now = self.unix_now();
                let end = self.hub.room(seat).map(|view| view.end());
                self.holders.remove(seat);
                self.hub.leave(now, seat, LeaveReason::Kicked);
                self.send_away(key, room, LeaveReason::Kicked, message);
                end
            }
        }
    }

    /// Tells a session that it is no longer in a room, and forgets that it was.
    pub(crate) fn send_away(
        &mut self,
        key: SessionKey,
        room: &RoomName,
        reason: LeaveReason,
        message: Option<Notice>,
    ) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.rooms.remove(room);
        session.outbox.push(Left {
            id: None,
            room: room.clone(),
            reason,
            message,
        });
        self.hub.wake(session.owner);
    }
}
