//! Tests of the record and the cursor together, across runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::destination::{DeliveryProgress, LastStored};
use super::*;
use crate::error::Exit;
use crate::model::decode::Decoder;
use crate::model::{FrameFlags, FrameFormat, Origin};
use crate::redact::{Policy, Redactor};
use crate::transport::RawFrame;
use crate::transport::sse::Start;

const WORKSPACE: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

fn frame(id: u64, call: &str) -> RawFrame {
    let origin = Origin { workspace_id: Some(WORKSPACE.to_owned()), ..Origin::default() };
    RawFrame {
        origin: Arc::new(origin),
        format: FrameFormat::Sse,
        event: Some("call.started".to_owned()),
        id: Some(id.to_string().into()),
        data: Bytes::from(format!(r#"{{"call_sid":"{call}","caller_id":"+12025550123"}}"#)),
        received_at: None,
        fault: None,
        offset: 0,
        flags: FrameFlags::default(),
    }
}

/// Delivers events like a run of the pipeline. Returns how many were new.
fn deliver(delivery: &mut Delivery, frames: &[RawFrame], policy: &Policy) -> usize {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    let mut new = 0;
    for raw in frames {
        let frame = raw.as_frame();
        let event = decoder.decode(frame);
        let shown = redactor.redact(&event);
        if delivery.is_known(&frame, &shown) {
            continue;
        }
        new += 1;
        delivery.event(&EventContext::new(&shown)).expect("written");
        delivery.advance(&frame, &shown);
    }
    new
}

fn open(directory: &Path) -> (Delivery, Option<Start>) {
    let cursor = Cursor::open(&directory.join("cursor")).expect("a cursor");
    let start = cursor.starts(&[WORKSPACE.to_owned()], 100).expect("written")[0];
    let record = Recorder::open(&directory.join("record")).expect("a record");
    (Delivery::new(vec![Box::new(record)], Some(cursor)), start)
}

fn recorded(directory: &Path) -> usize {
    fs::read_to_string(directory.join("record")).expect("a record").lines().count()
}

#[test]
fn the_next_run_resumes_where_a_run_ended() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = Policy::default();
    let (mut delivery, start) = open(directory.path());
    assert_eq!(start, None);
    assert_eq!(
        deliver(
            &mut delivery,
            &[frame(200, "a"), frame(201, "b"), frame(201, "b"), frame(201, "c")],
            &policy
        ),
        4
    );
    delivery.finish(None).expect("written");
    drop(delivery);

    let (mut delivery, start) = open(directory.path());
    assert_eq!(start, Some(Start::After(201)));
    let again =
        [frame(201, "b"), frame(201, "b"), frame(201, "c"), frame(201, "d"), frame(202, "b")];
    assert_eq!(deliver(&mut delivery, &again, &policy), 2);
    delivery.finish(None).expect("written");
    assert_eq!(recorded(directory.path()), 6);
}

#[test]
fn a_run_that_dies_before_its_first_event_leaves_a_start_time() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(open(directory.path()));
    assert_eq!(open(directory.path()).1, Some(Start::Since(100)));
}

#[test]
fn events_recorded_before_the_cursor_advanced_are_recorded_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let events: Vec<_> = (0..100).map(|n| frame(300 + n / 3, &format!("c{n}"))).collect();
    let (mut delivery, _) = open(directory.path());
    deliver(&mut delivery, &events[..40], &Policy::default());
    delivery.flush(None).expect("written");
    deliver(&mut delivery, &events[40..60], &Policy::default());
    delivery.destinations[0].flush().expect("written");
    drop(delivery); // The run is killed before the cursor advances.

    let mut revealing = Policy::default();
    revealing.reveal.add("all");
    let (mut delivery, start) = open(directory.path());
    assert_eq!(start, Some(Start::After(313)));
    let new = deliver(&mut delivery, &events[39..], &revealing);
    assert_eq!(new, 60, "stdout gets the events after the cursor again");
    delivery.finish(None).expect("written");
    let text = fs::read_to_string(directory.path().join("record")).expect("a record");
    let calls: Vec<_> =
        text.lines().map(|line| line.split('"').nth(7).expect("a call").to_owned()).collect();
    assert_eq!(calls, (0..100).map(|n| format!("c{n}")).collect::<Vec<_>>());
}

