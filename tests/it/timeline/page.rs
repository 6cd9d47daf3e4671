//! The HTML page of a timeline: whatever was said in the call stays text.

use std::process::Command;

use evtap::internals::analysis::timeline::{Timeline, html};
use evtap::redact::Policy;
use html5gum::{Token, Tokenizer};
use serde_json::json;

use super::{SID, both, build_timeline, gap, observer, started, workspace};
use crate::support::tools;
use crate::terminal::hostile;

/// A tag's name, and the names and values of its attributes.
type Tag = (String, Vec<(String, String)>);

/// Parses a page into its text and its tags.
fn parse(page: &str) -> (String, Vec<Tag>) {
    let (mut text, mut tags) = (String::new(), Vec::new());
    for token in Tokenizer::new(page) {
        let token = token.unwrap_or_else(|error| match error {});
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        match token {
            Token::StartTag(tag) => {
                let attributes = tag
                    .attributes
                    .iter()
                    .map(|(name, value)| (string(name), string(value)))
                    .collect();
                tags.push((string(&tag.name), attributes));
            }
            Token::String(words) => text += &string(&words),
            Token::Error(error) => panic!("browsers have to guess: {:?}", error.value),
            Token::Comment(_) => panic!("a comment"),
            Token::EndTag(_) | Token::Doctype(_) => {}
        }
    }
    (text, tags)
}

fn page_of(timeline: &Timeline) -> String {
    let mut out = Vec::new();
    html::html(timeline, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// Text that could make a browser act if it were not escaped.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</td></table><script src=//evil.example/x.js></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><style>@import url(//evil.example)</style>",
    "<!-- -->",
    "<![CDATA[x]]>",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
];

#[test]
fn a_page_treats_everything_said_as_text() {
    let mut lines = workspace(0, started(SID));
    let all: Vec<_> = HOSTILE.iter().map(|text| (*text).to_owned()).chain(hostile()).collect();
    for (index, text) in (0..).zip(&all) {
        let at = 100 + index * 10;
        lines += &observer(
            at,
            SID,
            json!({"event_type": "user_transcript", "transcript": text, "speaker_role": text}),
        );
        lines += &observer(
            at + 1,
            SID,
            json!({"event_type": "tool_call_started", "call_id": text, "tool_name": text, "parent_call_id": text}),
        );
        lines += &observer(
            at + 2,
            SID,
            json!({"event_type": "tool_call_completed", "call_id": text, "tool_name": text, "succeeded": false, "error_message": text}),
        );
        lines += &observer(
            at + 3,
            SID,
            json!({"event_type": text, text.clone(): text, "nested": {text.clone(): [text]}}),
        );
        lines += &workspace(
            at + 4,
            json!({"event_type": "call.escalated", "call_sid": SID, "trigger": text, "reason": text}),
        );
        lines += &observer(
            at + 5,
            SID,
            json!({"event_type": "session_info", "call_sid": SID, "direction": text, "service_id": text, "current_state": text}),
        );
        lines += &gap(at, at + 5, Some(SID))
            .replace("observer_down", json!(text).to_string().trim_matches('"'));
    }
    lines += &workspace(
        90_000,
        json!({"event_type": "call.ended", "call_sid": SID, "completion_reason": HOSTILE[0], "duration_seconds": 1}),
    );
    let mut policy = Policy::default();
    policy.reveal.add("all");
    let mut timeline = build_timeline(&lines, policy);
    timeline.revealed = all.clone();
    let page = page_of(&timeline);
    let (text, tags) = parse(&page);
    let known = [
        "html", "head", "meta", "title", "style", "body", "h1", "dl", "dt", "dd", "p", "table",
        "thead", "tbody", "tr", "th", "td", "time", "span", "footer",
    ];
    for (tag, attributes) in &tags {
        assert!(known.contains(&tag.as_str()), "<{tag}>");
        for (name, value) in attributes {
            let fits = match name.as_str() {
                "class" => {
                    value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                }
                "datetime" | "title" => {
                    value.is_empty() || value.parse::<jiff::Timestamp>().is_ok()
                }
                "lang" | "charset" | "http-equiv" | "name" | "content" | "scope" => {
                    matches!(tag.as_str(), "html" | "meta" | "th")
                }
                _ => false,
            };
            assert!(fits, "<{tag} {name}={value}>");
        }
    }
    assert_eq!(tags.iter().filter(|(tag, _)| tag == "style").count(), 1);
    assert_eq!(tags.iter().filter(|(tag, _)| tag == "table").count(), 1);
    let policy = tags.iter().find_map(|(tag, attributes)| {
        let is =
            tag == "meta" && attributes.iter().any(|(_, value)| value == "Content-Security-Policy");
        is.then(|| {
            attributes.iter().find(|(name, _)| name == "content").map(|(_, value)| value.clone())
        })?
    });
    assert!(
        policy.is_some_and(|policy| policy.starts_with("default-src 'none'; style-src 'sha256-")
            && !policy.contains("unsafe"))
    );
    for hostile in HOSTILE {
        assert!(text.contains(hostile), "it is there, as text: {hostile}");
    }
    let found = page.lines().find_map(evtap::text::terminal::first_hostile);
    assert_eq!(found.map(u32::from), None);
}

/// Leaves pictures in `evtap-page` in the directory for temporary files: `cargo test --test it
/// the_page_in_a_browser -- --ignored`.
#[test]
#[ignore = "needs chromium, and somebody who looks at the pictures"]
fn the_page_in_a_browser() {
    if !tools::available(&["chromium"]) {
        return;
    }
    let dir = std::env::temp_dir().join("evtap-page");
    std::fs::create_dir_all(&dir).expect("a directory");
    let (page, profile) = (dir.join("call.html"), tempfile::tempdir().expect("a directory"));
    std::fs::write(&page, page_of(&build_timeline(&both().concat(), Policy::default())))
        .expect("a file");
    let chromium = |options: &[&str]| {
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ];
        let more = [
            "--disable-background-networking",
            "--disable-component-update",
            "--hide-scrollbars",
            "--window-size=1000,1300",
        ];
        let mut command = Command::new("chromium");
        command
            .args(flags)
            .args(more)
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()));
        let ran =
            command.arg(format!("file://{}", page.display())).output().expect("chromium runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let document = chromium(&["--dump-dom"]);
    assert!(
        document.contains("find_patient") && document.matches("<tr").count() > 10,
        "{document}"
    );
    for (name, options) in [
        ("light", &[][..]),
        ("dark", &["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]),
    ] {
        let picture = dir.join(format!("{name}.png"));
        chromium(&[&[format!("--screenshot={}", picture.display()).as_str()], options].concat());
        assert!(std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000));
    }
    let print = dir.join("call.pdf");
    chromium(&[&format!("--print-to-pdf={}", print.display())]);
    assert!(std::fs::metadata(&print).is_ok_and(|file| file.len() > 5_000));
}
