//! Measures scrubbing on `tests/data/scrub_hard.jsonl`: sentences in the ways people speak and
//! type, written without knowledge of the detectors. SECURITY.md must contain the resulting table.
//!
//! An identifier counts as found only if none of its letters and digits remains. The kind of the
//! mask does not count: a telephone number that is masked as a record number is not readable.

use std::collections::BTreeMap;
use std::fmt::Write;

use evtap::text::MASK;
use evtap::text::scrub::{Detector, scrub};
use serde::Deserialize;

use super::percent;

/// How many identifiers of each kind were found, and how many look-alikes were changed, when the
/// set was new.
const FIRST_RUN: &[(&str, usize)] = &[
    ("card", 8),
    ("date", 20),
    ("email", 8),
    ("ip", 8),
    ("phone", 29),
    ("record", 10),
    ("ssn", 8),
    ("url", 6),
    (NEGATIVE, 3),
];

/// The label of sentences that identify nobody.
const NEGATIVE: &str = "negative";

#[derive(Deserialize)]
struct Sample {
    kind: String,
    text: String,
    #[serde(default)]
    secret: String,
}

/// Returns the parts of the original that scrubbed text still contains, in order.
fn remaining(original: &str, scrubbed: &str) -> Vec<std::ops::Range<usize>> {
    if scrubbed == MASK {
        return Vec::new();
    }
    let mut kept = scrubbed.to_owned();
    for detector in Detector::ALL {
        kept = kept.replace(&format!("[{}]", detector.name()), "\0");
    }
    let parts: Vec<&str> = kept.split('\0').collect();
    let mut at = 0;
    let mut ranges = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let start = if index + 1 == parts.len() {
            original.len() - part.len()
        } else {
            at + original[at..].find(part).expect("text outside of masks stays as it is")
        };
        at = start + part.len();
        ranges.push(start..at);
    }
    ranges
}

/// Returns whether a letter or a digit of the secret remains.
fn remains(sample: &Sample, scrubbed: &str) -> bool {
    let start = sample.text.find(&sample.secret).expect("the text contains the secret");
    let secret = start..start + sample.secret.len();
    remaining(&sample.text, scrubbed).into_iter().any(|range| {
        sample.text[range.clone()].char_indices().any(|(at, character)| {
            secret.contains(&(range.start + at)) && character.is_alphanumeric()
        })
    })
}

#[test]
fn recall_and_mistakes_on_text_as_people_write_it() {
    let samples: Vec<Sample> = include_str!("../../data/scrub_hard.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a sample"))
        .collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut examples = String::new();
    for (index, sample) in samples.iter().enumerate() {
        let is_negative = sample.kind == NEGATIVE;
        assert_eq!(is_negative, sample.secret.is_empty(), "line {}", index + 1);
        let scrubbed = scrub(&sample.text);
        let is_changed = scrubbed.is_some();
        let shown = scrubbed.map_or_else(|| sample.text.clone(), |scrubbed| scrubbed.text);
        let is_counted = if is_negative { is_changed } else { !remains(sample, &shown) };
        let count = counts.entry(&sample.kind).or_default();
        count.0 += 1;
        count.1 += usize::from(is_counted);
        if is_counted == is_negative {
            let _ = writeln!(
                examples,
                "line {} {}: {:?} -> {shown:?}",
                index + 1,
                sample.kind,
                sample.text
            );
        }
    }
    let negatives = counts.remove(NEGATIVE).expect("there are look-alikes");
    let first = |kind: &str| {
        FIRST_RUN.iter().find(|(name, _)| *name == kind).expect("every kind has a first run").1
    };
    let mut table =
        "| kind | positives | recall, first run | recall, now |\n| --- | --- | --- | --- |\n"
            .to_owned();
    let mut total = (0, 0, 0);
    for (kind, (positives, found)) in &counts {
        let old = first(kind);
        total = (total.0 + positives, total.1 + old, total.2 + found);
        let (old, new) = (percent(old, *positives), percent(*found, *positives));
        let _ = writeln!(table, "| {kind} | {positives} | {old} | {new} |");
    }
    let (old, new) = (percent(total.1, total.0), percent(total.2, total.0));
    let _ = writeln!(table, "| all | {} | {old} | {new} |", total.0);
    let _ = writeln!(
        table,
        "\nOf {} look-alikes, {} were changed in the first run, and {} are now.",
        negatives.0,
        first(NEGATIVE),
        negatives.1
    );
    std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("{examples}\n{table}\n{counts:?} {negatives:?}\n").as_bytes(),
    )
    .expect("stderr takes it");
    assert!(
        include_str!("../../../SECURITY.md").contains(&table),
        "SECURITY.md has other figures than\n{table}"
    );
    assert!(total.0 >= 200 && negatives.0 >= 200, "the set is complete");
}
