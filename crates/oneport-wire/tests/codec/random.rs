//! Frames of every type from a seed, with values at their limits more often than by chance.

use oneport_wire::frame::*;
use oneport_wire::*;

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| value(self))
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn u32(&mut self) -> u32 {
        match self.below(4) {
            0 => u32::MAX,
            1 => self.next() as u32,
            _ => self.below(100) as u32,
        }
    }

    fn safe_integer(&mut self) -> u64 {
        match self.below(4) {
            0 => SAFE_INTEGER_MAX,
            1 => self.next() & SAFE_INTEGER_MAX,
            _ => self.below(1000) as u64,
        }
    }

    pub(crate) fn bytes(&mut self, length_max: usize) -> Vec<u8> {
        let length = self.below(length_max + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Text of at most so many bytes, often exactly as many.
    fn text(&mut self, bytes_max: usize, is_control_allowed: bool) -> String {
        const CHARS: [char; 20] = [
            'a',
            'Z',
            '0',
            ' ',
            '"',
            '\\',
            '/',
            '{',
            ',',
            'é',
            '\u{2028}',
            '\u{feff}',
            '€',
            '😀',
            '\u{10ffff}',
            '\0',
            '\n',
            '\u{8}',
            '\u{1f}',
            '\u{7f}',
        ];
        let chars = if is_control_allowed {
            &CHARS[..]
        } else {
            &CHARS[..15]
        };
        let bytes = if self.below(4) == 0 {
            bytes_max
        } else {
            self.below(bytes_max.min(20) + 1)
        };
        let mut text = String::new();
        loop {
            let next = self.pick(chars);
            if text.len() + next.len_utf8() > bytes {
                text.extend(std::iter::repeat_n('x', bytes - text.len()));
                return text;
            }
            text.push(next);
        }
    }

    fn label(&mut self, bytes_max: usize) -> String {
        let text = self.text(bytes_max, false);
        if text.is_empty() { "-".into() } else { text }
    }

    fn room(&mut self) -> RoomName {
        let length = if self.flag() {
            RoomName::BYTES_MAX
        } else {
            1 + self.below(8)
        };
        let room: String = (0..length)
            .map(|_| self.pick(&['a', 'Z', '9', '-', '_', '~']))
            .collect();
        room.parse().expect("a room")
    }

    fn topic(&mut self) -> Topic {
        self.text(Topic::BYTES_MAX, true).parse().expect("a topic")
    }

    fn name(&mut self) -> MemberName {
        self.label(MemberName::BYTES_MAX).parse().expect("a name")
    }

    fn id(&mut self) -> RequestId {
        self.label(RequestId::BYTES_MAX).parse().expect("an id")
    }

    fn notice(&mut self) -> Notice {
        self.label(Notice::BYTES_MAX).parse().expect("a notice")
    }

    fn meta(&mut self) -> Meta {
        let text = match self.below(6) {
            0 => r#"{ "colour" : "\u00e9", "n":[1.50,-0,1e3,null] }"#.into(),
            1 => "true".into(),
            2 => "[".repeat(Meta::DEPTH_MAX) + &"]".repeat(Meta::DEPTH_MAX),
            3 => format!("\"{}\"", "x".repeat(Meta::BYTES_MAX - 2)),
            4 => self.u32().to_string(),
            _ => serde_json::to_string(&self.text(100, true)).expect("JSON"),
        };
        text.parse().expect("metadata")
    }

    fn member_id(&mut self) -> MemberId {
        MemberId::new(self.u32())
    }

    fn offset(&mut self) -> Offset {
        Offset::new(self.safe_integer()).expect("safe")
    }

    fn time(&mut self) -> UnixMillis {
        UnixMillis::new(self.safe_integer()).expect("safe")
    }

    fn span(&mut self) -> Span {
        let (a, b) = (self.offset(), self.offset());
        Span::new(a.min(b), a.max(b)).expect("in order")
    }

    fn epoch(&mut self) -> Epoch {
        Epoch::from_random(self.next().to_be_bytes())
    }

    fn resume(&mut self) -> ResumeToken {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        ResumeToken::from_random(bits.to_be_bytes())
    }

    fn recipients(&mut self) -> Recipients {
        let count = if self.flag() {
            Recipients::COUNT_MAX
        } else {
            1 + self.below(4)
        };
        let members: Vec<MemberId> = (0..count).map(|_| self.member_id()).collect();
        Recipients::new(members).expect("1 to 64")
    }

    fn payload(&mut self) -> Payload<'static> {
        if self.flag() {
            Payload::Text(self.text(300, true).into())
        } else {
            Payload::Binary(self.bytes(300).into())
        }
    }

    pub(crate) fn publish(&mut self) -> Publish<'static> {
        let receipt = self.flag();
        Publish {
            room: self.room(),
            topic: self.topic(),
            to: self.maybe(Self::recipients),
            echo: self.flag(),
            delivery: self.pick(&[
                Delivery::Kept { receipt },
                Delivery::Transient { receipt },
                Delivery::Lossy,
            ]),
            payload: self.payload(),
        }
    }

    pub(crate) fn client_frame(&mut self) -> ClientFrame<'static> {
        let id = self.maybe(Self::id);
        ClientFrame {
            id,
            body: self.client_body(),
        }
    }

    fn client_body(&mut self) -> ClientBody<'static> {
        match self.below(10) {
            0 => ClientBody::Hello(Hello {
                version: Version,
                resume: self.maybe(Self::resume),
            }),
            1 => ClientBody::Join(Join {
                room: self.room(),
                name: self.maybe(Self::name),
                meta: self.maybe(Self::meta),
                token: self.maybe(|_| "e30.e30.c2ln".parse().expect("a token")),
                since: self.maybe(|r| Since {
                    epoch: r.epoch(),
                    offset: r.offset(),
                }),
                history: self.u32(),
            }),
            2 => ClientBody::Leave { room: self.room() },
            3 => ClientBody::Publish(self.publish()),
            4 => ClientBody::History(History {
                room: self.room(),
                before: self.maybe(Self::offset),
                count: self.u32(),
            }),
            5 => ClientBody::Members(Members {
                room: self.room(),
                after: self.maybe(Self::member_id),
            }),
            6 => ClientBody::Update(Update {
                room: self.room(),
                name: self.change(Self::name),
                meta: self.change(Self::meta),
            }),
            7 => ClientBody::Kick(Kick {
                room: self.room(),
                member: self.member_id(),
                message: self.maybe(Self::notice),
            }),
            8 => ClientBody::Ping { n: self.u32() },
            _ => ClientBody::Pong { n: self.u32() },
        }
    }

    fn change<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Change<T> {
        match self.below(3) {
            0 => Change::Keep,
            1 => Change::Clear,
            _ => Change::Set(value(self)),
        }
    }

    fn member(&mut self) -> Member {
        Member {
            id: self.member_id(),
            name: self.maybe(Self::name),
            meta: self.maybe(Self::meta),
            away: self.flag(),
        }
    }

    fn members(&mut self) -> Vec<Member> {
        let count = self.below(5);
        (0..count).map(|_| self.member()).collect()
    }

    fn authors(&mut self) -> Vec<Author> {
        let count = self.below(5);
        let author = |random: &mut Self| Author {
            id: random.member_id(),
            name: random.name(),
        };
        (0..count).map(|_| author(self)).collect()
    }

    pub(crate) fn message(&mut self) -> Message<'static> {
        Message {
            room: self.room(),
            offset: self.maybe(Self::offset),
            from: self.member_id(),
            time: self.time(),
            topic: self.topic(),
            to: self.maybe(Self::recipients),
            payload: self.payload(),
        }
    }

    pub(crate) fn server_frame(&mut self) -> ServerFrame<'static> {
        match self.below(15) {
            0 => self.welcome().into(),
            1 => self.joined().into(),
            2 => self.message().into(),
            3 => self.presence().into(),
            4 => ServerFrame::Ack(Ack {
                id: self.id(),
                room: self.room(),
                offset: self.maybe(Self::offset),
                duplicate: self.flag(),
            }),
            5 => ServerFrame::Receipt(Receipt {
                id: self.maybe(Self::id),
                room: self.room(),
                offset: self.offset(),
                delivered: self.u32(),
                of: self.u32(),
            }),
            6 => ServerFrame::HistoryBegin(HistoryBegin {
                id: self.maybe(Self::id),
                room: self.room(),
                authors: self.authors(),
            }),
            7 => ServerFrame::HistoryEnd(HistoryEnd {
                id: self.maybe(Self::id),
                room: self.room(),
                span: self.span(),
                more: self.flag(),
            }),
            8 => ServerFrame::Members(MembersPage {
                id: self.maybe(Self::id),
                room: self.room(),
                offset: self.offset(),
                total: self.u32(),
                members: self.members(),
                more: self.flag(),
            }),
            9 => ServerFrame::Gap(Gap {
                room: self.room(),
                span: self.span(),
                reason: self.pick(GapReason::ALL),
            }),
            10 => ServerFrame::Left(Left {
                id: self.maybe(Self::id),
                room: self.room(),
                reason: self.pick(LeaveReason::ALL),
                message: self.maybe(Self::notice),
            }),
            11 => ServerFrame::Rejection(Rejection {
                id: self.maybe(Self::id),
                code: self.pick(ErrorCode::ALL),
                message: self.text(100, true).into(),
                room: self.maybe(Self::room),
                member: self.maybe(Self::member_id),
                limit: self.maybe(Self::u32),
                retry_after_ms: self.maybe(Self::u32),
            }),
            12 => ServerFrame::Bye(Bye {
                code: self.pick(ByeCode::ALL),
                message: self.text(100, true).into(),
                retry_after_ms: self.maybe(Self::u32),
            }),
            13 => ServerFrame::Ping { n: self.u32() },
            _ => ServerFrame::Pong {
                id: self.maybe(Self::id),
                n: self.u32(),
            },
        }
    }

    fn welcome(&mut self) -> Welcome {
        Welcome {
            id: self.maybe(Self::id),
            version: Version,
            session: SessionLabel::from_random(self.next().to_be_bytes()),
            resume: self.resume(),
            resumed: self.flag(),
            ping_ms: self.u32(),
            grace_ms: self.u32(),
            limits: Limits {
                frame_bytes: self.u32(),
                rooms: self.u32(),
                history: self.u32(),
                publish_ids: self.u32(),
                frames_per_s: self.u32(),
                bytes_per_s: self.u32(),
            },
        }
    }

    fn joined(&mut self) -> Joined {
        let recovery = match self.below(3) {
            0 => Recovery::Fresh,
            1 => Recovery::Recovered,
            _ => Recovery::NotRecovered(self.pick(NotRecovered::ALL)),
        };
        Joined {
            id: self.maybe(Self::id),
            room: self.room(),
            epoch: self.epoch(),
            offset: self.offset(),
            you: self.member_id(),
            recovery,
            total: self.u32(),
            members: self.members(),
        }
    }

    fn presence(&mut self) -> Presence {
        Presence {
            room: self.room(),
            offset: self.offset(),
            time: self.time(),
            change: match self.below(5) {
                0 => PresenceChange::Joined,
                1 => PresenceChange::Updated,
                2 => PresenceChange::Away,
                3 => PresenceChange::Back,
                _ => PresenceChange::Left {
                    reason: self.pick(LeaveReason::ALL),
                },
            },
            member: self.member(),
        }
    }
}
