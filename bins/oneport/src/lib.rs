//! The relay as a program: sockets, signaling, page and command line around `oneport-core`.
//!
//! It is a library as well, so that tests can start a [`Server`] in their own process; whoever wants
//! to build something else from the parts uses the crates below. Layer 2.

mod assets;
mod backend;
mod banner;
mod bytes;
mod candidates;
mod certificate;
mod chat;
mod check;
mod cli;
mod configuration;
mod descriptors;
mod http_date;
mod http_url;
mod invitation;
mod log_budget;
mod log_thread;
mod logging;
mod operator;
mod participant;
mod printable;
mod room_key;
mod server;
mod service_manager;
mod signals;
mod state_file;
mod summary;
pub mod token;
mod token_gate;
mod webhook;

pub use banner::Banner;
pub use bytes::Bytes;
pub use candidates::NoCandidate;
pub use certificate::{CertificateError, CertificateFiles};
pub use chat::{ChatArgs, chat};
pub use check::{CheckArgs, check};
pub use cli::{
    Cli, Command, CompletionsArgs, Count, Lifetime, LogArgs, LogFilter, LogFormat, ManArgs,
    ServeArgs, SlowRule, StateArgs, TlsArgs, TokenArgs, WebhookArgs,
};
pub use configuration::{ConfigError, Configuration, Invocation, Origin};
pub use descriptors::raise_descriptor_limit;
pub use http_url::HttpUrlError;
pub use log_thread::{LogThread, LogWriter};
pub use logging::{level_of, log_command, log_relay};
pub use oneport_client as client;
pub use oneport_wire as wire;
pub use participant::{Commander, Participant, ParticipantError, Trust};
pub use server::{Probe, Server, StartError, Stopper};
pub use service_manager::ServiceManager;
pub use signals::RelaySignals;
pub use state_file::StateFileError;
pub use summary::{log_summaries, log_total};
pub use webhook::{WebhookCounts, WebhookError, WebhookSecretError, WebhookUrl};
