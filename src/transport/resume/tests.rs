use super::*;

/// Receives events, given as id and data, and returns the data of the new ones. An empty id means
/// that there is no id.
fn new<'a>(resume: &mut Resume, events: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut classify = |id: &str, data: &str| {
        resume.classify(Some(id).filter(|id| !id.is_empty()), Some("call.started"), data.as_bytes())
    };
    events
        .iter()
        .filter(|(id, data)| matches!(classify(id, data), ResumeDecision::New { .. }))
        .map(|(_, data)| *data)
        .collect()
}

#[test]
fn events_without_ids_set_no_position() {
    let mut resume = Resume::default();
    assert_eq!(resume.begin_connection(0), None);
    assert_eq!(new(&mut resume, &[("", "a"), ("", "a")]), ["a", "a"]);
    assert_eq!(resume.begin_connection(0), None);
    assert_eq!(new(&mut resume, &[("", "a")]), ["a"]);
}

#[test]
fn resumes_from_one_millisecond_before_the_position() {
    for (ids, expected) in [
        (&["1700000000001"][..], Some("1700000000000")),
        (&["7", "9", "9"], Some("8")),
        (&["9", "7"], Some("6")),
        (&["1"], Some("0")),
        (&["0"], Some("0")),
        (&["abc"], Some("abc")),
        (&["abc", "7"], Some("6")),
        (&["7", "abc"], Some("6")),
        (&["+7"], Some("+7")),
        (&["18446744073709551616"], Some("18446744073709551616")),
        (&["7", ""], Some("6")),
        (&[""], None),
    ] {
        let mut resume = Resume::default();
        resume.begin_connection(0);
        for id in ids {
            resume.set_position(id);
        }
        assert_eq!(resume.begin_connection(0).as_deref(), expected, "{ids:?}");
    }
}

#[test]
fn a_baseline_is_used_until_there_is_a_position() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    resume.set_baseline(5000);
    assert_eq!((resume.begin_connection(0).as_deref(), resume.expected()), (Some("4999"), None));
    new(&mut resume, &[("6000", "a")]);
    resume.set_baseline(7000);
    assert_eq!(
        (resume.begin_connection(0).as_deref(), resume.expected()),
        (Some("5949"), Some(6000))
    );
}

#[test]
fn drops_delivered_events_and_nothing_else() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    assert_eq!(new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b")]), ["old", "a", "b"]);
    assert_eq!(
        resume.begin_connection(0).as_deref(),
        Some("0"),
        "the last 64 events are requested again"
    );
    assert_eq!(
        new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b"), ("5", "c"), ("6", "a")]),
        ["c", "a"]
    );
}

#[test]
fn a_repeat_differs_from_a_replay() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    let classify = |resume: &mut Resume| resume.classify(Some("5"), None, b"a");
    assert_eq!(classify(&mut resume), ResumeDecision::New { backwards: false });
    assert_eq!(classify(&mut resume), ResumeDecision::Repeated);
    resume.begin_connection(0);
    assert_eq!(classify(&mut resume), ResumeDecision::Replayed);
    assert_eq!(classify(&mut resume), ResumeDecision::Repeated);
}

#[test]
fn an_interrupted_replay_is_requested_again() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    new(&mut resume, &[("5", "a"), ("5", "b")]);
    resume.begin_connection(0);
    assert!(new(&mut resume, &[("5", "a")]).is_empty());
    assert_eq!(resume.begin_connection(0).as_deref(), Some("0"));
    assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c")]), ["c"]);
}

#[test]
fn events_whose_ids_go_backwards_are_neither_lost_nor_duplicated() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    assert_eq!(new(&mut resume, &[("5000", "a"), ("7000", "b"), ("9000", "c")]), ["a", "b", "c"]);
    assert_eq!(
        resume.classify(Some("6000"), Some("call.started"), b"d"),
        ResumeDecision::New { backwards: true }
    );
    assert_eq!(
        resume.begin_connection(0).as_deref(),
        Some("2999"),
        "twice as far below the highest"
    );
    // The replay alone does not move the position: events after it may have lower ids.
    assert!(new(&mut resume, &[("5000", "a"), ("7000", "b"), ("9000", "c")]).is_empty());
    assert_eq!(resume.begin_connection(0).as_deref(), Some("2999"));
    assert_eq!(
        new(
            &mut resume,
            &[("7000", "b"), ("9000", "c"), ("6000", "d"), ("6000", "e"), ("8000", "f")]
        ),
        ["e", "f"]
    );
}

/// Delivers events with these ids on one connection.
fn deliver(resume: &mut Resume, ids: impl Iterator<Item = u64>) {
    resume.begin_connection(0);
    for id in ids {
        let decision = resume.classify(Some(&id.to_string()), None, &id.to_be_bytes());
        if let ResumeDecision::New { backwards } = decision {
            resume.uncovered_range(Some(id), backwards, 0);
        }
    }
    resume.disconnected(true);
}

