//! The native evaluator writes exactly what jq gives, or leaves the event to jq.

use bytes::Bytes;
use evtap::emulator::samples::sample;
use evtap::model::decode::Decoder;
use evtap::model::{FrameFormat, Kind, Origin};
use evtap::query::native::NativeProgram;
use evtap::query::program::{ProgramError, parse};
use evtap::query::value::OutputStyle;
use evtap::query::{EventContext, OutputProgram, value};
use evtap::redact::{Policy, RedactedEvent, Redactor};
use evtap::transport::{FRAME_LIMIT, LineChunk};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::decode_redact::frame;
use crate::predicates::on_stack;

const STYLES: [OutputStyle; 3] = [OutputStyle::Json, OutputStyle::Raw, OutputStyle::Visible];

/// What a program writes, and how it ends.
type Output = (String, Result<(), ProgramError>);

fn compile(source: &str) -> OutputProgram {
    let variables = [("v".to_owned(), value::json("{\"x\":[1.50,\"é\\u200b\"]}"))];
    OutputProgram::compile(&parse("--jq", source).expect("parses"), &variables).expect("compiles")
}

/// Returns what the program gives in each style, and through the interface for groups.
fn outputs(program: &OutputProgram, shown: &RedactedEvent<'_>) -> Vec<Output> {
    let context = EventContext::new(shown);
    let mut all: Vec<_> = STYLES
        .map(|style| {
            let mut out = b"before\n".to_vec();
            let end = program.write_lines(&context, style, 1 << 20, &mut out);
            (String::from_utf8(out).expect("outputs are UTF-8"), end)
        })
        .into();
    let mut lines = String::new();
    let mut room = 5;
    let end = program.for_each_json(&context, &mut Vec::new(), |json| {
        lines += json;
        lines.push('\n');
        room -= 1;
        room > 0
    });
    all.push((lines, end));
    all
}

/// Runs a program with and without the native evaluator.
fn both(source: &str, shown: &RedactedEvent<'_>) -> [Vec<Output>; 2] {
    let program = compile(source);
    let native = outputs(&program, shown);
    [native, outputs(&program.without_native(), shown)]
}

fn policies() -> [Policy; 2] {
    let mut reveal_all = Policy::default();
    reveal_all.reveal.add("all");
    [Policy::default(), reveal_all]
}

/// Decodes and redacts a recorded line as the pipeline does, and passes it to `look`.
fn with_redacted<T>(line: &str, policy: Policy, look: impl FnOnce(&RedactedEvent<'_>) -> T) -> T {
    let frame = frame(FrameFormat::Record, None, line.as_bytes());
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy));
    look(&redactor.decode_and_redact(&mut decoder, frame.as_frame()))
}

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "event_type",
        "n",
        "s",
        "o",
        "a",
        "z",
        "gone",
        "_tap",
        "\"x y\"",
        "_tap.time",
    ]);
    let step = prop::sample::select(vec![
        "", "", "", "", ".x", ".x.y", "[0]", "[-1]", "[\"x\"]", ".x?", "[1].x", "[]?", "[]",
        "[].x", "[]?.y?",
    ]);
    prop_oneof![
        8 => (name, step).prop_map(|(name, step)| format!(".{name}{step}")),
        1 => prop::sample::select(vec![".", ".[]", "$v", "$v.x[1]"]).prop_map(str::to_owned),
    ]
}

