//! What each form of rule reports.

use super::super::rule::EventRole::{Trigger, Unless, Want};
use super::super::{AffectedStreams, Availability, Frequency, Percentile, Rhythm, Silence, Wait};
use super::*;

#[test]
fn a_wait_ends_by_the_time_of_events_alone() {
    let mut engine = engine(Wait { within: 60 }, 0);
    arrive(&mut engine, &event(100, "a", &[Trigger]));
    arrive(&mut engine, &event(110, "b", &[Trigger]));
    arrive(&mut engine, &event(160, "a", &[Want]));
    assert!(told(&mut engine).is_empty(), "it is just in time");
    arrive(&mut engine, &other(170));
    assert!(told(&mut engine).is_empty(), "more events of that time may come");
    arrive(&mut engine, &other(171));
    assert_eq!(told(&mut engine), ["170 b raised since 110, 1: not_followed"]);
    arrive(&mut engine, &event(180, "b", &[Trigger]));
    arrive(&mut engine, &event(200, "b", &[Want]));
    assert_eq!(told(&mut engine), ["200 b resolved since 110, 2: followed"]);
    arrive(&mut engine, &event(210, "b", &[Trigger]));
    arrive(&mut engine, &event(220, "b", &[Unless]));
    arrive(&mut engine, &event(230, "c", &[Trigger]));
    engine.finish(false);
    assert_eq!(told(&mut engine), ["230 c pending since 230, 1: input_ended"]);
}

#[test]
fn an_event_can_end_a_wait_and_begin_the_next() {
    let mut engine = engine(Wait { within: 60 }, 0);
    for at in [100, 150, 200, 300] {
        arrive(&mut engine, &event(at, "a", &[Trigger, Want]));
    }
    let expected =
        ["260 a raised since 200, 1: not_followed", "300 a resolved since 200, 1: followed"];
    assert_eq!(told(&mut engine), expected);
}

#[test]
fn nothing_is_known_of_a_wait_with_a_gap() {
    let waits = AffectedStreams { workspace: true, observer: false, keys_are_calls: false };
    let mut engine = engine_with(Wait { within: 60 }, 0, waits, 1 << 20);
    arrive(&mut engine, &event(100, "a", &[Trigger]));
    arrive(&mut engine, &event(105, "b", &[Trigger]));
    miss(&mut engine, 110, 120, Some("call"));
    miss(&mut engine, 155, 170, None);
    arrive(&mut engine, &event(180, "c", &[Trigger]));
    let unknown = ["160 a unknown since 100, 1: gap", "165 b unknown since 105, 1: gap"];
    assert_eq!(told(&mut engine), unknown);
    arrive(&mut engine, &event(190, "b", &[Want]));
    assert_eq!(told(&mut engine), ["190 b resolved since 105, 1: followed"]);
    arrive(&mut engine, &other(300));
    assert_eq!(told(&mut engine), ["240 c raised since 180, 1: not_followed"]);
    // A gap that becomes known later takes an alert back, if it concerns the time of the wait.
    miss(&mut engine, 250, 260, None);
    assert!(told(&mut engine).is_empty());
    miss(&mut engine, 230, 260, None);
    assert_eq!(told(&mut engine), ["300 c unknown since 180, 1: gap"]);
}

#[test]
fn too_many_events_are_an_alert_until_they_are_fewer() {
    let mut engine = engine(Frequency { count: 3, within: 100 }, 0);
    for at in [0, 50, 100, 140] {
        arrive(&mut engine, &event(at, "", &[Trigger]));
    }
    assert_eq!(told(&mut engine), ["140  raised since 50, 3: too_many"]);
    arrive(&mut engine, &event(145, "", &[Trigger]));
    arrive(&mut engine, &other(201));
    assert_eq!(told(&mut engine), ["200  resolved since 50, 4: fewer_again"]);
    // Events of one time count together, and the window is open at its beginning.
    for at in [1000, 1000, 1000, 1100, 1100] {
        arrive(&mut engine, &event(at, "", &[Trigger]));
    }
    arrive(&mut engine, &other(1101));
    let expected =
        ["1000  raised since 1000, 3: too_many", "1100  resolved since 1000, 5: fewer_again"];
    assert_eq!(told(&mut engine), expected);
    arrive(&mut engine, &event(1102, "", &[Trigger]));
    miss(&mut engine, 1150, 1160, None);
    assert_eq!(told(&mut engine), ["1102  raised since 1100, 3: too_many"]);
    arrive(&mut engine, &other(1300));
    let expected =
        ["1200  unknown since 1100, 3: gap", "1261  resolved since 1100, 3: fewer_again"];
    assert_eq!(told(&mut engine), expected);
    assert_eq!(engine.used_bytes(), 0, "nothing is remembered of an old window");
}

