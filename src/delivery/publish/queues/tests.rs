//! Tests of the queues, in which time is an argument.

use super::*;

fn message(workspace: &str, id: &str) -> PendingMessage {
    PendingMessage {
        subject: format!("evtap.{workspace}.call.ended").into(),
        workspace: 6..6 + workspace.len(),
        id: id.to_owned(),
        event_type: "call.ended".to_owned(),
        body: bytes::Bytes::from_static(b"{}"),
        is_lifecycle: false,
        lease: None,
    }
}

/// Adds a batch of events, which are given as workspace and id.
fn push(queues: &mut PublishQueues, batch: &[(&str, &str)]) {
    let batch = batch.iter().map(|(workspace, id)| message(workspace, id)).collect();
    queues.push(batch, |_, _| false);
}

/// Sends what is ready. Returns the numbers and ids.
fn send(queues: &mut PublishQueues, now: Instant) -> Vec<(u64, String)> {
    let mut sent = Vec::new();
    while let Some(at) = queues.next_ready() {
        let id = queues.first(at).expect("it is ready").id.clone();
        sent.push((queues.sent(at, now), id));
    }
    sent
}

fn store(queues: &mut PublishQueues, number: u64) {
    let at = queues.answered(number).expect("it was sent");
    queues.settle(at, true);
}

fn ids(sent: &[(u64, String)]) -> Vec<&str> {
    sent.iter().map(|(_, id)| id.as_str()).collect()
}

#[test]
fn one_event_of_a_workspace_is_under_way_and_later_batches_do_not_wait() {
    let (mut queues, now) = (PublishQueues::default(), Instant::now());
    push(&mut queues, &[("a", "a1"), ("b", "b1"), ("a", "a2")]);
    let first = send(&mut queues, now);
    assert_eq!(ids(&first), ["a1", "b1"]);
    push(&mut queues, &[("b", "b2"), ("c", "c1")]);
    assert_eq!(ids(&send(&mut queues, now)), ["c1"]);
    store(&mut queues, first[1].0);
    let second = send(&mut queues, now);
    assert_eq!(ids(&second), ["b2"], "an event of the next batch, before the first is complete");
    store(&mut queues, second[0].0);
    store(&mut queues, first[0].0);
    assert_eq!(queues.take_changes().settled, 0, "the first batch has an event that is not stored");
    let third = send(&mut queues, now);
    assert_eq!(ids(&third), ["a2"]);
    store(&mut queues, third[0].0);
    assert_eq!(queues.take_changes().settled, 3);
    store(&mut queues, 3);
    let changes = queues.take_changes();
    assert_eq!((changes.settled, changes.delivered), (2, 1));
}

#[test]
fn a_workspace_without_events_takes_no_memory() {
    let (mut queues, now) = (PublishQueues::default(), Instant::now());
    for number in 0..10_000 {
        push(&mut queues, &[(&format!("w{number}"), "1")]);
        let sent = send(&mut queues, now);
        store(&mut queues, sent[0].0);
    }
    assert_eq!(queues.queues.len(), 1);
    assert!(queues.by_workspace.is_empty() && queues.sent.is_empty() && queues.timeouts.is_empty());
}

#[test]
fn an_event_that_fails_is_sent_again_before_those_behind_it_and_others_go_on() {
    let (mut queues, now) = (PublishQueues::default(), Instant::now());
    push(&mut queues, &[("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")]);
    let sent = send(&mut queues, now);
    let at = queues.answered(sent[0].0).expect("it was sent");
    let (delay, attempt) = queues.delay(at, "it is full".to_owned(), now, 0.5);
    assert_eq!((delay, attempt), (FIRST_DELAY / 2, 1));
    assert_eq!(queues.why_delayed(), Some("it is full"));
    store(&mut queues, sent[1].0);
    assert_eq!(ids(&send(&mut queues, now)), ["b2"]);
    assert_eq!(queues.deadline(), Some(now + delay));
    queues.end_delays(Some(now));
    assert_eq!(ids(&send(&mut queues, now)), [""; 0]);
    queues.end_delays(Some(now + delay));
    let again = send(&mut queues, now);
    assert_eq!(ids(&again), ["a1"]);
    let at = queues.answered(again[0].0).expect("it was sent");
    assert_eq!(queues.delay(at, String::new(), now, 0.5), (FIRST_DELAY, 2));
    queues.end_delays(None);
    let again = send(&mut queues, now);
    store(&mut queues, again[0].0);
    assert_eq!(ids(&send(&mut queues, now)), ["a2"]);
}

#[test]
fn an_event_that_is_not_acknowledged_in_time_is_sent_again_and_the_late_answer_is_ignored() {
    let (mut queues, now) = (PublishQueues::default(), Instant::now());
    push(&mut queues, &[("a", "a1"), ("b", "b1")]);
    let sent = send(&mut queues, now);
    store(&mut queues, sent[1].0);
    assert_eq!(queues.deadline(), Some(now + ACKNOWLEDGE_TIMEOUT));
    let later = now + ACKNOWLEDGE_TIMEOUT;
    let unanswered = queues.unanswered(Some(later));
    assert_eq!(unanswered.len(), 1);
    queues.delay(unanswered[0], String::new(), later, 0.0);
    queues.end_delays(Some(later));
    let again = send(&mut queues, later);
    assert_eq!(queues.answered(sent[0].0), None);
    assert_eq!(queues.unanswered(None), [unanswered[0]], "as if the connection was lost");
    assert_eq!(queues.answered(again[0].0), None);
}

#[test]
fn a_queue_that_is_held_waits_and_refused_events_are_counted() {
    let (mut queues, now) = (PublishQueues::default(), Instant::now());
    let mut held = None;
    queues.push(vec![message("a", "a1"), message("b", "b1")], |at, workspace| {
        let holds = workspace == "a";
        held = held.or(holds.then_some(at));
        holds
    });
    assert_eq!(ids(&send(&mut queues, now)), ["b1"]);
    queues.release(held.expect("one is held"));
    let sent = send(&mut queues, now);
    assert_eq!(ids(&sent), ["a1"]);
    let at = queues.answered(sent[0].0).expect("it was sent");
    queues.settle(at, false);
    store(&mut queues, 1);
    let changes = queues.take_changes();
    assert_eq!((changes.settled, changes.delivered, changes.refused, changes.left), (2, 1, 1, 2));
}
