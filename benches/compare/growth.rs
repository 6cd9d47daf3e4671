//! How time and memory grow with the recording, with the number of filters, and with the size of an event.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::run;
use crate::{Call, median, own, recording, resident};

/// How large recordings are unless it is their size that grows, in bytes.
const SIZE: usize = 50_000_000;

/// A condition that is never true, of an event that no recording here has.
const FALSE: &str = r#".event_type == "operator.left_call""#;

/// What was measured of one run: seconds, without those of a recording of one line, and the most memory in KiB.
struct Measured {
    seconds: f64,
    resident: u64,
}

/// Measures growth in `dir`, up to recordings of that many megabytes. All is told as a multiple of the first of its kind.
pub fn table(dir: &Path, megabytes: usize, rounds: usize) -> String {
    let (input, out) = (dir.join("growing.ndjson"), dir.join("out"));
    let all = own("replay -o ndjson");
    let begin = dir.join("begin.ndjson");
    recording::large(&begin, 1, 200);
    let measure = |call: &Call, input: &Path| {
        let times = |input: &Path| {
            median(&mut (0..rounds).map(|_| run(call, input, &out)).collect::<Vec<Duration>>())
        };
        let seconds = times(input).saturating_sub(times(&begin)).as_secs_f64();
        Measured { seconds, resident: resident(call, input, &out) }
    };

    let mut table =
        format!("{:26}{:>10}{:>16}{:>16}\n", "a recording of", "s", "time per byte", "memory");
    let sizes = std::iter::successors(Some(10), |size| Some(size * 10))
        .take_while(|size| *size <= megabytes);
    let rows = sizes.map(|size| {
        recording::long(&input, size * 1_000_000);
        (format!("{size} MB"), measure(&all, &input), size as f64)
    });
    tell(&mut table, rows);

    table += "filters, all false\n";
    recording::long(&input, SIZE);
    let rows = [1, 2, 4, 8, 16].map(|filters| {
        let mut call = own("replay -o ndjson");
        call.args
            .extend(std::iter::repeat_n(["-f".to_owned(), FALSE.to_owned()], filters).flatten());
        (filters.to_string(), measure(&call, &input), 1.0)
    });
    tell(&mut table, rows);

    table += "events of\n";
    let rows = [1, 16, 128, 1024].map(|kibibytes| {
        // The largest is as large as may be.
        recording::large(&input, SIZE, kibibytes * 1024 - 1);
        (format!("{kibibytes} KiB"), measure(&all, &input), 1.0)
    });
    tell(&mut table, rows);
    fs::remove_file(&input).expect("it is ours");
    table
}

/// Adds rows, each with what it measured and how much more work it had than others.
fn tell(table: &mut String, rows: impl IntoIterator<Item = (String, Measured, f64)>) {
    let mut first = None;
    for (name, measured, work) in rows {
        let (seconds, memory) = (measured.seconds / work, measured.resident as f64);
        let (first_seconds, first_memory) = *first.get_or_insert((seconds, memory));
        let (time, memory) = (seconds / first_seconds, memory / first_memory);
        let _ = writeln!(table, "  {name:24}{:10.3}{time:15.2}x{memory:15.2}x", measured.seconds);
    }
}
