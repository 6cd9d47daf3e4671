//! The parts of the benchmark `compare` that decide what its tables say.

use serde_json::Value;

use compare::agreement::agree;
use compare::data::{Data, DataKind, Input};
use compare::instructions;
use compare::measure::Measured;
use compare::options::{Mode, Options};
use compare::pages;
use compare::rows::{Answer, Goal, rows};
use compare::table::Table;
use compare::varied::Generator;

#[path = "../../benches/compare"]
#[allow(
    dead_code,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the benchmark uses the rest"
)]
mod compare {
    pub mod agreement;
    pub mod data;
    pub mod instructions;
    pub mod measure;
    pub mod options;
    pub mod pages;
    pub mod process;
    pub mod rows;
    pub mod table;
    pub mod varied;
}

fn parse(args: &str) -> Result<Options, String> {
    Options::parse(args.split_whitespace().map(str::to_owned))
}

#[test]
fn options_select_what_is_measured() {
    let options = parse("--bench --size 10 --data wild,regular --rows csv --rounds 3").expect("ok");
    assert_eq!((options.mode, options.size, options.rounds), (Mode::Table, 10_000_000, 3));
    assert_eq!(options.kinds, [DataKind::Wild, DataKind::Regular]);
    assert!(options.wants("csv-3") && !options.wants("json"));
    assert_eq!(parse("growth").expect("ok").size, 1_000_000_000);
    for wrong in ["--size", "--size many", "--data tame", "--fast"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn goals_refer_to_rows() {
    let rows = rows();
    for row in &rows {
        let name = match row.goal {
            Goal::Times(_, name) | Goal::RateAndAhead(_, name) => name,
            Goal::None | Goal::Rate(_) => continue,
        };
        let refers = |other: &&compare::rows::Row| {
            other.name == name && other.peer_of.is_none_or(|(of, _)| of == row.name)
        };
        assert_eq!(rows.iter().filter(refers).count(), 1, "{} refers to {name}", row.name);
    }
}

fn measured(name: &str, tool: &str, rates: [f64; 3], memory: u64) -> Measured {
    let is_it = |row: &compare::rows::Row| {
        row.tool.name() == tool
            && if tool == "evtap" {
                row.name == name
            } else {
                row.peer_of.is_some_and(|(of, _)| of == name)
            }
    };
    let row = rows().into_iter().find(is_it).expect("a row");
    Measured { row, rates: rates.to_vec(), rates_before: Vec::new(), is_equal: true, memory }
}

#[test]
fn table_has_the_median_the_spread_and_ratios_of_equal_rounds() {
    let mut results = [
        // The machine was slow in the second round.
        measured("ndjson", "evtap", [900.0, 90.0, 1000.0], 15 * 1024),
        measured("ndjson", "cat", [1000.0, 100.0, 2000.0], 0),
        measured("ndjson", "jq", [30.0, 3.0, 30.0], 0),
        measured("record", "evtap", [450.0, 45.0, 500.0], 25 * 1024),
    ];
    let table = Table { measured: &results };
    let text = table.markdown();
    let row = |name: &str| text.lines().find(|line| line.contains(name)).expect("a row").to_owned();
    let ndjson = row("| `ndjson` |");
    assert!(ndjson.contains("| 900 ± 51 % | 1.00 × | ≥ 0.65 × `cat`; is 0.90 × | met |"), "{text}");
    assert!(ndjson.contains("cat 1,000 (1.11 ×)") && ndjson.contains("jq 30 (1/30)"), "{text}");
    assert!(row("| `record` |").contains("| 0.50 × | ≥ 0.9 × `ndjson`; is 0.50 × | **missed** |"));
    assert_eq!(table.failures(), ["record: too much memory"]);
    results[2].is_equal = false;
    let failures = Table { measured: &results }.failures();
    assert_eq!(failures[0], "ndjson: jq gives another answer");
}

#[test]
fn agreement_ignores_masks_and_spelling_but_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut evtap = std::path::PathBuf::from(env!("CARGO_BIN_EXE_evtap"));
    evtap.set_file_name("not needed for this kind");
    let data = Data::generate(DataKind::Varied, 200_000, &evtap, dir.path());
    let agree =
        |answer, ours: &str, theirs: &str| agree(answer, ours.as_bytes(), theirs.as_bytes(), &data);
    let ours = "{\"a\":\"[redacted]\",\"b\":1,\"_tap\":{}}\n";
    assert!(agree(Answer::Values, ours, "{\"b\":1.0,\"a\":\"Jane\",\"c\":null}\n"));
    for wrong in ["{\"a\":\"Jane\",\"b\":2}\n", "", "{\"b\":1}\n{\"b\":1}\n", "{\"b\":1,}\n"] {
        assert!(!agree(Answer::Values, ours, wrong), "{wrong}");
    }
    let counts = r#"{"groups":[{"group":"a","count":2}]}"#;
    assert!(agree(Answer::Counts, counts, "a,2\n") && agree(Answer::Counts, counts, "{\"a\":2}"));
    assert!(!agree(Answer::Counts, counts, "a,3\n"));
    assert!(agree(Answer::Cells, "a,b\r\n\"1\",\r\n", "a,b\n1,\n"));
    assert!(!agree(Answer::Cells, "a,b\r\n1,\r\n", "a,b\n2,\n"));
    let recording = std::fs::read_to_string(data.path(Input::Whole)).expect("a recording");
    assert!(agree(Answer::Recording, "", &recording));
    assert!(!agree(Answer::Recording, "", &recording[1..]));
}

#[test]
fn generated_events_have_every_type_and_depend_on_the_seed_alone() {
    let generate = |seed| {
        let (mut generator, mut lines) = (Generator::new(seed, false), Vec::new());
        (0..3000).for_each(|_| generator.push_line(&mut lines));
        String::from_utf8(lines).expect("text")
    };
    let lines = generate(1);
    assert_eq!(lines, generate(1));
    assert_ne!(lines, generate(2));
    let events: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for kind in evtap::model::Kind::ALL {
        let name = kind.spec().event_type;
        let of_kind = || events.iter().filter(|event| event["event_type"] == name);
        assert!(of_kind().next().is_some(), "{name}");
        for field in kind.spec().fields {
            assert!(
                of_kind().any(|event| event.get(field.name).is_some()),
                "{name}.{}",
                field.name
            );
        }
    }
    assert!(lines.contains('東') && lines.contains("\\u6771") && lines.contains("\\\""));
}

#[test]
fn more_instructions_than_in_the_baseline_are_a_failure() {
    let counts = |text: &str| instructions::parse(text);
    let baseline = counts("# a comment\njson, wild     100.00\nndjson, one line  7000000\n");
    assert_eq!(counts(&instructions::format(&baseline)), baseline);
    let failures = |now: &str| instructions::compare(&counts(now), &baseline).1;
    let accepted = "json, wild 104.90\nndjson, one line 100\n";
    assert!(failures(accepted).is_empty());
    assert_eq!(failures("json, wild 105.10\nndjson, one line 7000000\n").len(), 1);
    assert_eq!(failures("json, wild 100\n").len(), 1, "a job that is not measured");
    assert_eq!(failures("json, wild 100\nndjson, one line 7000000\nnew 1\n").len(), 1);
}

#[test]
fn a_table_replaces_what_is_between_its_marks() {
    let page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
    let once = pages::replaced(page, "x", "| new |\n").expect("a place");
    assert_eq!(once, "a\n<!-- x -->\n\n| new |\n\n<!-- end of x -->\nb\n");
    assert_eq!(pages::replaced(&once, "x", "| new |"), Some(once.clone()));
    assert_eq!(pages::replaced(page, "y", ""), None);
}
