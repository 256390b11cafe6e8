use std::{
    collections::BTreeMap,
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tungstenite::{Message, WebSocket, protocol::Role};

use crate::{Error, Result, lines::Lines};

/// How one WebSocket's worth of commands and events is put to words: CDP and BiDi agree on ids and
/// results, and differ in where an event says whose it is.
pub(super) type Translate = fn(&Value) -> Option<(&str, String)>;

/// The WebSocket to a browser: commands out, replies to whoever waits for them, events into the
/// console of the page they belong to.
#[derive(Debug)]
pub(super) struct Connection {
    writer: Mutex<WebSocket<TcpStream>>,
    next_id: AtomicU64,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Who waits for the reply of that id; `None` once the browser is gone.
    waiting: Mutex<Option<BTreeMap<u64, SyncSender<Value>>>>,
    consoles: Mutex<BTreeMap<String, Lines>>,
}

impl Connection {
    /// Connects to a `ws://` address on loopback. `translate` makes an event into a page's key and a
    /// line of its console.
    pub(super) fn open(url: &str, translate: Translate) -> Result<Self> {
        let garbled = || Error::Garbled {
            what: url.to_owned(),
        };
        let authority = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next());
        let address: SocketAddr = authority.and_then(|a| a.parse().ok()).ok_or_else(garbled)?;
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;

        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let write_half = stream.try_clone()?;
        let (reader, _) = tungstenite::client(url, stream).map_err(|error| Error::Start {
            program: format!("the connection to {url}"),
            why: error.to_string(),
        })?;
        reader.get_ref().set_read_timeout(None)?;

        let shared = Arc::new(Shared::default());
        *shared.waiting() = Some(BTreeMap::new());
        let reading = shared.clone();
        thread::spawn(move || reading.read(reader, translate));
        let writer = WebSocket::from_raw_socket(write_half, Role::Client, None);
        Ok(Self {
            writer: Mutex::new(writer),
            next_id: AtomicU64::new(1),
            shared,
        })
    }

    /// Collects the events with that key from now on.
    pub(super) fn console(&self, key: &str) -> Lines {
        self.shared
            .consoles()
            .entry(key.to_owned())
            .or_default()
            .clone()
    }

    /// Forgets the events with that key.
    pub(super) fn forget(&self, key: &str) {
        self.shared.consoles().remove(key);
    }

    /// Sends a command, an object with `method` and `params`, and waits for its result.
    pub(super) fn call(&self, command: Value, timeout: Duration) -> Result<Value> {
        let method = command["method"].as_str().unwrap_or_default().to_owned();
        let (sender, receiver) = mpsc::sync_channel(1);
        let id = self.next_id();
        self.shared
            .waiting()
            .as_mut()
            .ok_or_else(gone)?
            .insert(id, sender);
        self.write(id, command)?;

        let mut reply = receiver.recv_timeout(timeout).map_err(|error| {
            match error {
                // The reader drops all senders at its end.
                RecvTimeoutError::Disconnected => gone(),
                RecvTimeoutError::Timeout => {
                    self.shared
                        .waiting()
                        .as_mut()
                        .map(|waiting| waiting.remove(&id));
                    let what = format!("the browser's reply to {method}");
                    Error::Expired {
                        what,
                        after: timeout,
                        seen: "nothing".into(),
                    }
                }
            }
        })?;
        if reply.get("error").is_some() {
            // CDP has an object with the message, BiDi a code beside the message.
            let message = if reply["error"].is_object() {
                &reply["error"]
            } else {
                &reply
            };
            let message = message["message"].as_str().unwrap_or_default().to_owned();
            return Err(Error::Refused { method, message });
        }
        Ok(reply["result"].take())
    }

    /// Sends a command whose reply nobody waits for.
    pub(super) fn notify(&self, command: Value) -> Result {
        self.write(self.next_id(), command)
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn write(&self, id: u64, mut command: Value) -> Result {
        command["id"] = id.into();
        let mut writer = self.writer.lock().expect("no holder panics");
        writer
            .send(Message::text(command.to_string()))
            .map_err(|_| gone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Ends the reader's thread.
        let writer = self.writer.get_mut().expect("no holder panics");
        let _ = writer.get_ref().shutdown(Shutdown::Both);
    }
}

impl Shared {
    /// The reader's thread: until the browser closes, or the connection is dropped.
    fn read(&self, mut socket: WebSocket<TcpStream>, translate: Translate) {
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else {
                continue;
            };
            let Ok(message) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            if let Some(id) = message["id"].as_u64() {
                let waiter = self
                    .waiting()
                    .as_mut()
                    .and_then(|waiting| waiting.remove(&id));
                // It may have given up.
                let _ = waiter.map(|waiter| waiter.send(message));
            } else if let Some((key, line)) = translate(&message)
                && let Some(console) = self.consoles().get(key)
            {
                console.push(line);
            }
        }
        *self.waiting() = None;
        self.consoles().values().for_each(Lines::end);
    }

    fn waiting(&self) -> MutexGuard<'_, Option<BTreeMap<u64, SyncSender<Value>>>> {
        self.waiting.lock().expect("no holder panics")
    }

    fn consoles(&self) -> MutexGuard<'_, BTreeMap<String, Lines>> {
        self.consoles.lock().expect("no holder panics")
    }
}

fn gone() -> Error {
    Error::Gone {
        what: "the browser".into(),
    }
}