#[test]
fn a_percentile_is_an_alert_while_it_exceeds_the_limit() {
    let form = Percentile { percent: 50, limit: 10.0, within: 100, min_count: 3 };
    let mut engine = engine(form, 0);
    let value = |at, value| Arrival { found: Some(("", roles(&[Trigger]), value)), ..other(at) };
    for (at, number) in [(0, 20.0), (10, 30.0), (20, 5.0), (30, f64::NAN), (40, 5.0)] {
        arrive(&mut engine, &value(at, number));
    }
    let expected =
        ["20  raised since 20, 3 20: over_limit", "40  resolved since 20, 4 5: within_limit"];
    assert_eq!(told(&mut engine), expected);
    for at in [50, 60] {
        arrive(&mut engine, &value(at, 40.0));
    }
    // The oldest values leave the window, and too few are left.
    arrive(&mut engine, &other(300));
    let expected =
        ["50  raised since 50, 5 20: over_limit", "110  resolved since 50, 4 5: within_limit"];
    assert_eq!(told(&mut engine), expected);
}

#[test]
fn silence_is_an_alert_until_something_is_heard() {
    let mut engine = engine(Silence { silent_for: 60 }, 0);
    arrive(&mut engine, &event(0, "a", &[Trigger]));
    arrive(&mut engine, &event(40, "a", &[Trigger]));
    arrive(&mut engine, &event(50, "b", &[Trigger]));
    arrive(&mut engine, &event(60, "b", &[Unless]));
    arrive(&mut engine, &event(150, "a", &[Trigger]));
    let expected =
        ["100 a raised since 40, 2 0.06: silent", "150 a resolved since 40, 2 0.11: heard"];
    assert_eq!(told(&mut engine), expected);
    // Silence is measured again from the end of a gap.
    miss(&mut engine, 160, 170, None);
    arrive(&mut engine, &other(400));
    let expected =
        ["210 a unknown since 150, 3 0.06: gap", "231 a raised since 150, 3 0.081: silent"];
    assert_eq!(told(&mut engine), expected);
    arrive(&mut engine, &event(500, "c", &[Trigger]));
    engine.finish(false);
    assert_eq!(told(&mut engine), ["500 c pending since 500, 1: input_ended"]);
}

#[test]
fn a_rhythm_is_learned_and_must_be_kept() {
    let mut engine = engine(Rhythm { tolerance: 10 }, 0);
    for at in [0, 100, 210, 300] {
        arrive(&mut engine, &event(at, "a", &[Trigger]));
    }
    arrive(&mut engine, &other(1000));
    assert_eq!(told(&mut engine), ["510 a raised since 300, 4 0.21: late"]);
    arrive(&mut engine, &event(1100, "a", &[Trigger]));
    assert_eq!(told(&mut engine), ["1100 a resolved since 300, 4 0.8: heard"]);
    arrive(&mut engine, &event(1105, "b", &[Trigger]));
    arrive(&mut engine, &event(1110, "b", &[Trigger]));
    arrive(&mut engine, &other(1200));
    assert!(told(&mut engine).is_empty(), "one interval is no rhythm");
}

#[test]
fn some_operator_must_be_available() {
    let mut engine = engine(Availability, 0);
    let operator = |at: Millis, subject, role| {
        (at, FoundRule { rule: 0, roles: roles(&[role]), value: 0.0, subject })
    };
    let mut pass = |(at, rule): (Millis, FoundRule)| {
        let mut observations = Observations::default();
        let stream = observations.stream(Some("w"), None);
        observations.event(stream, at);
        let found = FoundEvent { at: Some(at), fallback: None, key: 0..0, rules: 0..0 };
        observations.found(stream, found, rule, false);
        engine.apply(&mut observations);
        told(&mut engine)
    };
    assert!(pass(operator(0, 1, Want)).is_empty());
    assert!(pass(operator(10, 2, Trigger)).is_empty());
    assert_eq!(pass(operator(20, 1, Trigger)), ["20  raised since 20, 2: no_operator"]);
    assert!(pass(operator(30, 2, Trigger)).is_empty());
    assert_eq!(pass(operator(40, 2, Want)), ["40  resolved since 20, 2: operator_back"]);
}

