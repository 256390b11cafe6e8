//! A list of operations, carried out in a world under the oracle's eyes.

use std::fmt;
use std::time::Instant;

use crate::stage::Stage;
use crate::{Dice, Operation, Report, Sabotage};

/// How many operations a scenario from a seed has.
const OPERATIONS: usize = 200;

/// More than a fuzzer's bytes are worth.
const OPERATIONS_MAX: usize = 400;

/// What happens, and in which weather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Of the weather, the secrets and the relay's limits.
    pub seed: u64,
    /// What happens, in this order.
    pub operations: Vec<Operation>,
}

impl Scenario {
    /// What this seed makes of chance.
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let arrivals = [0, 0, 1].map(|room| Operation::Arrive { room, history: 0 });
        let operations = (arrivals.len()..OPERATIONS).map(|_| Operation::roll(&mut dice));
        Self {
            seed,
            operations: arrivals.into_iter().chain(operations).collect(),
        }
    }

    /// What these bytes say, for a fuzzer.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (head, rest) = bytes.split_at(bytes.len().min(2));
        let mut dice = Dice::chosen(rest);
        let mut operations = Vec::new();
        while !dice.is_spent() && operations.len() < OPERATIONS_MAX {
            operations.push(Operation::roll(&mut dice));
        }
        let seed = head
            .iter()
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self { seed, operations }
    }

    /// Lets it all happen, and then what must always follow: the network heals and everything
    /// arrives; everybody goes, and nothing is left.
    ///
    /// # Errors
    ///
    /// What went wrong, in the oracle's words.
    ///
    /// # Panics
    ///
    /// Where the code under test does, and where it spins or breaks the contract of a machine.
    pub fn run(&self) -> Result<Report, Vec<String>> {
        self.run_with(None)
    }

    /// [`Self::run`], with somebody who falsifies what the oracle is told.
    ///
    /// # Errors
    ///
    /// What went wrong: something should.
    ///
    /// # Panics
    ///
    /// As [`Self::run`].
    pub fn run_with(&self, sabotage: Option<Sabotage>) -> Result<Report, Vec<String>> {
        let mut stage = Stage::new(self.seed, sabotage);
        let start: Instant = stage.now();
        for operation in &self.operations {
            stage.carry_out(*operation);
            stage.check_bounds();
        }
        stage.judge(false)?;
        stage.heal();
        stage.judge(true)?;
        stage.empty();
        stage.judge_empty()?;
        let time = stage.now() - start;
        Ok(Report {
            time,
            ..stage.report()
        })
    }

    /// The shortest scenario found that still goes wrong, by taking out what it goes wrong without:
    /// first halves, then quarters, down to single operations.
    pub fn shrink(&self, goes_wrong: impl Fn(&Self) -> bool) -> Self {
        let mut shortest = self.clone();
        let mut part = shortest.operations.len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < shortest.operations.len() {
                let mut shorter = shortest.clone();
                let end = (at + part).min(shorter.operations.len());
                shorter.operations.drain(at..end);
                if goes_wrong(&shorter) {
                    shortest = shorter;
                } else {
                    at += part;
                }
            }
            part /= 2;
        }
        shortest
    }
}

impl fmt::Display for Scenario {
    /// As the body of a test that repeats it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Scenario {{ seed: {}, operations: vec![", self.seed)?;
        for operation in &self.operations {
            writeln!(f, "    {operation:?},")?;
        }
        f.write_str("] }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_scenario() {
        assert_eq!(Scenario::from_seed(3), Scenario::from_seed(3));
        assert_ne!(Scenario::from_seed(3), Scenario::from_seed(4));
        assert_eq!(Scenario::from_seed(3).operations.len(), OPERATIONS);
    }

    #[test]
    fn bytes_are_bounded_operations() {
        assert!(Scenario::from_bytes(&[]).operations.is_empty());
        let long = Scenario::from_bytes(&[7; 10_000]);
        assert_eq!(long.operations.len(), OPERATIONS_MAX);
    }

    #[test]
    fn shrinking_leaves_what_matters() {
        let scenario = Scenario::from_seed(1);
        let is_wanted = |operation: &Operation| matches!(operation, Operation::Kick { .. });
        let kicks = scenario.operations.iter().filter(|o| is_wanted(o)).count();
        let goes_wrong = |s: &Scenario| s.operations.iter().any(is_wanted);
        assert!(kicks > 0);
        let shrunk = scenario.shrink(goes_wrong);
        assert_eq!(shrunk.operations.len(), 1);
        assert!(shrunk.to_string().contains("Kick"));
    }
}
