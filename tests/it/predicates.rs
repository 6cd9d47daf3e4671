//! Predicates: the native evaluator and cached results agree with jaq, and no program can depend on
//! a hidden value.

use std::sync::LazyLock;

use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::query::native::{EvalError, Native};
use evtap::query::program::{self, Program, ProgramError, THREAD_STACK};
use evtap::query::{EventContext, EventFilter, Predicate, TypeFilter, value};
use evtap::redact::{Policy, RedactedEvent, Redactor};
use proptest::prelude::*;

use crate::decode_redact::frame;

/// Decodes and redacts a recorded line and passes it to `look`.
fn with_redacted<T>(line: &str, policy: Policy, look: impl FnOnce(&RedactedEvent<'_>) -> T) -> T {
    let frame = frame(FrameFormat::Record, None, line.as_bytes());
    let mut decoder = Decoder::default();
    let mut redactor = Redactor::new(policy);
    let event = decoder.decode(frame.as_frame());
    look(&redactor.redact(&event))
}

/// Runs `work` on a thread with the stack size that programs need.
pub fn on_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, work)
            .expect("a thread")
            .join()
            .expect("no panic")
    })
}

/// Evaluates a predicate with jaq: whether it outputs a true value before an error.
fn by_jaq(source: &str, shown: &RedactedEvent<'_>) -> Result<bool, EvalError> {
    let program = Program::compile(&program::parse("--filter", source).expect("parses"), &[])
        .expect("compiles");
    let mut held = false;
    match program.run(value::event(shown), |value| {
        held = value.is_true();
        !held
    }) {
        Ok(()) => Ok(held),
        Err(ProgramError::Failed(_)) => Err(EvalError),
        Err(ProgramError::BudgetExceeded) => panic!("{source} doesn't end"),
    }
}

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "event_type",
        "call_sid",
        "n",
        "s",
        "b",
        "o",
        "a",
        "z",
        "gone",
        "_tap",
    ]);
    let step = prop::sample::select(vec![
        "", "", "", ".x", ".x.y", "[0]", "[-1]", "[\"x\"]", "?.x", ".x?", "[1].x",
    ]);
    prop_oneof![8 => (name, step).prop_map(|(name, step)| format!(".{name}{step}")), 1 => Just(".".to_owned())]
}

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "1.0",
        "1.5",
        "-1",
        "1e2",
        "100",
        "9007199254740993",
        "123456789012345678901234567890",
        "\"\"",
        "\"x\"",
        "\"inbound\"",
        "\"call.ended\"",
        "\"é\\n\"",
        "\"X y\"",
    ])
    .prop_map(str::to_owned)
}

fn program_text() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let pattern = prop::sample::select(vec![
        "x",
        "^call",
        "ended$",
        "(in|out)bound",
        "X Y",
        "",
        "[a-c]+",
        "y.?$",
    ]);
    let function = prop_oneof![
        pattern.clone().prop_map(|pattern| format!("test(\"{pattern}\")")),
        pattern.prop_map(|pattern| format!("test(\"{pattern}\"; \"i\")")),
        scalar().prop_map(|prefix| format!("startswith({prefix})")),
        scalar().prop_map(|suffix| format!("endswith({suffix})")),
        Just("contains(\"x\")".to_owned()),
        Just("not".to_owned()),
        Just("has(\"x\")".to_owned()),
        Just("has(\"n\")".to_owned()),
        Just("in({\"x\": 1, \"inbound\": 2})".to_owned()),
        Just("ascii_downcase | startswith(\"x\")".to_owned()),
        prop::collection::vec(scalar(), 1..4).prop_map(|list| format!("IN({})", list.join(", "))),
    ];
    let leaf = prop_oneof![
        3 => (path(), operator.clone(), scalar()).prop_map(|(path, op, scalar)| format!("{path} {op} {scalar}")),
        1 => (path(), operator, path()).prop_map(|(left, op, right)| format!("{left} {op} {right}")),
        3 => (path(), function).prop_map(|(path, function)| format!("{path} | {function}")),
        1 => path(),
        1 => (path(), scalar()).prop_map(|(path, scalar)| format!("any({path}[]; . == {scalar})")),
        1 => (path(), path(), scalar()).prop_map(|(one, two, scalar)| format!("all({one}, {two}; . != {scalar})")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("({left}) and ({right})")),
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("({left}) or ({right})")),
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("({left}) // ({right})")),
            inner.clone().prop_map(|inner| format!("({inner}) | not")),
            inner.clone().prop_map(|inner| format!("select({inner})")),
            (inner.clone(), inner)
                .prop_map(|(condition, inner)| format!("select({condition}) | {inner}")),
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
        "9007199254740993",
        "9007199254740992.0",
        "123456789012345678901234567890",
        "\"\"",
        "\"x\"",
        "\"inbound\"",
        "\"call.ended\"",
        "\"\\u00e9\\n\"",
        "\"x Y\"",
    ])
    .prop_map(str::to_owned);
    let json = scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((prop::sample::select(vec!["x", "y", "\\u0078"]), inner), 0..3)
                .prop_map(|members| format!(
                    "{{{}}}",
                    members
                        .iter()
                        .map(|(key, value)| format!("\"{key}\":{value}"))
                        .collect::<Vec<_>>()
                        .join(",")
                )),
        ]
    });
    let event_type = prop::sample::select(vec!["call.ended", "call.started", "odd.one"]);
    (
        event_type,
        prop::collection::vec(
            (prop::sample::select(vec!["call_sid", "n", "s", "b", "o", "a", "z"]), json),
            0..6,
        ),
    )
        .prop_map(|(event_type, fields)| {
            let fields: Vec<_> =
                fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
            format!("{{\"event_type\":\"{event_type}\"{}}}", fields.concat())
        })
}

