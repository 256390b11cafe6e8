//! Associations against each other and against two other implementations, in virtual time.

mod differential;
mod engines;
mod loss;
mod network;
mod scenario;
