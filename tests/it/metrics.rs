//! `--metrics-listen`: the metrics are right, Prometheus reads them, and they show nothing hidden.

mod labels;
mod prometheus;
mod reference;
mod server;

use std::collections::BTreeMap;

use evtap::emulator::{self, DEMO_WORKSPACE};
use serde_json::json;

use crate::support::{
    Evtap, Running, STREAM, curl, endpoint, evtap, observe, scripted, status, watch,
};

/// The option, with a free port.
const LISTEN: &str = "--metrics-listen 127.0.0.1:0";

/// Metrics by name and labels, as in the text format.
type Samples = BTreeMap<String, f64>;

/// Reads the text format of Prometheus. The names of labels are in the order of the text.
fn samples(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

/// Starts evtap, and returns it with the base URL of its metrics.
async fn start(run: Evtap) -> (Running, String) {
    let mut run = run.start();
    let mut line = run.status_line().await;
    if line.starts_with("evtap: hidden fields are shown") {
        line = run.status_line().await;
    }
    let url = line.strip_prefix("evtap: serving metrics at ");
    let url = url.unwrap_or_else(|| panic!("no URL of metrics: {line}"));
    let base = url.trim_end().strip_suffix("/metrics").expect("the path of the metrics");
    (run, base.to_owned())
}

/// Returns what a scrape of the metrics at `base` receives.
async fn scrape(base: &str) -> Samples {
    let (head, body) = curl(base, "/metrics", "", |_| false).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    samples(&body)
}

/// Scrapes until the samples are as wanted.
async fn scrape_until(base: &str, is_wanted: impl Fn(&Samples) -> bool) -> Samples {
    loop {
        let samples = scrape(base).await;
        if is_wanted(&samples) {
            return samples;
        }
        tokio::task::yield_now().await;
    }
}

/// Asserts the values of samples.
#[track_caller]
fn assert_samples(samples: &Samples, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        assert_eq!(samples.get(*name), Some(value), "{name}");
    }
}

/// Builds the frames of a stream, in order. The time of the first is `1795932465001`.
fn frames(events: &[serde_json::Value]) -> String {
    let frame = |(at, event)| format!("id: {}\ndata: {event}\n\n", 1_795_932_465_001_u64 + at);
    (0..).zip(events).map(frame).collect()
}

/// Reads lines until the last of these events was written.
async fn read_lines(run: &mut Running, count: usize) {
    for _ in 0..count {
        run.line().await;
    }
}

#[tokio::test]
async fn events_of_a_workspace_are_counted_once_whether_they_are_shown_or_not() {
    let calls = json!([
        {"event_type": "call.started", "call_sid": "CA1", "caller_id": "+1 303 555 0161"},
        {"event_type": "call.started", "call_sid": "CA2", "caller_id": null},
        {"event_type": "call.started", "call_sid": "CA3", "caller_id": null},
        {"event_type": "call.escalated", "call_sid": "CA2", "trigger": "caller"},
        {"event_type": "call.escalated", "call_sid": "CA2", "trigger": "Jane Roe"},
        {"event_type": "call.ended", "call_sid": "CA1", "completion_reason": "completed", "duration_seconds": 61.5},
        {"event_type": "call.ended", "call_sid": "CA1", "completion_reason": "completed", "duration_seconds": 61.5},
        {"event_type": "call.ended", "call_sid": "CA9", "completion_reason": "brand_new", "duration_seconds": -1},
        {"event_type": "brand.new", "call_sid": "CA9"},
        {"event_type": "text.started"},
    ]);
    let calls = calls.as_array().expect("events");
    let body = frames(calls) + "data: no JSON\n\n";
    let base = scripted([format!("{STREAM}{body}").into_bytes()]).await;
    let (mut run, metrics) = start(watch(&base, &format!("{LISTEN} -e text.* -e tap.*"))).await;
    read_lines(&mut run, 2).await;
    let samples = scrape(&metrics).await;
    assert_samples(
        &samples,
        &[
            ("evtap_events_total{event_type=\"call.started\"}", 3.0),
            ("evtap_events_total{event_type=\"call.ended\"}", 3.0),
            ("evtap_events_total{event_type=\"call.escalated\"}", 2.0),
            ("evtap_events_total{event_type=\"text.started\"}", 1.0),
            ("evtap_events_total{event_type=\"surface.created\"}", 0.0),
            ("evtap_events_total{event_type=\"other\"}", 1.0),
            ("evtap_filtered_events_total", 9.0),
            ("evtap_malformed_frames_total{category=\"not_json\"}", 1.0),
            ("evtap_calls_total{outcome=\"completed\"}", 1.0),
            ("evtap_calls_total{outcome=\"other\"}", 1.0),
            ("evtap_active_calls", 2.0),
            ("evtap_escalations_total{trigger=\"caller\"}", 1.0),
            ("evtap_escalations_total{trigger=\"other\"}", 1.0),
            ("evtap_call_duration_seconds_count", 1.0),
            ("evtap_call_duration_seconds_sum", 61.5),
            ("evtap_call_duration_seconds_bucket{le=\"60\"}", 0.0),
            ("evtap_call_duration_seconds_bucket{le=\"120\"}", 1.0),
            ("evtap_drift_total{kind=\"unknown_event\"}", 1.0),
            ("evtap_drift_total{kind=\"unknown_value\"}", 2.0),
            ("evtap_streams{stream=\"workspace\",state=\"connected\"}", 1.0),
            ("evtap_streams{stream=\"observer\",state=\"connected\"}", 0.0),
            (
                "evtap_received_bytes_total{stream=\"workspace\"}",
                f64::from(u32::try_from(body.len()).expect("small")),
            ),
            ("evtap_reconnects_total{stream=\"workspace\"}", 0.0),
        ],
    );
    assert!(samples["evtap_redacted_fields_total"] >= 1.0);
    assert!(samples["evtap_behind_seconds"] > 0.0, "the events are in the past");
    assert!(
        !samples
            .contains_key("evtap_deliveries_total{destination=\"endpoint\",result=\"delivered\"}")
    );
}

