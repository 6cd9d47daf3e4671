//! `--record` with a time in the name: one file after the other, which `replay DIR` reads as one
//! recording.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{bash, evtap, tools};

const PLAIN: &str = ".ndjson";
const COMPRESSED: &str = ".ndjson.zst";

fn output(mut command: Command) -> (String, String, Option<i32>) {
    let ran = command.output().expect("bash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&ran.stdout), text(&ran.stderr), ran.status.code())
}

#[test]
fn a_directory_of_files_is_one_recording() {
    let home = tempfile::tempdir().expect("a home");
    fs::create_dir(home.path().join("rec")).expect("a directory");
    let prepare = "evtap watch -w demo -n 2000 --demo-rate 9000 --status none > day.ndjson; \
        for part in {1..50}; do cat day.ndjson; done > days.ndjson";
    assert_eq!(output(bash(home.path(), prepare)).2, Some(0));
    let record = "evtap replay days.ndjson --record rec/day-%Y%m%d.ndjson.zst --record-max 8MiB";
    let (shown, errors, status) = output(bash(home.path(), record));
    assert_eq!((&*errors, status), ("", Some(0)));
    let names: Vec<_> = fs::read_dir(home.path().join("rec"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    let compressed = names.iter().filter(|name| name.ends_with(COMPRESSED)).count();
    let plain = names.iter().filter(|name| name.ends_with(PLAIN)).count();
    assert!(compressed > 0 && plain >= 2 && compressed + plain == names.len(), "{names:?}");
    for command in ["replay rec", "replay rec/*"] {
        let (read, errors, status) = output(bash(home.path(), &format!("evtap {command}")));
        assert!((status, &*read) == (Some(0), &*shown), "{command}: {errors}");
    }
    // Another run removes what is not kept.
    let again = record.replace("days.ndjson", "day.ndjson") + " --record-keep 2";
    assert_eq!(output(bash(home.path(), &again)).2, Some(0));
    let left = fs::read_dir(home.path().join("rec")).expect("a directory").count();
    assert_eq!(left, 2);
}

#[test]
fn a_full_disk_is_reported_with_the_name_of_the_file() {
    for record in ["day.ndjson", "day-%Y.ndjson"] {
        let home = tempfile::tempdir().expect("a home");
        // A file that may not grow fails like a disk without space.
        let line = format!(
            "trap '' XFSZ; ulimit -f 16; evtap watch -w demo -n 3000 --demo-rate 9000 \
             --status none --record {record} > /dev/null"
        );
        let (_, errors, status) = output(bash(home.path(), &line));
        assert_eq!(status, Some(1), "{errors}");
        let names = ["cannot record to day.ndjson", "cannot record to ./day-20"];
        assert!(names.iter().any(|name| errors.contains(name)), "{errors}");
        let (read, _, status) = output(bash(home.path(), "evtap replay ."));
        assert!(status == Some(0) && !read.is_empty(), "what was written can be read");
    }
}

#[tokio::test]
async fn mistakes_in_a_record_of_several_files_are_refused() {
    for (options, expected) in [
        ("--record day-%H.ndjson", "do not sort after those of earlier ones"),
        ("--record day-%Y.json", "ends with .ndjson or .ndjson.zst"),
        ("--record day.ndjson --record-max 1MiB", "the name of the record has no time"),
        ("--record day-%Y.ndjson --record-max many", "not a size from 8MiB"),
        ("--record day-%Y.ndjson --record-keep many", "invalid limit"),
        ("--record day.ndjson.zst", "a record is plain NDJSON, not zst"),
    ] {
        let ran = evtap(&format!("watch -w demo -n 1 {options}")).run().await;
        assert_eq!(ran.ended(2), "", "{options}");
        assert!(ran.stderr().contains(expected), "{options}: {}", ran.stderr());
    }
}

/// `tail -F` and evtap together follow a file that is not there yet, is replaced and is truncated.
#[test]
fn a_recording_that_grows_can_be_followed() {
    let command = "tail -n +1 -F f.ndjson 2> /dev/null | evtap replay - -n 4 --status none";
    if !tools::available_for(command) {
        return;
    }
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("f.ndjson");
    let mut running = bash(home.path(), command).stdout(Stdio::piped()).spawn().expect("bash runs");
    let mut lines = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    let event = |session: &str| {
        format!("{{\"event_type\":\"text.started\",\"session_id\":\"{session}\"}}\n")
    };
    fs::write(&path, event("first of all")).expect("written");
    assert!(next().contains("first of all"));
    let mut file = fs::File::options().append(true).open(&path).expect("opened");
    std::io::Write::write_all(&mut file, event("appended").as_bytes()).expect("written");
    assert!(next().contains("appended"));
    fs::rename(&path, home.path().join("f.ndjson.1")).expect("renamed");
    fs::write(&path, event("in a new file")).expect("written");
    assert!(next().contains("in a new file"));
    fs::write(&path, event("cut")).expect("written");
    assert!(next().contains("cut"));
    // The status is that of `tail`, whose pipe was closed.
    running.wait().expect("it ends");
}
