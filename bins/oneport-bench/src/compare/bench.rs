//! Measures, by what a user could type: a relay is started, `run` loads it, and it is ended.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, io};

use serde_json::Value;

use super::contender::Contender;
use super::host::Host;
use super::load::{Course, Load, Shape};
use super::measurement::Measurement;
use super::network::Network;
use super::results::{Most, Results, Sample};
use super::search::Search;

/// More than a run takes that has to wait for everything.
const PATIENCE_SECS: f64 = 120.0;

/// A climb ends by itself; this is for a scale that is none.
const CLIMB_STEPS_MAX: usize = 20;

/// Where it is measured, and how long.
pub(crate) struct Bench {
    network: Network,
    host: Host,
    secs: f64,
    own: PathBuf,
}

/// One load for one contender, once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) load: Load,
    pub(crate) contender: Contender,
    pub(crate) round: u32,
}

impl Bench {
    pub(crate) fn new(network: Network, host: Host, secs: f64) -> io::Result<Self> {
        Ok(Self {
            network,
            host,
            secs,
            own: env::current_exe()?,
        })
    }

    /// Brings a load as it is to be brought, for as long as `goes_on`, which is told what is measured.
    pub(crate) fn perform(
        &self,
        job: Job,
        scale: f64,
        results: &mut Results,
        goes_on: &mut dyn FnMut(Shape) -> bool,
    ) {
        let mut measure = |x: f64, shape: Shape| {
            let measurement = goes_on(shape).then(|| self.measure(job.contender, shape))?;
            // What was cut short says nothing.
            if !goes_on(shape) {
                return None;
            }
            results.samples.push(Sample {
                job,
                x,
                measurement: measurement.clone(),
            });
            Some(measurement)
        };
        match job.load.course(scale) {
            Course::Fixed(shape) => {
                measure(shape.rate, shape);
            }
            Course::Series(points) => {
                for (x, shape) in points {
                    measure(x, shape);
                }
            }
            Course::Climb(shape) => {
                let mut rate = shape.rate;
                for _ in 0..CLIMB_STEPS_MAX {
                    let held = measure(rate, Shape { rate, ..shape });
                    if !held.is_some_and(|measurement| measurement.is_held()) {
                        break;
                    }
                    rate *= 2.0;
                }
            }
            Course::Search(shape) => {
                let mut search = Search::new(shape.rate);
                let mut limits = [None, None];
                while let Some(rate) = search.next() {
                    let Some(measurement) = measure(rate, Shape { rate, ..shape }) else {
                        return;
                    };
                    let is_held = measurement.is_held();
                    search.tell(rate, is_held);
                    limits[usize::from(is_held)] = Some(measurement);
                }
                results.most.push(Most {
                    job,
                    rate: search.found(),
                    are_clients_limit: limits.iter().flatten().any(Measurement::are_clients_busy),
                });
            }
        }
    }

    fn measure(&self, contender: Contender, shape: Shape) -> Measurement {
        Measurement(self.run(contender, shape))
    }

    fn run(&self, contender: Contender, shape: Shape) -> Result<Value, String> {
        let (server_cpu, clients_cpu) = self.host.pinned.unzip();
        let server = contender.start(&self.network.server(server_cpu));
        let server = server.map_err(|error| format!("{contender}: {error}"))?;
        // In the foreground: what ends us by the terminal ends it, too.
        let mut command = self.network.clients(clients_cpu).command("timeout");
        command
            .args(["--foreground", &format!("{}", self.secs + PATIENCE_SECS)])
            .args(contender.loader(&self.own))
            .args(["--json", "--url", server.url()])
            .args(["--pid", &server.pid().to_string()])
            .args(["--secs", &self.secs.to_string()])
            .args([
                "--channel",
                if shape.is_framed { "framed" } else { "plain" },
            ])
            .args(["--clients", &shape.clients.to_string()])
            .args(["--rooms", &shape.rooms.to_string()])
            .args(["--size", &shape.bytes.to_string()])
            .args(["--rate", &shape.rate.to_string()]);
        if shape.idle > 0 {
            command.args(["--idle", &shape.idle.to_string()]);
        }
        json_of(command)
    }
}

/// What a command prints. A run in which something was lost fails, but says what it measured.
fn json_of(mut command: Command) -> Result<Value, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("timeout: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        format!("{}: {}", output.status, last.trim())
    })
}
