//! Families of metrics, one call each.

use std::fmt;
use std::time::Duration;

use oneport_core::Durations;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// Writes metric families, in the order of the calls.
pub(super) struct Exposition<'a>(pub(super) DescriptorEncoder<'a>);

impl Exposition<'_> {
    /// What only grows. Its name ends in `_total`, which is not said here.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        encode_counter(family, value)
    }

    /// A counter of bytes: its name ends in `_bytes_total`.
    pub(super) fn bytes_counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let kind = MetricType::Counter;
        let family = self
            .0
            .encode_descriptor(name, help, Some(&Unit::Bytes), kind)?;
        encode_counter(family, value)
    }

    /// A counter of seconds: its name ends in `_seconds_total`.
    pub(super) fn seconds_counter(
        &mut self,
        name: &str,
        help: &str,
        value: Duration,
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        self.0
            .encode_descriptor(name, help, Some(&Unit::Seconds), kind)?
            .encode_counter::<NoLabelSet, f64, f64>(&value.as_secs_f64(), None)
    }

    /// A counter for each value of a label.
    pub(super) fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            encode_counter(family.encode_family(&[(label, value)])?, count)?;
        }
        Ok(())
    }

    /// What goes up and down.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeGaugeValue,
    ) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, None, MetricType::Gauge)?
            .encode_gauge(&value)
    }

    /// A gauge of bytes: its name ends in `_bytes`.
    pub(super) fn bytes(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let kind = MetricType::Gauge;
        self.0
            .encode_descriptor(name, help, Some(&Unit::Bytes), kind)?
            .encode_gauge(&value)
    }

    /// A gauge of seconds: its name ends in `_seconds`.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: Duration) -> fmt::Result {
        let kind = MetricType::Gauge;
        self.0
            .encode_descriptor(name, help, Some(&Unit::Seconds), kind)?
            .encode_gauge(&value.as_secs_f64())
    }

    /// How long something takes: its name ends in `_seconds`.
    pub(super) fn durations(&mut self, name: &str, help: &str, values: &Durations) -> fmt::Result {
        let kind = MetricType::Histogram;
        let seconds =
            |bound: Option<Duration>| bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64());
        let classes: Vec<_> = (values.classes())
            .map(|(bound, count)| (seconds(bound), count))
            .collect();
        let (sum, total) = (values.sum().as_secs_f64(), values.total());
        self.0
            .encode_descriptor(name, help, Some(&Unit::Seconds), kind)?
            .encode_histogram::<NoLabelSet>(sum, total, &classes, None)
    }

    /// Something in words. Its name ends in `_info`.
    pub(super) fn info(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        value: &str,
    ) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, None, MetricType::Info)?
            .encode_info(&[(label, value)])
    }
}

fn encode_counter(mut family: MetricEncoder<'_>, value: u64) -> fmt::Result {
    family.encode_counter::<NoLabelSet, u64, f64>(&value, None)
}
