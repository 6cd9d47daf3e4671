use super::*;

/// Sends events through and gives those that are new. An empty id is none.
fn new<'a>(resume: &mut Resume, events: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut judge =
        |id: &str, data: &str| resume.judge(Some(id).filter(|id| !id.is_empty()), Some("call.started"), data.as_bytes());
    events.iter().filter(|(id, data)| matches!(judge(id, data), Verdict::New { .. })).map(|(_, data)| *data).collect()
}

#[test]
fn begins_without_a_position() {
    let mut resume = Resume::default();
    assert_eq!(resume.begin(), None);
    assert_eq!(new(&mut resume, &[("", "a"), ("", "a")]), ["a", "a"]);
    assert_eq!(resume.begin(), None, "events without id make none");
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
        resume.begin();
        for id in ids {
            resume.move_to(id);
        }
        assert_eq!(resume.begin().as_deref(), expected, "{ids:?}");
    }
}

#[test]
fn a_baseline_serves_until_there_is_a_position() {
    let mut resume = Resume::default();
    resume.begin();
    resume.set_baseline(5000);
    assert_eq!((resume.begin().as_deref(), resume.expected()), (Some("4999"), None));
    new(&mut resume, &[("6000", "a")]);
    resume.set_baseline(7000);
    assert_eq!((resume.begin().as_deref(), resume.expected()), (Some("5999"), Some(6000)));
}

#[test]
fn drops_what_was_delivered_and_nothing_else() {
    let mut resume = Resume::default();
    resume.begin();
    assert_eq!(new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b")]), ["old", "a", "b"]);
    assert_eq!(resume.begin().as_deref(), Some("4"));
    assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c"), ("6", "a")]), ["c", "a"]);
}

#[test]
fn a_repeat_is_told_from_a_replay() {
    let mut resume = Resume::default();
    resume.begin();
    let judge = |resume: &mut Resume| resume.judge(Some("5"), None, b"a");
    assert_eq!(judge(&mut resume), Verdict::New { backwards: false });
    assert_eq!(judge(&mut resume), Verdict::Repeated);
    resume.begin();
    assert_eq!(judge(&mut resume), Verdict::Replayed);
    assert_eq!(judge(&mut resume), Verdict::Repeated);
}

#[test]
fn a_replay_that_breaks_off_is_expected_again() {
    let mut resume = Resume::default();
    resume.begin();
    new(&mut resume, &[("5", "a"), ("5", "b")]);
    resume.begin();
    assert!(new(&mut resume, &[("5", "a")]).is_empty());
    assert_eq!(resume.begin().as_deref(), Some("4"));
    assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c")]), ["c"]);
}

#[test]
fn ids_that_go_backwards_are_neither_lost_nor_doubled() {
    let mut resume = Resume::default();
    resume.begin();
    assert_eq!(new(&mut resume, &[("5", "a"), ("7", "b"), ("9", "c")]), ["a", "b", "c"]);
    assert_eq!(resume.judge(Some("6"), Some("call.started"), b"d"), Verdict::New { backwards: true });
    assert_eq!(resume.begin().as_deref(), Some("2"), "twice as far below the highest");
    // The replay alone does not move the position: what comes after its end may lie below.
    assert!(new(&mut resume, &[("5", "a"), ("7", "b"), ("9", "c")]).is_empty());
    assert_eq!(resume.begin().as_deref(), Some("5"), "not as far once that has brought nothing new");
    assert_eq!(new(&mut resume, &[("7", "b"), ("9", "c"), ("6", "d"), ("6", "e"), ("8", "f")]), ["e", "f"]);
}

#[test]
fn the_event_line_is_part_of_the_content() {
    let mut resume = Resume::default();
    resume.begin();
    assert!(matches!(resume.judge(Some("5"), Some("a"), b"{}"), Verdict::New { .. }));
    resume.begin();
    assert!(matches!(resume.judge(Some("5"), None, b"{}"), Verdict::New { .. }));
    assert!(matches!(resume.judge(Some("5"), Some("b"), b"{}"), Verdict::New { .. }));
    assert_eq!(resume.judge(Some("5"), Some("a"), b"{}"), Verdict::Replayed);
}

#[test]
fn what_came_without_its_id_is_known_when_it_comes_with_it_and_the_other_way_round() {
    let mut resume = Resume::default();
    resume.begin();
    assert_eq!(new(&mut resume, &[("5", "a"), ("", "b"), ("x", "c"), ("", "b")]), ["a", "b", "c", "b"]);
    assert_eq!(resume.begin().as_deref(), Some("4"));
    assert_eq!(new(&mut resume, &[("", "a"), ("5", "b"), ("6", "c"), ("7", "d"), ("", "b")]), ["d", "b"], "7 ends the replay");
}

#[test]
fn other_ids_drop_nothing() {
    let mut resume = Resume::default();
    resume.begin();
    new(&mut resume, &[("abc", "a")]);
    assert_eq!(resume.begin().as_deref(), Some("abc"));
    assert_eq!(new(&mut resume, &[("abc", "a")]), ["a"]);
}

#[test]
fn memory_is_bounded_and_beyond_it_events_come_twice_rather_than_never() {
    let mut resume = Resume::default();
    resume.begin();
    let data: Vec<_> = (0..=REMEMBERED).map(|n| n.to_string()).collect();
    let is_new =
        |resume: &mut Resume, data: &String| matches!(resume.judge(Some("5"), None, data.as_bytes()), Verdict::New { .. });
    assert!(data.iter().all(|data| is_new(&mut resume, data)));
    assert_eq!((resume.known.len(), resume.order.len()), (REMEMBERED, REMEMBERED));
    resume.begin();
    assert!(is_new(&mut resume, &data[0]), "the oldest is forgotten");
    assert!(!is_new(&mut resume, &data[REMEMBERED]));
}
