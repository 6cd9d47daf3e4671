//! Snapshots of text output and help. `INSTA_UPDATE=always cargo test --test it snapshots` accepts
//! changes.

use std::sync::Mutex;

use evtap::internals::output::TimeDisplay;
use evtap::internals::output::pretty::{LineFormatter, PrettyLayout};
use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::redact::{Policy, Redactor};
use insta::assert_snapshot;
use jiff::tz::TimeZone;

use crate::decode_redact::frame;
use crate::support::evtap;

/// Frames with hidden fields, free text, ids, drift, malformed data, wide and hostile characters.
const EVENTS: &[(FrameFormat, &str)] = &[
    (
        FrameFormat::Sse,
        r#"{"event_type":"call.started","call_sid":"CA5f0c8d1f1d2e4b7a9c3d5e7f90123456","caller_id":"+12025550123","direction":"inbound","service_id":"0b0d0e0f-1111-4222-8333-444455556666"}"#,
    ),
    (
        FrameFormat::Sse,
        r#"{"event_type":"call.escalated","call_sid":"CA5f0c8d1f1d2e4b7a9c3d5e7f90123456","escalation_id":"0b0d0e0f-1111-4222-8333-444455556666","reason":"Chest pain mentioned; protocol demands a person.","trigger":"ai"}"#,
    ),
    (
        FrameFormat::Sse,
        r#"{"event_type":"call.ended","call_sid":"CA5f0c8d1f1d2e4b7a9c3d5e7f90123456","completion_reason":"abducted","direction":"inbound","duration_seconds":61.50,"weather":"fine"}"#,
    ),
    (
        FrameFormat::Sse,
        r#"{"event_type":"workspace.member_role_updated","entity_id":null,"previous_role":"viewer","role":"admin"}"#,
    ),
    (
        FrameFormat::Sse,
        r#"{"event_type":"pipeline.error","data_source_id":"d","error":"行 1184 に患者番号がありません。担当者に連絡してください。もう一度。"}"#,
    ),
    (
        FrameFormat::Sse,
        "{\"event_type\":\"trigger.failed\",\"trigger_name\":\"re\u{202e}minder\\u001b[31m\",\"status\":\"failed\"}",
    ),
    (
        FrameFormat::Observer,
        r#"{"type":"user_transcript","data":{"transcript":"I am Jane Roe.","speaker_role":"caller","state":"intake"}}"#,
    ),
    (
        FrameFormat::Observer,
        r#"{"type":"tool_call_completed","tool_name":"find_patient","output":{"name":"Jane"},"succeeded":true,"duration_ms":775.5}"#,
    ),
    (FrameFormat::Observer, r#"{"type":"brand_new","anything":"at all"}"#),
    (FrameFormat::Observer, r#"{"type":"user_transcript","transcript":"I am Ja"#),
];

/// Serialises tests that switch colours, which is a setting of the whole process.
pub static COLOURS: Mutex<()> = Mutex::new(());

fn pretty(width: Option<usize>, coloured: bool) -> String {
    let _guard = COLOURS.lock().expect("no test has failed with it");
    colored::control::set_override(coloured);
    let layout = PrettyLayout {
        cut: width.is_some(),
        times: TimeDisplay::Day(TimeZone::UTC),
        workspaces: false,
        columns: None,
        grep: None,
    };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let mut formatter = LineFormatter::new(layout);
    let mut text = Vec::new();
    for (index, (format, data)) in EVENTS.iter().enumerate() {
        let mut frame = frame(*format, None, data.as_bytes());
        frame.id = Some((1_777_000_000_000 + 333 * index).to_string().into());
        let shown = redactor.redact(&decoder.decode(frame.as_frame()));
        formatter.push_line(&shown, None, width, &mut text);
        text.push(b'\n');
    }
    String::from_utf8(text).expect("UTF-8")
}

/// Returns the number of columns that a terminal needs for a line.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|character| unicode_width::UnicodeWidthChar::width(character).unwrap_or(0))
        .sum()
}

#[test]
fn a_long_line_keeps_the_call() {
    for width in 80..250 {
        let text = pretty(Some(width), false);
        for line in text.lines().filter(|line| line.contains(" call.e")) {
            assert!(line.contains(" call_sid=CA5f0c8d1f"), "{width}: {line}");
            assert!(!line.contains("……"), "{width}: {line}");
        }
    }
}

#[test]
fn pretty_at_80_columns() {
    assert_snapshot!(pretty(Some(80), false));
}

#[test]
fn pretty_at_200_columns() {
    assert_snapshot!(pretty(Some(200), false));
}

#[test]
fn pretty_in_colour() {
    assert_snapshot!(pretty(Some(110), true).replace('\u{1b}', "␛"));
}

#[test]
fn pretty_uncut() {
    assert_snapshot!(pretty(None, false));
}

#[test]
fn no_line_is_wider_than_the_terminal_or_cut_without_a_mark() {
    let whole = pretty(None, false);
    for width in 1..300 {
        for (line, whole) in pretty(Some(width), false).lines().zip(whole.lines()) {
            assert!(columns(line) <= width, "{line} is wider than {width}");
            assert!(line.contains('…') || width < 100 || line == whole, "{line} is cut at {width}");
        }
    }
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a regex");
    assert_eq!(colours.replace_all(&pretty(Some(120), true), ""), pretty(Some(120), false));
}

#[tokio::test]
async fn the_list_of_events() {
    assert_snapshot!(evtap("schema").run().await.ended(0));
}

#[tokio::test]
async fn one_event() {
    assert_snapshot!(evtap("schema call.ended").run().await.ended(0));
}

#[tokio::test]
async fn help() {
    for command in [
        "", "watch", "observe", "replay", "stats", "timeline", "serve", "schema", "frames",
        "config", "doctor",
    ] {
        let name = format!("help_{}", if command.is_empty() { "evtap" } else { command });
        assert_snapshot!(name, evtap(&format!("{command} --help")).run().await.ended(0));
    }
}
