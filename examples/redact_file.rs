//! Hides PHI in a file of events, line by line, as `evtap replay` does by default.
//!
//! The result goes to stdout. Without a file, stdin is read.
//!
//! ```sh
//! cargo run --no-default-features --example redact_file -- events.ndjson
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use evtap::model::decode::Decoder;
use evtap::model::{Frame, FrameFormat, Origin};
use evtap::redact::{Policy, Redactor};

fn main() -> io::Result<()> {
    let input: Box<dyn BufRead> = match std::env::args_os().nth(1) {
        Some(path) => Box::new(BufReader::new(File::open(path)?)),
        None => Box::new(io::stdin().lock()),
    };
    let mut output = io::BufWriter::new(io::stdout().lock());

    // Both reuse their tables, so that a line needs no allocation.
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    // A recording does not contain the connection that its lines arrived on.
    let origin = Origin::default();
    let mut out = Vec::new();
    for line in input.split(b'\n') {
        let line = line?;
        let event = decoder.decode(Frame::new(FrameFormat::Record, &line, &origin));
        out.clear();
        // A line that is not an event becomes a `tap.malformed` without any of its text.
        redactor.redact(&event).write_object(&mut out);
        out.push(b'\n');
        output.write_all(&out)?;
    }
    output.flush()
}
