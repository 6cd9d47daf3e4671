//! Throughput of the pipeline on one core, in bytes of input per second: decode, redact and write
//! as NDJSON. For comparison, the same job in the obvious way: parse every event into a
//! `serde_json::Value`, replace its hidden fields, and write it.
//!
//! The stages are also measured one by one; each includes those before it.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use evtap::emulator::samples::sample;
use evtap::internals::output::ndjson;
use evtap::model::Kind;
use evtap::model::decode::Decoder;
use evtap::model::{Frame, Origin};
use evtap::query::program::parse;
use evtap::query::{EventContext, EventFilter, Predicate, TypeFilter};
use evtap::redact::{Policy, RedactedEvent, Redactor};
use evtap::text::MASK;
use evtap::transport::{FRAME_LIMIT, LineChunk};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// Minimum size of the input, in bytes.
const SIZE: usize = 4 << 20;

/// Returns events of every type in turn, one per line.
fn recording() -> LineChunk {
    let mut rng = StdRng::seed_from_u64(1);
    let mut bytes = Vec::with_capacity(SIZE + 4096);
    for kind in Kind::ALL.iter().cycle() {
        let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
        event.extend(sample(kind.spec(), &mut rng));
        bytes.extend_from_slice(Value::from(event).to_string().as_bytes());
        bytes.push(b'\n');
        if bytes.len() >= SIZE {
            break;
        }
    }
    LineChunk { bytes: Bytes::from(bytes), offset: 0, limit: FRAME_LIMIT }
}

/// Decodes, redacts and writes each event as the pipeline does.
fn pipeline(lines: &LineChunk, out: &mut Vec<u8>) {
    let origin = Origin::default();
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    for frame in lines.frames(&origin) {
        ndjson::object(&redactor.decode_and_redact(&mut decoder, frame), out);
        out.push(b'\n');
    }
}

/// Does the same with a `serde_json::Value`. It checks nothing against the model except which
/// fields are hidden, so it does less.
fn value_tree(lines: &LineChunk, out: &mut Vec<u8>) {
    for line in lines.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut event: Map<String, Value> = serde_json::from_slice(line).expect("an object");
        let kind =
            event["event_type"].as_str().and_then(Kind::from_name).expect("a declared event");
        let mut redacted = Vec::new();
        for (name, value) in &mut event {
            let is_hidden = name != "event_type"
                && kind.spec().field(name).is_none_or(|field| field.class.is_hidden());
            if is_hidden && !value.is_null() {
                *value = MASK.into();
                redacted.push(name.clone());
            }
        }
        let mut tap = json!({"stream": kind.spec().stream.name()});
        if !redacted.is_empty() {
            tap["redacted"] = redacted.into();
        }
        event.insert("_tap".to_owned(), tap);
        serde_json::to_writer(&mut *out, &event).expect("memory takes it");
        out.push(b'\n');
    }
}

fn compare(criterion: &mut Criterion) {
    let lines = recording();
    let (mut by_pipeline, mut by_value) = (Vec::new(), Vec::new());
    pipeline(&lines, &mut by_pipeline);
    value_tree(&lines, &mut by_value);
    assert!(by_pipeline == by_value, "both do the same job");

    let mut group = criterion.benchmark_group("decode, redact, ndjson");
    group.throughput(Throughput::Bytes(lines.bytes.len() as u64));
    let mut out = Vec::with_capacity(2 * SIZE);
    let mut run = |name: &str, job: fn(&LineChunk, &mut Vec<u8>)| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                job(black_box(&lines), &mut out);
                black_box(&out);
            });
        });
    };
    run("evtap", pipeline);
    run("serde_json::Value", value_tree);
    group.finish();
}

/// Counts the frames with data.
fn split(lines: &LineChunk) -> usize {
    lines.frames(&Origin::default()).filter(|frame| !frame.data.is_empty()).count()
}

/// Passes each redacted event to `take`, by the fast path where possible or by full decoding.
fn redact_each(lines: &LineChunk, is_fast: bool, mut take: impl FnMut(&RedactedEvent<'_>)) {
    let origin = Origin::default();
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    for frame in lines.frames(&origin) {
        // Only events in a chunk that is valid UTF-8 can take the fast path.
        let text = frame.text.filter(|_| is_fast);
        take(&redactor.decode_and_redact(&mut decoder, Frame { text, ..frame }));
    }
}

/// Counts the events that match an expression.
fn count_matches(lines: &LineChunk, filter: Predicate) -> usize {
    let mut event_filter = EventFilter::new(TypeFilter::default(), vec![filter], None);
    let mut matches = 0;
    redact_each(lines, true, |shown| {
        matches += usize::from(event_filter.matches(&EventContext::new(shown)));
    });
    matches
}

/// An expression for the native evaluator, and one that only jaq can evaluate.
const FILTERS: [(&str, &str); 2] = [
    ("select, native", r#".event_type == "call.ended" and .duration_seconds > 60"#),
    ("select, jq", r#"(.duration_seconds // 0) * 2 > 120 and ((.call_sid // "") | length) == 34"#),
];

fn stages(criterion: &mut Criterion) {
    let lines = recording();
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Bytes(lines.bytes.len() as u64));
    group.bench_function("split into frames", |bencher| bencher.iter(|| split(black_box(&lines))));
    for (name, is_fast) in
        [("decode and redact, the long way", false), ("recognise and redact", true)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                redact_each(black_box(&lines), is_fast, |shown| {
                    black_box(shown.event_type());
                });
            });
        });
    }
    for (name, source) in FILTERS {
        let filter = || {
            Predicate::compile(&parse("--filter", source).expect("it parses"), &[])
                .expect("it compiles")
        };
        assert!(
            (1..1000).contains(&count_matches(&lines, filter())),
            "{source} keeps all or nothing"
        );
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                filter,
                |filter| count_matches(black_box(&lines), filter),
                BatchSize::LargeInput,
            );
        });
    }
    let mut out = Vec::with_capacity(2 * SIZE);
    group.bench_function("recognise, redact and write", |bencher| {
        bencher.iter(|| {
            out.clear();
            redact_each(black_box(&lines), true, |shown| ndjson::object(shown, &mut out));
            black_box(&out);
        });
    });
    group.finish();
}

criterion_group!(benches, compare, stages);
criterion_main!(benches);
