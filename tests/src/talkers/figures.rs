//! What members noticed, as numbers.

use std::fmt;
use std::time::Duration;

/// What a group of [`Talkers`](super::Talkers) noticed from their first message to their last.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Messages that were said.
    pub said: usize,
    /// Messages that were heard, once for each who heard them.
    pub heard: usize,
    /// Messages that the relay had taken, once for each who did not hear them and was not told.
    pub lost: usize,
    /// Messages that were heard more than once, once for each to whom that happened.
    pub doubled: usize,
    /// Messages of which the speaker was told that nobody knows whether they were taken.
    pub unknown: usize,
    /// Messages of which the speaker was told two different things.
    pub contradictions: usize,
    /// Members who were told that what they missed does not follow.
    pub not_recovered: usize,
    /// Links that were lost.
    pub links_lost: usize,
    /// From saying to hearing: half took less.
    pub median: Duration,
    /// 99 of 100 took less.
    pub p99: Duration,
    /// The longest.
    pub worst: Duration,
    /// What must not happen to anybody.
    pub failures: Vec<String>,
}

impl Figures {
    /// Prints a row of the README's table: what was done, what members noticed, and a remark.
    pub fn print(&self, fault: &str, remark: &str) {
        // The test harness may have written a part of a line.
        println!("\n| {fault} | {self} | {remark} |");
    }

    /// Panics unless everything that was taken was heard, once, and no link was lost for good.
    pub fn assert_whole(&self) {
        assert!(self.heard > 0, "{self:?}");
        assert_eq!((self.lost, self.doubled), (0, 0), "{self:?}");
        assert_eq!(self.contradictions, 0, "{self:?}");
        assert!(self.failures.is_empty(), "{self:?}");
    }

    /// Panics unless, besides, whoever lost a link missed nothing by it.
    pub fn assert_recovered(&self) {
        self.assert_whole();
        assert_eq!((self.not_recovered, self.unknown), (0, 0), "{self:?}");
    }

    /// Panics unless, besides, nobody lost a link and nothing took longer than this.
    pub fn assert_unnoticed(&self, worst: Duration) {
        self.assert_recovered();
        assert_eq!(self.links_lost, 0, "{self:?}");
        assert!(self.worst <= worst, "{self:?}");
    }
}

/// Columns: median, p99 and worst delay in ms; messages lost and doubled; links lost.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |delay: Duration| delay.as_secs_f64() * 1000.0;
        write!(
            f,
            "{:.1} | {:.0} | {:.0} | {} / {} | {}",
            ms(self.median),
            ms(self.p99),
            ms(self.worst),
            self.lost,
            self.doubled,
            self.links_lost
        )
    }
}
