//! What needs attention, on the live screen of the real binary.

use super::{DEMO, Shell};

const CALL: &str = "CA00000000000000000000000000000001";
const SOURCE: &str = "f66d22c1-8495-453b-812a-4de2c53d7454";

/// Returns an event line, `second` seconds after the start of the day.
fn line(second: u32, event_type: &str, fields: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        "{{\"event_type\":\"{event_type}\",{fields},\"_tap\":{{\"time\":\"2026-05-05T10:{minute:02}:{second:02}Z\",\"stream\":\"workspace\"}}}}\n"
    )
}

/// Returns a day on which nobody joins an escalated call, and a pipeline stops.
fn day() -> String {
    let call = format!("\"call_sid\":\"{CALL}\"");
    let sync = format!("\"data_source_id\":\"{SOURCE}\",\"duration_ms\":1,\"event_count\":1");
    let mut day = line(0, "call.started", &call);
    for second in [10, 20, 30, 40] {
        day += &line(second, "pipeline.sync_completed", &sync);
    }
    let why = format!("{call},\"reason\":\"call 303-555-0161\",\"trigger\":\"caller\"");
    day += &line(50, "call.escalated", &why);
    day + &line(140, "review.submitted", "\"action\":\"approve\"")
}

#[test]
fn the_screen_says_what_needs_attention_and_opens_it() {
    let Some(shell) = Shell::open(100, 30) else { return };
    std::fs::write(shell.home.path().join("day.ndjson"), day()).expect("a file is written");
    shell.open_screen("replay day.ndjson --tui -e 'review.*'");
    shell.wait_for("▲ 2");
    shell.send(&["!"]);
    shell.wait_for("escalated, nobody joined");
    let seen = shell.contents();
    assert!(seen.contains("f66d22c1…") && !seen.contains("555"), "{seen}");
    shell.send(&["a"]);
    shell.wait_for("▲ 1");
    shell.send(&["q"]);
    shell.wait_for("status 0");
    shell.line("clear");
    shell.open_screen("replay day.ndjson --tui");
    shell.wait_for("▲ 2");
    shell.send(&["!", "Enter"]);
    shell.wait_for("ESCALATED");
    shell.send(&["!", "Enter"]);
    shell.wait_for("Pipelines  1");
    shell.send(&["Escape"]);
    shell.wait_for("usually every 10s");
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn rules_of_the_user_are_applied_to_a_replay() {
    let Some(shell) = Shell::open(100, 30) else { return };
    let rule = "[rule.many-syncs]\nwhen = '.event_type == \"pipeline.sync_completed\"'\n\
        count = 2\nwithin = \"5m\"\n";
    std::fs::write(shell.home.path().join("rules.toml"), rule).expect("a file is written");
    std::fs::write(shell.home.path().join("day.ndjson"), day()).expect("a file is written");
    shell.open_screen("replay day.ndjson --tui --rules rules.toml");
    shell.wait_for("■ ended");
    shell.send(&["0"]);
    shell.wait_for("many-syncs");
    shell.send(&["1"]);
    shell.wait_for("tap.alert");
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn a_workspace_opens_with_what_needs_attention_and_alerts_are_no_events() {
    let Some(shell) = Shell::open(100, 30) else { return };
    shell.open_screen(&format!("{DEMO} --bell -n 500 --record day.ndjson"));
    shell.wait_for("Attention");
    shell.wait_for("Operators");
    shell.wait_for("■ ended");
    shell.send(&["q"]);
    shell.wait_for("status 0");
    let recorded =
        std::fs::read_to_string(shell.home.path().join("day.ndjson")).expect("it was recorded");
    assert_eq!(recorded.lines().count(), 500);
    assert!(!recorded.contains("tap.alert"), "the rules of the screen add no events");
}
