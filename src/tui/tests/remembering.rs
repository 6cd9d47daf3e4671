//! Tests of what the screen remembers until the next time.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crossterm::event::KeyCode;
use serde_json::{Value, json};

use super::{at, feed, press, press_key, screen, screen_with_events, send_day, text};
use crate::tui::bookmarks::MAX_ABSENT;
use crate::tui::saved_state::SavedState;
use crate::tui::screen::Screen;
use crate::tui::state::modes::TimeMode;
use crate::tui::state::prompt::Purpose;
use crate::tui::state::{Effect, State};
use crate::tui::state_file::{MAX_BYTES, StateFile};
use crate::tui::style::ThemeName;

const WORKSPACE: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

/// Sends an event with an id.
fn feed_with_id(state: &mut State, second: i64, tool: &str) {
    let id = at(second).as_millisecond().to_string();
    let tap = json!({"id": id, "workspace_id": WORKSPACE});
    feed(
        state,
        second,
        json!({"event_type": "tool_call_completed", "tool_name": tool, "call_id": "c", "succeeded": true, "_tap": tap}),
    );
}

/// Opens a screen that remembers in that directory.
fn open(home: &Path) -> (State, StateFile) {
    let mut state = screen((120, 30));
    let file = StateFile::open(home.join("evtap/screen.json"), &mut state);
    (state, file)
}

fn saved(home: &Path) -> String {
    fs::read_to_string(home.join("evtap/screen.json")).expect("it was saved")
}

#[test]
fn layout_columns_filter_and_typed_lines_survive() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    assert!(state.notice.is_none(), "no file is no problem");
    feed_with_id(&mut state, 1, "find");
    press(&mut state, "twz:columns tool_name,succeeded\n:theme mono\n");
    press(&mut state, "\n>>\u{1b}/tool|call\nftool_call*\n5>>2>\n1");
    file.save(&state).expect("it is saved");

    let (mut state, _) = open(home.path());
    assert_eq!((state.time_mode, state.wrap, state.fold), (TimeMode::Utc, true, false));
    assert_eq!(state.detail_percent, 60);
    assert_eq!(state.config.theme.name, ThemeName::Mono);
    assert_eq!(
        state.columns.as_ref().expect("columns").names(),
        ["tool_name".to_owned(), "succeeded".to_owned()]
    );
    assert_eq!(state.applied_filter().expect("a filter").source, "tool_call*");
    assert!(text(&state).contains("the filter of the last session is on; F turns it off"));
    assert!(!state.lists[Screen::Stats.index()].orders.is_empty());
    press(&mut state, "/");
    press_key(&mut state, KeyCode::Up);
    assert!(text(&state).contains("/ tool|call"), "{}", text(&state));
    press(&mut state, "\u{1b}:");
    press_key(&mut state, KeyCode::Up);
    press_key(&mut state, KeyCode::Up);
    assert!(text(&state).contains(": columns tool_name,succeeded"), "{}", text(&state));
}

#[test]
fn a_chosen_theme_gives_way_to_that_of_the_configuration() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    press(&mut state, ":theme soft\n");
    file.save(&state).expect("it is saved");
    let mut state = screen((80, 24));
    state.config.theme.name = ThemeName::Dark;
    state.config.configured_theme = ThemeName::Dark;
    let _file = StateFile::open(home.path().join("evtap/screen.json"), &mut state);
    assert_eq!(state.config.theme.name, ThemeName::Dark);
}

#[test]
fn marks_and_notes_return_when_their_events_arrive_again() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    for tool in ["first", "second", "third"] {
        feed_with_id(&mut state, 1, tool);
    }
    feed_with_id(&mut state, 2, "fourth");
    press(&mut state, "gjmGMask again\n");
    assert_eq!(state.marks.iter().copied().collect::<Vec<_>>(), [1, 3]);
    file.save(&state).expect("it is saved");
    assert!(!saved(home.path()).contains("second"), "no event data");

    let (mut state, file) = open(home.path());
    feed_with_id(&mut state, 0, "earlier");
    for tool in ["first", "second", "third"] {
        feed_with_id(&mut state, 1, tool);
    }
    assert_eq!(
        state.marks.iter().copied().collect::<Vec<_>>(),
        [2],
        "the second of its millisecond"
    );
    press(&mut state, "'");
    let seen = text(&state);
    assert!(seen.contains("Marks") && seen.contains("not here"), "{seen}");
    assert!(seen.contains("ask again"), "{seen}");
    press(&mut state, "\u{1b}");
    // What has not arrived is kept as well.
    file.save(&state).expect("it is saved");
    let (mut state, file) = open(home.path());
    feed_with_id(&mut state, 2, "fourth");
    assert_eq!(state.bookmarks.note(0), Some("ask again"));
    // A removed mark does not return.
    press(&mut state, "m");
    file.save(&state).expect("it is saved");
    let (mut state, _) = open(home.path());
    feed_with_id(&mut state, 2, "fourth");
    assert!(state.marks.is_empty());
}