#[test]
fn an_incomplete_line_is_removed_unless_evtap_did_not_write_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("record");
    for torn in [&b"{"[..], b"{\"event_type\":\"call.st", b""] {
        let line = b"{\"event_type\":\"text.started\",\"_tap\":{}}\n";
        fs::write(&path, [line, torn].concat()).expect("written");
        drop(Recorder::open(&path).expect("a record"));
        assert_eq!(fs::read(&path).expect("read"), line);
    }
    fs::write(&path, "somebody's notes").expect("written");
    assert_eq!(Recorder::open(&path).map(drop).expect_err("not ours").exit, Exit::Usage);
    assert_eq!(fs::read(&path).expect("read"), b"somebody's notes");
    assert_eq!(
        Recorder::open(directory.path()).map(drop).expect_err("a directory").exit,
        Exit::Usage
    );
}

#[test]
fn a_damaged_cursor_is_refused_and_an_empty_one_is_reset() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cursor");
    for damaged in ["{", "[]", "{\"version\":2,\"streams\":{}}", "Jane Roe"] {
        fs::write(&path, damaged).expect("written");
        let error = Cursor::open(&path).map(drop).expect_err("damaged");
        assert!(error.exit == Exit::Usage && !error.to_string().contains("Jane"), "{error}");
    }
    fs::write(&path, "").expect("written");
    assert!(Cursor::open(&path).is_ok());
}

#[cfg(unix)]
#[test]
fn files_are_private_and_links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("record"), "").expect("written");
    fs::set_permissions(directory.path().join("record"), fs::Permissions::from_mode(0o644))
        .expect("set");
    let (mut delivery, _) = open(directory.path());
    deliver(&mut delivery, &[frame(200, "a")], &Policy::default());
    delivery.finish(None).expect("written");
    for name in ["record", "cursor"] {
        let mode = fs::metadata(directory.path().join(name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let text = fs::read_to_string(directory.path().join("cursor")).expect("read");
    assert!(!text.contains("2025550123"), "{text}");
    let link = directory.path().join("link");
    symlink(directory.path().join("cursor"), &link).expect("linked");
    assert!(Cursor::open(&link).is_err() && Recorder::open(&link).is_err());
    assert_eq!(
        fs::read_dir(directory.path()).expect("listed").count(),
        3,
        "no temporary file is left"
    );
}

#[test]
fn a_record_and_a_cursor_have_one_user_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let (record, cursor) = (directory.path().join("record"), directory.path().join("cursor"));
    let (mut delivery, _) = open(directory.path());
    for n in 0..3 {
        // The cursor replaces its file each time, and keeps the lock.
        deliver(&mut delivery, &[frame(200 + n, "a")], &Policy::default());
        delivery.flush(None).expect("written");
        let written = fs::read(&record).expect("read");
        let errors = [Recorder::open(&record).map(drop), Cursor::open(&cursor).map(drop)]
            .map(Result::unwrap_err);
        for error in errors {
            assert_eq!(error.exit, Exit::Failure);
            assert!(
                error.to_string().contains(": another process or option is using it; "),
                "{error}"
            );
        }
        assert_eq!(fs::read(&record).expect("read"), written);
    }
    drop(delivery);
    drop(open(directory.path()));
}

#[test]
fn a_batch_is_limited_in_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut delivery, _) = open(directory.path());
    let call = "c".repeat(300_000);
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let full: Vec<_> = (0..4)
        .map(|n| {
            let raw = frame(300 + n, &call);
            let frame = raw.as_frame();
            let event = decoder.decode(frame);
            let shown = redactor.redact(&event);
            delivery.event(&crate::query::EventContext::new(&shown)).expect("written");
            delivery.advance(&frame, &shown)
        })
        .collect();
    assert_eq!(full, [false, false, false, true]);
    delivery.flush(None).expect("written");
    assert!(!delivery.destinations[0].is_full());
}

/// A destination that delivers in the background, whenever the test says so.
struct BackgroundDestination {
    taken: u64,
    delivered: Arc<AtomicU64>,
}