fn program_text() -> impl Strategy<Value = String> {
    let literal = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.0",
        "1.50",
        "1e2",
        "-0",
        "1e1000",
        "0.0000001",
        "123456789012345678901234567890",
        "\"\"",
        "\"x\"",
        "\"é\\n\\u007f\\u200b\\\"\"",
        "[]",
        "{}",
        "\"\u{1f469}\u{200d}\"",
        "empty",
    ]);
    let filter = prop::sample::select(vec![
        "length",
        "tostring",
        "tojson",
        "type",
        "not",
        "keys",
        "add",
        "floor",
        "round",
        "ceil",
        "abs",
        "tonumber",
        "ascii_downcase",
        "ascii_upcase",
        "has(\"x\")",
        "test(\"x|é\")",
        "@csv",
        "@tsv",
        "@text",
        "@json",
        "@base64",
        "startswith(\"x\")",
        "map(.x?)",
        "map(tostring)",
        "select(.)",
        "first",
        "to_entries",
        "ascii",
        "[.]",
        "IN(\"x\", 1)",
        "utf8bytelength",
    ]);
    let leaf = prop_oneof![
        4 => path(),
        2 => literal.prop_map(str::to_owned),
        3 => (path(), filter.clone()).prop_map(|(path, filter)| format!("{path} | {filter}")),
    ];
    let operator = prop::sample::select(vec![
        "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", "+", "-", "*", "/", "%", ",", "|",
        ",", "|",
    ]);
    let key =
        prop::sample::select(vec!["a", "\"b c\"", "(.s)", "(.event_type)", "\"\\(.n)\"", "e"]);
    leaf.prop_recursive(4, 16, 3, move |inner| {
        prop_oneof![
            3 => (inner.clone(), operator.clone(), inner.clone())
                .prop_map(|(left, op, right)| format!("({left}) {op} ({right})")),
            2 => (inner.clone(), filter.clone())
                .prop_map(|(inner, filter)| format!("({inner}) | {filter}")),
            2 => (key.clone(), inner.clone(), inner.clone())
                .prop_map(|(key, one, two)| format!("{{{key}: ({one}), c: ({two}), n, $v}}")),
            1 => inner.clone().prop_map(|inner| format!("{{s, \"x y\", o: ({inner})}}")),
            2 => inner.clone().prop_map(|inner| format!("[{inner}]")),
            2 => (inner.clone(), inner.clone())
                .prop_map(|(one, two)| format!("\"\\({one})-é\\t\\({two})\"")),
            1 => inner.clone().prop_map(|inner| format!("\"\\({inner})\u{1f469}\\(.s)\"")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(condition, then, other)| {
                format!("if {condition} then {then} else {other} end")
            }),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(condition, then)| format!("if {condition} then {then} end")),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(condition, inner)| format!("select({condition}) | {inner}")),
            1 => inner.prop_map(|inner| format!("[({inner}) | .[]?]")),
        ]
    })
}