#[test]
fn only_what_a_connection_proves_lets_time_pass() {
    let mut engine = engine(Wait { within: 60 }, 5);
    arrive(&mut engine, &event(100, "a", &[Trigger]));
    engine.covered(Some("w"), None, None);
    engine.covered(Some("w"), None, Some(165));
    assert!(told(&mut engine).is_empty(), "an event of another stream could be late");
    engine.covered(Some("w"), Some("call"), None);
    engine.covered(Some("w"), None, Some(200));
    assert!(told(&mut engine).is_empty(), "nothing is known of the other stream");
    engine.closed(Some("w"), Some("call"), false);
    engine.covered(Some("w"), None, Some(210));
    assert!(told(&mut engine).is_empty(), "the other stream is disconnected");
    engine.closed(Some("w"), Some("call"), true);
    engine.covered(Some("other"), None, Some(1000));
    assert!(told(&mut engine).is_empty(), "another workspace");
    engine.covered(Some("w"), None, Some(220));
    assert_eq!(told(&mut engine), ["160 a raised since 100, 1: not_followed"]);
}

#[test]
fn late_events_of_another_stream_are_put_in_order() {
    let mut engine = engine(Wait { within: 60 }, 20);
    let observed = |at, list: &[EventRole]| Arrival { call: Some("call"), ..event(at, "a", list) };
    arrive(&mut engine, &other(0));
    arrive(&mut engine, &Arrival { call: Some("call"), ..other(0) });
    arrive(&mut engine, &event(110, "a", &[Want]));
    arrive(&mut engine, &observed(100, &[Trigger]));
    arrive(&mut engine, &other(300));
    assert!(told(&mut engine).is_empty(), "the wanted event came first, but was later");
    arrive(&mut engine, &observed(310, &[Trigger]));
    arrive(&mut engine, &other(400));
    assert_eq!(told(&mut engine), ["370 a raised since 310, 1: not_followed"]);
    // An event that is later than allowed counts when it arrives.
    arrive(&mut engine, &event(340, "a", &[Want]));
    assert_eq!(told(&mut engine), ["380 a resolved since 310, 1: followed"]);
}

#[test]
fn memory_is_bounded_and_evictions_are_reported() {
    let limit = 64 << 10;
    let mut engine = engine_with(Wait { within: 1_000_000 }, 0, ALL, limit);
    let keys: Vec<&'static str> =
        (0..1000).map(|key| &*Box::leak(format!("key{key:03}").into_boxed_str())).collect();
    let mut evicted = 0;
    for (at, key) in (0..).zip(&keys) {
        arrive(&mut engine, &event(at, key, &[Trigger]));
        assert!(engine.used_bytes() <= limit);
        for alert in told(&mut engine) {
            assert_eq!(alert, format!("{at} key{evicted:03} unknown since {evicted}, 1: evicted"));
            evicted += 1;
        }
    }
    assert!(evicted > 500, "{evicted}");
    engine.finish(false);
    assert_eq!(told(&mut engine).len(), 1000 - evicted);
}

#[test]
fn what_needs_attention_is_listed_until_it_is_resolved() {
    let mut engine = engine(Wait { within: 60 }, 0);
    for (at, key) in [(100, "a"), (200, "b"), (300, "c"), (390, "d")] {
        arrive(&mut engine, &event(at, key, &[Trigger]));
    }
    miss(&mut engine, 310, 320, None);
    arrive(&mut engine, &event(400, "a", &[Want]));
    let items: Vec<_> = engine
        .attention()
        .into_iter()
        .map(|item| (item.key.to_string(), item.is_raised, item.since, item.subject))
        .collect();
    let expected = [("b", true, 200), ("c", false, 300)]
        .map(|(key, is_raised, since)| (key.to_owned(), is_raised, since, AlertSubject::Call));
    assert_eq!(items, expected);
}

#[test]
fn the_next_run_goes_on() {
    let mut first = engine(Wait { within: 60 }, 0);
    arrive(&mut first, &event(100, "a", &[Trigger]));
    arrive(&mut first, &event(110, "b", &[Trigger]));
    miss(&mut first, 150, 155, None);
    first.finish(true);
    assert!(told(&mut first).is_empty());
    let saved = first.save().expect("a state");
    let mut second = engine(Wait { within: 60 }, 0);
    arrive(&mut second, &Arrival { found: None, ..other(0) });
    assert_eq!(second.restore(&saved), Some(Vec::new()));
    arrive(&mut second, &event(158, "b", &[Want]));
    arrive(&mut second, &other(200));
    assert_eq!(told(&mut second), ["160 a unknown since 100, 1: gap"]);
}
