//! What the program did between two marks.

use oneport_tests::{Error, Result};

/// A phase of `oneport-sim`'s example `cost`, and what it cost.
#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) name: String,
    /// What there were so many of.
    pub(crate) unit: String,
    units: f64,
    instructions: f64,
    datagrams_in: f64,
    datagrams_out: f64,
}

impl Phase {
    /// From the line that the program prints, and from what callgrind has counted.
    ///
    /// # Errors
    /// [`Error::Garbled`] where the line is none.
    pub(crate) fn parse(line: &str, instructions: u64) -> Result<Self> {
        let garbled = || Error::Garbled { what: line.into() };
        let columns: Vec<_> = line.split('\t').collect();
        let [name, unit, units, taken, sent] = columns[..] else {
            return Err(garbled());
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| garbled());
        Ok(Self {
            name: name.into(),
            unit: unit.into(),
            units: number(units)?,
            instructions: instructions as f64,
            datagrams_in: number(taken)?,
            datagrams_out: number(sent)?,
        })
    }

    /// The relay's instructions for one unit.
    pub(crate) fn instructions(&self) -> f64 {
        self.instructions / self.units
    }

    /// The datagrams that reach the relay for one unit, acknowledgements included.
    pub(crate) fn datagrams_in(&self) -> f64 {
        self.datagrams_in / self.units
    }

    /// The datagrams that the relay sends for one unit, acknowledgements included.
    pub(crate) fn datagrams_out(&self) -> f64 {
        self.datagrams_out / self.units
    }
}
