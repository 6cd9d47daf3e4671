//! What a failure of the stream means, and what is reported about it.

use super::*;

#[tokio::test]
async fn a_truncated_body_is_a_transient_failure() {
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: TEXT/EVENT-STREAM\r\n\
                   Transfer-Encoding: chunked\r\n\r\n8\r\ndata:a\n\n\r\n5\r\nda";
    let (items, _, _) = play(vec![ScriptedResponse::new(chunked), stop()]).await;
    assert_eq!(items, [Sent::Connected, event("", "", "a"), reconnecting(1, "connection closed")]);
}

#[tokio::test]
async fn an_unusable_first_answer_ends_the_run() {
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; x=canary\r\n\r\n";
    let unknown = "HTTP/1.1 200 OK\r\nContent-Type: canary canary\r\n\r\n";
    let gzip =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n";
    for (answer, exit, why) in [
        (
            ScriptedResponse::status(401, ""),
            Exit::Credential,
            "the server refused the API key (401)",
        ),
        (
            ScriptedResponse::status(403, ""),
            Exit::Credential,
            "the API key may not read this workspace (403)",
        ),
        (ScriptedResponse::status(404, ""), Exit::NotFound, "no such workspace (404)"),
        (ScriptedResponse::status(410, ""), Exit::NotFound, "no such workspace (410)"),
        (
            ScriptedResponse::new("HTTP/1.1 204 No Content\r\n\r\n"),
            Exit::Failure,
            "the server has no stream here (204)",
        ),
        (
            ScriptedResponse::status(400, ""),
            Exit::Failure,
            "the server answered 400, which does not open a stream",
        ),
        (
            ScriptedResponse::status(304, ""),
            Exit::Failure,
            "the server answered 304, which does not open a stream",
        ),
        (
            ScriptedResponse::new(html),
            Exit::Failure,
            "not an event stream: the server sent text/html;",
        ),
        (
            ScriptedResponse::new(unknown),
            Exit::Failure,
            "not an event stream: the server sent another type;",
        ),
        (
            ScriptedResponse::new(gzip),
            Exit::Failure,
            "the stream is compressed, which was not requested",
        ),
        (ScriptedResponse::new("canary"), Exit::Failure, "the answer is not HTTP"),
        (ScriptedResponse::new(""), Exit::Failure, "connection closed"),
    ] {
        let (items, _, error) = play(vec![answer]).await;
        assert_eq!((error.exit, items.len()), (exit, 0), "{error}");
        assert!(
            error.to_string().starts_with(&format!("cannot read the workspace's stream: {why}")),
            "{error}"
        );
    }
    let (items, _, error) = play(vec![]).await;
    assert_eq!((error.exit, items.len()), (Exit::Failure, 0), "no server");
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[tokio::test]
async fn redirects_stay_within_the_origin() {
    let (items, heads, _) = play(vec![
        ScriptedResponse::status(307, "Location: /elsewhere\r\n"),
        ScriptedResponse::stream("data:a\n\n"),
        stop(),
    ])
    .await;
    assert_eq!(items[..2], [Sent::Connected, event("", "", "a")]);
    assert!(heads[1].starts_with("GET /elsewhere HTTP/1.1\r\n"));
    assert_eq!(header(&heads[1], "authorization"), Some(&*format!("Bearer {TOKEN}")));

    let mut other = Scripted::new([stop()]).await;
    let (_, _, error) =
        play(vec![ScriptedResponse::status(302, &format!("Location: {}/canary\r\n", other.url()))])
            .await;
    assert!(error.to_string().contains("redirects to another origin"), "{error}");
    assert!(other.heads().is_empty());

    let (_, heads, error) =
        play((0..6).map(|_| ScriptedResponse::status(302, "Location: /again\r\n")).collect()).await;
    assert!(error.to_string().contains("redirects too often"), "{error}");
    assert_eq!(heads.len(), 6);
}

#[tokio::test]
async fn control_frames_are_failures_and_not_events() {
    for (data, why) in [
        (r#"{"code":"stream_unavailable","message":"canary"}"#, "the platform's event bus is down"),
        (
            r#"{"code":"stream_error","message":"canary"}"#,
            "the platform reported an error of the stream",
        ),
        (r#"{"code":"canary"}"#, "the platform reported an unknown error"),
        (r#"{"code":7}"#, "the platform reported an unknown error"),
        ("canary", "the platform reported an unknown error"),
    ] {
        let (items, _, _) = play(vec![
            ScriptedResponse::stream(&format!("event: error\ndata: {data}\n\n")).and_hold(),
            stop(),
        ])
        .await;
        assert_eq!(items, [Sent::Connected, reconnecting(1, why)], "{why}");
    }
    for (limit, why) in [
        (r#","max_streams":50"#, "the workspace already has 50 open streams, its maximum"),
        (
            r#","max_streams":"canary""#,
            "the workspace already has its maximum number of open streams",
        ),
        ("", "the workspace already has its maximum number of open streams"),
    ] {
        let body = format!("event: error\ndata: {{\"code\":\"too_many_streams\"{limit}}}\n\n");
        let (items, _, error) = play(vec![ScriptedResponse::stream(&body).and_hold()]).await;
        assert_eq!((error.exit, items.len()), (Exit::TooManyStreams, 1));
        assert!(error.to_string().contains(why), "{error}");
    }
}
