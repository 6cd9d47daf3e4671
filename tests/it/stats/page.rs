//! The HTML page of statistics: it shows what the other formats show, and loads nothing.

use std::fmt::Write as _;

use evtap::internals::analysis::stats::json::time;
use serde_json::json;

use super::{fixed, run_stats};
use crate::html_page::{HOSTILE, assert_inert};
use crate::support::evtap;
use crate::terminal::hostile;

async fn page_of(lines: String, options: &str) -> String {
    evtap(&format!("stats - -o html --status none {options}")).stdin(lines).run().await.ended(0)
}

#[tokio::test]
async fn a_page_shows_what_json_shows() {
    let report = run_stats(&fixed(), "").await;
    let page = assert_inert(&page_of(fixed(), "").await);
    let number =
        |value: &serde_json::Value| evtap::text::units::count(value.as_u64().expect("a count"));
    for (name, value) in
        [("Events", &report["events"]), ("Calls started", &report["calls"]["started"])]
    {
        assert!(page.text.contains(&format!("{name}{}", number(value))), "{name}: {}", page.text);
    }
    for outcome in report["calls"]["outcomes"].as_array().expect("outcomes") {
        let name = outcome["completion_reason"].as_str().expect("a name");
        let row = format!("{name}{}", number(&outcome["count"]));
        assert!(page.text.contains(&row), "{row}: {}", page.text);
    }
    for title in [
        "Events over time",
        "Calls by outcome",
        "Duration of calls",
        "Duration of tool calls",
        "Tools",
        "Surfaces, step by step",
        "Gaps",
        "Malformed frames",
        "Events by type",
        "Time taken",
    ] {
        assert!(page.text.contains(title), "{title}: {}", page.text);
    }
    let labels: Vec<_> = page.values("aria-label").collect();
    assert!(
        labels.iter().any(|label| label.starts_with("Events over time, from 2023-11-14T22:13:20")),
        "{labels:?}"
    );
    assert!(
        labels
            .iter()
            .any(|label| label.starts_with("Histogram of Duration of calls: 1,333 measured")),
        "{labels:?}"
    );
}

#[tokio::test]
async fn every_event_with_a_time_is_in_a_column_of_the_chart() {
    let at = |millis: i64| {
        let id = 1_700_000_000_000 + millis;
        let event = json!({"event_type": "pipeline.error", "data_source_id": "d", "error": "x",
            "_tap": {"id": id.to_string(), "time": time(id), "stream": "workspace"}});
        format!("{event}\n")
    };
    let lines: String = (0..1000).map(|number| at(number * 777 % 90_000)).collect();
    let page = page_of(lines + "{\"event_type\":\"pipeline.error\"}\n", "").await;
    let columns = page.split(" UTC: ").skip(1);
    let counted = columns.filter_map(|rest| rest.split_once(" events")?.0.parse::<u64>().ok());
    assert_eq!(counted.sum::<u64>(), 1000);
    assert!(page.contains("Left out: 1 event without a time."), "{page}");
}

#[tokio::test]
async fn a_page_treats_every_name_as_text() {
    let mut lines = String::new();
    for text in HOSTILE.iter().map(|text| (*text).to_owned()).chain(hostile()) {
        for event in [
            json!({"event_type": "call.ended", "call_sid": "CA1", "completion_reason": text, "duration_seconds": 1, text.clone(): text}),
            json!({"event_type": "session_end", "completion_reason": text}),
            json!({"event_type": "call.escalated", "call_sid": "CA1", "trigger": text, "reason": text}),
            json!({"event_type": "tool_call_started", "call_id": text, "tool_name": text}),
            json!({"event_type": "tap.gap", "from": time(0), "to": time(1000), "certain": true, "reason": text}),
            json!({"event_type": "tap.malformed", "offset": 1, "length": 1, "category": text}),
            json!({"event_type": text}),
        ] {
            let _ = writeln!(lines, "{event}");
        }
    }
    for options in ["--reveal all --no-check", "--reveal all --no-check --group-by .."] {
        let page = assert_inert(&page_of(lines.clone(), options).await);
        for hostile in HOSTILE {
            // A group is the JSON of its value.
            let quoted = json!(hostile).to_string();
            assert!(page.text.contains(hostile) || page.text.contains(&quoted), "{hostile}");
        }
        assert!(page.text.contains("SHOWS protected health information"));
    }
}

#[tokio::test]
async fn a_page_is_the_same_with_any_number_of_threads() {
    let day = fixed().repeat(2);
    let one = page_of(day.clone(), "--threads 1").await;
    assert_eq!(one, page_of(day.clone(), "--threads 3").await);
    let grouped = "--no-check --group-by .completion_reason";
    let one = page_of(day.clone(), &format!("--threads 1 {grouped}")).await;
    assert_eq!(one, page_of(day, &format!("--threads 3 {grouped}")).await);
    assert!(one.contains("<h2>Groups</h2>"));
}

#[tokio::test]
async fn nothing_and_little_have_a_page() {
    let page = assert_inert(&page_of(String::new(), "").await);
    assert!(page.text.contains("Events0") && !page.text.contains("Events over time"));
    let gap = json!({"event_type": "tap.gap", "from": time(0), "to": time(60_000), "certain": false, "reason": "no_position", "_tap": {"received_at": time(60_000)}});
    let page = assert_inert(&page_of(format!("{gap}\n"), "").await);
    assert!(page.text.contains("Hatched: gaps"), "{}", page.text);
    let live = evtap("stats -w demo --demo-rate 500 -o html --status none --until")
        .arg(".event_type == \"call.ended\"")
        .run()
        .await;
    assert!(assert_inert(&live.ended(0)).text.contains("Events over time"));
}

#[tokio::test]
async fn a_page_has_no_rows_over_time() {
    let ran = evtap("stats - -o html --every 1m").stdin("").run().await;
    assert_eq!(ran.ended(2), "");
    assert!(ran.stderr().contains("cannot use -o html: a page has one total"), "{}", ran.stderr());
}
