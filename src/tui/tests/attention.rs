//! Tests of what needs attention: the list, the badge, the keys and the notifications.

use crossterm::event::{KeyCode, MouseButton, MouseEventKind};
use ratatui::style::Modifier;
use serde_json::json;

use super::{
    CALL, OTHER, at, draw, feed, mouse, press, press_key, screen, screen_keys, send_day, text,
};
use crate::analysis::alerts::{AlertSubject, AttentionChange, AttentionItem};
use crate::tui::message::ScreenMessage;
use crate::tui::screen::Screen;
use crate::tui::state::{Effect, State};
use crate::tui::style::{Depth, Theme};
use crate::tui::update::{Msg, update};

/// The data source of the day's pipeline.
const SOURCE: &str = "f66d22c1-8495-453b-812a-4de2c53d7454";

/// Returns an item that a rule raises at that second.
pub fn item(rule: &str, subject: AlertSubject, key: &str, second: i64) -> AttentionItem {
    AttentionItem {
        rule: rule.into(),
        workspace: None,
        key: key.into(),
        subject,
        is_raised: true,
        at: at(second).as_millisecond(),
        since: at(second).as_millisecond(),
        count: 3,
    }
}

fn send(state: &mut State, change: AttentionChange) {
    update(state, Msg::Pipeline(ScreenMessage::Attention(change)));
}

fn begin(state: &mut State, rule: &str, subject: AlertSubject, key: &str, second: i64) {
    send(state, AttentionChange::Begins(item(rule, subject, key, second)));
}

/// Lets one item of each built-in rule and one of a rule of the user need attention.
pub fn send_attention(state: &mut State) {
    for (rule, subject, key, second) in [
        ("nobody-joined", AlertSubject::Call, CALL, 20),
        ("tool-keeps-failing", AlertSubject::Tool, "records_search", 12),
        ("call-silent", AlertSubject::Call, OTHER, 18),
        ("pipeline-late", AlertSubject::Pipeline, SOURCE, 26),
        ("no-operator", AlertSubject::Workspace, "", 19),
        ("gap", AlertSubject::Workspace, "", 3),
        ("slow-forms", AlertSubject::Other, "intake", 5),
    ] {
        begin(state, rule, subject, key, second);
    }
    let unknown = AttentionItem {
        is_raised: false,
        ..item("nobody-joined", AlertSubject::Call, "CA00000000000000000000000000000009", 1)
    };
    send(state, AttentionChange::Begins(unknown));
}

/// Returns a screen with everything that can need attention.
fn needy_screen(size: (u16, u16)) -> State {
    let mut state = screen(size);
    send_day(&mut state);
    send_attention(&mut state);
    state
}

fn selected(state: &State) -> String {
    let list = &state.lists[Screen::Now.index()];
    list.selected.clone().map(|row| row.id).unwrap_or_default()
}

#[test]
fn a_key_goes_to_each_item_in_turn_from_any_screen() {
    for key in screen_keys() {
        let mut state = needy_screen((120, 40));
        press(&mut state, &key);
        press(&mut state, if key == "0" { "" } else { "!" });
        assert_eq!(state.screen, Screen::Now, "{key}");
        let mut seen = vec![selected(&state)];
        for _ in 0..7 {
            press(&mut state, "!");
            seen.push(selected(&state));
        }
        let rules: Vec<_> = seen.iter().filter_map(|id| id.split(' ').next()).collect();
        assert_eq!(
            rules,
            [
                "slow-forms",
                "tool-keeps-failing",
                "no-operator",
                "nobody-joined",
                "gap",
                "call-silent",
                "pipeline-late",
                "nobody-joined"
            ],
            "{key}"
        );
        press(&mut state, "!");
        assert_eq!(selected(&state), seen[0]);
        assert!(text(&state).contains("the first item again"));
        press(&mut state, "\u{1b}");
        assert_eq!(state.screen.index().to_string(), key, "Esc returns");
    }
}