#[test]
fn the_list_of_marks_goes_to_events_and_removes_marks() {
    let mut state = screen_with_events(40);
    press(&mut state, "'");
    assert!(state.mark_list.is_none() && text(&state).contains("press m to mark one"));
    press(&mut state, "gjmjjMlook here\nG");
    press(&mut state, "'");
    let seen = text(&state);
    assert!(seen.contains("◆") && seen.contains("look here"), "{seen}");
    press(&mut state, "k\n");
    assert_eq!((state.selected, state.follow), (1, false));
    press(&mut state, "M");
    assert!(text(&state).contains(": mark"), "the note can be edited");
    press(&mut state, "\u{1b}'jm");
    assert_eq!(state.marks.iter().copied().collect::<Vec<_>>(), [1], "{}", text(&state));
    press(&mut state, "m");
    assert!(state.mark_list.is_none() && state.marks.is_empty());
    // A filter must not hide the event that one goes to.
    press(&mut state, "gm:filter tool_7\n");
    press(&mut state, "'\n");
    assert_eq!((state.selected, state.filter_enabled), (0, false));
    assert!(text(&state).contains("the filter is off"), "{}", text(&state));
}

#[test]
fn the_list_of_marks_is_filtered_in_place() {
    let mut state = screen_with_events(40);
    press(&mut state, "gMfirst\njMSecond\njMthird\n'/s");
    let seen = text(&state);
    assert!(seen.contains("first") && seen.contains("Second"), "while it is typed: {seen}");
    press(&mut state, "e\n");
    let seen = text(&state);
    assert!(seen.contains("Marks with se") && seen.contains("Second"), "{seen}");
    assert!(!seen.contains("first") && !seen.contains("third"), "{seen}");
    press(&mut state, "m");
    assert_eq!(state.marks.iter().copied().collect::<Vec<_>>(), [0, 2], "{}", text(&state));
    press(&mut state, "\u{1b}");
    assert!(text(&state).contains("first") && text(&state).contains("third"));
    press(&mut state, "/thi\n\n");
    assert_eq!((state.selected, state.mark_list), (2, None));
    press(&mut state, "'");
    assert!(text(&state).contains("first"), "the filter is gone: {}", text(&state));
}

#[test]
fn marked_events_are_saved_and_the_list_is_not() {
    let mut state = screen_with_events(10);
    press(&mut state, ":save marks kept.ndjson\n");
    assert!(state.effects.is_empty() && text(&state).contains("no event is marked"));
    press(&mut state, "gmjjm:save marks kept.ndjson\n");
    assert_eq!(state.effects.pop(), Some(Effect::SaveMarks("kept.ndjson".into())));
    let lines = state.marked_lines();
    assert!(lines.len() == 2 && lines[1].contains("tool_2"), "{lines:?}");
}

#[test]
fn the_layout_goes_from_the_list_to_the_detail_and_back() {
    let mut state = screen_with_events(10);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let detail = state.detail.as_ref().map(|detail| detail.focused);
        seen.push((detail, state.detail_percent));
        press(&mut state, "L");
    }
    assert_eq!(seen, [(None, 50), (Some(false), 50), (Some(true), 80), (None, 50)]);
}

