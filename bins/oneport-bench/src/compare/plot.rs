//! Curves as SVG, without anything that measures fonts: labels have space to spare.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::contender::Contender;
use super::load::Load;
use super::measurement::Measurement;
use super::results::Results;
use super::summary::{Summary, thousands};

const SIZE: (u32, u32) = (800, 500);
const FONT: &str = "sans-serif";

/// Between the outermost points and the frame, as a factor.
const MARGIN: f64 = 1.3;

/// Several curves over one axis, both axes logarithmic.
struct Plot<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    curves: Vec<Curve>,
}

struct Curve {
    name: String,
    color: RGBColor,
    is_dashed: bool,
    points: Vec<(f64, Summary)>,
}

/// Of the series: what the title says, what the axis does, and the file's name.
const SERIES: [(Load, &str, &str, &str); 4] = [
    (
        Load::Members,
        "10,000 deliveries a second, 100 bytes",
        "members of the room",
        "members.svg",
    ),
    (
        Load::Sizes,
        "10 members, 1,000 deliveries a second",
        "bytes of a message",
        "sizes.svg",
    ),
    (
        Load::Rooms,
        "20,000 deliveries a second, 100 bytes",
        "rooms of 4 members",
        "rooms.svg",
    ),
    (
        Load::Idle,
        "10 members, 20,000 deliveries a second, 100 bytes",
        "clients, of which 10 talk",
        "idle.svg",
    ),
];

/// Draws what was measured into a folder.
pub(crate) fn draw(results: &Results, folder: &Path) -> Result<(), String> {
    latency(results).write(&folder.join("latency.svg"))?;
    for (load, title, x, file) in SERIES {
        let of = Measurement::cpu_us_where_held;
        let mut points = results.series(load, Contender::Oneport, of);
        if load == Load::Idle {
            points.iter_mut().for_each(|(idle, _)| *idle += 10.0);
        }
        let plot = Plot {
            title,
            x,
            y: "CPU for each delivery, µs",
            curves: vec![Curve::new(Contender::Oneport, "", points)],
        };
        plot.write(&folder.join(file))?;
    }
    Ok(())
}

/// Latency against load. Where a rate is not held it grows for as long as one measures, and says nothing.
fn latency(results: &Results) -> Plot<'static> {
    let p50 = |m: &Measurement| m.p50_ms().filter(|_| m.is_held());
    let p99 = |m: &Measurement| m.p99_ms().filter(|_| m.is_held());
    let curves = results.contenders.iter().flat_map(|&contender| {
        let median = results.series(Load::Curve, contender, p50);
        let late = results.series(Load::Curve, contender, p99);
        let mut median = Curve::new(contender, " p50", median);
        median.is_dashed = true;
        [Curve::new(contender, " p99", late), median]
    });
    Plot {
        title: "10 members, 100 bytes",
        x: "deliveries a second",
        y: "latency, ms",
        curves: curves.collect(),
    }
}

impl Curve {
    fn new(contender: Contender, what: &str, points: Vec<(f64, Summary)>) -> Self {
        Self {
            name: format!("{contender}{what}"),
            color: color(contender),
            is_dashed: false,
            points,
        }
    }
}

/// Colours that most people can tell apart (Okabe and Ito).
fn color(contender: Contender) -> RGBColor {
    match contender {
        Contender::Oneport => RGBColor(0, 114, 178),
        Contender::Pion => RGBColor(230, 159, 0),
        Contender::Janus => RGBColor(213, 94, 0),
        Contender::Floor => RGBColor(120, 120, 120),
    }
}