#[test]
fn enter_opens_what_an_item_is_about_and_escape_returns_to_it() {
    let mut state = needy_screen((120, 40));
    press(&mut state, "2!");
    let mut opened = Vec::new();
    for _ in 0..8 {
        let id = selected(&state);
        press(&mut state, "\n");
        let filter = state.filter.as_ref().map_or("", |filter| &filter.source);
        opened.push(match state.screen {
            Screen::Call => format!("call {}", state.selected_call.as_deref().unwrap_or("none")),
            Screen::Board => {
                let row = state.lists[Screen::Board.index()].selected.clone().expect("a row");
                format!("{} {}", row.section, row.id)
            }
            Screen::Stream => filter.to_owned(),
            other => format!("{other:?}"),
        });
        assert!(!text(&state).contains("cannot"), "{}", text(&state));
        press(&mut state, "\u{1b}");
        assert_eq!((state.screen, selected(&state)), (Screen::Now, id));
        press(&mut state, "!");
    }
    assert_eq!(
        opened,
        [
            r#".event_type == "tap.alert" and .rule == "slow-forms""#.to_owned(),
            r#".tool_name == "records_search""#.to_owned(),
            "operators ".to_owned(),
            format!("call {CALL}"),
            r#".event_type == "tap.gap""#.to_owned(),
            format!("call {OTHER}"),
            format!("pipelines {SOURCE}"),
            r#"(.call_sid // ._tap.call_sid) == "CA00000000000000000000000000000009""#.to_owned(),
        ]
    );
    press(&mut state, "!\n!");
    assert_eq!(state.screen, Screen::Now, "the next item, from what the last one opened");
    assert!(selected(&state).starts_with("no-operator"), "{}", selected(&state));
    press(&mut state, "\u{1b}");
    assert_eq!(state.screen, Screen::Calls);
}

#[test]
fn the_row_of_a_late_pipeline_is_visible_on_the_board() {
    let mut state = needy_screen((80, 24));
    press(&mut state, "!!!!!!!\n");
    assert_eq!(state.screen, Screen::Board);
    let seen = text(&state);
    assert!(seen.contains("f66d22c1") && seen.contains("failed 4s ago"), "{seen}");
}

#[test]
fn an_acknowledged_item_is_dimmed_and_does_not_count() {
    let mut state = needy_screen((120, 40));
    press(&mut state, "0");
    assert!(text(&state).contains("▲ 8 need attention"), "{}", text(&state));
    press(&mut state, "aaaaaa");
    let seen = text(&state);
    assert!(seen.contains("▲ 2 need attention"), "{seen}");
    assert_eq!(seen.matches('✓').count(), 6, "{seen}");
    assert!(selected(&state).starts_with("pipeline-late"), "the next item is selected");
    press(&mut state, "aa");
    let seen = text(&state);
    assert!(seen.contains("8 acknowledged") && !seen.contains("need attention"), "{seen}");
    press(&mut state, "!");
    assert!(text(&state).contains("nothing needs attention"));
    begin(&mut state, "nobody-joined", AlertSubject::Call, CALL, 21);
    assert!(text(&state).contains("▲ 1 needs attention"), "it is raised again");
    press(&mut state, "!");
    assert!(selected(&state).starts_with("nobody-joined"));
    send(&mut state, AttentionChange::Ends(item("nobody-joined", AlertSubject::Call, CALL, 21)));
    assert!(!text(&state).contains("nobody joined: caller"), "{}", text(&state));
    press(&mut state, "a");
    let list = state.lists[Screen::Now.index()].selected.clone();
    assert!(list.is_some(), "a key on an item that has ended is harmless");
    press(&mut state, "1a");
    assert!(text(&state).contains("press ! to go to what needs attention first"));
}

#[test]
fn items_of_a_call_are_acknowledged_where_it_is_shown() {
    let mut state = needy_screen((120, 40));
    press(&mut state, &format!(":call {CALL}\na"));
    assert_eq!(state.shown().attention.open_count(), 7);
    press(&mut state, "a");
    assert_eq!(state.shown().attention.open_count(), 8);
    press(&mut state, "2a");
    assert_eq!(state.shown().attention.open_count(), 7);
    feed(
        &mut state,
        40,
        json!({"event_type": "call.started", "call_sid": "CA00000000000000000000000000000005"}),
    );
    press(&mut state, ":call CA00000000000000000000000000000005\na");
    assert!(text(&state).contains("this call does not need attention"));
}

#[test]
fn the_badge_is_in_the_header_of_every_screen_at_every_width() {
    let mut state = needy_screen((80, 24));
    for key in screen_keys() {
        press(&mut state, &key);
        for columns in 26..=220 {
            state.size.0 = columns;
            let seen = text(&state);
            let mut lines = seen.lines();
            let header = lines.next().expect("a header");
            assert!(header.contains("▲ 8"), "{key} {columns}: {header}");
            assert_eq!(header.contains("need attention"), columns >= 110, "{columns}: {header}");
            let tabs = lines.next().expect("tabs");
            let badge = if columns < 60 { " 0 Now 1 Stream" } else { " 0 Now ▲ 8" };
            assert!(tabs.contains(badge), "{columns}: {tabs}");
            assert!(columns < 60 || tabs.contains(" 5 Stats"), "{columns}: {tabs}");
        }
    }
    let column = " 0 Now ▲ 8  1 Str".chars().count();
    state.size.0 = 120;
    mouse(
        &mut state,
        MouseEventKind::Down(MouseButton::Left),
        u16::try_from(column).expect("small"),
        1,
    );
    assert_eq!(state.screen, Screen::Stream, "the badge moves the other tabs");
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 8, 1);
    assert_eq!(state.screen, Screen::Now, "the badge belongs to its tab");
}

