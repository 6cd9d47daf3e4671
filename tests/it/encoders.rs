//! Every encoder writes what a straightforward implementation writes, whatever is in the events,
//! and its forks write the same bytes however the events are divided among them.

mod pretty;
mod reference;

use evtap::internals::output::columns::Columns;
use evtap::internals::output::event_ids::{EventIds, PendingId, UncountedId};
use evtap::internals::output::pretty::{LineFormatter, PrettyLayout};
use evtap::internals::output::{EncoderOptions, FORMATS, OutputFormat, TimeDisplay};
use evtap::model::decode::Decoder;
use evtap::model::{FieldSpec, FrameFormat, Kind, Type};
use evtap::query::{EventContext, GrepFilter};
use evtap::redact::{Policy, RedactedEvent, Redactor};
use jiff::tz::TimeZone;
use minijinja::{AutoEscape, Environment};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::decode_redact::frame;
use crate::snapshots::COLOURS;

/// Text that encoders have to escape, quote, measure or cut.
const TEXTS: &[&str] = &[
    "",
    "word",
    "two words",
    " ",
    "the caller said \"yes\", then left",
    "a,b",
    "tab\tand\nline\r\n",
    "\u{1b}[31mred\u{7}\u{0}",
    "\u{202e}reversed\u{2066}\u{200b}",
    "naïve café Zürich",
    "東京 行 患者番号がありません",
    "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} 3\u{fe0f}\u{20e3}",
    "می\u{200c}خواهم a\u{200d}b",
    "e\u{301}\u{fdd0}\u{ffff}",
    "back\\slash \\u0041 \"",
    "null",
    "[redacted]",
    "phi:phone:9b1d04c2:00112233445566778899aabbccddeeff",
    "CAf834d81db411b9c9c76eda0e33a2725c",
    "f66d22c1-8495-453b-812a-4de2c53d7454",
    "2026-11-29T06:07:45.062Z",
    "{{ event_type }} <b>&amp;</b>",
];

/// Keys that no event declares; some are names of columns.
const NAMES: &[&str] =
    &["extra", "payload", "_tap.time", "_tap", "event_type", "a b", "", "größe", "q\"\\", "x\n"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(TEXTS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => prop::collection::vec(select(TEXTS), 1..80).prop_map(|texts| texts.concat()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4).prop_map(|members| Value::from_iter::<
                Map<String, Value>,
            >(
                members.into_iter().collect()
            )),
        ]
    })
}

/// A value that matches the declaration, as far as its text can.
fn declared(field: &FieldSpec, value: Value, index: Index) -> Value {
    match field.ty {
        Type::Text | Type::Unstated => {
            if value.is_string() {
                value
            } else {
                TEXTS[index.index(TEXTS.len())].into()
            }
        }
        Type::Uuid => "f66d22c1-8495-453b-812a-4de2c53d7454".into(),
        Type::Choice(choices) => choices[index.index(choices.len())].into(),
        Type::Bool => index.index(2).eq(&0).into(),
        Type::Integer => index.index(100_000).into(),
        Type::Number => json!(0.25),
        Type::Time => "2026-11-29T06:07:45.062Z".into(),
        _ => value,
    }
}

fn tap() -> impl Strategy<Value = Option<Value>> {
    let times = &[
        "2026-11-29T06:07:45.062Z",
        "2026-11-29T06:07:45.063Z",
        "2024-02-29T23:59:60Z",
        "1969-12-31T23:59:59.9999Z",
        "2026-10-25T00:59:59.999Z",
        "2026-10-25T01:00:00.000Z",
    ];
    let workspace = "d3300000-0000-4000-8000-000000000001";
    prop_oneof![
        Just(None),
        select(times).prop_map(|time| Some(json!({"received_at": time, "stream": "observer"}))),
        (select(times), 0..3_u8).prop_map(move |(time, id)| Some(json!({
            "id": format!("179593246506{id}"), "time": time, "workspace_id": workspace,
        }))),
        Just(Some(json!({
            "id": "1795932465062", "stream": "observer", "workspace_id": workspace,
            "call_sid": "CAf834d81db411b9c9c76eda0e33a2725c", "redacted": ["caller_id"],
            "drift": [{"kind": "unknown_field", "field": "extra"}],
        }))),
    ]
}

