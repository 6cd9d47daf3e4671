use super::*;

/// Sends events through and gives those that are new. An empty id is none.
fn new<'a>(resume: &mut Resume, events: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut judge = |id: &str, data: &str| {
        resume.judge(Some(id).filter(|id| !id.is_empty()), Some("call.started"), data.as_bytes())
    };
    events
        .iter()
        .filter(|(id, data)| matches!(judge(id, data), ResumeDecision::New { .. }))
        .map(|(_, data)| *data)
        .collect()
}

#[test]
fn begins_without_a_position() {
    let mut resume = Resume::default();
    assert_eq!(resume.begin(0), None);
    assert_eq!(new(&mut resume, &[("", "a"), ("", "a")]), ["a", "a"]);
    assert_eq!(resume.begin(0), None, "events without id make none");
    assert_eq!(new(&mut resume, &[("", "a")]), ["a"]);
}

#[test]
fn asks_from_just_before_the_last_millisecond() {
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
        resume.begin(0);
        for id in ids {
            resume.move_to(id);
        }
        assert_eq!(resume.begin(0).as_deref(), expected, "{ids:?}");
    }
}

#[test]
fn a_baseline_serves_until_there_is_a_position() {
    let mut resume = Resume::default();
    resume.begin(0);
    resume.set_baseline(5000);
    assert_eq!((resume.begin(0).as_deref(), resume.expected()), (Some("4999"), None));
    new(&mut resume, &[("6000", "a")]);
    resume.set_baseline(7000);
    assert_eq!((resume.begin(0).as_deref(), resume.expected()), (Some("5949"), Some(6000)));
}

