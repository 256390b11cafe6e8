//! Janus's API, as far as TextRoom needs it. There it is the server that offers: a client opens a session,
//! attaches to the plugin, asks for an offer, waits for it and answers.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Host, SignalingError, TIMEOUT};
use crate::room::Room;

const PLUGIN: &str = "janus.plugin.textroom";

/// Janus insists on a name for each request; we have one at a time in each session.
const TRANSACTION: &str = "bench";

/// TextRoom's code for a room that is there already.
const ROOM_EXISTS: i64 = 418;

/// A Janus with its TextRoom.
pub(crate) struct Janus {
    host: Host,
    /// The clients' sessions, which do not end with their connections.
    sessions: Mutex<Vec<String>>,
}

/// A client's place at Janus, by the path of its URL.
struct Handle {
    session: String,
    plugin: String,
}

/// An offer of Janus, and whom the answer goes to.
pub(crate) struct Offer {
    pub(crate) sdp: String,
    handle: Handle,
}

impl Janus {
    pub(crate) fn new(host: Host) -> Self {
        Self {
            host,
            sessions: Mutex::default(),
        }
    }

    /// Makes rooms that forget what is said in them, where they are not there already.
    pub(crate) fn open(&self, rooms: impl Iterator<Item = Room>) -> Result<(), SignalingError> {
        let handle = self.attach()?;
        for room in rooms {
            let answer = self.post(
                &handle.plugin,
                json!({
                    "janus": "message",
                    "body": {
                        "request": "create",
                        "room": room.janus_number(),
                        "permanent": false,
                        "history": 0,
                    },
                }),
            )?;
            let error = &answer["plugindata"]["data"]["error_code"];
            if !error.is_null() && error != ROOM_EXISTS {
                return Err(self.strange(&answer));
            }
        }
        self.close()
    }

    /// Ends all sessions.
    pub(crate) fn close(&self) -> Result<(), SignalingError> {
        let sessions = mem::take(&mut *self.sessions());
        sessions
            .iter()
            .try_for_each(|session| self.post(session, json!({"janus": "destroy"})).map(drop))
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<String>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for an offer.
    pub(crate) fn offer(&self) -> Result<Offer, SignalingError> {
        let handle = self.attach()?;
        self.message(&handle, json!({"request": "setup"}), Value::Null)?;
        // What else happens comes the same way.
        let deadline = Instant::now() + TIMEOUT;
        let poll = format!("{}{}?maxev=1", self.host.base, handle.session);
        while Instant::now() < deadline {
            let event = self.read(&poll, self.host.agent.get(&poll).call())?;
            if let Some(sdp) = event["jsep"]["sdp"].as_str() {
                let sdp = sdp.to_owned();
                return Ok(Offer { sdp, handle });
            }
        }
        Err(SignalingError(format!("{poll}: no offer came")))
    }

    /// Gives the answer.
    pub(crate) fn answer(&self, offer: &Offer, sdp: &str) -> Result<(), SignalingError> {
        let answer = json!({"type": "answer", "sdp": sdp});
        self.message(&offer.handle, json!({"request": "ack"}), answer)
    }

    fn attach(&self) -> Result<Handle, SignalingError> {
        let created = self.post("", json!({"janus": "create"}))?;
        let session = format!("/{}", self.id(&created)?);
        self.sessions().push(session.clone());
        let attached = self.post(&session, json!({"janus": "attach", "plugin": PLUGIN}))?;
        let plugin = format!("{session}/{}", self.id(&attached)?);
        Ok(Handle { session, plugin })
    }

    fn id(&self, answer: &Value) -> Result<u64, SignalingError> {
        let id = answer["data"]["id"].as_u64();
        id.ok_or_else(|| self.strange(answer))
    }

    fn message(&self, handle: &Handle, body: Value, jsep: Value) -> Result<(), SignalingError> {
        let mut request = json!({"janus": "message", "body": body});
        if !jsep.is_null() {
            request["jsep"] = jsep;
        }
        self.post(&handle.plugin, request).map(drop)
    }

    fn post(&self, path: &str, mut request: Value) -> Result<Value, SignalingError> {
        request["transaction"] = TRANSACTION.into();
        let url = format!("{}{path}", self.host.base);
        let sent = self.host.agent.post(&url).send(request.to_string());
        self.read(&url, sent)
    }

    fn read(
        &self,
        url: &str,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, SignalingError> {
        let failed = |error: ureq::Error| SignalingError(format!("{url}: {error}"));
        let text = response.map_err(failed)?.body_mut().read_to_string();
        let text = text.map_err(failed)?;
        match serde_json::from_str::<Value>(&text) {
            Ok(answer) if answer["janus"].is_string() && answer["janus"] != "error" => Ok(answer),
            _ => Err(SignalingError(format!("{url}: {text}"))),
        }
    }

    fn strange(&self, answer: &Value) -> SignalingError {
        SignalingError(format!("{}: {answer}", self.host.base))
    }
}
