//! Growth of time and memory with the size of the recording, the number of filters and the size of
//! events.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::run;
use crate::{Call, evtap_call, median, peak_memory, recording};

/// Size of the recordings, except where the size grows, in bytes.
const SIZE: usize = 50_000_000;

/// A condition that is never true: no recording here has this event.
const FALSE: &str = r#".event_type == "operator.left_call""#;

/// Time in seconds, less that for a recording of one line, and peak memory in KiB.
struct Measurement {
    seconds: f64,
    peak_memory: u64,
}

/// Measures growth in `dir`, with recordings of up to `megabytes`. Returns a table of multiples of
/// the first row of each kind.
pub fn table(dir: &Path, megabytes: usize, rounds: usize) -> String {
    let (input, out) = (dir.join("growing.ndjson"), dir.join("out"));
    let all = evtap_call("replay -o ndjson");
    let begin = dir.join("begin.ndjson");
    recording::large(&begin, 1, 200);
    let measure = |call: &Call, input: &Path| {
        let times = |input: &Path| {
            median(&mut (0..rounds).map(|_| run(call, input, &out)).collect::<Vec<Duration>>())
        };
        let seconds = times(input).saturating_sub(times(&begin)).as_secs_f64();
        Measurement { seconds, peak_memory: peak_memory(call, input, &out) }
    };

    let mut table =
        format!("{:26}{:>10}{:>16}{:>16}\n", "a recording of", "s", "time per byte", "memory");
    let sizes = std::iter::successors(Some(10), |size| Some(size * 10))
        .take_while(|size| *size <= megabytes);
    let rows = sizes.map(|size| {
        recording::long(&input, size * 1_000_000);
        (format!("{size} MB"), measure(&all, &input), size as f64)
    });
    add_rows(&mut table, rows);

    table += "filters, all false\n";
    recording::long(&input, SIZE);
    let rows = [1, 2, 4, 8, 16].map(|filters| {
        let mut call = evtap_call("replay -o ndjson");
        call.args
            .extend(std::iter::repeat_n(["-f".to_owned(), FALSE.to_owned()], filters).flatten());
        (filters.to_string(), measure(&call, &input), 1.0)
    });
    add_rows(&mut table, rows);

    table += "events of\n";
    let rows = [1, 16, 128, 1024].map(|kibibytes| {
        // The largest event is at the limit for frames.
        recording::large(&input, SIZE, kibibytes * 1024 - 1);
        (format!("{kibibytes} KiB"), measure(&all, &input), 1.0)
    });
    add_rows(&mut table, rows);
    fs::remove_file(&input).expect("it is ours");
    table
}

/// Adds rows: a name, a measurement, and its work relative to the others.
fn add_rows(table: &mut String, rows: impl IntoIterator<Item = (String, Measurement, f64)>) {
    let mut first = None;
    for (name, measured, work) in rows {
        let (seconds, memory) = (measured.seconds / work, measured.peak_memory as f64);
        let (first_seconds, first_memory) = *first.get_or_insert((seconds, memory));
        let (time, memory) = (seconds / first_seconds, memory / first_memory);
        let _ = writeln!(table, "  {name:24}{:10.3}{time:15.2}x{memory:15.2}x", measured.seconds);
    }
}