/// A filter from a value of an event, a search for a name, and a note with a number.
#[test]
fn nothing_that_may_come_from_an_event_is_written() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    send_day(&mut state);
    feed_with_id(&mut state, 40, "find_patient");
    press(&mut state, "/refill\n/moment\nn");
    // Each line of the detail of each event as a filter.
    for place in 0..state.rows().len() {
        press(&mut state, &format!("g{}\n\n", "j".repeat(place)));
        for _ in 0..12 {
            press(&mut state, "+");
            if state.prompt.is_some() {
                press(&mut state, "\n");
            }
            state.filter_enabled = false;
            press(&mut state, "j");
        }
        press(&mut state, "\u{1b}\u{1b}");
    }
    assert!(state.history.filters.len() > 20, "{:?}", state.history.filters);
    press(&mut state, ":filter .reason | test(\"Wrenna\")\n:columns future_secret\n");
    press(&mut state, ":save wrenna.ndjson\nFGMcall +13035550161, born 1980-05-05\n");
    assert!(state.history.filters.iter().any(|line| line.contains("Wrenna")));
    file.save(&state).expect("it is saved");
    let saved = saved(home.path());
    assert!(saved.contains("\"filters\": []"), "no filter was typed: {saved}");
    for trace in [
        "renna",
        "refill",
        "moment",
        "anxiety",
        "locked",
        "nightly",
        "3035550161",
        "1980",
        "secret",
    ] {
        assert!(!saved.contains(trace), "{trace}: {saved}");
    }
    assert!(saved.contains("call [phone], born [date]"), "{saved}");
}

#[test]
fn a_session_that_reveals_something_keeps_no_typed_text() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    feed_with_id(&mut state, 1, "find");
    press(&mut state, "fcall.*\nF:mark older\n");
    file.save(&state).expect("it is saved");

    let mut state = screen((120, 30));
    state.config.revealed = vec!["all".to_owned()];
    let file = StateFile::open(home.path().join("evtap/screen.json"), &mut state);
    feed_with_id(&mut state, 1, "find");
    feed_with_id(&mut state, 2, "book");
    press(&mut state, "/escalated\n:filter surface.*\nFGMnewer\n:columns tool_name\n");
    file.save(&state).expect("it is saved");
    let saved: Value = serde_json::from_str(&saved(home.path())).expect("JSON");
    assert_eq!(saved["filters"], json!(["call.*"]));
    assert_eq!((&saved["searches"], &saved["columns"]), (&json!([]), &json!(["tool_name"])));
    assert!(!saved.to_string().contains("newer"), "{saved}");
    assert!(saved.to_string().contains("older"), "{saved}");
    assert_eq!(saved["marks"].as_array().map(Vec::len), Some(2), "{saved}");
}

#[test]
fn the_file_is_private_and_replaced_as_a_whole() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    feed_with_id(&mut state, 1, "find");
    press(&mut state, "m");
    file.save(&state).expect("it is saved");
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    let directory = home.path().join("evtap");
    assert_eq!((mode(&directory), mode(&directory.join("screen.json"))), (0o700, 0o600));
    let names = || fs::read_dir(&directory).expect("a directory").count();
    assert_eq!(names(), 1, "nothing is left beside it");
    // It cannot be written: the old file stays, and the reason is reported.
    let before = saved(home.path());
    let target = home.path().join("elsewhere");
    fs::rename(&directory, &target).expect("it can be moved");
    fs::write(&directory, "").expect("a file");
    let error = file.save(&state).expect_err("its directory is a file");
    assert!(error.starts_with("cannot remember the screen's state"), "{error}");
    assert_eq!(fs::read_to_string(target.join("screen.json")).expect("it stays"), before);
}

#[test]
fn a_damaged_file_is_put_aside() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    feed_with_id(&mut state, 1, "find");
    press(&mut state, "m:theme mono\n");
    file.save(&state).expect("it is saved");
    let whole = saved(home.path());
    let path = home.path().join("evtap/screen.json");
    let beginnings = (0..whole.trim_end().len()).map(|end| whole.as_bytes()[..end].to_vec());
    let others = [
        b"\xff\xfe".to_vec(),
        b"[]".to_vec(),
        b"{\"version\": \"one\"}".to_vec(),
        b"{\"version\": 1, \"detail_percent\": -1}".to_vec(),
        vec![b'['; MAX_BYTES],
        vec![b' '; MAX_BYTES + 1],
    ];
    for damaged in beginnings.chain(others) {
        fs::write(&path, &damaged).expect("it is written");
        let (state, file) = open(home.path());
        let notice = state.notice.as_ref().map_or("", |(notice, _)| notice.as_str());
        assert!(notice.contains("damaged") && notice.contains("renamed it"), "{notice}");
        assert_eq!(fs::read(path.with_extension("damaged")).expect("it is kept"), damaged);
        file.save(&state).expect("a new file is written");
        assert!(serde_json::from_str::<Value>(&saved(home.path())).is_ok());
    }
}

