//! Earlier moments on the live screen of the real binary.

use std::fmt::Write;

use super::{DEMO, Shell};

const CALL: &str = "CA00000000000000000000000000000001";

/// Returns a day with a call of ten minutes. After eight of them, nobody has joined it for a minute.
fn day() -> String {
    let mut day = String::new();
    let mut line = |second: u32, event_type: &str, fields: &str| {
        let (minute, second) = (second / 60, second % 60);
        let _ = writeln!(
            day,
            "{{\"event_type\":\"{event_type}\",\"call_sid\":\"{CALL}\"{fields},\"_tap\":{{\"time\":\
             \"2026-05-05T10:{minute:02}:{second:02}Z\",\"stream\":\"workspace\"}}}}"
        );
    };
    line(0, "call.started", ",\"direction\":\"inbound\"");
    line(300, "operator.status_changed", ",\"operator_id\":\"o1\",\"status\":\"online\"");
    line(420, "call.escalated", ",\"trigger\":\"caller\"");
    line(480, "review.submitted", ",\"action\":\"approve\"");
    line(540, "review.submitted", ",\"action\":\"approve\"");
    line(600, "call.ended", ",\"completion_reason\":\"completed\"");
    day
}

/// Returns the header.
fn header(shell: &Shell) -> String {
    shell.contents().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_cursor_of_a_call_shows_a_replay_as_it_was() {
    let Some(shell) = Shell::open(120, 30) else { return };
    std::fs::write(shell.home.path().join("day.ndjson"), day()).expect("a file is written");
    shell.open_screen("replay day.ndjson --tui");
    shell.wait_for("■ ended");
    // The call has ended, so it does not wait any more.
    shell.send(&["0"]);
    shell.wait_for("nothing needs attention");
    shell.send(&["3", "G", "k"]);
    shell.wait("the past", |shell| header(shell).contains("◀ 10:07:00"));
    shell.send(&["0"]);
    shell.wait_for("on then");
    shell.wait_for("nothing needed attention then");
    // A time between two events, after which nobody joined for a minute.
    shell.line("@10:08:30");
    shell.wait("the badge", |shell| header(shell).contains("▲ 1"));
    shell.wait_for("escalated, nobody joined");
    shell.send(&["2"]);
    shell.wait_for("1 active, 0 ended");
    shell.send(&["3"]);
    shell.wait_for("cursor 8:30 (10:08:30)");
    shell.send(&["End"]);
    shell.wait("the present", |shell| !header(shell).contains(['◀', '▲']));
    shell.send(&["2"]);
    shell.wait_for("0 active, 1 ended");
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn the_cursor_of_a_live_call_shows_an_earlier_moment_until_end() {
    let Some(shell) = Shell::open(120, 30) else { return };
    shell.open_screen(&format!("{DEMO} --auto-observe 3"));
    shell.wait_for("● live");
    shell.send(&["2"]);
    shell.wait("a call", |shell| !shell.contents().contains("no calls yet"));
    shell.wait("some events", |shell| {
        header(shell).contains("k events") || header(shell).contains("1,")
    });
    shell.send(&["3", "g"]);
    shell.wait("the past", |shell| header(shell).contains("◀ "));
    for (key, past) in [("0", "on then"), ("2", " active, "), ("4", "Operators"), ("5", "Events")] {
        shell.send(&[key]);
        shell.wait_for(past);
        assert!(header(&shell).contains("◀ "), "{}", shell.contents());
    }
    shell.send(&["0"]);
    shell.wait_for("on then");
    shell.send(&["End"]);
    shell.wait("the present", |shell| !header(shell).contains('◀'));
    shell.wait_for("on now");
    shell.send(&["q"]);
    shell.wait_for("status 0");
}
