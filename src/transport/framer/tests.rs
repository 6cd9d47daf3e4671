use proptest::prelude::*;

use super::*;
use crate::transport::FRAME_LIMIT;

/// A frame that tests can compare and print: type, id in force, `retry:`, and the data or the size
/// of data over the limit.
type FrameRecord = (Option<String>, String, Option<u64>, Result<Option<String>, u64>);

fn record(frame: SseFrame) -> FrameRecord {
    let body = match frame.body {
        SseBody::Empty => Ok(None),
        SseBody::Data(data) => Ok(Some(data)),
        SseBody::TooLarge(bytes) => Err(bytes),
    };
    (frame.event, frame.last_event_id.to_string(), frame.retry, body)
}

fn parse<'a>(parser: &mut Parser, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<FrameRecord> {
    chunks.into_iter().flat_map(|chunk| parser.push(chunk)).map(record).collect()
}

/// Parses the input at once, byte by byte, and split in two at every position, and checks that the
/// results agree.
fn parse_everywhere(limit: usize, input: &[u8]) -> Vec<FrameRecord> {
    let whole = parse(&mut Parser::new(limit), [input]);
    assert_eq!(parse(&mut Parser::new(limit), input.chunks(1)), whole, "byte by byte");
    for cut in 0..=input.len() {
        let (head, tail) = input.split_at(cut);
        assert_eq!(parse(&mut Parser::new(limit), [head, tail]), whole, "cut at {cut}");
    }
    whole
}

/// An event with data.
fn event(event: &str, id: &str, data: &str) -> FrameRecord {
    (
        Some(event.to_owned()).filter(|event| !event.is_empty()),
        id.to_owned(),
        None,
        Ok(Some(data.to_owned())),
    )
}

/// A frame without data.
fn empty(id: &str, retry: Option<u64>) -> FrameRecord {
    (None, id.to_owned(), retry, Ok(None))
}

