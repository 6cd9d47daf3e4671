//! Random rules and streams, compared with the naive computation.

use proptest::prelude::*;

use super::naive::{Event, History};
use super::*;
use crate::analysis::alerts::rule::EventRole::{Trigger, Unless, Want};
use crate::analysis::alerts::{Frequency, Percentile, Silence, Wait};

const KEYS: [&str; 2] = ["a", "b"];

/// A random rule.
#[derive(Debug, Clone, Copy)]
enum Form {
    Wait(Wait),
    Silence(Silence),
    Frequency(Frequency),
    Percentile(Percentile),
}

fn forms() -> impl Strategy<Value = Form> {
    let length = || 1..60_i64;
    prop_oneof![
        length().prop_map(|within| Form::Wait(Wait { within })),
        length().prop_map(|silent_for| Form::Silence(Silence { silent_for })),
        (1..5_usize, length())
            .prop_map(|(count, within)| Form::Frequency(Frequency { count, within })),
        (1..100_u8, 0..10_i32, length(), 1..4_usize).prop_map(
            |(percent, limit, within, min_count)| {
                let limit = f64::from(limit);
                Form::Percentile(Percentile { percent, limit, within, min_count })
            }
        ),
    ]
}

/// The time since the previous event, how late the event is, its stream, key, roles and value, and
/// whether the connection proves how far it is.
type Step = (i64, i64, bool, usize, Vec<EventRole>, i32, bool);

fn steps(lateness: i64) -> impl Strategy<Value = Vec<Step>> {
    let role = prop::sample::select(vec![Trigger, Trigger, Trigger, Want, Unless]);
    let list = prop::collection::vec(role, 0..3);
    let step = (0..20_i64, 0..=lateness, any::<bool>(), 0..2_usize, list, 0..12_i32, any::<bool>());
    prop::collection::vec(step, 1..60)
}

fn engine_of(form: Form, lateness: i64) -> RuleEngine {
    match form {
        Form::Wait(form) => engine(form, lateness),
        Form::Silence(form) => engine(form, lateness),
        Form::Frequency(form) => engine(form, lateness),
        Form::Percentile(form) => engine(form, lateness),
    }
}

fn expected(form: Form, history: &History<'_>) -> Vec<String> {
    match form {
        Form::Wait(form) => history.wait(form),
        Form::Silence(form) => history.silence(form),
        Form::Frequency(form) => history.frequency(form),
        Form::Percentile(form) => history.percentile(form),
    }
}

/// Passes the events to an engine, which is saved and restored before number `restart`. Returns what
/// it reports, and whether some of that came before the next event.
fn reported(
    form: Form,
    lateness: i64,
    gaps: &[(i64, i64)],
    arrivals: &[(Arrival, bool)],
    restart: usize,
) -> Vec<String> {
    let mut engine = engine_of(form, lateness);
    let mut lines = Vec::new();
    for (from, to) in gaps {
        miss(&mut engine, *from, *to, None);
    }
    for (index, (arrival, is_proven)) in arrivals.iter().enumerate() {
        if index == restart {
            let saved = engine.save().expect("a state");
            engine = engine_of(form, lateness);
            assert_eq!(engine.restore(&saved), Some(Vec::new()));
        }
        arrive(&mut engine, arrival);
        if *is_proven {
            // Everything before the events that are still to come has arrived.
            let later = arrivals[index + 1..].iter().map(|(arrival, _)| arrival.at).min();
            let latest = arrivals[..=index].iter().map(|(arrival, _)| arrival.at).max();
            engine.covered(Some("w"), None, later.min(latest));
        }
        lines.extend(told(&mut engine));
    }
    engine.finish(false);
    lines.extend(told(&mut engine));
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn rules_report_what_follows_from_all_events(
        form in forms(),
        (lateness, steps) in prop_oneof![Just(0_i64), 1..15_i64]
            .prop_flat_map(|lateness| (Just(lateness), steps(lateness))),
        gaps in prop::collection::vec((0..400_i64, 0..30_i64), 0..3),
        restart in 0..60_usize,
    ) {
        let is_window = matches!(form, Form::Frequency(_) | Form::Percentile(_));
        let gaps: Vec<_> = gaps.iter().map(|(from, length)| (*from, from + length)).collect();
        let gaps = if is_window { Vec::new() } else { gaps };
        let mut now = 0;
        let mut arrivals: Vec<_> = steps
            .iter()
            .map(|(wait, late, is_observed, key, list, value, is_proven)| {
                now += wait;
                let call = (lateness > 0 && *is_observed).then_some("call");
                let found = Some((KEYS[*key], roles(list), f64::from(*value)));
                let found = found.filter(|(_, roles, _)| !roles.is_empty());
                (now + late, Arrival { at: now, call, found }, *is_proven)
            })
            .collect();
        arrivals.sort_by_key(|(arrives, ..)| *arrives);
        let mut arrivals: Vec<_> =
            arrivals.into_iter().map(|(_, arrival, is_proven)| (arrival, is_proven)).collect();
        if lateness > 0 {
            // Events of both streams have arrived before.
            for call in [None, Some("call")] {
                arrivals.insert(0, (Arrival { at: 0, call, found: None }, false));
            }
        }
        let end = arrivals.iter().map(|(arrival, _)| arrival.at).max().unwrap_or_default();
        let mut all = Vec::new();
        for key in KEYS {
            let mut events: Vec<_> = arrivals
                .iter()
                .filter_map(|(arrival, _)| {
                    let (of, roles, value) = arrival.found?;
                    (of == key).then_some(Event { at: arrival.at, roles, value })
                })
                .collect();
            events.sort_by_key(|event| event.at);
            all.extend(expected(form, &History { key, events: &events, gaps: &gaps, end }));
        }
        all.sort();
        prop_assert_eq!(reported(form, lateness, &gaps, &arrivals, restart), all);
    }
}
