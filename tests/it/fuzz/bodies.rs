//! Properties that must hold for any bytes. Property tests and fuzz targets run the same code.

use evtap::error::Exit;
use evtap::internals::delivery::Recorder;
use evtap::internals::output::ndjson;
use evtap::model::decode::Decoder;
use evtap::model::{Frame, FrameFlags, FrameFormat, Origin};
use evtap::query::TypeFilter;
use evtap::query::check::{Kinds, check};
use evtap::query::program::{Program, parse};
use evtap::redact::{Mode, Policy, PseudonymKey, Redactor, ScrubMode};
use evtap::text::scrub::scrub;
use evtap::transport::FRAME_LIMIT;
use evtap::transport::framer::{Parser, SseBody};

/// Decodes and redacts one frame and returns the line.
fn line(format: FrameFormat, data: &[u8], policy: Policy) -> String {
    let origin = Origin::default();
    let frame = Frame {
        origin: &origin,
        format,
        event: None,
        id: None,
        data,
        text: None,
        received_at: None,
        fault: None,
        offset: 0,
        flags: FrameFlags::default(),
    };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy));
    let mut out = Vec::new();
    ndjson::object(&redactor.redact(&decoder.decode(frame)), &mut out);
    String::from_utf8(out).expect("NDJSON is UTF-8")
}

/// Any frame becomes one harmless line of JSON in every mode, and that line replays unchanged.
pub fn decode_and_redact(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let format =
        [FrameFormat::Sse, FrameFormat::Observer, FrameFormat::Record][usize::from(choice % 3)];
    let key = PseudonymKey::new(&[7; 32]).expect("it is long enough");
    for mode in [Mode::Mask, Mode::Partial, Mode::Hash(key), Mode::Drop] {
        let policy = Policy {
            mode,
            scrub: if choice & 0x80 == 0 { ScrubMode::Free } else { ScrubMode::All },
            ..Policy::default()
        };
        let line = line(format, data, policy.clone());
        assert!(serde_json::from_str::<serde_json::Map<_, _>>(&line).is_ok(), "no JSON");
        assert!(!evtap::text::terminal::has_hostile(&line), "something hostile");
        assert_eq!(
            self::line(FrameFormat::Record, line.as_bytes(), policy),
            line,
            "a replay differs"
        );
    }
}

/// Scrubbed text contains nothing more to scrub, and visible text contains nothing hostile.
pub fn scrub_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(once) = scrub(&text) {
        assert!(!once.detectors.is_empty() && scrub(&once.text).is_none(), "it is scrubbed twice");
    }
    let visible = evtap::text::terminal::visible(&text).into_owned();
    assert!(
        !evtap::text::terminal::has_hostile(&visible)
            && evtap::text::terminal::visible(&visible) == visible
    );
}

/// Returns the data of a body, or the length of one that is too large.
fn body(body: SseBody) -> Result<String, u64> {
    match body {
        SseBody::Empty => Ok(String::new()),
        SseBody::Data(data) => Ok(data),
        SseBody::TooLarge(bytes) => Err(bytes),
    }
}

/// A stream gives the same frames wherever its chunks are cut.
pub fn framing(data: &[u8]) {
    let Some((step, data)) = data.split_first() else { return };
    let frames = |size: usize| {
        let mut parser = Parser::new(FRAME_LIMIT);
        let bodies: Vec<_> = data
            .chunks(size.max(1))
            .flat_map(|chunk| parser.push(&bytes::Bytes::copy_from_slice(chunk)))
            .collect();
        bodies
            .into_iter()
            .map(|frame| (frame.event, frame.last_event_id, frame.retry, body(frame.body)))
            .collect::<Vec<_>>()
    };
    assert!(frames(usize::from(*step)) == frames(data.len()), "cut elsewhere, it reads otherwise");
}

/// Any expression is a program or a usage error, and every finding points into it.
pub fn predicate(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // evtap gives deeper nesting a larger stack, which this test does not have.
    if text.len() > 300 {
        return;
    }
    let parsed = match parse("--filter", &text) {
        Ok(parsed) => parsed,
        Err(error) => return assert_eq!(error.exit, Exit::Usage),
    };
    if Program::compile(&parsed, &[]).is_err() {
        return;
    }
    for is_predicate in [true, false] {
        let (_, findings) = check(
            &parsed,
            Kinds::from_filter(&TypeFilter::default()),
            &Policy::default(),
            is_predicate,
        );
        for finding in findings {
            assert!(
                finding.range.end <= text.len() && text.get(finding.range).is_some(),
                "it points elsewhere"
            );
        }
    }
}

/// A record with any content is either refused and left alone, or keeps its whole lines and loses a
/// torn one.
pub fn record(data: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("record");
    std::fs::write(&path, data).expect("written");
    let is_accepted = Recorder::open(&path).is_ok();
    let left = std::fs::read(&path).expect("read");
    let whole = data.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if is_accepted {
        assert!(left == data[..whole], "a whole line is gone, or a torn one is there");
    } else {
        assert!(left == data && whole < data.len(), "it is refused, and changed");
    }
}
