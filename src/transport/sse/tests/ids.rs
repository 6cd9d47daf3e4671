//! Ids: those of events, those that are requested, and unusual ones.

use super::*;

#[tokio::test]
async fn frames_without_data_move_the_position() {
    let (_, heads, _) = play(vec![
        ScriptedResponse::stream("id:20\n\n"),
        ScriptedResponse::stream("id: a\u{e9}b\n\n"),
        stop(),
    ])
    .await;
    assert_eq!(header(&heads[1], "last-event-id"), Some("19"));
    assert_eq!(
        header(&heads[2], "last-event-id"),
        Some("19"),
        "an id that is not a number does not replace one that is"
    );
    let (_, heads, _) = play(vec![
        ScriptedResponse::stream("id: a\u{e9}b\n\n"),
        ScriptedResponse::stream("id: x\ty\n\n"),
        stop(),
    ])
    .await;
    assert_eq!(header(&heads[1], "last-event-id"), Some("a\u{e9}b"), "without a number");
    assert_eq!(header(&heads[2], "last-event-id"), None, "not a valid header value");
    let (items, heads, _) = play(vec![
        ScriptedResponse::stream(&format!("id:{}\ndata:a\n\n", "x".repeat(100_000))),
        ScriptedResponse::stream("data:b\n\n"),
        stop(),
    ])
    .await;
    assert_eq!(header(&heads[1], "last-event-id"), None, "too long for a header");
    assert!(items.contains(&gap("no_position")));
}

#[tokio::test]
async fn unusual_ids_are_flagged() {
    let server = Scripted::new([
        ScriptedResponse::stream("id:9\ndata:a\n\nid:7\ndata:b\n\nid:7\ndata:b\n\ndata:c\n\n"),
        stop(),
    ])
    .await;
    let (tx, mut rx) = channel(100);
    run(&server.client(), "ws-1", &keys(), Start::Now, &config(), &tx)
        .await
        .expect_err("the script ends");
    drop(tx);
    let mut flags = Vec::new();
    while let Some(item) = rx.recv().await {
        if let Item::Frame(frame) = item {
            flags.push((
                frame.flags.id_missing,
                frame.flags.id_backwards,
                frame.flags.after_repeat,
            ));
        }
    }
    assert_eq!(flags, [(false, false, false), (false, true, false), (true, false, true)]);
}

#[tokio::test]
async fn an_event_without_an_id_does_not_get_the_id_that_was_requested() {
    let (items, heads, _) = play(vec![
        ScriptedResponse::stream("id:1017\ndata:a\n\ndata:b\n\n"),
        ScriptedResponse::stream("data:c\n\nid:1017\ndata:a\n\ndata:d\n\n"),
        stop(),
    ])
    .await;
    assert_eq!(header(&heads[1], "last-event-id"), Some("966"));
    let events: Vec<_> = items.into_iter().filter(|item| matches!(item, Sent::Event(..))).collect();
    assert_eq!(
        events,
        [
            event("", "1017", "a"),
            event("", "1017", "b"),
            event("", "", "c"),
            event("", "1017", "d")
        ]
    );
}