fn reveal_all() -> Policy {
    let mut policy = Policy::default();
    policy.reveal.add("all");
    policy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_path_agrees_with_jaq(source in program_text(), event in event_text()) {
        let (native, jaq) = on_stack(|| with_redacted(&event, reveal_all(), |shown| {
            let parsed = program::parse("--filter", &source).expect("parses");
            (Native::compile(&parsed.term, &[]).map(|native| native.holds(shown)), by_jaq(&source, shown))
        }));
        prop_assert_eq!(native.unwrap_or(jaq), jaq, "{} on {}", source, event);
    }

    /// Only the first part can be evaluated natively. The second evaluation uses the cached result.
    #[test]
    fn partial_evaluation_and_cached_results_agree_with_jaq(
        first in program_text(), rest in program_text(), event in event_text(),
        wrapped in prop::sample::select(vec!["(FIRST)", "([FIRST] | .[0])", "([FIRST, .n] | .[])", "(.b, FIRST)", "(FIRST | empty)"]),
    ) {
        let first = wrapped.replace("FIRST", &first);
        let source = format!("{first} and ([{rest}] | .[0])");
        let (by_filter, jaq) = on_stack(|| with_redacted(&event, reveal_all(), |shown| {
            let parsed = program::parse("--filter", &source).expect("parses");
            assert!(Native::compile(&parsed.term, &[]).is_none(), "{source}");
            let filter = Predicate::compile(&parsed, &[]).expect("compiles");
            // A fork reports no failures on stderr.
            let mut select = EventFilter::new(TypeFilter::default(), vec![filter], None).fork();
            let by_filter = [(); 2].map(|()| {
                let failures = select.failures();
                let held = select.matches(&EventContext::new(shown));
                if select.failures() > failures { Err(EvalError) } else { Ok(held) }
            });
            (by_filter, by_jaq(&source, shown))
        }));
        prop_assert_eq!(by_filter, [jaq; 2], "{} on {}", source, event);
    }
}

#[test]
fn common_predicates_take_the_fast_path() {
    for source in [
        ".event_type == \"call.ended\" and .duration_seconds > 60",
        ".direction | IN(\"inbound\", \"outbound\")",
        "select(.reason | test(\"refill|renew\"))",
        "(.transcript // \"\") | ascii_downcase | test(\"refill\")",
        ".event_type | startswith(\"call.\")",
        "any(.scores[]; .score > 0.5)",
        ".escalated | not",
        "._tap.workspace_id == \"x\"",
    ] {
        assert!(
            Native::compile(&program::parse("--filter", source).expect("parses").term, &[])
                .is_some(),
            "{source}"
        );
    }
}