#[test]
fn looks_back_by_the_last_events_the_age_and_the_distance_gone_backwards() {
    let requested = |resume: &mut Resume, age| {
        resume.begin_connection(age).expect("a position").parse::<u64>().expect("a number") + 1
    };
    let mut resume = Resume::default();
    deliver(&mut resume, (0..1000).map(|n| 100_000 + n * 10));
    let last = 100_000 + 999 * 10;
    assert_eq!(requested(&mut resume, 0), last - 63 * 10, "the last 64");
    assert_eq!(
        requested(&mut resume, 5000),
        last - 5000,
        "the most that the clock can have been set back"
    );
    assert_eq!(requested(&mut resume, 60_000), 100_000 - 50, "not before the first event");
    // Rare events are requested by their age alone.
    let mut rare = Resume::default();
    deliver(&mut rare, (1..100).map(|n| n * 3_600_000));
    assert_eq!(requested(&mut rare, 0), 99 * 3_600_000 - 30_000);
    assert_eq!(requested(&mut rare, 3_600_000), 99 * 3_600_000 - MAX_LOOKBACK);
    // Events that would not be recognised are not requested.
    let mut many = Resume::default();
    deliver(&mut many, (0..=MAX_REMEMBERED as u64 + 10).map(|n| 1_000_000 + n));
    assert_eq!(requested(&mut many, MAX_LOOKBACK), 1_000_011);
    // If the last events share one millisecond, the minimum lookback still applies.
    let mut burst = Resume::default();
    deliver(&mut burst, (0..100).map(|n| 5000 + n * 10));
    burst.begin_connection(0);
    for n in 0..100_u64 {
        burst.classify(Some("6000"), None, &n.to_be_bytes());
    }
    assert_eq!(requested(&mut burst, 0), 5950);
    // The position of an earlier run is requested as it is.
    assert_eq!(requested(&mut Resume::from_id(5000, true), 4000), 5000);
}

#[test]
fn connections_that_break_within_the_replay_reduce_the_lookback_and_report_it() {
    let mut resume = Resume::default();
    deliver(&mut resume, (0..100).map(|n| 100_000 + n * 10).chain([100_905]));
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(
            resume.begin_connection(0).expect("a position").parse::<u64>().expect("a number"),
        );
        // Only a known event is replayed.
        assert_eq!(
            resume.classify(Some("100905"), None, &100_905_u64.to_be_bytes()),
            ResumeDecision::Replayed
        );
        resume.disconnected(true);
    }
    let back: Vec<_> = asked.iter().map(|asked| 100_905 - asked).collect();
    assert!(
        back[0] > 500
            && back[0] == back[4]
            && back[5] <= back[4] / 2 + 1
            && back[7] <= back[4] / 8 + 1,
        "{back:?}"
    );
    let wanted = asked[0] + 1;
    let short: u64 = resume.begin_connection(0).expect("a position").parse().expect("a number");
    let uncovered = UncoveredRange { from: wanted, to: short + 1, reason: GapReason::ReplayBroken };
    assert_eq!(resume.uncovered_range(Some(101_000), false, 0), Some(uncovered));
    assert_eq!(resume.uncovered_range(Some(101_001), false, 0), None, "once");
    resume.disconnected(true);
    assert_eq!(
        resume.begin_connection(0).as_deref(),
        Some(&*asked[0].to_string()),
        "a new event restores the full lookback"
    );
    // A connection that was silent for a while did not break within the replay.
    for _ in 0..9 {
        resume.classify(Some("100905"), None, &100_905_u64.to_be_bytes());
        resume.disconnected(false);
        assert_eq!(resume.begin_connection(0).as_deref(), Some(&*asked[0].to_string()));
    }
}

#[test]
fn not_requesting_ids_before_the_first_event_is_not_reported() {
    let mut resume = Resume::default();
    deliver(&mut resume, [100_000].into_iter());
    resume.begin_connection(60_000);
    assert_eq!(
        resume.uncovered_range(Some(160_000), false, 60_000),
        None,
        "ids before the first event were never wanted"
    );
}

#[test]
fn a_clock_set_back_is_detected_after_newer_ids_of_the_replay() {
    for (newer, is_reported) in [(100_030, true), (100_060, false)] {
        let mut resume = Resume::default();
        deliver(&mut resume, [100_000].into_iter());
        // The lookback is reduced. The clock was set back by 25 ms after 100 030, and the lookback
        // does not cover that.
        resume.broken_replays = MAX_BROKEN_REPLAYS + 3;
        assert_eq!(resume.begin_connection(40).as_deref(), Some("99993"));
        resume.connected(40);
        let mut receive = |id: u64, age| {
            let decision = resume.classify(Some(&id.to_string()), None, &id.to_be_bytes());
            let backwards = decision == ResumeDecision::New { backwards: true };
            resume.uncovered_range(Some(id), backwards, age)
        };
        let uncovered = receive(newer, 40).map(|range| range.reason);
        assert_eq!(uncovered, Some(GapReason::ReplayBroken));
        assert_eq!(receive(100_020, 50), None, "the reduced lookback is reported down to there");
        let uncovered = receive(100_010, 200);
        let expected = UncoveredRange { from: 99_810, to: 100_010, reason: GapReason::IdsWentBack };
        assert_eq!(uncovered, is_reported.then_some(expected), "{newer}");
    }
}

