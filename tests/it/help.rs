//! The help of evtap: what it says first, and the topics, whose commands and expressions work.

use evtap::internals::cli::args::manual::general::{FILTERS, GENERAL_TOPICS, RECIPES};

use crate::support::{bash, evtap, tools};

#[tokio::test]
async fn evtap_alone_says_what_to_try_first() {
    let ran = evtap("").run().await;
    assert_eq!(ran.ended(2), "");
    let lines: Vec<_> = ran.stderr().lines().map(str::to_owned).collect();
    assert!(lines.len() < 20 && lines.iter().all(|line| line.len() <= 90), "{lines:?}");
    assert!(lines[2].starts_with("  evtap watch --workspace demo"), "{lines:?}");
}

#[tokio::test]
async fn help_is_coloured_on_request_only() {
    let escape = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a regex");
    for command in ["--help", "help", "watch -h", "help watch"] {
        let plain = evtap(command).run().await.ended(0);
        assert!(!plain.contains('\u{1b}'), "{command}");
        let forced = evtap(command).env("CLICOLOR_FORCE", "1").run().await.ended(0);
        assert_eq!(escape.replace_all(&forced, ""), plain, "{command}");
    }
}

#[tokio::test]
async fn the_expressions_of_the_filters_topic_work() {
    let text = evtap("help filters").run().await.ended(0);
    let day = evtap("watch -w demo -n 3000 --demo-rate 5000").run().await.ended(0);
    for (expression, meaning) in FILTERS {
        assert!(text.contains(&format!("\n  {expression}\n      {meaning}\n")), "{expression}");
        let ran = evtap("replay - --arg sid CA1 -f").arg(expression).stdin(day.clone()).run().await;
        ran.ended(0);
        assert!(!ran.stderr().contains("fails"), "{expression}: {}", ran.stderr());
    }
}

#[tokio::test]
async fn the_recipes_work() {
    let text = evtap("help recipes").run().await.ended(0);
    let home = tempfile::tempdir().expect("a home");
    let day = evtap("watch -w demo -n 500 --demo-rate 5000").run().await.ended(0);
    std::fs::write(home.path().join("day.ndjson"), day).expect("written");
    for (task, line) in RECIPES {
        assert!(text.contains(&format!("{task}:\n\n  {line}\n")), "{line}");
        if tools::available_for(line) {
            let ran = bash(home.path(), line).output().expect("bash runs");
            assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    }
}

/// Each shell passes the same expression on.
#[test]
fn the_quoting_of_the_recipes_is_right() {
    let home = tempfile::tempdir().expect("a home");
    let line = "printf '%s' '.event_type == \"call.ended\"' 'it'\\''s'";
    let ran = bash(home.path(), line).output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), ".event_type == \"call.ended\"it's");
    for topic in GENERAL_TOPICS {
        assert!((topic.text)().lines().all(|line| !line.starts_with(' ') || line.len() <= 100));
    }
}
