//! The relay's binary and its page, end to end: what a person would see who starts `oneport serve` and
//! opens the page in Chromium and Firefox.
//!
//! One test at a time ([`stage::Stage`]): several pages of two browsers are enough for a machine, and
//! some tests are about time. Pictures and the port table are kept in `target/test-artifacts/`.

mod addresses;
mod bare;
mod member;
mod stage;
mod user;

mod arguments;
mod blocked;
mod chat;
mod cuts;
mod dropped;
mod faults;
mod files;
mod history;
mod https;
mod invitations;
mod library;
mod links;
mod media;
mod moving;
mod people;
mod phone;
mod plain;
mod ports;
mod private;
mod readme;
mod refused;
mod restarted;
mod sealed;
mod slow_files;
mod status;
mod tokens;
mod words;
