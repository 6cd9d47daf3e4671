//! Checks that two tools give the same answer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data::{Data, Input};
use super::rows::Answer;

/// Returns the input on which answers are compared.
pub const fn input(answer: Answer, of: Input) -> Input {
    match answer {
        Answer::Recording => of,
        _ => Input::Head,
    }
}

/// Whether another tool's answer is evtap's.
pub fn agree(answer: Answer, ours: &[u8], theirs: &[u8], data: &Data) -> bool {
    match answer {
        Answer::Values => {
            let (ours, theirs) = (values(ours), values(theirs));
            !ours.is_empty()
                && ours.len() == theirs.len()
                && ours.iter().zip(&theirs).all(|(ours, theirs)| covers(ours, theirs))
        }
        Answer::Counts => {
            let ours = our_counts(ours);
            !ours.is_empty() && ours == their_counts(theirs)
        }
        Answer::Cells => cells(ours) == cells(theirs),
        Answer::Lines => {
            let lines = |text: &[u8]| memchr::memchr_iter(b'\n', text).count();
            lines(ours) > 0 && lines(ours) == lines(theirs)
        }
        Answer::Recording => theirs == std::fs::read(data.path(Input::Whole)).expect("it is there"),
    }
}

/// Reads JSON values, one per line; none if one is not JSON.
fn values(lines: &[u8]) -> Vec<Value> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(serde_json::from_slice).collect::<Result<_, _>>().unwrap_or_default()
}

/// Whether evtap's value is another tool's, which may leave out members. What evtap masks, others
/// print. They write numbers and null in their own ways.
fn covers(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => theirs
            .iter()
            .filter(|(key, _)| *key != "_tap")
            .all(|(key, theirs)| covers(ours.get(key).unwrap_or(&Value::Null), theirs)),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| covers(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::String(ours), _) if ours.contains('[') => true,
        _ => ours == theirs,
    }
}

fn our_counts(json: &[u8]) -> BTreeMap<String, u64> {
    let stats: Value = serde_json::from_slice(json).expect("JSON");
    let groups = stats["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count =
        |group: &Value| Some((group["group"].as_str()?.to_owned(), group["count"].as_u64()?));
    groups.iter().filter_map(count).collect()
}

/// Reads an object or a table of counts.
fn their_counts(text: &[u8]) -> BTreeMap<String, u64> {
    if let Ok(counts) = serde_json::from_slice(text) {
        return counts;
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    let rows = reader.deserialize::<(String, u64)>();
    rows.collect::<Result<_, _>>().expect("a table of counts")
}

fn cells(table: &[u8]) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    reader.records().collect::<Result<_, _>>().expect("a table")
}