fn event_text() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "1",
        "1.0",
        "1.50",
        "-1",
        "100",
        "1E2",
        "1e-7",
        "0.000001",
        "0.0000001",
        "-0",
        "-0.0",
        "0.00",
        "1e1000",
        "9007199254740993",
        "123456789012345678901234567890",
        "0.1",
        "12.345678901234567890",
        "\"\"",
        "\"x\"",
        "\"12\"",
        "\"\\u00e9\\n\\\"\\\\\\/\\b\\f\\u0000\\u007f\"",
        "\"\\ud83d\\ude00 é\"",
        "\"\u{1f469}\u{200d}\u{1f469}\"",
        "\"\u{1f469}\\u200d\"",
        "\"1\\ufe0f\\u20e3\"",
        "\"a\\u200b\\u202e\"",
        "\"\\u200d\u{1f469}\"",
        "\"x\\\"y\"",
        "\"<a> & b,c\"",
    ])
    .prop_map(str::to_owned);
    let json = scalar.prop_recursive(3, 12, 4, |inner| {
        let key = prop::sample::select(vec!["x", "y", "\\u0078", "é", "\\u200b", "a\\\"b"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key, inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    let event_type =
        prop::sample::select(vec!["call.ended", "odd.one", "é\\n\\u200b", "call.started"]);
    let key = prop::sample::select(vec![
        "n",
        "s",
        "o",
        "a",
        "z",
        "x y",
        "\\u006e",
        "event_type",
        "_tap",
        "call_sid",
    ]);
    (event_type, prop::collection::vec((key, json), 0..7), any::<bool>()).prop_map(
        |(event_type, fields, has_tap)| {
            let fields: Vec<_> =
                fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
            let fields = fields.concat();
            let tap = if has_tap {
                ",\"_tap\":{\"time\":\"2026-01-01T00:00:00Z\",\"received_at\":\"2026-01-01T00:00:00Z\",\"stream\":\"workspace\"}"
            } else {
                ""
            };
            format!("{{\"event_type\":\"{event_type}\"{fields}{tap}}}")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn native_outputs_are_those_of_jq(source in program_text(), event in event_text()) {
        let [native, jq] = on_stack(|| {
            let program = compile(&source);
            let run = |program: &OutputProgram| {
                policies().map(|policy| with_redacted(&event, policy, |shown| outputs(program, shown)))
            };
            let native = run(&program);
            [native, run(&program.without_native())]
        });
        prop_assert_eq!(native, jq, "{} on {}", source, event);
    }
}

/// Programs that people write, which all run natively.
const COMMON: &[&str] = &[
    ".event_type",
    ".",
    "{event_type, call_sid}",
    "{event_type, at: ._tap.time, who: {caller: .caller_id, \"the sid\": .call_sid}}",
    "{(.event_type): .call_sid}",
    "[.event_type, .call_sid, ._tap.time]",
    "[.event_type, .duration_seconds, .call_sid] | @csv",
    "[.event_type, .call_sid] | @tsv",
    "\"\\(._tap.time) \\(.event_type) \\(.duration_seconds // \"-\")\"",
    ".call_sid // \"none\"",
    ".event_type, .call_sid",
    "select(.event_type == \"call.ended\") | .duration_seconds / 60 | floor",
    "select(.event_type | startswith(\"call.\"))",
    "if .call_sid then \"call\" elif .entity_id then \"entity\" else empty end",
    ".transcript | tostring | length",
    "[.scores[]? | {name, score}]",
    "[.scores[]? | select(.score > 0.5)] | length",
    ".scores[]?.name",
    "._tap.redacted // [] | map(ascii_upcase)",
    "has(\"call_sid\") and (.event_type | test(\"ended$\"))",
    "{a: 1, b: -2.50, c: \"x\", d: null, e: [], f: [true]}",
];

/// Looks at each line of a recording as the pipeline shows it, twice, so that shapes are known.
fn look_at_lines(recording: &str, policy: Policy, mut look: impl FnMut(&RedactedEvent<'_>)) {
    let bytes = Bytes::copy_from_slice(recording.repeat(2).as_bytes());
    let chunk = LineChunk { bytes, offset: 0, limit: FRAME_LIMIT };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy));
    for frame in chunk.frames(&Origin::default()) {
        look(&redactor.decode_and_redact(&mut decoder, frame));
    }
}

/// Returns sample events of all types, one a line.
fn samples() -> String {
    let mut rng = StdRng::seed_from_u64(7);
    let mut line = |kind: &Kind| {
        let event_type = ("event_type".to_owned(), kind.spec().event_type.into());
        let mut event = serde_json::Map::from_iter([event_type]);
        event.extend(sample(kind.spec(), &mut rng));
        serde_json::Value::from(event).to_string() + "\n"
    };
    Kind::ALL.iter().map(&mut line).collect()
}

#[test]
fn common_programs_run_natively_on_events_of_all_types() {
    let samples = samples();
    on_stack(|| {
        for source in COMMON {
            let parsed = parse("--jq", source).expect("parses");
            let native = NativeProgram::compile(&parsed.term, &[])
                .unwrap_or_else(|| panic!("{source} is not native"));
            let jq = compile(source).without_native();
            for policy in policies() {
                look_at_lines(&samples, policy, |shown| {
                    let (mut lines, mut expected) = (Vec::new(), Vec::new());
                    let written = native.write_lines(shown, OutputStyle::Json, &mut lines);
                    assert!(written.is_ok(), "{source} on {}", shown.event_type());
                    let context = EventContext::new(shown);
                    let end = jq.write_lines(&context, OutputStyle::Json, 1 << 20, &mut expected);
                    assert_eq!((lines, Ok(())), (expected, end), "{source}");
                });
            }
        }
    });
}

/// What may exceed the limits of an evaluation is left to jq, which decides.
#[test]
fn programs_and_events_that_are_too_large_are_left_to_jq() {
    let doubled = |times| vec!["\"\\(.)\\(.)\""; times].join(" | ");
    let nested = format!("{}.n{}", "[".repeat(200), "]".repeat(200));
    let items = vec!["1"; 3000].join(",");
    let lists = vec!["[.[], .[]]"; 14].join(" | ");
    let sources = [
        ".n",
        "[.n[]?]",
        "[.n | .[]?] | length",
        "[.n[]? | [.] | [.[]?] | length] | add",
        "{a: .n}",
        "\"\\(.n)\"",
        &doubled(4),
        &doubled(30),
        &nested,
        &format!("[.event_type] | {lists}"),
    ];
    for field in ["1".to_owned(), format!("[{items}]"), format!("\"{}\"", "é".repeat(70_000))] {
        let event = format!("{{\"event_type\":\"call.ended\",\"n\":{field}}}");
        for source in sources {
            let [_, reveal_all] = policies();
            let [native, jq] =
                on_stack(|| with_redacted(&event, reveal_all, |shown| both(source, shown)));
            assert_eq!(native, jq, "{source}");
        }
    }
}
