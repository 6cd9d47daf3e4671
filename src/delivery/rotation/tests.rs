use std::cell::Cell;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Origin};
use crate::redact::{Policy, Redactor};

thread_local! {
    static NOW: Cell<Timestamp> = const { Cell::new(Timestamp::UNIX_EPOCH) };
}

fn now() -> Timestamp {
    NOW.get()
}

fn set_now(text: &str) {
    NOW.set(text.parse().expect("a time"));
}

fn config(dir: &Path, name: &str, max_size: Option<u64>, keep: Retention) -> RotationConfig {
    let pattern = RecordPattern::parse(&dir.join(name), max_size.is_some()).expect("a pattern");
    RotationConfig { pattern, max_size, keep, now }
}

fn open(dir: &Path, name: &str) -> RotatingRecorder {
    RotatingRecorder::open(config(dir, name, None, Retention::default())).expect("opened")
}

/// Records an event with this id.
fn record(recorder: &mut RotatingRecorder, id: u64) {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let (origin, id) = (Origin::default(), id.to_string());
    let frame = Frame {
        event: Some("text.started"),
        id: Some(&id),
        ..Frame::new(FrameFormat::Sse, b"{}", &origin)
    };
    let event = redactor.decode_and_redact(&mut decoder, frame);
    recorder.event(&EventContext::new(&event)).expect("written");
    recorder.flush().expect("flushed");
}

/// Returns the names of the files and the number of lines in each.
fn files(dir: &Path) -> Vec<(String, usize)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let (mut reader, _) =
                crate::transport::archive::open(fs::File::open(entry.path()).expect("a file"))
                    .expect("a recording");
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
            (entry.file_name().into_string().expect("UTF-8"), text.lines().count())
        })
        .collect();
    files.sort();
    files
}

fn named(files: &[(&str, usize)]) -> Vec<(String, usize)> {
    files.iter().map(|(name, lines)| ((*name).to_owned(), *lines)).collect()
}

#[test]
fn a_new_file_begins_when_the_time_in_its_name_changes() {
    let dir = tempfile::tempdir().expect("a directory");
    set_now("2026-05-05T10:30:00Z");
    let mut recorder = open(dir.path(), "r-%Y%m%dT%H.ndjson.zst");
    for (at, id) in [
        ("2026-05-05T10:59:59Z", 1),
        ("2026-05-05T11:00:00Z", 2),
        // A clock that is set back writes to no earlier file.
        ("2026-05-05T10:59:59Z", 3),
        ("2026-05-05T12:00:00Z", 4),
        ("2026-05-05T13:00:00Z", 5),
    ] {
        set_now(at);
        record(&mut recorder, id);
        recorder.finish().expect("synced");
    }
    let expected = named(&[
        ("r-20260505T10.ndjson.zst", 1),
        ("r-20260505T11.ndjson.zst", 2),
        ("r-20260505T12.ndjson", 1),
        ("r-20260505T13.ndjson", 1),
    ]);
    assert_eq!(files(dir.path()), expected);
}

#[test]
fn events_at_the_end_of_the_file_before_are_not_written_again() {
    let dir = tempfile::tempdir().expect("a directory");
    set_now("2026-05-05T10:00:00Z");
    let mut recorder = open(dir.path(), "r-%Y%m%dT%H.ndjson");
    record(&mut recorder, 1);
    record(&mut recorder, 2);
    drop(recorder);
    set_now("2026-05-05T11:00:00Z");
    let mut recorder = open(dir.path(), "r-%Y%m%dT%H.ndjson");
    for id in [1, 2, 3] {
        record(&mut recorder, id);
    }
    let expected = named(&[("r-20260505T10.ndjson", 2), ("r-20260505T11.ndjson", 1)]);
    assert_eq!(files(dir.path()), expected);
}

