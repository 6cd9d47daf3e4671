//! The table of metrics in docs/metrics.md is the one of the code.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use evtap::internals::cli::metrics::collector::RunCollector;
use evtap::internals::cli::metrics::format::TextFormat;
use evtap::internals::cli::metrics::registry::registry;
use evtap::internals::delivery::ResultCounts;
use evtap::internals::output::status::DestinationCounts;
use evtap::redact::Policy;
use jiff::Timestamp;
use serde_json::json;

use super::labels::observe;

const HEAD: &str = "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n";

/// A destination that got nothing yet.
#[derive(Debug)]
struct NoResults;

impl ResultCounts for NoResults {
    fn counts(&self) -> DestinationCounts {
        DestinationCounts::new("endpoint", "forwarded")
    }

    fn retries(&self) -> u64 {
        0
    }
}

/// Builds the table from everything that can be scraped.
fn table() -> String {
    let collector = RunCollector {
        meter: Arc::default(),
        deliveries: vec![Arc::new(NoResults)],
        spans: vec![Arc::new(NoResults)],
    };
    let (registry, mut metrics) = registry(collector, Timestamp::now);
    metrics.add_rules(["nobody-joined"]);
    let tool = json!({
        "event_type": "tool_call_completed", "tool_name": "a", "call_id": "1", "duration_ms": 1.0,
    });
    observe(&mut metrics, [&tool].into_iter(), &Policy::default());
    let text = TextFormat::Prometheus.encode(&registry).expect("text");

    let mut labels = BTreeMap::<&str, Vec<&str>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).expect("a value");
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(name);
        let known = labels.entry(name).or_default();
        for label in rest.split("=\"").filter_map(|part| part.rsplit([',', '{', '"']).next()) {
            let is_label = !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if is_label && label != "le" && !known.contains(&label) {
                known.push(label);
            }
        }
    }
    let header = |kind: &str| {
        let start = format!("# {kind} ");
        let lines = text.lines().filter_map(move |line| line.strip_prefix(&start));
        lines.map(|line| line.split_once(' ').expect("a text")).collect::<Vec<_>>()
    };
    let types: BTreeMap<_, _> = header("TYPE").into_iter().collect();
    let row = |(name, help): (&str, &str)| {
        let labels: Vec<_> = labels[name].iter().map(|label| format!("`{label}`")).collect();
        format!("| `{name}` | {} | {} | {help} |\n", types[name], labels.join(", "))
    };
    HEAD.to_owned() + &header("HELP").into_iter().map(row).collect::<String>()
}

#[test]
fn the_table_of_metrics_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = std::fs::read_to_string(&path).expect("a page");
    let (before, rest) = page.split_once(HEAD).expect("a table");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let updated = format!("{before}{}{after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() && page != updated {
        std::fs::write(&path, &updated).expect("the page is writable");
    }
    assert!(
        page == updated,
        "docs/metrics.md is out of date; mend it with\nUPDATE_DOCS=1 cargo test --test it metrics::reference"
    );
}