#[test]
fn drops_what_was_delivered_and_nothing_else() {
    let mut resume = Resume::default();
    resume.begin(0);
    assert_eq!(new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b")]), ["old", "a", "b"]);
    assert_eq!(
        resume.begin(0).as_deref(),
        Some("0"),
        "few as they are, all of them are asked for again"
    );
    assert_eq!(
        new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b"), ("5", "c"), ("6", "a")]),
        ["c", "a"]
    );
}

#[test]
fn a_repeat_is_told_from_a_replay() {
    let mut resume = Resume::default();
    resume.begin(0);
    let judge = |resume: &mut Resume| resume.judge(Some("5"), None, b"a");
    assert_eq!(judge(&mut resume), ResumeDecision::New { backwards: false });
    assert_eq!(judge(&mut resume), ResumeDecision::Repeated);
    resume.begin(0);
    assert_eq!(judge(&mut resume), ResumeDecision::Replayed);
    assert_eq!(judge(&mut resume), ResumeDecision::Repeated);
}

#[test]
fn a_replay_that_breaks_off_is_expected_again() {
    let mut resume = Resume::default();
    resume.begin(0);
    new(&mut resume, &[("5", "a"), ("5", "b")]);
    resume.begin(0);
    assert!(new(&mut resume, &[("5", "a")]).is_empty());
    assert_eq!(resume.begin(0).as_deref(), Some("0"));
    assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c")]), ["c"]);
}

#[test]
fn ids_that_go_backwards_are_neither_lost_nor_doubled() {
    let mut resume = Resume::default();
    resume.begin(0);
    assert_eq!(new(&mut resume, &[("5000", "a"), ("7000", "b"), ("9000", "c")]), ["a", "b", "c"]);
    assert_eq!(
        resume.judge(Some("6000"), Some("call.started"), b"d"),
        ResumeDecision::New { backwards: true }
    );
    assert_eq!(resume.begin(0).as_deref(), Some("2999"), "twice as far below the highest");
    // The replay alone does not move the position: what comes after its end may lie below.
    assert!(new(&mut resume, &[("5000", "a"), ("7000", "b"), ("9000", "c")]).is_empty());
    assert_eq!(resume.begin(0).as_deref(), Some("2999"));
    assert_eq!(
        new(
            &mut resume,
            &[("7000", "b"), ("9000", "c"), ("6000", "d"), ("6000", "e"), ("8000", "f")]
        ),
        ["e", "f"]
    );
}

/// Delivers so many events, ten milliseconds apart, on a connection of their own.
fn delivered(resume: &mut Resume, ids: impl Iterator<Item = u64>) {
    resume.begin(0);
    for id in ids {
        let verdict = resume.judge(Some(&id.to_string()), None, &id.to_be_bytes());
        if let ResumeDecision::New { backwards } = verdict {
            resume.unasked(Some(id), backwards, 0);
        }
    }
    resume.broke(true);
}

#[test]
fn it_asks_back_by_the_last_events_by_age_and_by_what_has_gone_back() {
    let asked = |resume: &mut Resume, age| {
        resume.begin(age).expect("a position").parse::<u64>().expect("a number") + 1
    };
    let mut resume = Resume::default();
    delivered(&mut resume, (0..1000).map(|n| 100_000 + n * 10));
    let last = 100_000 + 999 * 10;
    assert_eq!(asked(&mut resume, 0), last - 63 * 10, "the last 64");
    assert_eq!(
        asked(&mut resume, 5000),
        last - 5000,
        "whatever a clock can have been set back by meanwhile"
    );
    assert_eq!(asked(&mut resume, 60_000), 100_000 - 50, "but not from well before the beginning");
    // Rare events are asked for by their age alone.
    let mut rare = Resume::default();
    delivered(&mut rare, (1..100).map(|n| n * 3_600_000));
    assert_eq!(asked(&mut rare, 0), 99 * 3_600_000 - 30_000);
    assert_eq!(asked(&mut rare, 3_600_000), 99 * 3_600_000 - MOST);
    // Never what would not be known again.
    let mut many = Resume::default();
    delivered(&mut many, (0..=REMEMBERED as u64 + 10).map(|n| 1_000_000 + n));
    assert_eq!(asked(&mut many, MOST), 1_000_011);
    // Many events of one moment are no reason to ask for that alone.
    let mut burst = Resume::default();
    delivered(&mut burst, (0..100).map(|n| 5000 + n * 10));
    burst.begin(0);
    for n in 0..100_u64 {
        burst.judge(Some("6000"), None, &n.to_be_bytes());
    }
    assert_eq!(asked(&mut burst, 0), 5950);
    // An earlier run's position is asked for as it is.
    assert_eq!(asked(&mut Resume::at(5000, true), 4000), 5000);
}

#[test]
fn connections_that_break_within_the_replay_ask_for_less_and_that_is_told() {
    let mut resume = Resume::default();
    delivered(&mut resume, (0..100).map(|n| 100_000 + n * 10).chain([100_905]));
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(resume.begin(0).expect("a position").parse::<u64>().expect("a number"));
        // Something that is known comes, and no more.
        assert_eq!(
            resume.judge(Some("100905"), None, &100_905_u64.to_be_bytes()),
            ResumeDecision::Replayed
        );
        resume.broke(true);
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
    let short: u64 = resume.begin(0).expect("a position").parse().expect("a number");
    let unasked = UncoveredRange { from: wanted, to: short + 1, reason: GapReason::ReplayBroken };
    assert_eq!(resume.unasked(Some(101_000), false, 0), Some(unasked));
    assert_eq!(resume.unasked(Some(101_001), false, 0), None, "once");
    resume.broke(true);
    assert_eq!(
        resume.begin(0).as_deref(),
        Some(&*asked[0].to_string()),
        "something new gives it patience again"
    );
    // Silence is no break within the replay.
    for _ in 0..9 {
        resume.judge(Some("100905"), None, &100_905_u64.to_be_bytes());
        resume.broke(false);
        assert_eq!(resume.begin(0).as_deref(), Some(&*asked[0].to_string()));
    }
}

#[test]
fn less_than_the_beginning_is_not_less_than_wanted() {
    let mut resume = Resume::default();
    delivered(&mut resume, [100_000].into_iter());
    resume.begin(60_000);
    assert_eq!(
        resume.unasked(Some(160_000), false, 60_000),
        None,
        "what is before the beginning was never asked for"
    );
}

#[test]
fn a_clock_set_back_is_seen_behind_newer_ids_of_the_replay() {
    for (newer, told) in [(100_030, true), (100_060, false)] {
        let mut resume = Resume::default();
        delivered(&mut resume, [100_000].into_iter());
        // Too impatient to ask for all: the clock was set back by 25 ms after 100 030, and what that hid is not asked for.
        resume.fruitless = PATIENCE + 3;
        assert_eq!(resume.begin(40).as_deref(), Some("99993"));
        resume.stands(40);
        let mut come = |id: u64, age| {
            let verdict = resume.judge(Some(&id.to_string()), None, &id.to_be_bytes());
            resume.unasked(Some(id), verdict == ResumeDecision::New { backwards: true }, age)
        };
        assert_eq!(come(newer, 40).map(|unasked| unasked.reason), Some(GapReason::ReplayBroken));
        let unasked = come(100_020, 50).map(|unasked| (unasked.from, unasked.to, unasked.reason));
        assert_eq!(unasked, None, "what was short has been told of down to there");
        let unasked = come(100_010, 200).map(|unasked| (unasked.from, unasked.to, unasked.reason));
        assert_eq!(unasked, told.then_some((99_810, 100_010, GapReason::IdsWentBack)), "{newer}");
    }
}

#[test]
fn the_event_line_is_part_of_the_content() {
    let mut resume = Resume::default();
    resume.begin(0);
    assert!(matches!(resume.judge(Some("5"), Some("a"), b"{}"), ResumeDecision::New { .. }));
    resume.begin(0);
    assert!(matches!(resume.judge(Some("5"), None, b"{}"), ResumeDecision::New { .. }));
    assert!(matches!(resume.judge(Some("5"), Some("b"), b"{}"), ResumeDecision::New { .. }));
    assert_eq!(resume.judge(Some("5"), Some("a"), b"{}"), ResumeDecision::Replayed);
}

#[test]
fn what_came_without_its_id_is_known_when_it_comes_with_it_and_the_other_way_round() {
    let mut resume = Resume::default();
    resume.begin(0);
    assert_eq!(
        new(&mut resume, &[("5", "a"), ("", "b"), ("x", "c"), ("", "b")]),
        ["a", "b", "c", "b"]
    );
    assert_eq!(resume.begin(0).as_deref(), Some("0"));
    assert_eq!(
        new(&mut resume, &[("", "a"), ("5", "b"), ("6", "c"), ("7", "d"), ("", "b")]),
        ["d", "b"],
        "7 ends the replay"
    );
}

#[test]
fn other_ids_drop_nothing() {
    let mut resume = Resume::default();
    resume.begin(0);
    new(&mut resume, &[("abc", "a")]);
    assert_eq!(resume.begin(0).as_deref(), Some("abc"));
    assert_eq!(new(&mut resume, &[("abc", "a")]), ["a"]);
}

#[test]
fn memory_is_bounded_and_beyond_it_events_come_twice_rather_than_never() {
    let mut resume = Resume::default();
    resume.begin(0);
    let data: Vec<_> = (0..=REMEMBERED).map(|n| n.to_string()).collect();
    let is_new = |resume: &mut Resume, data: &String| {
        matches!(resume.judge(Some("5"), None, data.as_bytes()), ResumeDecision::New { .. })
    };
    assert!(data.iter().all(|data| is_new(&mut resume, data)));
    assert_eq!((resume.known.len(), resume.order.len()), (REMEMBERED, REMEMBERED));
    resume.begin(0);
    assert!(is_new(&mut resume, &data[0]), "the oldest is forgotten");
    assert!(!is_new(&mut resume, &data[REMEMBERED]));
}