#[tokio::test]
async fn a_call_that_both_streams_report_counts_once_and_durations_are_in_seconds() {
    let sid = "CA00000000000000000000000000000007";
    let observed = json!([
        {"event_type": "session_info", "call_sid": sid},
        {"event_type": "session_start", "call_sid": sid},
        {"event_type": "latency", "e2e_ttfb_ms": 1500.0, "engine_ms": 900.0, "nav_ms": 300.0, "render_ms": 400.0, "audio_ttfb_ms": "INFINITE"},
        {"event_type": "latency", "e2e_ttfb_ms": 500.0, "engine_ms": -1.0, "nav_ms": "300", "render_ms": 400.0},
        {"event_type": "tool_call_completed", "tool_name": "find_patient", "call_id": "1", "duration_ms": 250.0},
        {"event_type": "tool_call_completed", "tool_name": "find patient Jane Roe", "call_id": "2", "duration_ms": 750.0},
        {"event_type": "tool_call_completed", "tool_name": "book_slot", "call_id": "3", "duration_ms": null},
        {"event_type": "session_end", "call_sid": sid, "completion_reason": "escalated", "duration_s": 42.0},
        {"event_type": "call.ended", "call_sid": sid, "completion_reason": "escalated", "duration_seconds": 42.5},
        {"event_type": "call.started", "call_sid": sid},
    ]);
    let observed = observed.as_array().expect("events");
    let body = frames(observed).replace("\"INFINITE\"", "1e999");
    let base = scripted([format!("{STREAM}{body}").into_bytes()]).await;
    let (mut run, metrics) = start(watch(&base, LISTEN)).await;
    read_lines(&mut run, observed.len()).await;
    let samples = scrape(&metrics).await;
    assert_samples(
        &samples,
        &[
            ("evtap_calls_total{outcome=\"escalated\"}", 1.0),
            ("evtap_active_calls", 0.0),
            ("evtap_call_duration_seconds_sum", 42.0),
            ("evtap_first_audio_seconds_sum", 2.0),
            ("evtap_first_audio_seconds_count", 2.0),
            ("evtap_engine_seconds_sum", 0.9),
            ("evtap_engine_seconds_count", 1.0),
            ("evtap_navigation_seconds_sum", 0.3),
            ("evtap_navigation_seconds_count", 1.0),
            ("evtap_render_seconds_count", 2.0),
            ("evtap_speech_seconds_count", 0.0),
            ("evtap_tool_duration_seconds_sum{tool=\"find_patient\"}", 0.25),
            ("evtap_tool_duration_seconds_sum{tool=\"other\"}", 0.75),
            ("evtap_tool_duration_seconds_count{tool=\"book_slot\"}", 0.0),
        ],
    );
}

#[tokio::test]
async fn gaps_and_reconnects_are_counted() {
    let body = |id: u64| format!("{STREAM}id: {id}\ndata: {{\"event_type\":\"text.started\"}}\n\n");
    // The second connection begins later than requested, which is a gap.
    let now = jiff::Timestamp::now().as_millisecond();
    let now = u64::try_from(now).expect("after 1970");
    let base = scripted([now, now + 60_000].map(|id| body(id).into_bytes())).await;
    let (mut run, metrics) = start(watch(&base, LISTEN)).await;
    read_lines(&mut run, 3).await;
    let samples = scrape(&metrics).await;
    assert_samples(
        &samples,
        &[
            ("evtap_gaps_total{reason=\"replay_late\",certain=\"false\"}", 1.0),
            ("evtap_gaps_total{reason=\"replay_late\",certain=\"true\"}", 0.0),
            ("evtap_events_total{event_type=\"text.started\"}", 2.0),
            ("evtap_reconnects_total{stream=\"workspace\"}", 1.0),
            ("evtap_behind_seconds", 0.0),
        ],
    );
}

