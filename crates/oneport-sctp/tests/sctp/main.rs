//! Associations against each other and against two other implementations, in virtual time.

mod differential;
mod engines;
mod lifecycle;
mod loss;
mod network;
mod scenario;
