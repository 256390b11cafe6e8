//! What oneport is to be, next to others, and whether it is.

use std::fmt;

use super::contender::Contender;
use super::load::Load;
use super::measurement::Measurement;
use super::results::Results;
use super::summary::{Summary, figure};

/// A ratio that is to be kept.
pub(crate) struct Goal {
    what: &'static str,
    /// What oneport has, divided by what it is compared with. It is no number, and no goal holds, where
    /// oneport did not hold the load at all.
    ratio: f64,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Bound::{AtLeast, AtMost};

impl Goal {
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            AtMost(bound) => self.ratio <= bound,
            AtLeast(bound) => self.ratio >= bound,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = if self.holds() { "yes" } else { "**no**" };
        let ratio = match self.ratio.is_nan() {
            true => "fails".into(),
            false => figure(self.ratio),
        };
        write!(f, "| {} | {ratio} | {holds} |", self.what)
    }
}

/// The goals of which enough was measured.
pub(crate) fn judge(results: &Results) -> Vec<Goal> {
    let cpu = |load| ratios(results, load, Measurement::cpu_us_per_delivery);
    let [small_10, small_10_floor] = cpu(Load::Small10);
    let [small_100, small_100_floor] = cpu(Load::Small100);
    let [late, _] = ratios(results, Load::Small100, Measurement::p99_ms);
    let [most, _] = most(results);
    let janus = |load| {
        let of = Measurement::cpu_us_per_delivery;
        Some(own(results, load, of)? / held(results, load, Contender::Janus, of)?)
    };
    let framed = || {
        let of = |load| own(results, load, Measurement::cpu_us_per_delivery);
        Some(of(Load::Framed)? / of(Load::Small10)?)
    };
    let goals = [
        (
            "10 members: CPU at most 1/4 of the better peer's",
            AtMost(0.25),
            small_10,
        ),
        (
            "10 members: CPU at most twice the floor's",
            AtMost(2.0),
            small_10_floor,
        ),
        (
            "100 members: CPU at most 1/4 of the better peer's",
            AtMost(0.25),
            small_100,
        ),
        (
            "100 members: CPU at most twice the floor's",
            AtMost(2.0),
            small_100_floor,
        ),
        (
            "100 members: p99 at most 1/15 of the better peer's",
            AtMost(1.0 / 15.0),
            late,
        ),
        (
            "most: at least 6 times the better peer's",
            AtLeast(6.0),
            most,
        ),
        (
            "4,000 bytes: CPU at most 1/4 of Janus's",
            AtMost(0.25),
            janus(Load::Medium),
        ),
        (
            "60,000 bytes: CPU at most 1/4 of Janus's",
            AtMost(0.25),
            janus(Load::Large),
        ),
        (
            "framed: CPU at most 1.15 times plain's",
            AtMost(1.15),
            framed(),
        ),
    ];
    let known = goals
        .into_iter()
        .filter_map(|(what, bound, ratio)| ratio.map(|ratio| Goal { what, ratio, bound }));
    known.collect()
}

/// How oneport's figure is to the least of the peers', and to the floor's.
pub(crate) fn ratios(
    results: &Results,
    load: Load,
    figure: fn(&Measurement) -> Option<f64>,
) -> [Option<f64>; 2] {
    let of = |contender| held(results, load, contender, figure);
    let others = Contender::OTHERS.into_iter().filter_map(of);
    let best = others.min_by(f64::total_cmp);
    let own = own(results, load, figure);
    [best, of(Contender::Floor)].map(|other| Some(own? / other?))
}

/// What a peer needed in the runs that it has held: those in which it failed tell nothing of its cost.
fn held(
    results: &Results,
    load: Load,
    contender: Contender,
    figure: fn(&Measurement) -> Option<f64>,
) -> Option<f64> {
    let samples = results.of(load, contender);
    let held = samples.filter(|sample| sample.measurement.is_held());
    let summary = Summary::of(held.filter_map(|sample| figure(&sample.measurement)));
    summary.map(|summary| summary.median)
}

/// Oneport's, which must have held all of them.
fn own(results: &Results, load: Load, figure: fn(&Measurement) -> Option<f64>) -> Option<f64> {
    let mut samples = results.of(load, Contender::Oneport).peekable();
    samples.peek()?;
    if !samples.all(|sample| sample.measurement.is_held()) {
        return Some(f64::NAN);
    }
    held(results, load, Contender::Oneport, figure)
}

/// The same for the most that is held, where more is better.
pub(crate) fn most(results: &Results) -> [Option<f64>; 2] {
    let of = |contender| Some(results.most(contender)?.median);
    let best = Contender::OTHERS
        .into_iter()
        .filter_map(of)
        .max_by(f64::total_cmp);
    let own = of(Contender::Oneport);
    [best, of(Contender::Floor)].map(|other| Some(own? / other?))
}
