//! Reads events as typed values and prints a summary.
//!
//! The input is NDJSON from a file or from stdin: the output of evtap, or events as they arrived.
//!
//! ```sh
//! cargo run --bin evtap -- watch --workspace demo -n 50 -o ndjson > events.ndjson
//! cargo run --no-default-features --example parse_events -- events.ndjson
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use evtap::model::Event;

/// The counts over all events.
#[derive(Default)]
struct Summary {
    by_type: BTreeMap<String, u64>,
    deviations: u64,
}

impl Summary {
    fn add(&mut self, event: &Event) {
        *self.by_type.entry(event.event_type().to_owned()).or_default() += 1;
        self.deviations += event.drift().len() as u64;
        // Fields with PHI print as `[redacted]`; `expose()` would give the value.
        match event {
            Event::CallStarted(call) => {
                println!("{} call {} from {}", call.direction, call.call_sid, call.caller_id);
            }
            Event::CallEnded(call) => {
                let seconds = call.duration_seconds.value().copied().unwrap_or_default();
                println!(
                    "call {} ended after {seconds} s: {}",
                    call.call_sid, call.completion_reason
                );
            }
            Event::CallEscalated(call) => {
                println!("call {} escalated by {}: {}", call.call_sid, call.trigger, call.reason);
            }
            Event::Unknown(other) => println!("unknown event {}", other.event_type()),
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    let input: Box<dyn BufRead> = match std::env::args_os().nth(1) {
        Some(path) => Box::new(BufReader::new(File::open(path)?)),
        None => Box::new(io::stdin().lock()),
    };
    let mut summary = Summary::default();
    for (number, line) in input.split(b'\n').enumerate() {
        match Event::from_slice(&line?) {
            Ok(event) => summary.add(&event),
            // The error contains a position and a reason, and nothing of the line.
            Err(error) => eprintln!("line {}: {error}", number + 1),
        }
    }
    for (event_type, count) in &summary.by_type {
        println!("{count:>7} {event_type}");
    }
    println!("{:>7} deviations from the model", summary.deviations);
    Ok(())
}
