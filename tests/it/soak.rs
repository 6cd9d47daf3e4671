//! Soak tests, which provide the figures in docs/gaps.md. They take minutes, so they are ignored by
//! default: `cargo test --release --test it soak -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use evtap::emulator::Fault;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::tapped::{FRAME, Report, TapOptions, tap};

/// Number of faults of each class.
const FAULTS: usize = 600;
/// Minimum number of events delivered in each class.
const EVENTS: usize = 60_000;

/// Number of classes that run at once. They mostly wait.
const AT_ONCE: usize = 4;

/// Draws one fault in the syntax of `evtap serve --fault`.
type Draw = fn(&mut StdRng) -> String;

/// A class of faults: its name, and a draw of one.
type Class = (&'static str, Draw);

const CLASSES: &[Class] = &[
    ("cut anywhere", |rng| format!("cut={}", bytes(rng))),
    ("cut within a character", |rng| format!("cut-in=character:{}", bytes(rng))),
    ("cut within a line", |rng| format!("cut-in=line:{}", bytes(rng))),
    ("cut between id and data", |rng| format!("cut-in=fields:{}", bytes(rng))),
    ("cut between CR and LF", |rng| format!("cut-in=line-end:{}", bytes(rng))),
    ("reset", |rng| format!("reset={}", bytes(rng))),
    ("clean close", |rng| format!("end={}", bytes(rng))),
    ("stall, half open", |rng| format!("stall={}", bytes(rng))),
    ("one byte at a time", |rng| format!("drip={}", rng.random_range(200..6000))),
    ("replay with overlap", |rng| format!("overlap+cut={}", bytes(rng))),
    ("duplicates", |rng| format!("repeat={}+cut={}", rng.random_range(1..9), bytes(rng))),
    ("ids backwards", |rng| format!("backwards={}+cut={}", rng.random_range(1..20), bytes(rng))),
    ("ids missing", |rng| format!("strip-id={}+cut={}", rng.random_range(1..9), bytes(rng))),
    ("ids that are no number", |rng| {
        format!("odd-id={}+cut={}", rng.random_range(1..9), bytes(rng))
    }),
    ("unknown events", |rng| format!("unknown+cut={}", bytes(rng))),
    ("huge frames", |rng| {
        format!("huge={}+cut={}", rng.random_range(FRAME + 1..2 * FRAME), 2 * FRAME + bytes(rng))
    }),
    ("429, 500, 503", |rng| pick(rng, &["status=429", "status=500", "status=503"])),
    ("error frames", |rng| {
        pick(rng, &["error=stream_error", "error=stream_unavailable", "error=brand_new"])
    }),
    ("restart, buffer empty", |rng| format!("forget+cut={}", bytes(rng))),
];

fn bytes(rng: &mut StdRng) -> usize {
    rng.random_range(0..120_000)
}

fn pick(rng: &mut StdRng, choices: &[&str]) -> String {
    (*choices.choose(rng).expect("some")).to_owned()
}

/// Runs each class of faults, and then all of them mixed.
#[test]
#[ignore = "takes minutes"]
fn soak_every_class_of_fault() {
    let mixed = ("all of them, mixed", None);
    let classes = CLASSES.iter().map(|(name, draw)| (*name, Some(*draw))).chain([mixed]);
    let classes = Mutex::new(classes.enumerate());
    let next = || classes.lock().expect("a lock").next();
    let rows = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((number, (name, draw))) = next() {
                    let report = soak(number as u64, name, draw);
                    assert!(report.is_whole(), "{name}: {report:?}");
                    rows.lock().expect("a lock").insert(number, (name, report));
                }
            });
        }
    });
    let mut out = std::io::stdout();
    let mut row = |name: &str, report: &Report| {
        let Report {
            published, delivered, faults, gaps, covered, lost, repeated, reordered, ..
        } = report;
        writeln!(out, "| {name} | {faults} | {published} | {delivered} | {gaps} | {covered} | {lost} | {repeated} | {reordered} |")
            .expect("a terminal");
    };
    let mut sum = Report::default();
    for (name, report) in rows.into_inner().expect("a lock").values() {
        row(name, report);
        sum.add(report);
    }
    row("**sum**", &sum);
    assert!(sum.delivered >= 1_000_000 && sum.faults >= 10_000, "{sum:?}");
}

/// Runs one class of faults; `None` mixes all of them.
fn soak(number: u64, name: &str, draw: Option<Draw>) -> Report {
    let mut rng = StdRng::seed_from_u64(number);
    let mut draw_one = || match draw {
        Some(draw) => draw(&mut rng),
        None => (CLASSES.choose(&mut rng).expect("some").1)(&mut rng),
    };
    // The first connection delivers something to resume from.
    let script = std::iter::once("cut=30000".to_owned()).chain((0..FAULTS).map(|_| draw_one()));
    let faults: Vec<Fault> = script.map(|fault| fault.parse().expect("a fault")).collect();
    // A connection that breaks so soon must get past the replay now and then. A stall lasts as long
    // as the read timeout; at a higher rate, more events than the server keeps would be published
    // meanwhile.
    let rate = if name == "stall, half open" { 1000.0 } else { 2500.0 };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(tap(TapOptions { seed: number, rate, faults, events: EVENTS }))
}
