//! When a gap is reported, and when it is not.

use super::*;

/// An event stream with the current time in its `Date` header.
fn dated(body: &str) -> ScriptedResponse {
    let now = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&Timestamp::now())
        .expect("a date");
    ScriptedResponse::new(format!(
        "HTTP/1.1 200 OK\r\nDate: {now}\r\nContent-Type: text/event-stream\r\n\r\n{body}"
    ))
}

fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).expect("a time")
}

#[tokio::test]
async fn a_break_before_the_first_event_resumes_from_the_date_of_the_answer() {
    let before = now() / 1000 * 1000;
    let (items, heads, _) = play(vec![dated(": hello\n\n"), dated("data:a\n\n"), stop()]).await;
    let asked: u64 = header(&heads[1], "last-event-id").expect("asked").parse().expect("a number");
    assert!((before - 1..=now()).contains(&asked));
    assert!(!items.iter().any(|item| matches!(item, Sent::Gap(_))));
}

#[tokio::test]
async fn a_replay_that_begins_too_late_is_a_gap_and_one_that_overlaps_is_not() {
    let id = now();
    let event = |n: u64| format!("id:{n}\ndata:{n}\n\n");
    for (second, expected) in [
        (event(id) + &event(id + 1), vec![]),
        (event(id + 1), vec!["replay_late"]),
        (event(id - 1) + &event(id + 1), vec!["replay_late"]),
        (": nothing yet\n\n".to_owned(), vec![]),
    ] {
        let (items, _, _) = play(vec![
            ScriptedResponse::stream(&event(id)),
            ScriptedResponse::stream(&second),
            stop(),
        ])
        .await;
        let gaps: Vec<_> = items
            .iter()
            .filter_map(|item| if let Sent::Gap(why) = item { Some(why.as_str()) } else { None })
            .collect();
        assert_eq!(gaps, expected, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_replay_is_a_gap_after_the_settle_time() {
    let (tx, mut rx) = channel(9);
    let config = config();
    let context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
    let mut reader = SseReader::new(context, Start::After(now()));
    reader.resume.begin_connection(0);
    reader.begin_connection().await;
    let body = Box::pin(stream::pending::<Result<Bytes, io::Error>>());
    let began = tokio::time::Instant::now();
    tokio::time::timeout(gap::SETTLE_TIME * 2, reader.read(body, Parser::new(FRAME_LIMIT)))
        .await
        .expect_err("silence");
    assert!(began.elapsed() >= gap::SETTLE_TIME);
    assert_eq!(describe(rx.try_recv().expect("a gap")), gap("replay_late"));
    assert!(rx.try_recv().is_err(), "once");
}

#[tokio::test(start_paused = true)]
async fn a_gap_ends_by_the_clock_of_the_server() {
    const SKEW: Duration = Duration::from_secs(600);
    for now_by in [
        Timestamp::now as fn() -> Timestamp,
        || Timestamp::now() + SKEW,
        || Timestamp::now() - SKEW,
    ] {
        let (tx, mut rx) = channel(9);
        let config = SourceConfig { now: now_by, ..config() };
        let context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
        let mut reader = SseReader::new(context, Start::After(now() - 60_000));
        reader.resume.begin_connection(0);
        let before = now();
        reader.clock.note_date(Some(before / 1000 * 1000), now_by());
        reader.begin_connection().await;
        let body = Box::pin(stream::pending::<Result<Bytes, io::Error>>());
        tokio::time::timeout(gap::SETTLE_TIME * 2, reader.read(body, Parser::new(FRAME_LIMIT)))
            .await
            .expect_err("silence");
        let Item::Frame(frame) = rx.try_recv().expect("a gap") else { panic!("a frame") };
        let line: Value = serde_json::from_slice(&frame.data).expect("JSON");
        assert_eq!(line["reason"], "replay_late");
        let to: Timestamp = line["to"].as_str().expect("text").parse().expect("a time");
        let late = to.as_millisecond() - i64::try_from(before).expect("a time");
        assert!((0..=30_000).contains(&late), "{late} ms");
    }
}

#[tokio::test]
async fn a_start_that_the_server_no_longer_has_is_a_gap() {
    let old = now() - 600_000;
    for (start, expected) in
        [(Start::Since(old), "beyond_buffer"), (Start::After(old), "away_too_long")]
    {
        let mut server =
            Scripted::new([ScriptedResponse::stream(&format!("id:{}\ndata:a\n\n", now())), stop()])
                .await;
        let (tx, mut rx) = channel(100);
        run(&server.client(), "ws-1", &keys(), start, &config(), &tx)
            .await
            .expect_err("the script ends");
        assert_eq!(describe(rx.recv().await.expect("a connection event")), Sent::Connected);
        assert_eq!(describe(rx.recv().await.expect("a gap")), gap(expected));
        assert!(matches!(describe(rx.recv().await.expect("an event")), Sent::Event(..)));
        assert_eq!(header(&server.heads()[0], "last-event-id"), Some(&*(old - 1).to_string()));
    }
}

/// Returns the reason, start and end of each gap that a run reported.
async fn gaps(answers: Vec<ScriptedResponse>) -> Vec<(String, String, String)> {
    let server = Scripted::new(answers).await;
    let (tx, mut rx) = channel(1000);
    run(&server.client(), "ws-1", &keys(), Start::Now, &config(), &tx)
        .await
        .expect_err("the script ends in an error");
    drop(tx);
    let mut gaps = Vec::new();
    while let Some(item) = rx.recv().await {
        if let Item::Frame(frame) = item
            && frame.format == FrameFormat::Own
        {
            let line: Value = serde_json::from_slice(&frame.data).expect("JSON");
            let text = |name: &str| line[name].as_str().expect("text").to_owned();
            gaps.push((text("reason"), text("from"), text("to")));
        }
    }
    gaps
}

#[tokio::test]
async fn a_clock_that_was_set_back_without_a_connection_is_reported() {
    let id = now();
    let event = |n: u64| format!("id:{n}\ndata:{n}\n\n");
    let first = ScriptedResponse::stream(&(event(id - 500) + &event(id)));
    // The clock was set back by a minute: events since the break may have ids that were not
    // requested.
    let reported = gaps(vec![
        first,
        ScriptedResponse::stream(&(event(id) + &event(id - 60_000) + &event(id - 59_000))),
        stop(),
    ])
    .await;
    assert_eq!(reported.len(), 1, "{reported:?}");
    let millis = |text: &str| {
        u64::try_from(text.parse::<Timestamp>().expect("a time").as_millisecond()).expect("a time")
    };
    assert_eq!((reported[0].0.as_str(), millis(&reported[0].2)), ("ids_went_back", id - 60_000));
    assert!((id - 70_000..=id - 60_000).contains(&millis(&reported[0].1)), "{reported:?}");
    // The lookback covers a small step.
    let first = ScriptedResponse::stream(&(event(id - 500) + &event(id)));
    let again = event(id - 500) + &event(id) + &event(id - 200) + &event(id - 100) + &event(id + 1);
    assert_eq!(gaps(vec![first, ScriptedResponse::stream(&again), stop()]).await, []);
    // On an open connection, events arrive as they are published.
    let first = ScriptedResponse::stream(&event(id));
    assert_eq!(
        gaps(vec![
            first,
            ScriptedResponse::stream(&(event(id) + &event(id + 60_000) + &event(id - 60_000))),
            stop()
        ])
        .await,
        []
    );
}