/// A line of a recording: an event of any declared type with some of its fields, or of another.
fn line() -> impl Strategy<Value = String> {
    let kinds: Vec<_> =
        Kind::ALL.iter().chain(Kind::OWN).copied().map(Some).chain([None]).collect();
    let fields = prop::collection::vec((any::<Index>(), any::<bool>(), value()), 0..8);
    let extra = prop::collection::vec((select(NAMES), value()), 0..2);
    (select(kinds), fields, extra, tap(), any::<bool>()).prop_map(
        |(kind, fields, extra, tap, is_spaced)| {
            let mut object = Map::new();
            let name = kind.map_or("brand.new_failed", |kind| kind.spec().event_type);
            object.insert("event_type".to_owned(), name.into());
            let specs = kind.map_or(&[][..], |kind| kind.spec().fields);
            for (index, is_declared, value) in fields {
                if let Some(spec) = specs.get(index.index(specs.len().max(1))) {
                    let value = if is_declared { declared(spec, value, index) } else { value };
                    object.insert(spec.name.to_owned(), value);
                }
            }
            object.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value)));
            object.extend(tap.map(|tap| ("_tap".to_owned(), tap)));
            let text = Value::from(object).to_string();
            if is_spaced { text.replace("\":", "\": ") } else { text }
        },
    )
}

/// A recording, in which lines repeat.
fn recording() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(line(), 1..6)
        .prop_flat_map(|lines| prop::collection::vec(select(lines), 1..20))
}

/// The policy that shows everything, or the usual one.
fn policy(reveals: bool) -> Policy {
    let mut policy = Policy::default();
    if reveals {
        policy.reveal.add("all");
    }
    policy
}

fn format(name: &str) -> &'static OutputFormat {
    FORMATS.iter().find(|format| format.name == name).expect("a format")
}

fn options(argument: &str, columns: Option<&Columns>, times: &TimeDisplay) -> EncoderOptions {
    EncoderOptions {
        argument: argument.to_owned(),
        columns: columns.cloned(),
        cut: false,
        times: times.clone(),
        workspaces: true,
        grep: None,
    }
}

/// Passes each line to `each` as a redacted event.
fn for_each(lines: &[String], policy: &Policy, mut each: impl FnMut(usize, &RedactedEvent<'_>)) {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    for (at, line) in lines.iter().enumerate() {
        let frame = frame(FrameFormat::Record, None, line.as_bytes());
        each(at, &redactor.decode_and_redact(&mut decoder, frame.as_frame()));
    }
}

