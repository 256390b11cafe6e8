//! The two text formats of `/metrics`, and which one a client gets.

use std::fmt::Write;

/// A format of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operator) enum Format {
    /// Prometheus' text format 0.0.4, which every scraper reads.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The format for a request with this `Accept` header (RFC 9110 section 12.5.1): the one with the higher
    /// quality, then the one that is named more precisely, then the one that is named first. A client that
    /// names neither gets the text format, also one that excludes it: a scraper that sends a wrong header can
    /// read that rather than an error.
    pub(in crate::operator) fn of(accept: Option<&str>) -> Self {
        let ranges: Vec<_> = accept.unwrap_or("*/*").split(',').collect();
        let text = Self::Text.preference(&ranges);
        let open_metrics = Self::OpenMetrics.preference(&ranges);
        match open_metrics > text {
            true => Self::OpenMetrics,
            false => Self::Text,
        }
    }

    /// The media type.
    pub(in crate::operator) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The type, the subtype and the versions that mean this format.
    fn names(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Text => ("text", "plain", &["0.0.4"]),
            // Prometheus asks for the draft 0.0.1 as well, and reads the final version as that.
            Self::OpenMetrics => ("application", "openmetrics-text", &["1.0.0", "0.0.1"]),
        }
    }

    /// The quality of the most precise range that matches; `None` if there is none, or if it excludes the
    /// format. A greater value is preferred.
    fn preference(self, ranges: &[&str]) -> Option<Preference> {
        let matching = ranges.iter().enumerate().filter_map(|(at, range)| {
            let (precision, quality) = self.matches(range)?;
            Some((precision, quality, usize::MAX - at))
        });
        let (precision, quality, earliness) = matching.max()?;
        let preference = Preference {
            quality,
            precision,
            earliness,
        };
        (quality > 0).then_some(preference)
    }

    /// How precisely a range names this format, and its quality in thousandths.
    fn matches(self, range: &str) -> Option<(u8, u16)> {
        let mut parts = range.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let (own_kind, own_subtype, versions) = self.names();
        let mut precision = match (kind, subtype) {
            ("*", "*") => 0,
            (kind, "*") if kind.eq_ignore_ascii_case(own_kind) => 1,
            (kind, subtype)
                if kind.eq_ignore_ascii_case(own_kind)
                    && subtype.eq_ignore_ascii_case(own_subtype) =>
            {
                2
            }
            _ => return None,
        };
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = parse_quality(value)?,
                "version" if versions.contains(&value) => precision = 3,
                "version" => return None,
                // The character set and the escaping of names do not matter to what is ASCII only.
                _ => {}
            }
        }
        Some((precision, quality))
    }
}

/// In the order in which its fields count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    quality: u16,
    precision: u8,
    earliness: usize,
}

/// A quality in thousandths (RFC 9110 section 12.4.2).
fn parse_quality(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" if is_fraction => Some(thousandths),
        "1" if is_fraction && thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// Translates OpenMetrics, as prometheus-client writes it, into the text format. Samples are the same in both;
/// a counter's family has the name of its samples here, an info is a gauge, and there are neither units nor an
/// end mark.
pub(super) fn text_of(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(name_and_help) = line.strip_prefix("# HELP ") {
            help = name_and_help.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name}{suffix} {help}");
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_which_format() {
        use Format::{OpenMetrics, Text};
        // As Prometheus 2.42 and 3.5 send it.
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(Format::of(None), Text);
        for (accept, format) in [
            (prometheus_2, OpenMetrics),
            (prometheus_3, OpenMetrics),
            (browser, Text),
            ("", Text),
            ("*/*", Text),
            ("text/*", Text),
            ("text/plain", Text),
            ("text/plain;version=0.0.4", Text),
            ("application/*", OpenMetrics),
            ("application/openmetrics-text", OpenMetrics),
            (
                "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
                OpenMetrics,
            ),
            ("application/openmetrics-text;version=0.0.1", OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Text),
            ("application/openmetrics-text, */*", OpenMetrics),
            ("*/*, application/openmetrics-text", OpenMetrics),
            ("*/*;q=0.5, application/openmetrics-text;q=0.4", Text),
            (
                "text/plain;q=0.5, application/openmetrics-text;q=0.501",
                OpenMetrics,
            ),
            (
                "text/plain;q=0.5, application/openmetrics-text;q=0.499",
                Text,
            ),
            ("text/plain, application/openmetrics-text", Text),
            ("application/openmetrics-text, text/plain", OpenMetrics),
            ("application/openmetrics-text;q=0", Text),
            ("application/openmetrics-text;q=0, */*", Text),
            ("text/plain;q=0, */*", OpenMetrics),
            (
                "text/plain;version=0.0.4;q=0.2, text/plain, application/openmetrics-text;q=0.3",
                OpenMetrics,
            ),
            ("application/openmetrics-text;q=2", Text),
            ("application/openmetrics-text;q=1.001", Text),
            ("application/openmetrics-text;q=", Text),
            ("application/openmetrics-text;q=-1", Text),
            ("application/json", Text),
            ("application/openmetrics-text-2", Text),
            (",;,/,;q=1", Text),
        ] {
            assert_eq!(Format::of(Some(accept)), format, "{accept}");
        }
    }

    #[test]
    fn families_have_the_names_of_their_samples() {
        let open_metrics = "# HELP a Some.\n# TYPE a counter\na_total 1\n\
            # HELP b_bytes More of it.\n# TYPE b_bytes counter\n# UNIT b_bytes bytes\nb_bytes_total{c=\"d\"} 2\n\
            # HELP e Words.\n# TYPE e info\ne_info{f=\"g\"} 1\n# HELP h H.\n# TYPE h unknown\nh 3\n\
            # HELP i I.\n# TYPE i histogram\ni_bucket{le=\"+Inf\"} 4\n# EOF\n";
        let text = "# HELP a_total Some.\n# TYPE a_total counter\na_total 1\n\
            # HELP b_bytes_total More of it.\n# TYPE b_bytes_total counter\nb_bytes_total{c=\"d\"} 2\n\
            # HELP e_info Words.\n# TYPE e_info gauge\ne_info{f=\"g\"} 1\n# HELP h H.\n# TYPE h untyped\nh 3\n\
            # HELP i I.\n# TYPE i histogram\ni_bucket{le=\"+Inf\"} 4\n";
        assert_eq!(text_of(open_metrics), text);
    }
}
