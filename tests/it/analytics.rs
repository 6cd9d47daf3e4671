//! What `evtap schema` writes for other tools: views of recordings for DuckDB, which real DuckDB
//! runs, and types for TypeScript, which the real compiler checks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Output;

use evtap::emulator::samples::sample;
use evtap::model::{Kind, Type};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::support::{bash, emulator, events, evtap, fast, observe, tools, watch};

fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

/// Returns one event of each type, with a value in every field, as `replay` writes it.
async fn one_of_each(options: &str) -> String {
    let mut rng = StdRng::seed_from_u64(7);
    let mut lines = String::new();
    for kind in kinds() {
        let mut event = sample(kind.spec(), &mut rng);
        event.insert("event_type".to_owned(), kind.spec().event_type.into());
        let _ = writeln!(lines, "{}", Value::from(event));
    }
    evtap(&format!("replay - -o ndjson {options}")).stdin(lines).run().await.ended(0)
}

/// Runs a line of shell in a directory, where it must succeed.
fn shell(dir: &Path, line: &str) -> String {
    let Output { status, stdout, stderr } = bash(dir, line).output().expect("bash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{line}: {}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// Returns the rows of queries of the views of the recordings in a directory. Each query has one
/// column with a JSON text.
fn query(dir: &Path, sql: &str) -> Vec<Value> {
    std::fs::write(dir.join("query.sql"), sql).expect("a file is written");
    let views = "evtap schema --sql duckdb > views.sql";
    let rows = shell(dir, &format!("{views} && cat views.sql query.sql | duckdb -list -noheader"));
    rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect()
}

/// Returns all rows of the view of each event type.
fn rows_by_type(dir: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut sql = String::new();
    for kind in kinds() {
        let name = kind.spec().event_type;
        let row = format!("json_object('type', '{name}', 'row', to_json(\"v\"))");
        let _ = writeln!(sql, "SELECT {row} FROM \"{name}\" AS \"v\";");
    }
    let mut rows = BTreeMap::<_, Vec<_>>::new();
    for row in query(dir, &sql) {
        let name = row["type"].as_str().expect("a type").to_owned();
        rows.entry(name).or_default().push(row["row"].clone());
    }
    rows
}

/// Whether a column has a value of an event. A member that a structure lacks is null in a column.
fn has_value(column: &Value, value: &Value, ty: &Type) -> bool {
    match (column, value, ty) {
        (_, _, Type::Time) => column.as_str().is_some_and(|text| text.starts_with("20")),
        (Value::Number(column), Value::Number(value), _) => column.as_f64() == value.as_f64(),
        (Value::Array(columns), Value::Array(values), Type::List(ty)) => {
            columns.len() == values.len()
                && columns.iter().zip(values).all(|(column, value)| has_value(column, value, ty))
        }
        (Value::Object(columns), Value::Object(values), _) => {
            values.iter().all(|(key, value)| has_value(&columns[key], value, &Type::Any))
        }
        // A column of an unknown type is text.
        (Value::String(text), Value::Bool(_) | Value::Number(_), Type::Unstated) => {
            serde_json::from_str::<Value>(text).is_ok_and(|column| column == *value)
        }
        _ => column == value,
    }
}

#[tokio::test]
async fn every_field_is_a_column_of_its_type() {
    if !tools::available(&["duckdb"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let lines = one_of_each("--reveal all").await;
    std::fs::write(dir.path().join("a.ndjson"), &lines).expect("a file is written");
    let rows = rows_by_type(dir.path());
    for event in events(&lines) {
        let name = event["event_type"].as_str().expect("a type");
        let kind = kinds().find(|kind| kind.spec().event_type == name).expect("it is declared");
        let [row] = &rows[name][..] else { panic!("{name}: {:?}", rows[name]) };
        for field in kind.spec().fields {
            let value = &event[field.name];
            let column = &row[field.name];
            assert!(has_value(column, value, &field.ty), "{name}: {value} became {column}");
        }
    }
}

#[tokio::test]
async fn a_hidden_value_is_null_in_a_typed_column_and_stays_in_a_text() {
    if !tools::available(&["duckdb"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    for (name, options) in [("a.ndjson", "--redact all"), ("b.ndjson", "--redact all --phi drop")] {
        let lines = one_of_each(options).await;
        std::fs::write(dir.path().join(name), lines).expect("a file is written");
    }
    let rows = rows_by_type(dir.path());
    for kind in kinds() {
        let spec = kind.spec();
        let [masked, dropped] = &rows[spec.event_type][..] else { panic!("{rows:?}") };
        for field in spec.fields {
            let column = &masked[field.name];
            let is_text = matches!(
                field.ty,
                Type::Text | Type::Uuid | Type::Choice(_) | Type::Unstated | Type::OneOf(_)
            );
            let is_stand_in = *column == "[redacted]";
            // evtap's own events have nothing to hide.
            let is_hidden = column.is_null() || matches!(column, Value::Object(_));
            let expected = if is_text { is_stand_in } else { is_hidden };
            assert!(expected || Kind::OWN.contains(&kind), "{}: {column}", field.name);
            assert!(dropped[field.name].is_null() || Kind::OWN.contains(&kind), "{}", field.name);
        }
    }
}

#[tokio::test]
async fn every_line_is_a_row_whatever_is_in_it() {
    if !tools::available(&["duckdb", "gzip", "zstd"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let base = emulator(fast()).await;
    let stream = watch(&base, "-n 300 --status inline -o ndjson").run().await.ended(0);
    let call = observe(&base, "--status inline -o ndjson").run().await.ended(0);
    let odd = [
        r#"{"event_type":"call.ended","call_sid":{"a":1},"duration_seconds":[1],"_tap":[]}"#,
        r#"{"event_type":"call.ended","duration_seconds":"long","_tap":{"time":"never"}}"#,
        r#"{"event_type":"emotion","scores":[{"name":"joy","score":"[redacted]"},5,null]}"#,
        r#"{"event_type":"brand.new","_tap":{"drift":[{"kind":"unknown_event"}]}}"#,
        r#"{"event_type":7}"#,
        "[]",
        "null",
        "17",
        r#"{"event_type":"call.ended","call_sid":"\ud800"}"#,
        "{\"event_type\":\"call.ended\",\"call_si",
    ];
    for (name, text) in
        [("s.ndjson", stream.as_str()), ("c.ndjson", &call), ("o.ndjson", &odd.join("\n"))]
    {
        std::fs::write(dir.path().join(name), text).expect("a file is written");
    }
    std::fs::write(dir.path().join("empty.ndjson"), "").expect("a file is written");
    std::fs::write(dir.path().join("s.ndjson.zst.tmp"), "not whole").expect("a file is written");
    shell(dir.path(), "gzip -k s.ndjson && zstd -q c.ndjson && zstd -q --rm o.ndjson");
    let (streamed, called) = (2 * stream.lines().count(), 2 * call.lines().count());
    let total = streamed + called + odd.len();

    let count = |from: &str| {
        let rows = query(dir.path(), &format!("SELECT count(*) FROM {from};"));
        usize::try_from(rows[0].as_u64().expect("a count")).expect("a small count")
    };
    assert_eq!(count("\"events\""), total);
    assert_eq!(count("\"_tap\""), total);
    let readable = count("\"events\" WHERE \"event_type\" IS NOT NULL");
    assert_eq!(total - readable, 5, "lines that are no event have no type");
    let unknown = count("\"_unknown\"");
    assert_eq!(unknown, 2, "brand.new and 7");
    let rows = rows_by_type(dir.path());
    assert_eq!(rows.values().map(Vec::len).sum::<usize>() + unknown, readable);
    let joy =
        rows["emotion"].iter().find(|row| row["scores"].as_array().is_some_and(|it| it.len() == 3));
    let joy = &joy.expect("the odd event")["scores"];
    assert_eq!(joy[0], json!({"name": "joy", "score": null}));
    assert!(rows["tap.connected"].len() >= 2 && !rows.contains_key("tap.alert"));
    let drift = query(
        dir.path(),
        "SELECT json_object('t', event_type, 'k', kind) FROM \"_drift\" WHERE event_type = 'brand.new';",
    );
    assert_eq!(drift, [json!({"t": "brand.new", "k": "unknown_event"})]);

    // The variable names other files: one, or several.
    let named = |value: &str| {
        let set = format!("echo \"SET VARIABLE recordings = {value};\"");
        let count = "echo 'SELECT count(*) FROM \"events\";'";
        let line = format!("({set}; cat views.sql; {count}) | duckdb -list -noheader");
        shell(dir.path(), &line).trim().parse::<usize>().expect("a count")
    };
    assert_eq!(named("'s.ndjson'") * 2, streamed);
    assert_eq!(named("['s.ndjson*.gz', 'c.ndjson']") * 2, streamed + called);
}

#[tokio::test]
async fn typescript_accepts_the_lines_and_tells_them_apart() {
    if !tools::available(&["tsc"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let types = evtap("schema --typescript").run().await.ended(0);
    std::fs::write(dir.path().join("evtap.d.ts"), types).expect("a file is written");
    let base = emulator(fast()).await;
    let mut lines = watch(&base, "-n 300 --status inline -o ndjson").run().await.ended(0);
    lines += &observe(&base, "--status inline -o ndjson").run().await.ended(0);
    let mut program = String::from("import type { EvtapEvent, Hidden } from \"./evtap\";\n");
    let mut count = 0;
    for options in ["", "--reveal all", "--phi partial", "--phi hash", "--phi drop"] {
        let written = evtap(&format!("replay - -o ndjson {options}")).stdin(&*lines).run().await;
        let written = written.ended(0) + &one_of_each(options).await;
        for event in events(&written).iter().filter(|event| event["_tap"].get("drift").is_none()) {
            // Not fresh, so that fields of later versions of the platform are allowed.
            let _ = writeln!(program, "const l{count} = {event} as const;");
            let _ = writeln!(program, "export const e{count}: EvtapEvent = l{count};");
            count += 1;
        }
    }
    assert!(count > 1000, "{count} lines");
    program.push_str(
        r#"
export function seconds(event: EvtapEvent): number {
  switch (event.event_type) {
    case "call.ended": return event.duration_seconds;
    case "tool_call_completed": return (event.duration_ms ?? 0) / 1000;
    case "emotion": return event.scores?.[0]?.score ?? 0;
    // @ts-expect-error: there is no such event
    case "call.end": return 0;
    // @ts-expect-error: it is a field of another event
    default: return event.completion_reason;
  }
}
export function caller(event: EvtapEvent): string | Hidden | null | undefined {
  return event.event_type === "call.started" ? event.caller_id : undefined;
}
// @ts-expect-error: a field is missing
export const missing: EvtapEvent = { event_type: "call.ended", call_sid: "CA1", _tap: {} };
"#,
    );
    std::fs::write(dir.path().join("lines.ts"), program).expect("a file is written");
    shell(
        dir.path(),
        "tsc --strict --noEmit --target es2022 --module es2022 --moduleResolution bundler lines.ts",
    );
}
