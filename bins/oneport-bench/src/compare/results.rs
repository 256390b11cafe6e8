//! Everything that was measured.

use serde_json::{Value, json};

use super::bench::Job;
use super::contender::Contender;
use super::host::Host;
use super::load::Load;
use super::measurement::Measurement;
use super::summary::Summary;

/// One measurement, and what it was for.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) job: Job,
    /// Its place in a series; where there is none, the rate.
    pub(crate) x: f64,
    pub(crate) measurement: Measurement,
}

/// What a search has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) job: Job,
    /// The highest rate that was held, if there is one.
    pub(crate) rate: Option<f64>,
    /// Whether it was the load generator that could do no more.
    pub(crate) are_clients_limit: bool,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) host: Host,
    /// How often, how long and how much of the usual rates.
    pub(crate) runs: u32,
    pub(crate) secs: f64,
    pub(crate) scale: f64,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) most: Vec<Most>,
}

impl Results {
    /// The measurements of a load.
    pub(crate) fn of(
        &self,
        load: Load,
        contender: Contender,
    ) -> impl Iterator<Item = &Sample> + Clone {
        self.samples
            .iter()
            .filter(move |sample| sample.job.load == load && sample.job.contender == contender)
    }

    /// One of its figures.
    pub(crate) fn summary(
        &self,
        load: Load,
        contender: Contender,
        figure: fn(&Measurement) -> Option<f64>,
    ) -> Option<Summary> {
        Summary::of(
            self.of(load, contender)
                .filter_map(|sample| figure(&sample.measurement)),
        )
    }

    /// The same for each place in a series, in order.
    pub(crate) fn series(
        &self,
        load: Load,
        contender: Contender,
        figure: fn(&Measurement) -> Option<f64>,
    ) -> Vec<(f64, Summary)> {
        let mut places: Vec<f64> = self.of(load, contender).map(|sample| sample.x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let at = |x: f64| {
            let samples = self.of(load, contender).filter(move |sample| sample.x == x);
            Summary::of(samples.filter_map(|sample| figure(&sample.measurement)))
        };
        places
            .into_iter()
            .filter_map(|x| Some((x, at(x)?)))
            .collect()
    }

    /// The highest rate that it held.
    pub(crate) fn most(&self, contender: Contender) -> Option<Summary> {
        let found = self
            .most
            .iter()
            .filter(|most| most.job.contender == contender);
        Summary::of(found.map(|most| most.rate.unwrap_or(0.0)))
    }

    /// For programs: every single measurement.
    pub(crate) fn to_json(&self) -> Value {
        let job = |job: &Job| {
            json!({
                "load": job.load.name(),
                "peer": job.contender.name(),
                "round": job.round,
            })
        };
        let sample = |sample: &Sample| {
            let mut value = job(&sample.job);
            value["x"] = sample.x.into();
            match &sample.measurement.0 {
                Ok(outcome) => value["outcome"] = outcome.clone(),
                Err(error) => value["error"] = error.as_str().into(),
            }
            value
        };
        let most = |most: &Most| {
            let mut value = job(&most.job);
            value["deliveries_per_s"] = most.rate.into();
            value["limited_by_clients"] = most.are_clients_limit.into();
            value
        };
        json!({
            "machine": self.host.to_json(),
            "version": env!("CARGO_PKG_VERSION"),
            "runs": self.runs,
            "secs": self.secs,
            "scale": self.scale,
            "peers": self.contenders.iter().map(|contender| contender.name()).collect::<Vec<_>>(),
            "measurements": self.samples.iter().map(sample).collect::<Vec<_>>(),
            "most": self.most.iter().map(most).collect::<Vec<_>>(),
        })
    }
}
