mod machine;
pub use machine::{Input, Machine, Reason, Route, Transmit};