#[test]
fn conforms_to_the_standard() {
    let cases: &[(&[u8], &[FrameRecord])] = &[
        // Line ends.
        (b"data:a\n\n", &[event("", "", "a")]),
        (b"data:a\r\r", &[event("", "", "a")]),
        (b"data:a\r\n\r\n", &[event("", "", "a")]),
        (b"data:a\r\n\rdata:b\n\r\n", &[event("", "", "a"), event("", "", "b")]),
        (b"data:a\n\rdata:b\r\n\n", &[event("", "", "a"), event("", "", "b")]),
        (b"data:a\r\ndata:b\rdata:c\n\n", &[event("", "", "a\nb\nc")]),
        (b"\r\n\r\ndata:a\r\n\r\n\r\n", &[event("", "", "a")]),
        (
            "data:a\u{85}b\u{2028}c\x0bd\x0ce\n\n".as_bytes(),
            &[event("", "", "a\u{85}b\u{2028}c\x0bd\x0ce")],
        ),
        // Only one byte order mark at the beginning is stripped.
        (b"\xef\xbb\xbfdata:a\n\n", &[event("", "", "a")]),
        (b"\xef\xbb\xbf\ndata:a\n\n", &[event("", "", "a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata:a\n\ndata:b\n\n", &[event("", "", "b")]),
        (b"data:a\n\n\xef\xbb\xbfdata:b\n\n", &[event("", "", "a")]),
        (b"data:\xef\xbb\xbfa\n\n", &[event("", "", "\u{feff}a")]),
        (b"\xef\xbbdata:a\n\n", &[]),
        // Valid and invalid UTF-8.
        ("data:\u{e9}\u{1f600}\n\n".as_bytes(), &[event("", "", "\u{e9}\u{1f600}")]),
        (b"data:a\xffb\n\ndata:c\n\n", &[event("", "", "a\u{fffd}b"), event("", "", "c")]),
        (b"data:\xf0\x9f\x98\n\ndata:c\n\n", &[event("", "", "\u{fffd}"), event("", "", "c")]),
        (b"event:\xc3\ndata:a\nid:\xff\n\n", &[event("\u{fffd}", "\u{fffd}", "a")]),
        // Data.
        (b"data: a\n\n", &[event("", "", "a")]),
        (b"data:  a \n\n", &[event("", "", " a ")]),
        (b"data:\ta\n\n", &[event("", "", "\ta")]),
        (b"data: :a: b\n\n", &[event("", "", ":a: b")]),
        (b"data\n\n", &[event("", "", "")]),
        (b"data:\n\n", &[event("", "", "")]),
        (b"data\ndata\n\n", &[event("", "", "\n")]),
        (b"data:a\ndata:\ndata: b\n\n", &[event("", "", "a\n\nb")]),
        (b"data:a\0b\n\n", &[event("", "", "a\0b")]),
        (b"data:a\n\ndata\n\ndata:b", &[event("", "", "a"), event("", "", "")]),
        // Comments and unknown fields.
        (b": comment\n\n:\n\n", &[]),
        (b":data:x\ndata:a\n: more\ndata:b\n\n", &[event("", "", "a\nb")]),
        (b"foo:bar\nData:x\n data:y\ndata :z\ndatax:1\nfoo\n\n", &[]),
        (b"foo: bar\ndata:a\n\n", &[event("", "", "a")]),
        // The type.
        (
            b"event:call.started\ndata:a\n\ndata:b\n\n",
            &[event("call.started", "", "a"), event("", "", "b")],
        ),
        (b"data:a\nevent: late\n\n", &[event("late", "", "a")]),
        (b"event:one\nevent:two\ndata:a\n\n", &[event("two", "", "a")]),
        (b"event:one\nevent:\ndata:a\n\n", &[event("", "", "a")]),
        (b"event\ndata:a\n\n", &[event("", "", "a")]),
        (b"event:message\ndata:a\n\n", &[event("message", "", "a")]),
        (b"event:gone\n\ndata:a\n\n", &[event("", "", "a")]),
        // The id.
        (b"id:1\ndata:a\n\ndata:b\n\n", &[event("", "1", "a"), event("", "1", "b")]),
        (b"data:a\nid: 1\nid:2\n\n", &[event("", "2", "a")]),
        (b"id:1\n\ndata:a\n\n", &[empty("1", None), event("", "1", "a")]),
        (b"id:1\ndata:a\n\nid\ndata:b\n\n", &[event("", "1", "a"), event("", "", "b")]),
        (b"id:1\ndata:a\n\nid:2\0\ndata:b\n\n", &[event("", "1", "a"), event("", "1", "b")]),
        (b"data:a\n\nid:1\n", &[event("", "", "a")]),
        // The reconnection time.
        (b"retry: 3000\n\n", &[empty("", Some(3000))]),
        (b"retry:007\nid:x\n\n", &[empty("x", Some(7))]),
        (
            b"retry:+5\n\nretry:-5\n\nretry:5.0\n\nretry:\n\nretry\n\nretry: 5 \n\nretry:0x5\n\n",
            &[],
        ),
        ("retry:\u{663}\n\n".as_bytes(), &[]),
        (b"retry:99999999999999999999999\n\n", &[empty("", Some(u64::MAX))]),
        // The end of the stream within a frame.
        (b"", &[]),
        (b"data:a", &[]),
        (b"data:a\n", &[]),
        (b"data:a\r\n", &[]),
        (b"data:a\n\ndata:b\n: b", &[event("", "", "a")]),
    ];
    assert!(cases.len() >= 40);
    for (input, expected) in cases {
        assert_eq!(parse_everywhere(FRAME_LIMIT, input), *expected, "{}", input.escape_ascii());
    }
}

#[test]
fn between_two_frames_the_id_in_force_stays_until_the_stream_sets_another() {
    let mut parser = Parser::between_frames("41".into(), FRAME_LIMIT);
    let frames =
        parse(&mut parser, [&b"data:a\n\n\nretry:1\n\nid:42\n\ndata:b\n\nid\n\ndata:c\n\n"[..]]);
    let expected = [
        event("", "41", "a"),
        empty("41", Some(1)),
        empty("42", None),
        event("", "42", "b"),
        empty("", None),
        event("", "", "c"),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn a_retry_applies_from_its_line_on() {
    let mut parser = Parser::new(FRAME_LIMIT);
    assert_eq!(parser.retry(), None);
    assert!(parser.push(b"retry: 3000").is_empty());
    assert_eq!(parser.retry(), None, "the line is not complete yet");
    assert!(parser.push(b"\n").is_empty());
    assert_eq!(parser.retry(), Some(Duration::from_secs(3)));
    parser.push(b"retry: soon\n\n");
    assert_eq!(parser.retry(), Some(Duration::from_secs(3)));
}

#[test]
fn sets_id_is_true_only_for_frames_with_a_valid_id_line() {
    let frames = Parser::new(FRAME_LIMIT).push(b"data:a\n\nid:1\ndata:b\n\nid:2\0\ndata:c\n\n");
    assert_eq!(frames.iter().map(|frame| frame.sets_id).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_frame_over_the_limit_is_reported_and_the_next_one_is_parsed() {
    let large = |id: &str, bytes| -> FrameRecord { (None, id.to_owned(), None, Err(bytes)) };
    let next = || event("", "", "b");
    let cases: &[(&[u8], &[FrameRecord])] = &[
        (b"data: 12345678\n\n", &[event("", "", "12345678")]),
        (b"data: 123456789\n\n", &[large("", 10)]),
        (b"data:1234\ndata:567\n\n", &[event("", "", "1234\n567")]),
        (b"data:1234\ndata:5678\n\ndata:b\n\n", &[large("", 10), next()]),
        (b"data:0123456789abcdef\n\ndata:b\n\n", &[large("", 17), next()]),
        (
            b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\ndata:b\n\n",
            &[large("", 10), next()],
        ),
        (b"data:0123456789\nevent:x\ndata:1\nid:7\n\n", &[large("7", 17)]),
        (b"id:7\ndata:0123456789\ndata:1\n\n", &[large("7", 15)]),
        (b"event:0123456789\ndata:b\n\ndata:b\n\n", &[large("", 13), next()]),
        // The type and the id count as well, and so do values that a later line replaces.
        (b"event:ab\nid:7\ndata:123\n\n", &[event("ab", "7", "123")]),
        (b"event:ab\nid:7\ndata:1234\n\ndata:b\n\n", &[large("7", 10), event("", "7", "b")]),
        (b"event:1\nevent:2\nevent:3\nevent:4\nevent:5\ndata:b\n\n", &[large("", 12)]),
        (b"id:1\nid:2\nid:3\nid:4\nid:5\ndata:b\n\n", &[large("5", 12)]),
        (b"event\nevent\nevent\nevent\nid\nid\nid\nid\nid\ndata:b\n\n", &[large("", 11)]),
        // What is not kept does not count.
        (b":0123456789abcdefghijkl\ndata:b\n\n", &[next()]),
        (b"unknown:0123456789abcd\ndata:b\n\n", &[next()]),
        (b":ping\n:ping\n:ping\n:ping\n:ping\ndata:b\n:ping\n:ping\n\n", &[next()]),
        (b"retry:00000000000000000000\ndata:b\n\n", &[next()]),
        (
            b"u:v\nu:v\nu:v\nretry:5\nretry:5\nretry:5\nretry:5\nretry:x\ndata:b\n\n",
            &[(None, String::new(), Some(5), Ok(Some("b".to_owned())))],
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(parse_everywhere(8, input), *expected, "{}", input.escape_ascii());
    }
}

#[test]
fn an_endless_line_needs_bounded_memory() {
    let mut parser = Parser::new(1000);
    parser.push(b"data:");
    for _ in 0..1000 {
        assert!(parser.push(&[b'x'; 1000]).is_empty());
    }
    assert!(parser.framer.line.capacity() <= 3000, "{}", parser.framer.line.capacity());
    assert_eq!(parser.unfinished(), 1_000_005);
    let frames = parse(&mut parser, [&b"\n\ndata:next\n\n"[..]]);
    assert_eq!(frames, [(None, String::new(), None, Err(1_000_001)), event("", "", "next")]);
    assert_eq!(parser.unfinished(), 0);
}

#[test]
fn endless_lines_of_one_frame_need_bounded_memory() {
    for line in ["event: call.started\n", "id: 1795404284885\n", "data: {\n", "event\n", "x: y\n"] {
        let mut parser = Parser::new(1000);
        for _ in 0..10_000 {
            assert!(parser.push(line.as_bytes()).is_empty());
        }
        let FrameAssembler { chunk, queued, frame, .. } = &parser.assembler;
        let kept = queued + chunk.capacity() + frame.id.as_ref().map_or(0, String::capacity);
        assert!(kept <= 3000, "{line}: {kept}");
    }
}

#[test]
fn frames_share_the_id_in_force() {
    let id = "7".repeat(500);
    let frames = Parser::new(1000).push(format!("id:{id}\n{}", "data\n\n".repeat(9)).as_bytes());
    assert_eq!(frames.len(), 9);
    for frame in &frames {
        assert!(Arc::ptr_eq(&frame.last_event_id, &frames[0].last_event_id));
    }
    // A line that repeats the id shares it too.
    let frames = Parser::new(1000).push(format!("id:{id}\ndata\n\n").repeat(2).as_bytes());
    assert!(Arc::ptr_eq(&frames[0].last_event_id, &frames[1].last_event_id));
}

#[test]
fn each_byte_is_searched_once_whatever_the_chunks() {
    let mut input = b"data:".to_vec();
    input.resize(300_000, b'x');
    input.extend_from_slice(b"\n\n");
    input.extend(b"event:e\nid:1\ndata:short\n\n".repeat(2000));
    for size in [1, 7, 1000, 65_536, input.len()] {
        let mut parser = Parser::new(FRAME_LIMIT);
        let frames: usize = input.chunks(size).map(|chunk| parser.push(chunk).len()).sum();
        assert_eq!(frames, 2001);
        assert_eq!(parser.framer.searched, input.len(), "in chunks of {size}");
    }
}

/// Generates sequences of tokens of the format and of arbitrary bytes.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let tokens = vec![
        &b"data:"[..],
        b"data",
        b"id:",
        b"event: ",
        b"retry:",
        b":",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\0",
        b"12",
        b"\xf0\x9f",
    ];
    let token = prop_oneof![
        4 => proptest::sample::select(tokens).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunk_boundaries_do_not_change_the_frames_of_any_bytes(
        bytes in streams(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        limit in 4_usize..64,
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let chunks: Vec<_> = starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect();
        let whole = parse(&mut Parser::new(limit), [&bytes[..]]);
        prop_assert_eq!(parse(&mut Parser::new(limit), chunks), whole);
    }

    #[test]
    fn a_limit_never_truncates_data(bytes in streams(), limit in 0_usize..16) {
        let unlimited = parse(&mut Parser::new(FRAME_LIMIT), [&bytes[..]]);
        let all: Vec<_> = unlimited.into_iter().map(|frame| frame.3).collect();
        for frame in parse(&mut Parser::new(limit), [&bytes[..]]) {
            prop_assert!(frame.3.is_err() || all.contains(&frame.3));
        }
    }

    #[test]
    fn frames_written_by_the_standard_are_parsed_back(
        frames in proptest::collection::vec(
            ("[a-z.]{0,8}", "[^\r\n\0]{0,8}", "[^\r]{0,20}"),
            0..8,
        ),
        end in proptest::sample::select(vec!["\n", "\r", "\r\n"]),
    ) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (kind, id, data) in &frames {
            let lines = data.replace('\n', &format!("{end}data: "));
            text.extend(["event: ", kind, end, "id: ", id, end, "data: ", &lines, end, end]);
            expected.push(event(kind, id, data));
        }
        prop_assert_eq!(parse(&mut Parser::new(FRAME_LIMIT), [text.as_bytes()]), expected);
    }
}