impl Destination for BackgroundDestination {
    fn event(&mut self, _context: &EventContext<'_>) -> Result<(), OutputError> {
        self.taken += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn progress(&self) -> Result<Option<DeliveryProgress>, OutputError> {
        let delivered = self.delivered.load(Ordering::SeqCst);
        Ok(Some(DeliveryProgress { taken: self.taken, delivered }))
    }
}

#[test]
fn the_cursor_follows_what_is_delivered_in_the_background_and_not_what_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cursor");
    let cursor = Cursor::open(&path).expect("a cursor");
    cursor.starts(&[WORKSPACE.to_owned()], 100).expect("written");
    let delivered = Arc::new(AtomicU64::new(0));
    let destination = BackgroundDestination { taken: 0, delivered: Arc::clone(&delivered) };
    let mut delivery = Delivery::new(vec![Box::new(destination)], Some(cursor.clone()));
    for id in [200, 201, 202] {
        deliver(&mut delivery, &[frame(id, "a")], &Policy::default());
        delivery.flush(None).expect("handed over");
    }
    let position = || {
        let file: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        file["streams"][WORKSPACE]["id"].as_u64().expect("a number")
    };
    assert!(position() == 100 && delivery.is_unsettled());
    // Another workspace is added meanwhile, which writes the file.
    cursor.starts(&["another".to_owned()], 100).expect("written");
    assert_eq!(position(), 100);
    for (count, expected) in [(1, 200), (1, 200), (3, 202)] {
        delivered.store(count, Ordering::SeqCst);
        delivery.settle().expect("written");
        assert_eq!(position(), expected);
    }
    assert!(!delivery.is_unsettled());
}

/// A destination in which a tap stores its events.
struct TapDestination {
    tap: Option<u64>,
    /// The places of what it holds.
    holds: std::ops::Range<u64>,
    restarts: u64,
}

impl Destination for TapDestination {
    fn tap_key(&self) -> Option<u64> {
        self.tap
    }

    fn last_stored(&self) -> Option<LastStored> {
        Some(LastStored { place: self.holds.end - 1, id: 7 })
    }

    fn holds(&self, last: LastStored) -> LocalBoxFuture<'_, bool> {
        std::future::ready(self.holds.contains(&last.place)).boxed_local()
    }

    fn restarts(&self) -> u64 {
        self.restarts
    }

    fn event(&mut self, _context: &EventContext<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

#[test]
fn a_run_continues_what_its_tap_has_stored_and_not_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cursor");
    let run_with = |destination: TapDestination, id: Option<u64>| {
        let cursor = Cursor::open(&path).expect("a cursor");
        cursor.starts(&[WORKSPACE.to_owned()], 100).expect("written");
        let mut delivery = Delivery::new(vec![Box::new(destination)], Some(cursor));
        delivery.resume_tap().now_or_never().expect("it is ready");
        let origin = frame(0, "a").origin;
        let continues = delivery.continues(&origin);
        deliver(&mut delivery, &Vec::from_iter(id.map(|id| frame(id, "a"))), &Policy::default());
        delivery.finish(None).expect("written");
        (continues, delivery.continues(&origin))
    };
    let run = |tap, id| run_with(TapDestination { tap, holds: 1..100, restarts: 0 }, id);
    assert_eq!(run(Some(1), None), (false, false));
    assert_eq!(run(Some(1), Some(200)), (false, true));
    assert_eq!(run(Some(1), Some(300)), (true, true));
    assert_eq!(run(Some(2), None), (false, false), "another destination");
    assert_eq!(run(Some(1), None), (true, true), "which got nothing");
    assert_eq!(run(None, Some(400)), (false, false), "no destination");
    assert_eq!(run(Some(1), Some(500)), (false, true));
    // The destination has lost what was stored last, before the run or in it.
    let lost = || TapDestination { tap: Some(1), holds: 1..50, restarts: 0 };
    assert_eq!(run_with(lost(), None), (false, false));
    assert_eq!(run_with(lost(), Some(600)), (false, true));
    assert_eq!(run_with(TapDestination { restarts: 1, ..lost() }, Some(700)), (false, false));
    assert_eq!(run_with(lost(), Some(800)), (false, true));

    let of_call = Origin {
        workspace_id: Some(WORKSPACE.to_owned()),
        call_sid: Some("CA1".to_owned()),
        ..Origin::default()
    };
    let delivery = Delivery::new(vec![Box::new(lost())], Some(Cursor::open(&path).expect("one")));
    delivery.resume_tap().now_or_never().expect("it is ready");
    assert!(delivery.continues(&frame(0, "a").origin));
    assert!(!delivery.continues(&of_call), "a call has no position");
}