#[tokio::test]
async fn results_of_forwarding_are_counted_while_the_run_goes_on() {
    let (url, _) = endpoint(|number| status([200, 503, 200, 422][number.min(3)], "")).await;
    let events = json!([{"event_type": "text.started"}, {"event_type": "text.started"}, {"event_type": "text.started"}]);
    let body = frames(events.as_array().expect("events"));
    let base = scripted([format!("{STREAM}{body}").into_bytes()]).await;
    let (_run, metrics) = start(watch(&base, &format!("{LISTEN} --forward {url}"))).await;
    let refused = "evtap_deliveries_total{destination=\"endpoint\",result=\"refused\"}";
    let samples = scrape_until(&metrics, |samples| samples[refused] > 0.0).await;
    let delivered = "evtap_deliveries_total{destination=\"endpoint\",result=\"delivered\"}";
    let retries = "evtap_delivery_retries_total{destination=\"endpoint\"}";
    assert_samples(&samples, &[(delivered, 2.0), (retries, 1.0)]);
}

#[tokio::test]
async fn alerts_are_counted_by_rule_and_state() {
    let base = crate::support::emulator(crate::support::fast()).await;
    let rules = "[rule.many-calls]\nwhen = '.event_type == \"call.started\"'\ncount = 1\n\
                 within = \"1h\"\n[rule.never]\nwhen = '.event_type == \"call.started\"'\n\
                 count = 60000\nwithin = \"1ms\"\n";
    for line in ["alert", "watch -e tap.*"] {
        let line = format!("{line} -w {DEMO_WORKSPACE} --rules rules.toml {LISTEN}");
        let (mut run, metrics) = start(evtap(&line).at(&base).file("rules.toml", rules)).await;
        assert!(run.line().await.contains("\"state\":\"raised\""));
        let samples = scrape(&metrics).await;
        assert_samples(
            &samples,
            &[
                ("evtap_alerts_total{rule=\"many-calls\",state=\"raised\"}", 1.0),
                ("evtap_alerts_total{rule=\"many-calls\",state=\"unknown\"}", 0.0),
                ("evtap_alerts_total{rule=\"never\",state=\"raised\"}", 0.0),
            ],
        );
        assert!(samples["evtap_events_total{event_type=\"call.started\"}"] > 0.0);
    }
}

#[tokio::test]
async fn spans_are_counted_by_what_became_of_them() {
    let sid = "CA00000000000000000000000000000007";
    let events = json!([
        {"event_type": "session_start", "call_sid": sid},
        {"event_type": "session_end", "call_sid": sid, "completion_reason": "completed", "duration_s": 42.0},
        {"event_type": "call.ended", "call_sid": sid, "completion_reason": "completed"},
    ]);
    let body = frames(events.as_array().expect("events"));
    let base = scripted([format!("{STREAM}{body}").into_bytes()]).await;
    let (url, _) = endpoint(|number| status([503, 400][number.min(1)], "")).await;
    let options = format!("{LISTEN} --auto-observe 1 --otlp {url}");
    let (_run, metrics) = start(watch(&base, &options)).await;
    let refused = "evtap_spans_total{result=\"refused\"}";
    let samples = scrape_until(&metrics, |samples| samples[refused] > 0.0).await;
    assert_samples(
        &samples,
        &[
            ("evtap_spans_total{result=\"exported\"}", 0.0),
            ("evtap_spans_total{result=\"dropped\"}", 0.0),
            ("evtap_delivery_retries_total{destination=\"collector\"}", 1.0),
        ],
    );
    let deliveries = samples.keys().any(|name| name.starts_with("evtap_deliveries_total"));
    assert!(!deliveries, "spans are no events");
}

#[tokio::test]
async fn every_live_command_serves_metrics() {
    let base =
        crate::support::emulator(emulator::Options { rate: 5.0, ..Default::default() }).await;
    let events = |samples: &Samples| {
        let events = samples.iter().filter(|(name, _)| name.starts_with("evtap_events_total"));
        events.map(|(_, value)| value).sum::<f64>()
    };
    for line in [
        format!("stats -w {DEMO_WORKSPACE}"),
        format!("alert --builtin -w {DEMO_WORKSPACE}"),
        format!("expect -w {DEMO_WORKSPACE} --then .event_type==\"tap.malformed\""),
        format!("timeline {} -w {DEMO_WORKSPACE}", emulator::DEMO_CALL),
    ] {
        let (_run, metrics) = start(evtap(&format!("{line} {LISTEN}")).at(&base)).await;
        scrape_until(&metrics, |samples| events(samples) > 0.0).await;
    }
    for run in [watch(&base, LISTEN), observe(&base, LISTEN)] {
        let (_run, metrics) = start(run).await;
        scrape_until(&metrics, |samples| events(samples) > 0.0).await;
    }
}
