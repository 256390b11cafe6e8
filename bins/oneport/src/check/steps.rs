//! The steps of a check.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oneport_client::{Certificate, Client, Config, Event, LinkConfig};
use oneport_wire::{AccessToken, RoomName};
use ureq::http::header;

use super::{Finding, Good, SILENT, certificate};
use crate::http_date;
use crate::participant::{Carrier, RelayUrl, agent, io_error};
use crate::token::CLOCK_LEEWAY;
use crate::{Participant, ParticipantError, Trust};

/// How long an address has to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How many of a name's addresses are looked at: each may take its time.
const ADDRESSES_MAX: usize = 8;

/// How long a data channel may take, its way there included.
const DATA_TIMEOUT: Duration = Duration::from_secs(10);

/// What is checked.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    pub(super) url: RelayUrl,
    pub(super) given_url: String,
    pub(super) room: RoomName,
    pub(super) token: Option<AccessToken>,
    pub(super) trust: Trust,
}

impl Steps {
    /// The name has addresses.
    pub(super) fn name(&self) -> Finding {
        let addresses = self.addresses()?;
        let ips: Vec<_> = addresses.iter().map(|it| it.ip().to_string()).collect();
        Ok(Good::Ok(format!("{} is {}", self.url.host, ips.join(", "))))
    }