/// Encodes events in chunks that begin at the lines in `starts`. Chunks with an even number are
/// encoded by forks in turn, others by the original. Events that are not shown have ids, too.
fn encode(
    lines: &[String],
    policy: &Policy,
    format: &OutputFormat,
    options: impl Fn() -> EncoderOptions,
    starts: Option<&[Index]>,
    is_shown: impl Fn(usize) -> bool,
) -> String {
    let mut starts: Vec<_> =
        starts.iter().flat_map(|starts| starts.iter()).map(|at| at.index(lines.len())).collect();
    starts.sort_unstable();
    let mut original = (format.encoder)(options()).expect("an encoder");
    let mut forks: Vec<_> = (0..2).filter_map(|_| original.fork()).collect();
    let is_parallel = !starts.is_empty() && !forks.is_empty();
    let (mut ids, mut id, mut out) = (EventIds::default(), String::new(), Vec::new());
    let (mut bytes, mut pending) = (Vec::new(), Vec::new());
    original.begin(&mut out);
    for_each(lines, policy, |at, shown| {
        let chunk = starts.iter().filter(|start| **start <= at).count();
        if is_parallel && chunk % 2 == 0 {
            let fork = &mut forks[chunk / 2 % 2];
            let uncounted = UncountedId::new(shown, 0, &mut id);
            let start =
                fork.id_offset().filter(|_| is_shown(at)).map(|offset| bytes.len() + offset);
            pending.push(PendingId::new(uncounted, start));
            if is_shown(at) {
                let context = EventContext::new(shown).with_id(Some(&id));
                fork.event(&context, &mut bytes).expect("bytes");
            }
            if at + 1 == lines.len() || starts.contains(&(at + 1)) {
                ids.complete(&pending, &mut bytes);
                if let Some(rest) = fork.take_pending() {
                    original.merge(rest, &mut bytes);
                }
                out.append(&mut bytes);
                pending.clear();
            }
        } else {
            ids.next(shown, 0, &mut id);
            if is_shown(at) {
                let context = EventContext::new(shown).with_id(Some(&id));
                original.event(&context, &mut out).expect("bytes");
            }
        }
    });
    original.finish(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// Columns that may be selected.
fn columns() -> impl Strategy<Value = Columns> {
    let names = vec![
        "event_type",
        "_tap.time",
        "_tap.id",
        "_tap.stream",
        "_tap.workspace_id",
        "_tap.call_sid",
        "_tap.received_at",
        "_tap.redacted",
        "_tap.drift",
        "_tap",
        "_tap.none",
        "payload",
        "call_sid",
        "reason",
        "transcript",
        "scores",
        "scores.joy",
        "payload.call_sid",
        "extra",
    ];
    prop::collection::vec(select(names), 1..6)
        .prop_map(|names| Columns::new(names.into_iter().map(str::to_owned).collect()))
}

fn times() -> impl Strategy<Value = TimeDisplay> {
    let zone = |name| TimeDisplay::Day(TimeZone::get(name).expect("a zone"));
    prop_oneof![
        select(vec!["UTC", "Europe/Berlin", "Asia/Kolkata"]).prop_map(zone),
        Just(TimeDisplay::Relative),
        Just(TimeDisplay::Delta),
        Just(TimeDisplay::Nothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pretty_is_what_coloured_strings_make(
        lines in recording(),
        (reveals, is_coloured, workspaces) in any::<(bool, bool, bool)>(),
        columns in prop::option::of(columns()),
        times in times(),
        width in prop::option::of(1_usize..260),
        pattern in prop::option::of(select(vec!["a", "redacted", "[^ ]+ ", "東", "x*"])),
    ) {
        let _guard = COLOURS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        colored::control::set_override(is_coloured);
        let layout = PrettyLayout {
            cut: width.is_some(),
            times,
            workspaces,
            columns,
            grep: pattern.map(|pattern| GrepFilter::new(pattern).expect("a pattern")),
        };
        let mut formatter = LineFormatter::new(layout.clone());
        let mut from = None;
        for_each(&lines, &policy(reveals), |_, shown| {
            let mut out = Vec::new();
            formatter.push_line(shown, from, width, &mut out);
            let expected = pretty::line(shown, &layout, from, width);
            assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
            from = shown.tap().moment().or(from);
        });
    }

    #[test]
    fn formats_for_machines_are_what_whole_values_make(
        lines in recording(),
        reveals: bool,
        is_coloured: bool,
        columns in columns(),
    ) {
        let _guard = COLOURS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        colored::control::set_override(is_coloured);
        let policy = policy(reveals);
        let encoded = |name, columns: Option<&Columns>| {
            let options = || options("", columns, &TimeDisplay::Nothing);
            encode(&lines, &policy, format(name), options, None, |_| true)
        };
        for columns in [None, Some(&columns)] {
            let mut json = String::new();
            for_each(&lines, &policy, |at, shown| {
                json += if at == 0 { "[\n  " } else { ",\n  " };
                json += &reference::json(shown, columns);
            });
            prop_assert_eq!(encoded("json", columns), json + "\n]\n");
            for (name, is_csv) in [("csv", true), ("tsv", false)] {
                let usual = Columns::usual();
                let shown_columns = columns.unwrap_or(&usual);
                let mut table = reference::cells(shown_columns.names().iter().cloned(), is_csv);
                for_each(&lines, &policy, |_, shown| {
                    table += &reference::row(shown, shown_columns, is_csv);
                });
                prop_assert_eq!(encoded(name, columns), table);
            }
        }
        let (mut ids, mut id, mut events) = (EventIds::default(), String::new(), String::new());
        for_each(&lines, &policy, |_, shown| {
            ids.next(shown, 0, &mut id);
            events += &reference::cloud_event(shown, &id);
            events.push('\n');
        });
        prop_assert_eq!(encoded("cloudevents", None), events);
    }

    #[test]
    fn a_template_sees_what_a_whole_value_contains(
        lines in recording(),
        reveals: bool,
        template in select(vec![
            "{{ event_type }} {{ _tap.time }} {{ call_sid }} {{ _tap.none }}",
            "{{ _tap }} {{ _tap|length }} {{ _tap|tojson }} {{ _tap|items }} {{ [_tap] }}",
            "{% for name in _tap %}{{ name }}={{ _tap[name] }} {% endfor %}{{ _tap is mapping }}",
            "{{ _tap == {} }} {{ _tap|dictsort }} {{ _tap.redacted|join(',') }} {{ _tap.drift }}",
            "{{ scores }} {{ scores.joy }} {{ payload }} {{ reason|upper }} {{ duration_seconds }}",
            "{{ debug(_tap) }} {{ extra }} {{ extra }} {{ largest is defined }} {{ _tap.id + 1 }}",
        ]),
    ) {
        let mut environment = Environment::new();
        environment.set_fuel(Some(100_000));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_template("template", template).expect("a template");
        let compiled = environment.get_template("template").expect("a template");
        let policy = policy(reveals);
        let mut expected = String::new();
        for_each(&lines, &policy, |_, shown| {
            if let Ok(text) = compiled.render(reference::variables(shown)) {
                expected += &evtap::text::terminal::visible(&text);
                expected.push('\n');
            }
        });
        let options = || options(template, None, &TimeDisplay::Nothing);
        let encoded = encode(&lines, &policy, format("template"), options, None, |_| true);
        prop_assert_eq!(encoded, expected);
    }

    #[test]
    fn an_id_is_the_same_on_the_fast_path(lines in recording(), reveals: bool) {
        let policy = policy(reveals);
        for_each(&lines, &policy, |at, shown| {
            let (mut fast, mut full) = (String::new(), String::new());
            let _ = UncountedId::new(shown, 3, &mut fast);
            let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
            let frame = frame(FrameFormat::Record, None, lines[at].as_bytes());
            let event = decoder.decode(frame.as_frame());
            let _ = UncountedId::new(&redactor.redact(&event), 3, &mut full);
            assert_eq!(fast, full, "{}", lines[at]);
        });
    }

    #[test]
    fn forks_write_the_same_bytes_however_events_are_divided(
        lines in recording(),
        reveals: bool,
        columns in prop::option::of(columns()),
        times in times(),
        starts in prop::collection::vec(any::<Index>(), 1..6),
    ) {
        let _guard = COLOURS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        colored::control::set_override(false);
        let policy = policy(reveals);
        for format in FORMATS {
            let argument = format.argument.as_ref().map_or("", |argument| argument.example);
            let options = || options(argument, columns.as_ref(), &times);
            let encoded = |starts| encode(&lines, &policy, format, options, starts, |at| at % 4 != 1);
            prop_assert_eq!(encoded(Some(&starts)), encoded(None), "{}", format.name);
        }
    }
}