#[test]
fn a_run_that_was_killed_while_it_compressed_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let name = "r-%Y%m%dT%H.ndjson.zst";
    let plain = dir.path().join("r-20260505T10.ndjson");
    let mut text = Vec::new();
    for (hour, id) in [("10", 1), ("11", 2), ("12", 3)] {
        set_now(&format!("2026-05-05T{hour}:00:00Z"));
        let mut recorder = open(dir.path(), name);
        record(&mut recorder, id);
        recorder.finish().expect("synced");
        if id == 1 {
            text = fs::read(&plain).expect("a file");
        }
    }
    assert!(!plain.exists());
    fs::write(&plain, text).expect("written");
    fs::write(dir.path().join("r-20260505T10.ndjson.zst.tmp"), "a part").expect("written");
    let mut recorder = open(dir.path(), name);
    recorder.finish().expect("synced");
    fs::remove_file(dir.path().join("r-20260505T10.ndjson.zst.tmp")).expect("left alone");
    let expected = named(&[
        ("r-20260505T10.ndjson.zst", 1),
        ("r-20260505T11.ndjson", 1),
        ("r-20260505T12.ndjson", 1),
    ]);
    assert_eq!(files(dir.path()), expected);
    drop(recorder);
    // A plain file with other content stays.
    fs::write(&plain, "{}\n").expect("written");
    open(dir.path(), name).finish().expect("synced");
    assert!(plain.exists());
}

#[test]
fn a_file_has_a_maximum_size_and_a_number() {
    let dir = tempfile::tempdir().expect("a directory");
    set_now("2026-05-05T10:00:00Z");
    let open = || {
        let config = config(dir.path(), "r-%Y%m%d.ndjson", Some(200), Retention::default());
        RotatingRecorder::open(config).expect("opened")
    };
    let mut recorder = open();
    (1..=5).for_each(|id| record(&mut recorder, id));
    drop(recorder);
    let mut recorder = open();
    recorder.clear_tail();
    (6..=7).for_each(|id| record(&mut recorder, id));
    set_now("2026-05-06T10:00:00Z");
    record(&mut recorder, 8);
    let names: Vec<_> = files(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[0], "r-20260505.0000.ndjson");
    assert_eq!(names.last().map(String::as_str), Some("r-20260506.0000.ndjson"));
    assert!(names.len() > 3, "{names:?}");
    assert_eq!(files(dir.path()).iter().map(|(_, lines)| lines).sum::<usize>(), 8);
}

#[test]
fn the_oldest_files_are_removed() {
    let day = Duration::from_secs(86_400);
    for (keep, expected) in [
        (Retention::default(), 5),
        (Retention { count: Some(3), ..Retention::default() }, 3),
        (Retention { count: Some(1), ..Retention::default() }, 2),
        (Retention { size: Some(1), ..Retention::default() }, 2),
        (Retention { size: Some(1 << 20), ..Retention::default() }, 5),
        (Retention { age: Some(day * 5 / 2), ..Retention::default() }, 3),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("other.ndjson"), "{}\n").expect("written");
        for date in 1..=5 {
            set_now(&format!("2026-05-0{date}T10:00:00Z"));
            let config = config(dir.path(), "r-%Y%m%d.ndjson", None, keep);
            let mut recorder = RotatingRecorder::open(config).expect("opened");
            record(&mut recorder, date);
            let path = dir.path().join(format!("r-2026050{date}.ndjson"));
            let file = fs::File::options().append(true).open(path).expect("a file");
            file.set_modified(now().into()).expect("set");
            recorder.finish().expect("synced");
        }
        let config = config(dir.path(), "r-%Y%m%d.ndjson", None, keep);
        RotatingRecorder::open(config).expect("opened").finish().expect("synced");
        let left = files(dir.path());
        assert!(left.iter().any(|(name, _)| name == "other.ndjson"));
        assert_eq!(left.len() - 1, expected, "{keep:?}");
    }
}

#[test]
fn names_must_sort_by_time() {
    for (name, is_legal) in [
        ("r-%Y%m%d.ndjson", true),
        ("%Y-%m-%dT%H.ndjson.zst", true),
        ("%F-%H%M.ndjson", true),
        ("r-%s.ndjson", true),
        ("r-%H.ndjson", false),
        ("r-%d%m%Y.ndjson", false),
        ("r-%b-%Y.ndjson", false),
        ("r-%Y.json", false),
        ("r-%!.ndjson", false),
        ("r-100%.ndjson", false),
    ] {
        let parsed = RecordPattern::parse(Path::new(name), false);
        assert_eq!(parsed.is_ok(), is_legal, "{name}");
    }
}
