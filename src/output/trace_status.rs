//! Status messages about the spans that `--otlp` exports.

use serde_json::json;

use super::status::{StatusFormat, report, report_json};
use crate::text::units::counted;

/// Reports that the collector of `--otlp` refused spans: as text only the `first` time, as JSON each
/// time.
pub fn refused(format: StatusFormat, why: &str, spans: u64, first: bool) {
    match format {
        StatusFormat::Text | StatusFormat::Inline if first => report(&format!(
            "cannot export {}: {why}; they are not sent again (reported once, and counted)",
            counted(spans, "span")
        )),
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
        StatusFormat::Json => report_json(&json!({
            "status": "export",
            "result": "refused",
            "spans": spans,
            "reason": why,
        })),
    }
}

/// Reports that spans are dropped from now on, because too many wait for the collector.
pub fn dropped(format: StatusFormat) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(
            "cannot keep all spans: too many wait for the collector; further ones are dropped until it takes some \
             (reported once, and counted)",
        ),
        StatusFormat::Json => report_json(&json!({"status": "export", "result": "dropped"})),
    }
}

/// Reports the number of spans that were not sent when the run ended.
pub fn unsent(format: StatusFormat, spans: u64) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(&format!(
            "cannot export {}: the run ended before the collector had taken them; check --otlp",
            counted(spans, "span")
        )),
        StatusFormat::Json => report_json(&json!({
            "status": "export",
            "result": "unsent",
            "spans": spans,
        })),
    }
}

/// Reports the number of events that came after the trace of their call was exported.
pub fn late(format: StatusFormat, events: u64) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(&format!(
            "{} arrived after the trace of the call was exported, and had no effect on it",
            counted(events, "event")
        )),
        StatusFormat::Json => report_json(&json!({
            "status": "export",
            "result": "late",
            "events": events,
        })),
    }
}