impl Plot<'_> {
    /// Writes it, if there is anything to see.
    fn write(mut self, path: &Path) -> Result<(), String> {
        self.curves.retain(|curve| curve.points.len() > 1);
        if self.curves.is_empty() {
            return Ok(());
        }
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        let drawn = self.draw(&area).and_then(|()| area.present());
        drawn.map_err(|error| format!("{}: {error}", path.display()))
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> DrawResult<(), SVGBackend<'_>> {
        area.fill(&WHITE)?;
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let xs = range(points().map(|(x, _)| *x));
        let ys = whole_ticks(&range(points().flat_map(|(_, y)| [y.min, y.max])));
        let (x_ticks, y_ticks) = (ticks(&xs), ticks(&ys));
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 18))
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(
                xs.log_scale().with_key_points(x_ticks),
                ys.log_scale().with_key_points(y_ticks),
            )?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .label_style((FONT, 14))
            .axis_desc_style((FONT, 15))
            .x_label_formatter(&|x| tick(*x))
            .y_label_formatter(&|y| tick(*y))
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        for curve in &self.curves {
            let style = curve.color.stroke_width(2);
            let line = curve.points.iter().map(|(x, y)| (*x, y.median));
            let is_dashed = curve.is_dashed;
            let drawn = if is_dashed {
                chart.draw_series(DashedLineSeries::new(line.clone(), 6, 4, style))?
            } else {
                chart.draw_series(LineSeries::new(line.clone(), style))?
            };
            drawn.label(&curve.name).legend(move |(x, y)| {
                let middle = if is_dashed { x + 8 } else { x + 20 };
                let ends = [(x, y), (middle, y), (x + 12, y), (x + 20, y)];
                let [from, to, again, end] = ends;
                let gap = if is_dashed { vec![again, end] } else { vec![] };
                EmptyElement::at((0, 0))
                    + PathElement::new(vec![from, to], style)
                    + PathElement::new(gap, style)
            });
            chart.draw_series(line.map(|at| Circle::new(at, 3, curve.color.filled())))?;
            chart.draw_series(curve.points.iter().map(|(x, y)| {
                PathElement::new(vec![(*x, y.min), (*x, y.max)], curve.color.stroke_width(1))
            }))?;
        }
        if self.curves.len() == 1 {
            return Ok(());
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .label_font((FONT, 14))
            .draw()
    }
}

/// From a little less than the least to a little more than the most.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let positive = values.filter(|value| *value > 0.0);
    let least = positive.clone().min_by(f64::total_cmp).unwrap_or(1.0);
    let most = positive.max_by(f64::total_cmp).unwrap_or(1.0);
    least / MARGIN..most * MARGIN
}

/// 1, 2, 5 and their tenfolds in a range.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    // A tick is where it should be but for the last bits.
    let (from, to) = (range.start / 1.001, range.end * 1.001);
    let mut ticks = round_values(range);
    ticks.retain(|value| (from..to).contains(value));
    ticks
}

/// From tick to tick, so that there are two at least.
fn whole_ticks(range: &Range<f64>) -> Range<f64> {
    let values = round_values(range);
    let below = values.iter().rfind(|value| **value <= range.start);
    let above = values.iter().find(|value| **value >= range.end);
    *below.unwrap_or(&range.start)..*above.unwrap_or(&range.end)
}

fn round_values(range: &Range<f64>) -> Vec<f64> {
    let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
    decades
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)))
        .collect()
}

fn tick(value: f64) -> String {
    if value < 1.0 {
        // 0.05, not 0.050000000000000003.
        return format!("{}", value as f32);
    }
    thousands(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let range = range([0.06, 30.0, 0.0].into_iter());
        let ticks: Vec<_> = ticks(&range).into_iter().map(tick).collect();
        assert_eq!(
            ticks,
            ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"]
        );
        assert_eq!(tick(50_000.0), "50,000");
        assert_eq!(whole_ticks(&(11.0..12.5)), 10.0..20.0);
    }

    #[test]
    fn a_plot_is_written_where_there_are_points() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plot.svg");
        let summary = |median| Summary {
            median,
            min: median * 0.9,
            max: median * 1.1,
        };
        let plot = |points: Vec<_>| Plot {
            title: "title",
            x: "x",
            y: "y",
            curves: vec![
                Curve::new(Contender::Oneport, " p99", points.clone()),
                Curve {
                    is_dashed: true,
                    ..Curve::new(Contender::Janus, " p50", points)
                },
            ],
        };
        plot(vec![]).write(&path).expect("nothing to do");
        assert!(!path.exists());
        plot(vec![(1.0, summary(2.0)), (10.0, summary(3.0))])
            .write(&path)
            .expect("it is drawn");
        let svg = std::fs::read_to_string(&path).expect("a file");
        assert!(
            svg.starts_with("<svg") && svg.contains("oneport p99"),
            "{svg}"
        );
    }
}
