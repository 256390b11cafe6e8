//! The event loop over real sockets of the loopback interface, with small machines.

mod commands;
mod echo;
mod machines;
mod running;
mod tcp;
mod timers;
mod trains;
