//! The text formats of metrics, and which one a client asks for.

use std::fmt;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// The text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// The Prometheus text format 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl TextFormat {
    /// Returns the media type with its parameters.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Writes the current values of all metrics.
    ///
    /// # Errors
    ///
    /// Fails only if a metric cannot be written in this format.
    pub fn encode(self, registry: &Registry) -> Result<String, fmt::Error> {
        let mut out = String::new();
        match self {
            Self::Prometheus => {
                prometheus_text::encode(&mut out, registry)?;
            }
            Self::OpenMetrics => text::encode(&mut out, registry)?,
        }
        Ok(out)
    }
}

/// The media type of `OpenMetrics`.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// Returns the format for the values of `Accept` (RFC 9110, section 12.5.1): `OpenMetrics` only if it
/// is named, and not with a lower weight than plain text.
pub fn negotiate<'h>(accept: impl Iterator<Item = &'h str>) -> TextFormat {
    let (mut open_metrics, mut plain) = (0, 0);
    for range in accept.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let (mut weight, mut is_known) = (1000, true);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                name if name.eq_ignore_ascii_case("q") => weight = thousandths(value),
                name if name.eq_ignore_ascii_case("version") => {
                    is_known = value == "1.0.0" || value == "0.0.4";
                }
                _ => {}
            }
        }
        if media_type.eq_ignore_ascii_case(OPEN_METRICS) && is_known {
            open_metrics = open_metrics.max(weight);
        } else if media_type.eq_ignore_ascii_case("text/plain") && is_known {
            plain = plain.max(weight);
        }
    }
    if open_metrics > 0 && open_metrics >= plain {
        TextFormat::OpenMetrics
    } else {
        TextFormat::Prometheus
    }
}

/// Reads a weight, such as `0.5`; an invalid one counts as zero.
fn thousandths(weight: &str) -> u16 {
    let weight: f32 = weight.parse().unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000; NaN becomes 0"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_the_default_and_open_metrics_is_served_to_those_who_ask() {
        use TextFormat::{OpenMetrics, Prometheus};
        for (accept, expected) in [
            (&[][..], Prometheus),
            (&["*/*"], Prometheus),
            (&["text/html, image/png;q=0.8, */*;q=0.1"], Prometheus),
            (&["text/plain"], Prometheus),
            (&["text/plain;version=0.0.4"], Prometheus),
            (&["application/openmetrics-text"], OpenMetrics),
            (&["application/openmetrics-text; version=1.0.0; charset=utf-8"], OpenMetrics),
            (&["APPLICATION/OpenMetrics-Text;Version=\"1.0.0\""], OpenMetrics),
            (&["application/openmetrics-text;version=9.9.9"], Prometheus),
            (&["application/openmetrics-text;q=0"], Prometheus),
            (&["application/openmetrics-text;q=x, */*"], Prometheus),
            (&["application/openmetrics-text;q=NaN"], Prometheus),
            (&["application/openmetrics-text;q=0.2, text/plain;q=0.3"], Prometheus),
            (&["text/plain;q=0.3", "application/openmetrics-text;q=0.4"], OpenMetrics),
            // What Prometheus 2.42 sends.
            (
                &[
                    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                ],
                OpenMetrics,
            ),
            // What Prometheus 3 sends.
            (
                &[
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                OpenMetrics,
            ),
        ] {
            assert_eq!(negotiate(accept.iter().copied()), expected, "{accept:?}");
        }
    }
}
