//! A client that speaks `oneport.v1`, by hand.

use oneport_link::{ChannelConfig, Kind};
use oneport_sim::World;
use serde_json::{Value, json};

use crate::guests::Guests;

/// A client with a framed channel; frames go out and come in as JSON.
pub(crate) struct Speaker(pub(crate) usize);

impl Speaker {
    /// A link whose framed channel is open.
    pub(crate) fn link(world: &mut World) -> Self {
        let channel = ChannelConfig {
            protocol: "oneport.v1".into(),
            ..ChannelConfig::new("main")
        };
        Self(world.add_guest("lobby", channel))
    }

    /// A session of its own.
    pub(crate) fn new(world: &mut World) -> Self {
        let speaker = Self::link(world);
        speaker.ask(world, json!({"t": "hello", "version": 1}));
        speaker
    }

    /// A session that is in the room, having seen all that came with that.
    pub(crate) fn in_room(world: &mut World, name: &str) -> Self {
        let speaker = Self::new(world);
        speaker.ask(world, json!({"t": "join", "room": "lobby", "name": name}));
        speaker
    }

    pub(crate) fn say(&self, world: &mut World, frame: &Value) {
        let sent = world.send(self.0, Kind::Text, frame.to_string().as_bytes());
        assert_eq!(sent, oneport_link::Write::Accepted);
    }

    /// Says it and waits for the next frame that is no entry and no ping.
    pub(crate) fn ask(&self, world: &mut World, frame: Value) -> Value {
        self.say(world, &frame);
        let before = self.frames(world).len();
        let is_answer = |frame: &Value| {
            !["msg", "presence", "ping", "gap"].contains(&frame["t"].as_str().unwrap_or(""))
        };
        let me = self.0;
        let answers = |world: &World| {
            let frames = Speaker(me).frames(world);
            frames[before..].iter().find(|f| is_answer(f)).cloned()
        };
        world.run_until(&format!("an answer to {frame}"), |world| {
            answers(world).is_some()
        });
        answers(world).expect("it was waited for")
    }

    pub(crate) fn frames(&self, world: &World) -> Vec<Value> {
        let parse = |text: String| serde_json::from_str(&text).expect("JSON");
        world.heard(self.0).into_iter().map(parse).collect()
    }

    pub(crate) fn of_type(&self, world: &World, kind: &str) -> Vec<Value> {
        let frames = self.frames(world).into_iter();
        frames.filter(|frame| frame["t"] == kind).collect()
    }

    pub(crate) fn texts(&self, world: &World) -> Vec<String> {
        let text = |frame: Value| frame["text"].as_str().unwrap_or("?").to_owned();
        self.of_type(world, "msg").into_iter().map(text).collect()
    }

    pub(crate) fn publish(&self, world: &mut World, text: &str) {
        self.say(world, &json!({"t": "pub", "room": "lobby", "text": text}));
    }

    pub(crate) fn token(&self, world: &World) -> Value {
        self.of_type(world, "welcome")[0]["resume"].clone()
    }

    pub(crate) fn joined(&self, world: &World) -> Value {
        self.of_type(world, "joined")
            .last()
            .expect("joined")
            .clone()
    }

    pub(crate) fn cut(&self, world: &mut World) {
        world.guest_mut(self.0).access.set_cut(true);
    }

    /// Another link for the session of this one, back in the room from this offset on.
    pub(crate) fn resume(&self, world: &mut World, offset: u64) -> (Self, Value) {
        let (token, epoch) = (self.token(world), self.joined(world)["epoch"].clone());
        let speaker = Self::link(world);
        let hello = json!({"t": "hello", "version": 1, "resume": token});
        let welcome = speaker.ask(world, hello);
        let since = json!({"epoch": epoch, "offset": offset});
        speaker.ask(world, json!({"t": "join", "room": "lobby", "since": since}));
        (speaker, welcome)
    }

    /// The position after all that it got.
    pub(crate) fn position(&self, world: &World) -> u64 {
        let after = |frame: &Value| Some(frame["offset"].as_u64()? + 1);
        let joined = self.joined(world)["offset"].as_u64().expect("an offset");
        let entries = self.frames(world);
        let entries = entries
            .iter()
            .filter(|f| f["t"] == "msg" || f["t"] == "presence");
        entries
            .filter_map(after)
            .chain([joined])
            .max()
            .expect("one")
    }
}