/// Programs of all kinds that could reveal a hidden value or depend on one.
const ORACLES: &[&str] = &[
    ".",
    "tojson",
    "tostring",
    "@base64",
    "@json",
    "@text \"\\(.)\"",
    "@uri \"\\(.caller_id)\"",
    "@html \"\\(.transcript)\"",
    "@sh \"\\(.caller_id)\"",
    "[.[]]",
    "[..]",
    "to_entries",
    "with_entries(.value |= tostring)",
    "[paths]",
    "[paths(type == \"string\")]",
    "[path(..)]",
    "getpath([\"caller_id\"])",
    ".[\"caller_id\"]",
    "[.caller_id, .transcript] | map(tostring | explode)",
    ".caller_id | startswith(\"+1303\")",
    ".transcript | test(\"Jane\")",
    ".transcript | length",
    "[.transcript | tostring | match(\".\"; \"g\") | .string]",
    ".transcript | tostring | split(\" \")",
    ".caller_id | tostring | ascii_downcase",
    ".caller_id | type",
    "map_values(type)",
    "map_values(length?)",
    "try error(.) catch .",
    "try error(.caller_id) catch .",
    "try (.caller_id | tonumber) catch .",
    "try (.caller_id + 1) catch .",
    ".caller_id == \"+13035550161\"",
    ".caller_id < \"a\"",
    "[.caller_id, .transcript] | sort",
    "[.caller_id, .transcript] | unique",
    "[.caller_id, .undeclared] | index(\"x\")",
    "{(.caller_id | tostring): 1}",
    "[.caller_id, .transcript] | join(\",\")",
    "del(.caller_id)",
    ".caller_id |= tostring",
    "reduce .[] as $x (0; . + ($x | tostring | length))",
    ". as {caller_id: $c} | $c",
    "keys",
    "has(\"caller_id\")",
    "[limit(3; .[])]",
    "[.[] | select(type == \"string\") | .[0:3]]",
    "tojson | fromjson",
    "tojson | @base64 | @base64d",
    "[tojson | scan(\"[0-9]{3}\")]",
    "._tap",
    "[.caller_id, .transcript, .undeclared] | map(. == null)",
    "walk(if type == \"string\" then ltrimstr(\"+\") else . end)",
    "$__loc__?",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_program_depends_on_hidden_values((one, other) in pair()) {
        let event = |hidden: &str| format!(
            "{{\"event_type\":\"call.started\",\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"service_id\":\"s\",\"caller_id\":{hidden},\"transcript\":{hidden},\"undeclared\":{hidden}}}"
        );
        for (source, program) in &*PROGRAMS {
            let outputs = |event: &str| on_stack(|| with_redacted(event, Policy::default(), |shown| {
                let mut outputs = Vec::new();
                let end = program.run(value::event(shown), |value| {
                    outputs.push(value.to_json());
                    true
                });
                (outputs, end)
            }));
            prop_assert_eq!(outputs(&event(&one)), outputs(&event(&other)), "{}", source);
        }
    }
}

/// The programs of [`ORACLES`] that compile.
static PROGRAMS: LazyLock<Vec<(&str, Program)>> = LazyLock::new(|| {
    let compile = |source: &&'static str| {
        Some((*source, Program::compile(&program::parse("--jq", source).ok()?, &[]).ok()?))
    };
    let programs: Vec<_> = ORACLES.iter().filter_map(compile).collect();
    assert!(programs.len() > 50, "{} compile", programs.len());
    programs
});

/// Draws two values of one type. The type is not secret: `null` is shown, and an unexpected type is
/// reported as drift.
fn pair() -> impl Strategy<Value = (String, String)> {
    let of = |values: Vec<&'static str>| {
        let value = prop::sample::select(values).prop_map(str::to_owned);
        (value.clone(), value)
    };
    prop_oneof![
        ("[a-zA-Z0-9 +]{0,20}", "[a-zA-Z0-9 +]{0,20}")
            .prop_map(|(one, other)| (format!("\"{one}\""), format!("\"{other}\""))),
        of(vec![
            "\"\"",
            "\"\\u001b]8;;x\\u0007\"",
            "\"+13035550161\"",
            "\"Jane\"",
            "\"[redacted]\"",
            "\"\u{9b}\""
        ]),
        (any::<i64>(), any::<i64>()).prop_map(|(one, other)| (one.to_string(), other.to_string())),
        of(vec!["true", "false"]),
        of(vec!["{}", "{\"Jane\":[1]}", "{\"a\":{\"b\":\"+13035550161\"}}"]),
        of(vec!["[]", "[\"Jane\"]", "[[1],{\"x\":null}]"]),
    ]
}
