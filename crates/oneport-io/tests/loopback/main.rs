//! The event loop over real sockets of the loopback interface, with small machines.

mod commands;
mod echo;
mod framed;
mod machines;
mod on_a_thread;
mod running;
mod tcp;
mod timers;
mod trains;