#[test]
fn the_event_line_is_part_of_the_content() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    assert!(matches!(resume.classify(Some("5"), Some("a"), b"{}"), ResumeDecision::New { .. }));
    resume.begin_connection(0);
    assert!(matches!(resume.classify(Some("5"), None, b"{}"), ResumeDecision::New { .. }));
    assert!(matches!(resume.classify(Some("5"), Some("b"), b"{}"), ResumeDecision::New { .. }));
    assert_eq!(resume.classify(Some("5"), Some("a"), b"{}"), ResumeDecision::Replayed);
}

#[test]
fn an_event_is_recognised_with_and_without_its_id() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    assert_eq!(
        new(&mut resume, &[("5", "a"), ("", "b"), ("x", "c"), ("", "b")]),
        ["a", "b", "c", "b"]
    );
    assert_eq!(resume.begin_connection(0).as_deref(), Some("0"));
    assert_eq!(
        new(&mut resume, &[("", "a"), ("5", "b"), ("6", "c"), ("7", "d"), ("", "b")]),
        ["d", "b"],
        "7 ends the replay"
    );
}

#[test]
fn ids_that_are_not_numbers_drop_nothing() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    new(&mut resume, &[("abc", "a")]);
    assert_eq!(resume.begin_connection(0).as_deref(), Some("abc"));
    assert_eq!(new(&mut resume, &[("abc", "a")]), ["a"]);
}

#[test]
fn memory_is_bounded_and_forgotten_events_are_delivered_twice() {
    let mut resume = Resume::default();
    resume.begin_connection(0);
    let data: Vec<_> = (0..=MAX_REMEMBERED).map(|n| n.to_string()).collect();
    let is_new = |resume: &mut Resume, data: &String| {
        matches!(resume.classify(Some("5"), None, data.as_bytes()), ResumeDecision::New { .. })
    };
    assert!(data.iter().all(|data| is_new(&mut resume, data)));
    assert_eq!(
        (resume.last_connection.len(), resume.order.len()),
        (MAX_REMEMBERED, MAX_REMEMBERED)
    );
    resume.begin_connection(0);
    assert!(is_new(&mut resume, &data[0]), "the oldest is forgotten");
    assert!(!is_new(&mut resume, &data[MAX_REMEMBERED]));
}

#[test]
fn only_events_that_the_server_may_replay_are_remembered() {
    let mut resume = Resume::default();
    let last = 10 * 3_600_000;
    deliver(&mut resume, (0..=last).step_by(200));
    let remembered = usize::try_from(MAX_AGE / 200).expect("a number") + 1;
    assert_eq!((resume.order.len(), resume.last_connection.len()), (remembered, remembered));
    let requested = resume.begin_connection(MAX_LOOKBACK).expect("a position");
    assert_eq!(requested, (last - MAX_LOOKBACK - 1).to_string(), "all that it keeps");
    let oldest = last - MAX_LOOKBACK;
    let decision = resume.classify(Some(&oldest.to_string()), None, &oldest.to_be_bytes());
    assert_eq!(decision, ResumeDecision::Replayed);
}

#[test]
fn events_without_ids_are_recognised_in_few_steps() {
    const EVENTS: u64 = 5000;
    for (name, content) in [("equal", 0), ("different", 1)] {
        let data = |n: u64| (n * content).to_be_bytes();
        let mut resume = Resume::default();
        resume.begin_connection(0);
        for n in 0..EVENTS {
            resume.classify(Some(&(1000 + n).to_string()), None, &data(n));
        }
        resume.begin_connection(0);
        for n in 0..EVENTS {
            assert_eq!(resume.classify(None, None, &data(n)), ResumeDecision::Replayed, "{name}");
        }
        for n in 0..EVENTS {
            let decision = resume.classify(None, None, &data(n));
            assert_eq!(decision, ResumeDecision::New { backwards: false }, "{name}");
        }
        assert!(resume.steps as u64 <= 5 * EVENTS, "{name}: {}", resume.steps);
    }
}

#[test]
fn a_start_in_the_future_does_not_make_the_first_ids_go_back() {
    for heartbeat in [None, Some("990")] {
        let mut resume = Resume::from_id(1_000_000, false);
        assert_eq!(resume.begin_connection(0).as_deref(), Some("999999"));
        resume.connected(0);
        if let Some(id) = heartbeat {
            resume.set_position(id);
        }
        for id in [1000, 1001] {
            let decision = resume.classify(Some(&id.to_string()), None, b"a");
            assert_eq!(decision, ResumeDecision::New { backwards: false });
            assert_eq!(resume.uncovered_range(Some(id), false, 0), None);
        }
        assert_eq!((resume.position(), resume.has_gone_backwards()), (Some(1001), false));
        // From then on, a lower id is one that went back.
        let decision = resume.classify(Some("900"), None, b"a");
        assert_eq!(decision, ResumeDecision::New { backwards: true });
    }
}