    /// Each of them takes a TCP connection.
    pub(super) fn tcp(&self) -> Finding {
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for address in self.addresses()? {
            let begun = Instant::now();
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(_) => open.push(format!("{address} in {}", ms(begun))),
                Err(error) => closed.push(format!("{address}: {error}")),
            }
        }
        let (open, closed) = (open.join("; "), closed.join("; "));
        match (open.is_empty(), closed.is_empty()) {
            (false, true) => Ok(Good::Ok(open)),
            (false, false) => Ok(Good::Warning(format!("{open}; but not {closed}"))),
            _ => Err(format!(
                "{closed}: does the relay run, and does a firewall let TCP {} in?",
                self.url.port
            )),
        }
    }

    /// The certificate is good, and for how long.
    pub(super) fn tls(&self) -> Finding {
        let mut failure = String::new();
        for address in self.addresses()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return certificate::look(&self.url.host, stream, &self.trust),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(failure)
    }

    /// What answers is oneport, and which.
    pub(super) fn http(&self) -> Finding {
        let response = self.health()?;
        let status = response.status();
        if let Some(to) = response.headers().get(header::LOCATION) {
            let to = to.to_str().unwrap_or_default();
            return Err(format!("it leads to {to}: check that"));
        }
        if status.is_server_error() {
            let at = self.url.at("/healthz");
            return Err(format!(
                "{at}: status {status}: is there a proxy whose relay is down?"
            ));
        }
        // A proxy may put its own name there, instead or as well.
        let servers = response.headers().get_all(header::SERVER).iter();
        let mut servers = servers.filter_map(|server| server.to_str().ok());
        let version = servers.find_map(|server| server.strip_prefix("oneport/"));
        let version = version.map(str::to_owned);
        let own = env!("CARGO_PKG_VERSION");
        match version {
            Some(version) if version == own => Ok(Good::Ok(format!("oneport {version}"))),
            Some(version) => Ok(Good::Warning(format!("oneport {version}, this is {own}"))),
            None if status == 200 && is_oneport(response) => {
                let text = "oneport, behind a proxy that hides the version";
                Ok(Good::Ok(text.to_owned()))
            }
            None => {
                let at = self.url.at("/healthz");
                Err(format!(
                    "what answers at {at} (status {status}) is not oneport"
                ))
            }
        }
    }

    /// The clocks agree.
    pub(super) fn clock(&self) -> Finding {
        let begun = SystemTime::now();
        let response = self.health()?;
        let date = response.headers().get(header::DATE);
        let date = date.and_then(|date| http_date::parse(date.to_str().ok()?));
        let Some(theirs) = date else {
            return Ok(Good::Warning("it does not say what time it is".to_owned()));
        };
        let ours = begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = theirs - i64::try_from(ours.as_secs()).unwrap_or_default();
        match ahead.unsigned_abs() <= CLOCK_LEEWAY.as_secs() {
            true => Ok(Good::Ok(format!("{} s apart", ahead.abs()))),
            false => Ok(Good::Warning(format!(
                "the relay's clock is {} s {}: tokens may be refused",
                ahead.abs(),
                if ahead > 0 { "ahead" } else { "behind" }
            ))),
        }
    }

    /// An offer is answered.
    pub(super) fn token(&self) -> Finding {
        let carrier = Carrier::new(
            self.url.clone(),
            self.room.clone(),
            self.token.clone(),
            &self.trust,
        );
        let config = Config::new(LinkConfig::new(Certificate::generate(), Vec::new()));
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        let (_, offer) = Client::new(Instant::now(), config, seed);
        let begun = Instant::now();
        match (carrier.exchange(&offer), &self.token) {
            (Ok(_), None) => Ok(Good::Ok(format!("none is needed ({})", ms(begun)))),
            (Ok(_), Some(_)) => Ok(Good::Ok(format!("taken ({})", ms(begun)))),
            (
                Err(ParticipantError::Refused {
                    status: 401,
                    message,
                    ..
                }),
                None,
            ) => Err(format!("{message}: add --token-file")),
            (Err(error), _) => Err(error.to_string()),
        }
    }

    /// The relay says welcome over a data channel by UDP.
    pub(super) fn udp(&self) -> Finding {
        let failed = |error: ParticipantError| error.to_string();
        let (room, token) = (self.room.clone(), self.token.clone());
        let begun = Instant::now();
        let mut participant =
            Participant::connect_trusting(&self.given_url, room, token, &self.trust)
                .map_err(failed)?;
        let mut welcomed = None;
        while welcomed.is_none() && begun.elapsed() < DATA_TIMEOUT {
            let event = participant.next_event(DATA_TIMEOUT.saturating_sub(begun.elapsed()));
            if let Some(Event::Connected { .. }) = event.map_err(failed)? {
                welcomed = Some(ms(begun));
            }
        }
        // What counts is known.
        let _ = participant.close();
        match welcomed {
            Some(took) => Ok(Good::Ok(format!("data comes and goes after {took}"))),
            None => Err(format!(
                "nothing comes back within {} s: does a firewall let UDP in, on the port that the relay \
                 listens on? Behind 1:1 NAT, has it --announce?",
                DATA_TIMEOUT.as_secs()
            )),
        }
    }

    /// The same by TCP, for who has no UDP.
    pub(super) fn ice_tcp(&self) -> Finding {
        let (room, token) = (self.room.clone(), self.token.clone());
        match Participant::try_tcp(&self.given_url, room, token, &self.trust) {
            Ok(took) => Ok(Good::Ok(format!(
                "data comes and goes after {} ms",
                took.as_millis()
            ))),
            Err(error) => Err(format!(
                "{error}: who has no UDP cannot get in; does a firewall or a proxy stand before the \
                 relay's own TCP port?"
            )),
        }
    }

    fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let RelayUrl { host, port, .. } = &self.url;
        let addresses = (host.as_str(), *port).to_socket_addrs();
        let addresses = addresses.map_err(|error| format!("{host}: {error}"))?;
        let mut addresses: Vec<_> = addresses.take(ADDRESSES_MAX).collect();
        addresses.dedup();
        match addresses.is_empty() {
            true => Err(format!("{host} has no address")),
            false => Ok(addresses),
        }
    }

    fn health(&self) -> Result<ureq::http::Response<ureq::Body>, String> {
        let response = agent(&self.trust).get(self.url.at("/healthz")).call();
        response.map_err(|error| match error {
            ureq::Error::Timeout(_) => SILENT.to_owned(),
            error => io_error(error).to_string(),
        })
    }
}

/// The words of a relay that lives.
fn is_oneport(mut response: ureq::http::Response<ureq::Body>) -> bool {
    let body = response.body_mut().with_config().limit(64).read_to_string();
    body.is_ok_and(|body| body == "ok\n")
}

fn ms(since: Instant) -> String {
    format!("{} ms", since.elapsed().as_millis())
}
