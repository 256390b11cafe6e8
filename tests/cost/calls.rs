//! Calls of the system for each delivery, over loopback.
//!
//! How many datagrams a call brings depends on how many wait, and that on who is faster. So the event
//! loop is made to stand still until everybody has sent: then all of it waits, and the numbers repeat.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use oneport_core::{
    Certificate, Command, Grant, Input, LinkConfig, Machine, Reason, Relay, RelayConfig, Reply,
    Transmit, parse_offer,
};
use oneport_io::{BindOptions, Config, EventLoop, Handle, Sockets, Stats};
use oneport_link::{ChannelConfig, Kind, Write};
use oneport_tests::native::NativeClient;
use oneport_tests::wait::{self, Look};
use oneport_tests::{Error, Result};

const MEMBERS: usize = 10;
const MESSAGES_EACH: usize = 2;
const MESSAGE_BYTES: usize = 100;
const ROUNDS: usize = 20;

/// Longer than anything takes here, and shorter than a halted loop's caller waits.
const PATIENCE: Duration = Duration::from_secs(4);

/// A moment in which a client looks for datagrams.
const LOOK: Duration = Duration::from_millis(1);

/// What a round may take. Timers and late acknowledgements add a turn or a call now and then, so there
/// is some room; a call for each message would be 20 of them, one for each delivery 180.
#[derive(Debug)]
struct Bounds {
    /// One takes everybody's messages, another one everybody's acknowledgements.
    receive_calls: f64,
    /// Two for each member: what it said is acknowledged at once, then comes a train with what others
    /// said. (The first is smaller than the rest, and only the last of a train may be.)
    send_calls: f64,
    /// Three for each member: an acknowledgement, and the 18 messages that it is owed fit into two.
    datagrams_out: f64,
    /// One for each time that something was received, and for each of three commands of this test.
    turns: f64,
}

const PER_ROUND: Bounds = Bounds {
    receive_calls: 3.0,
    send_calls: 25.0,
    datagrams_out: 36.0,
    turns: 8.0,
};

#[test]
fn what_arrives_together_costs_few_calls() -> Result {
    let stage = Stage::new()?;
    let mut members = stage.members()?;
    let begin = stage.handle.stats();
    for round in 1..=ROUNDS {
        stage.halted(|| {
            for member in &mut members {
                for _ in 0..MESSAGES_EACH {
                    let written = member.send(Kind::Binary, &[b'x'; MESSAGE_BYTES]);
                    assert_eq!(written, Write::Accepted);
                }
                member.turn(LOOK)?;
            }
            Ok(())
        })?;
        stage.wait_for(round * MEMBERS * MESSAGES_EACH * (MEMBERS - 1))?;
        stage.halted(|| {
            let heard = round * MESSAGES_EACH * (MEMBERS - 1);
            for member in &mut members {
                member.run_until("all messages", |member| member.messages.len() == heard)?;
                // What it has to say to that.
                member.turn(LOOK)?;
            }
            Ok(())
        })?;
    }
    let end = stage.handle.stats();
    let of_round = |value: fn(&Stats) -> u64| (value(&end) - value(&begin)) as f64 / ROUNDS as f64;
    let seen = Bounds {
        receive_calls: of_round(|stats| stats.batches_in),
        send_calls: of_round(|stats| stats.batches_out),
        datagrams_out: of_round(|stats| stats.datagrams_out),
        turns: of_round(|stats| stats.turns),
    };
    let deliveries = MEMBERS * MESSAGES_EACH * (MEMBERS - 1);
    let datagrams_in = of_round(|stats| stats.datagrams_in);
    println!("{deliveries} deliveries from {datagrams_in} datagrams: {seen:?}");
    assert!(
        seen.receive_calls <= PER_ROUND.receive_calls
            && seen.send_calls <= PER_ROUND.send_calls
            && seen.datagrams_out <= PER_ROUND.datagrams_out
            && seen.turns <= PER_ROUND.turns,
        "{seen:?} is more than {PER_ROUND:?}"
    );
    Ok(())
}

/// A relay that can be told to stand still.
struct Halting(Relay);

enum Ask {
    Relay(Command),
    /// Says that it stands still, and does so until the other end is dropped.
    Halt(SyncSender<()>, Receiver<()>),
}

impl Machine for Halting {
    type Command = Ask;
    type Reply = Option<Reply>;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.0.handle_input(now, input);
    }

    fn handle_command(&mut self, now: Instant, ask: Ask) -> Option<Reply> {
        match ask {
            Ask::Relay(command) => Some(self.0.handle_command(now, command)),
            Ask::Halt(standing, go) => {
                let _ = standing.send(());
                let _ = go.recv_timeout(PATIENCE);
                None
            }
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.0.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.0.poll_timeout()
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// The relay on a thread of its own; it is shut down when dropped.
struct Stage {
    address: SocketAddr,
    handle: Handle<Halting>,
}

impl Stage {
    fn new() -> Result<Self> {
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let sockets = Sockets::bind(&[listen], &BindOptions::default());
        let sockets = sockets.expect("loopback has a free port");
        let address = sockets.local_addrs()[0];
        let config = RelayConfig::new(LinkConfig::new(Certificate::generate(), vec![address]));
        let relay = Halting(Relay::new(Instant::now(), config, [7; 32]));
        let (event_loop, handle) = EventLoop::new(sockets, relay, None, Config::default())?;
        thread::spawn(move || event_loop.run());
        Ok(Self { address, handle })
    }

    fn ask(&self, command: Command) -> Reply {
        let reply = self.handle.call(Ask::Relay(command));
        reply.expect("the loop runs").expect("a reply of the relay")
    }

    fn members(&self) -> Result<Vec<NativeClient>> {
        (0..MEMBERS).map(|_| self.member()).collect()
    }

    fn member(&self) -> Result<NativeClient> {
        let (mut member, offer) = NativeClient::offer(self.address, ChannelConfig::new("chat"))?;
        let reply = self.ask(Command::Connect {
            room: "room".parse().expect("a name"),
            offer: parse_offer(&offer).expect("an offer"),
            client: self.address.ip(),
            grant: Grant::default(),
        });
        let Reply::Connected(Ok(connected)) = reply else {
            return Err(Error::Garbled {
                what: format!("{reply:?}"),
            });
        };
        member.accept(&connected.answer)?;
        member.run_until("the channel to open", |member| !member.channels.is_empty())?;
        Ok(member)
    }

    /// The loop stands still while this is done.
    fn halted(&self, act: impl FnOnce() -> Result) -> Result {
        let (standing, stands) = sync_channel(1);
        let (go, wait_for_go) = sync_channel(1);
        thread::scope(|scope| {
            scope.spawn(|| self.handle.call(Ask::Halt(standing, wait_for_go)));
            stands.recv_timeout(PATIENCE).expect("the loop halts");
            let done = act();
            drop(go);
            done
        })
    }

    /// Until so much was delivered in all.
    fn wait_for(&self, deliveries: usize) -> Result {
        wait::until("deliveries", PATIENCE, || {
            let Reply::Stats(stats) = self.ask(Command::Stats) else {
                return Ok(Look::NotYet("no reply".into()));
            };
            Ok(match stats.hub.delivered {
                delivered if delivered as usize >= deliveries => Look::Done(()),
                delivered => Look::NotYet(delivered.to_string()),
            })
        })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.handle.call(Ask::Relay(Command::ShutDown));
    }
}