#[test]
fn titles_are_not_as_dim_as_the_border_around_them() {
    for depth in [Depth::None, Depth::Sixteen] {
        let mut state = needy_screen((120, 40));
        state.config.theme = Theme::new(depth, None);
        press(&mut state, "0");
        let backend = draw(&state);
        let row = |y| (0..120).map(move |x| (x, y));
        let is_dim = |at| backend.buffer()[at].modifier.contains(Modifier::DIM);
        let title = row(2).filter(|at| "▲●".contains(backend.buffer()[*at].symbol()));
        let dim: Vec<_> = title.map(is_dim).collect();
        assert_eq!((dim.len() > 1, dim.contains(&true)), (true, false), "{depth:?} {dim:?}");
        assert!(is_dim((0, 2)), "the border is dim");
    }
}

#[test]
fn calls_that_need_attention_come_first() {
    let mut state = screen((120, 40));
    for number in 1..=5 {
        let sid = format!("CA{number:032}");
        feed(
            &mut state,
            number,
            json!({"event_type": "call.started", "call_sid": sid, "direction": "inbound"}),
        );
    }
    press(&mut state, "2");
    let order = |state: &State| {
        let seen = text(state);
        let rows = seen.lines().filter(|line| line.contains("CA0000"));
        rows.map(|row| row.chars().skip(2).take(1).collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(order(&state), ["●", "●", "●", "●", "●"]);
    let last = format!("CA{:032}", 5);
    begin(&mut state, "nobody-joined", AlertSubject::Call, &last, 5);
    assert_eq!(order(&state), ["▲", "●", "●", "●", "●"]);
    let rows = state.present.calls.sorted();
    assert_eq!(rows[4].0, last, "it is the shortest call");
    press_key(&mut state, KeyCode::Home);
    assert_eq!(state.selected_call.as_deref(), Some(last.as_str()));
    press(&mut state, "a");
    assert_eq!(order(&state), ["●", "●", "●", "●", "●"]);
}

#[test]
fn notifications_are_sent_on_request_at_most_once_a_second() {
    let mut state = screen((80, 24));
    let tick = |state: &mut State, second| {
        update(state, Msg::Tick(at(second)));
        std::mem::take(&mut state.effects)
    };
    begin(&mut state, "gap", AlertSubject::Workspace, "", 1);
    assert_eq!(tick(&mut state, 1), [], "nobody asked for them");
    press(&mut state, ":notify\n");
    assert!(text(&state).contains("notify lacks on|off"), "{}", text(&state));
    press(&mut state, "\u{1b}:notify loud\n");
    assert!(text(&state).contains("notify is neither on nor off"), "{}", text(&state));
    press(&mut state, "\u{1b}:notify on\n");
    assert_eq!(tick(&mut state, 2), [], "what was there before is not news");
    for number in 0..5 {
        let sid = format!("CA{number:032}");
        begin(&mut state, "nobody-joined", AlertSubject::Call, &sid, 2);
    }
    let expected = "evtap: nobody-joined (5 times); 6 items need attention";
    assert_eq!(tick(&mut state, 3), [Effect::Notify(expected.to_owned())]);
    assert_eq!(tick(&mut state, 4), []);
    press(&mut state, ":notify off\n");
    begin(&mut state, "pipeline-late", AlertSubject::Pipeline, SOURCE, 4);
    assert_eq!(tick(&mut state, 5), []);
}

#[test]
fn an_item_is_selected_as_soon_as_there_is_one() {
    let mut state = screen((120, 40));
    send_day(&mut state);
    press(&mut state, "0");
    assert_eq!(selected(&state), "", "nothing needs attention");
    send_attention(&mut state);
    let first = "nobody-joined  CA00000000000000000000000000000001";
    assert_eq!(selected(&state), first, "it stays selected while others come before it");
}

#[test]
fn a_filter_of_the_list_is_lifted_to_show_the_next_item() {
    let mut state = needy_screen((120, 40));
    press(&mut state, "0/pipeline\n");
    assert!(text(&state).contains("/pipeline 1 of"), "{}", text(&state));
    press(&mut state, "!");
    assert!(selected(&state).starts_with("tool-keeps-failing"), "{}", selected(&state));
    assert!(!text(&state).contains("/pipeline"));
    press(&mut state, "\u{1b}");
    assert!(text(&state).contains("press q to quit"), "{}", text(&state));
}
