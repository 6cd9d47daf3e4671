//! Growth of time and memory with the size of the recording, the number of filters and the size of
//! events.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{data, process, table};

/// Size of the recordings, except where the size grows, in bytes.
const SIZE: usize = 50_000_000;

/// A condition that is never true: no recording here has this call.
const FALSE: &str = r#".call_sid == "CA00000000000000000000000000000000""#;

/// Time in seconds, less that for a recording of one line, and peak memory in KiB.
struct Measurement {
    seconds: f64,
    peak_memory: u64,
}

/// Measures growth in `dir`, with recordings of up to `size` bytes. Returns a table of multiples of
/// the first row of each kind.
pub fn table(evtap: &Path, dir: &Path, size: usize, rounds: usize) -> String {
    let input = dir.join("growing.ndjson");
    let begin = dir.join("begin.ndjson");
    data::write_large(&begin, 1, 200);
    let measure = |filters: usize, input: &Path| {
        let run = |input: &Path| run(evtap, filters, input);
        let (mut times, mut peak_memory) = (Vec::new(), 0);
        for _ in 0..rounds {
            let (start, _) = run(&begin);
            let (whole, memory) = run(input);
            times.push(whole.saturating_sub(start).as_secs_f64());
            peak_memory = peak_memory.max(memory);
        }
        Measurement { seconds: table::median(&times), peak_memory }
    };

    let mut text = String::from(
        "| a recording of | seconds | time per byte | memory |\n| --- | --- | --- | --- |\n",
    );
    let sizes = std::iter::successors(Some(10_000_000), |size| Some(size * 10));
    add_rows(
        &mut text,
        sizes.take_while(|each| *each <= size && has_space(dir, *each)).map(|size| {
            data::write_long(&input, size);
            (format!("{} MB", table::rate(size as f64 / 1e6)), measure(0, &input), size as f64)
        }),
    );

    text += "| **filters, all false** | | | |\n";
    data::write_long(&input, SIZE);
    add_rows(
        &mut text,
        [1, 2, 4, 8, 16].map(|filters| (filters.to_string(), measure(filters, &input), 1.0)),
    );

    text += "| **events of** | | | |\n";
    add_rows(
        &mut text,
        [1, 16, 128, 1024].map(|kibibytes| {
            // The largest event is at the limit for frames.
            data::write_large(&input, SIZE, kibibytes * 1024 - 1);
            (format!("{kibibytes} KiB"), measure(0, &input), 1.0)
        }),
    );
    fs::remove_file(&input).expect("it is ours");
    text
}

/// Whether a recording of this size fits in `dir`.
fn has_space(dir: &Path, size: usize) -> bool {
    let has_space = rustix::fs::statvfs(dir)
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > size as u64);
    if !has_space {
        let _ = writeln!(std::io::stderr(), "no space for {size} bytes in {}", dir.display());
    }
    has_space
}

/// Replays a recording with filters that are never true. Returns the time and the peak memory in
/// KiB.
fn run(evtap: &Path, filters: usize, input: &Path) -> (Duration, u64) {
    let mut command = Command::new(evtap);
    command.args(["replay", "-o", "ndjson"]).arg(input);
    command.args(std::iter::repeat_n(["-f", FALSE], filters).flatten());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().expect("it runs");
    let mut memory = 0;
    loop {
        memory = memory.max(process::memory(child.id()));
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "evtap fails");
            return (began.elapsed(), memory);
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Adds rows: a name, a measurement, and its work relative to the others.
fn add_rows(text: &mut String, rows: impl IntoIterator<Item = (String, Measurement, f64)>) {
    let mut first = None;
    for (name, measured, work) in rows {
        let (seconds, memory) = (measured.seconds / work, measured.peak_memory as f64);
        let (first_seconds, first_memory) = *first.get_or_insert((seconds, memory));
        let _ = writeln!(
            text,
            "| {name} | {:.3} | {:.2} × | {:.1} MiB, {:.2} × |",
            measured.seconds,
            seconds / first_seconds,
            memory / 1024.0,
            memory / first_memory
        );
    }
}