/// What passes as JSON is checked as if the user had typed it.
#[test]
fn a_file_that_somebody_else_wrote_does_no_harm() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("evtap/screen.json");
    fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
    let saved = json!({
        "version": 1, "detail_percent": 65535, "theme": "none", "columns": ["\u{1b}[2J", "direction"],
        "filter": "def f: f; f", "filters": ["\u{1b}[31m", "Wrenna", "call.*"],
        "orders": {"Calls": {"calls": {"column": 99, "is_reversed": true}}, "None": {}},
        "marks": [
            {"id": "../../x", "note": "one"}, {"id": "1", "workspace": "\u{1b}c", "note": "two"},
            {"note": "three"}, {"id": "1778000001000", "place": 4_294_967_295_u32, "note": "\u{1b}]0;four +13035550161"},
        ],
        "unknown": [1, 2],
    });
    fs::write(&path, saved.to_string()).expect("it is written");
    let (mut state, _) = open(home.path());
    send_day(&mut state);
    assert_eq!((state.detail_percent, state.history.filters.len()), (80, 1));
    assert_eq!(state.columns.as_ref().expect("columns").names(), ["direction".to_owned()]);
    assert!(state.filter.is_none());
    for keys in ["1", "2", "3", "4", "5", "1'"] {
        press(&mut state, keys);
        assert_eq!(crate::text::terminal::first_hostile(&text(&state).replace('\n', " ")), None);
    }
    assert_eq!(state.bookmarks.absent().len(), 1);
    assert!(text(&state).contains("four [phone]"), "{}", text(&state));
}

#[test]
fn a_file_that_evtap_must_not_touch_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("evtap/screen.json");
    fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
    let newer = "{\"version\": 2, \"more\": true}";
    fs::write(&path, newer).expect("it is written");
    let (mut state, file) = open(home.path());
    assert!(text(&state).contains("a newer version of evtap has written it"), "{}", text(&state));
    press(&mut state, "t");
    file.save(&state).expect("nothing is done");
    assert_eq!(saved(home.path()), newer);

    let target = home.path().join("target");
    fs::write(&target, "kept").expect("it is written");
    fs::remove_file(&path).expect("it is removed");
    symlink(&target, &path).expect("a link");
    let (mut state, file) = open(home.path());
    assert!(text(&state).contains("it is not a file"), "{}", text(&state));
    press(&mut state, "t");
    file.save(&state).expect("nothing is done");
    assert_eq!(fs::read_to_string(&target).expect("it is a file"), "kept");
}

#[test]
fn the_file_is_limited() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut state, file) = open(home.path());
    for second in 0..i64::try_from(MAX_ABSENT).expect("few") + 50 {
        feed_with_id(&mut state, second, "find");
        press(&mut state, "G");
        state.mark(&"é".repeat(500));
    }
    for number in 0..5000 {
        let line = format!(".duration_seconds > {number} and .direction == \"inbound\"");
        state.history.add(Purpose::Filter, line.clone() + &" and true".repeat(40));
        state.history.add(Purpose::Search, line);
    }
    file.save(&state).expect("it is saved");
    let saved = saved(home.path());
    assert!(saved.len() <= MAX_BYTES + 1 && saved.len() > MAX_BYTES / 8, "{}", saved.len());
    let saved: SavedState = serde_json::from_str(&saved).expect("JSON");
    assert!(!saved.marks.is_empty() && saved.marks.len() <= MAX_ABSENT);
}

#[test]
fn two_sessions_keep_the_marks_of_both() {
    let home = tempfile::tempdir().expect("a directory");
    let (mut one, one_file) = open(home.path());
    let (mut other, other_file) = open(home.path());
    for state in [&mut one, &mut other] {
        feed_with_id(state, 1, "find");
        feed_with_id(state, 2, "book");
    }
    press(&mut one, "gMfirst\nfcall.*\nF");
    press(&mut other, "GMsecond\nfsurface.*\nF");
    one_file.save(&one).expect("it is saved");
    other_file.save(&other).expect("it is saved");
    let (state, _) = open(home.path());
    assert_eq!(state.bookmarks.absent().len(), 2);
    assert_eq!(state.history.filters, ["call.*", "surface.*"]);
}
