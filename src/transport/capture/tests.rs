use proptest::prelude::*;

use super::*;
use crate::transport::FRAME_LIMIT;
use crate::transport::raw_frame::as_plain_text;

/// Type, id in force, data and fault of a frame.
type FrameRecord = (Option<String>, Option<String>, Vec<u8>, Option<(FrameError, u64)>);

fn record(frame: Frame<'_>) -> FrameRecord {
    let owned = |text: &str| text.to_owned();
    (frame.event.map(owned), frame.id.map(owned), frame.data.to_vec(), frame.fault)
}

/// Returns the frames of a part of a capture, and how many of them were copied.
///
/// Checks that the parser alone returns the same frames.
fn frames(part: &[u8], last_id: &str) -> (Vec<FrameRecord>, usize) {
    assert_eq!(framer::complete_frames_len(part), part.len(), "the reader splits between frames");
    let capture = Capture::new(Bytes::copy_from_slice(part), last_id.into());
    let origin = Origin::default();
    for frame in capture.frames(&origin) {
        assert_eq!((frame.format, frame.offset, frame.received_at), (FrameFormat::Sse, 0, None));
        assert!(frame.flags == FrameFlags::default() && *frame.origin == origin);
        if let Some(text) = frame.text {
            assert!(text.as_bytes().starts_with(frame.data) && as_plain_text(frame.data).is_some());
        }
    }
    let found: Vec<_> = capture.frames(&origin).map(record).collect();
    let parsed = Parser::between_frames(last_id.into(), FRAME_LIMIT).push(part);
    let expected: Vec<_> = parsed
        .into_iter()
        .filter_map(|frame| raw_frame(&Arc::default(), frame))
        .map(|frame| record(frame.as_frame()))
        .collect();
    assert_eq!(found, expected, "{}", part.escape_ascii());
    let is_copy = |frame: &&CapturedFrame| matches!(frame, CapturedFrame::Parsed(_));
    let copies = capture.frames.get().map_or(0, |frames| frames.iter().filter(is_copy).count());
    (found, copies)
}

fn frame(event: &str, id: &str, data: &str) -> FrameRecord {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    (some(event), some(id), data.as_bytes().to_vec(), None)
}

#[test]
fn frames_of_the_usual_form_are_not_copied() {
    let cases: &[(&str, &[FrameRecord])] = &[
        ("id: 7\nevent: call.ended\ndata: {}\n\n", &[frame("call.ended", "7", "{}")]),
        ("data:{}\nid:7\nevent:x\n\n", &[frame("x", "7", "{}")]),
        (": ping\n\ndata: a\n: ping\n:\n\n\n", &[frame("", "41", "a")]),
        (
            "data: a\n\nid: 42\n\ndata:  b \n\nid\u{3a}\ndata:c\n\n",
            &[frame("", "41", "a"), frame("", "42", " b "), frame("", "", "c")],
        ),
        ("event:\ndata:\n\n", &[frame("", "41", "")]),
        ("event: gone\n\ndata: é\0\u{7f}\u{2028}\n\n", &[frame("", "41", "é\0\u{7f}\u{2028}")]),
        ("data: \u{feff}:\n\n", &[frame("", "41", "\u{feff}:")]),
    ];
    for (part, expected) in cases {
        assert_eq!(frames(part.as_bytes(), "41"), (expected.to_vec(), 0), "{part:?}");
    }
}

#[test]
fn other_frames_are_parsed_by_the_parser_and_the_frames_after_them_are_not_copied() {
    let cases: &[(&[u8], &str, FrameRecord)] = &[
        (b"data: a\ndata: b\n\n", "1", frame("", "1", "a\nb")),
        (b"data\n\n", "1", frame("", "1", "")),
        (b"event: a\nevent: b\ndata: c\n\n", "1", frame("b", "1", "c")),
        (b"id: 2\nid: 3\ndata: c\n\n", "3", frame("", "3", "c")),
        (b"id: 2\0\ndata: c\n\n", "1", frame("", "1", "c")),
        (b"id\ndata: c\n\n", "", frame("", "", "c")),
        (b"retry: 3\ndata: c\n\n", "1", frame("", "1", "c")),
        (b"unknown: x\nid:9\ndata: c\n\n", "9", frame("", "9", "c")),
        (b"\xef\xbb\xbfdata: lost\ndata: c\n\n", "1", frame("", "1", "c")),
        (b"data: c\r\n\r\n", "1", frame("", "1", "c")),
        (b"data: c\r\n\n", "1", frame("", "1", "c")),
        (b"data: c\rid: 4\n\n", "4", frame("", "4", "c")),
    ];
    for (other, id, expected) in cases {
        let part = [b"id: 1\ndata: x\n\n", *other, b"data: y\n\n"].concat();
        let expected = vec![frame("", "1", "x"), expected.clone(), frame("", id, "y")];
        assert_eq!(frames(&part, ""), (expected, 1), "{}", other.escape_ascii());
    }
}

#[test]
fn a_part_that_is_not_utf8_is_parsed_by_the_parser() {
    let (found, copies) = frames(b"id: 1\ndata: a\n\ndata: \xff\n\n", "");
    assert_eq!(found, [frame("", "1", "a"), frame("", "1", "\u{fffd}")]);
    assert_eq!(copies, 2);
}

/// Pieces of lines that are likely to matter.
const TOKENS: &[&[u8]] = &[
    b"data:",
    b"data: {}\n",
    b"data: a",
    b"data",
    b"id: 7\n",
    b"id:",
    b"id",
    b"event: ",
    b"event:x\n",
    b"retry: 3\n",
    b"retry:",
    b":",
    b": ping\n",
    b": ping\n\n",
    b"\n",
    b"\n",
    b"\n\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\xef\xbb\xbf",
    b"\0",
    b"\x7f",
    b" ",
    b"12",
    "é".as_bytes(),
    b"x: y\n",
    b"id: 8\nevent: call.ended\ndata: {\"a\":1}\n\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_frames_of_any_part_are_those_of_the_parser(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..40),
        invalid in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        last_id in prop::sample::select(vec!["", "41"]),
    ) {
        let mut part = tokens.concat();
        if let Some(at) = invalid.filter(|_| !part.is_empty()) {
            let at = at.index(part.len());
            part[at] = 0xff;
        }
        part.truncate(framer::complete_frames_len(&part));
        frames(&part, last_id);
    }
}
