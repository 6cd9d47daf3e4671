//! What replaces hidden values: consistent pseudonyms, partial masks and scrubbed free text.
//! Recordings of any of these replay byte for byte.

use std::os::unix::fs::PermissionsExt;

use evtap::model::{Class, Kind};
use serde_json::{Value, json};

use crate::support::{emulator, events, evtap, fast, observe, watch};

/// One number in several events and spellings, one address, and free text that contains the number
/// with its first digit escaped.
const NUMBERS: &str = r#"{"event_type":"call.started","call_sid":"C","direction":"inbound","service_id":"s","caller_id":"+12025550123"}
{"type":"participant_joined","conference_sid":"F","participant_id":"p","participant_role":"caller","phone_number":"(202) 555-0123","display_name":"Jane"}
{"type":"forward_call_resolved","target_number":12025550123,"result":"call \u0032025550123 back"}
{"event_type":"channel.email_opened","email_id":"e","to_address":"Jane@Example.org"}
{"event_type":"surface.delivered","channel":"sms","entity_id":"e","surface_id":"f","channel_address":"202-555-0123","short_url":"https://x.example/y"}
{"event_type":"brand.new","phone_number":"2025550123","inner":{"Jane":[1]},"gone":null}
{"type":"emotion","arousal":0.1,"dominant":"joy","valence":0.2,"scores":[{"name":"joy","score":0.5,"who":"Jane Roe"}]}
"#;

async fn replay(options: &str) -> String {
    evtap(&format!("replay - {options}")).stdin(NUMBERS).run().await.ended(0)
}

#[tokio::test]
async fn a_number_has_the_same_pseudonym_in_every_field() {
    let lines = replay("--phi hash").await;
    let events = events(&lines);
    let number = events[0]["caller_id"].as_str().expect("a pseudonym");
    assert!(
        number.starts_with("phi:phone:") && number.len() == "phi:phone:".len() + 8 + 1 + 32,
        "{number}"
    );
    for other in [
        &events[1]["phone_number"],
        &events[2]["target_number"],
        &events[4]["channel_address"],
        &events[5]["phone_number"],
    ] {
        assert_eq!(other, number);
    }
    assert!(events[3]["to_address"].as_str().is_some_and(|text| text.starts_with("phi:address:")));
    assert!(events[1]["display_name"].as_str().is_some_and(|text| text.starts_with("phi:name:")));
    assert!(
        events[5]["inner"].as_str().is_some_and(|text| text.starts_with("phi:text:")),
        "objects are covered"
    );
    assert!(
        events[6]["scores"][0]["who"].as_str().is_some_and(|text| text.starts_with("phi:text:")),
        "nested keys too"
    );
    assert_eq!(events[5]["gone"], Value::Null);
    for canary in ["2025550123", "555-0123", "Jane", "x.example"] {
        assert!(!lines.contains(canary), "{canary} in {lines}");
    }
    let again = replay("--phi hash").await;
    assert_ne!(again, lines, "each run has a key of its own");
}

#[tokio::test]
async fn a_key_file_gives_the_same_pseudonyms_in_every_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("key");
    let write = |bytes: &[u8], mode| {
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, bytes).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            .expect("its owner may");
    };
    let options = format!("--phi hash --phi-key-file {}", path.display());
    write(&[7; 32], 0o600);
    let first = replay(&options).await;
    assert_eq!(replay(&options).await, first);
    assert!(first.contains("phi:phone:c8a806eb:49bb82d2bd5e0c8da36f6746a02fa6bb"), "{first}");
    write(&[8; 32], 0o600);
    assert_ne!(replay(&options).await, first);
    for (bytes, mode, why) in [
        (&[7; 31][..], 0o600, "it has 31 bytes, fewer than 32"),
        (&[7; 32], 0o644, "others may read"),
    ] {
        write(bytes, mode);
        let ran = evtap(&format!("replay - {options}")).stdin(NUMBERS).run().await;
        assert_eq!(ran.ended(2), "");
        assert!(ran.stderr().contains(why), "{}", ran.stderr());
    }
    let ran =
        evtap(&format!("replay - --phi-key-file {}", path.display())).stdin(NUMBERS).run().await;
    assert_eq!(ran.ended(2), "");
}

#[tokio::test]
async fn recordings_of_one_mode_replay_unchanged_in_every_other() {
    let base = emulator(fast()).await;
    for mode in ["mask", "partial", "hash", "drop"] {
        for scrub in ["free", "all"] {
            let options = format!("--phi {mode} --scrub {scrub}");
            let lines = watch(&base, &format!("-n 300 {options}")).run().await.ended(0)
                + &observe(&base, &options).run().await.ended(0)
                + &replay(&options).await;
            for again in ["mask", "partial", "hash"] {
                let replayed = evtap(&format!("replay - --phi {again} --scrub {scrub}"))
                    .stdin(lines.clone())
                    .run()
                    .await;
                assert_eq!(replayed.ended(0), lines, "{mode} as {again}");
            }
        }
    }
}

#[tokio::test]
async fn partial_masks_show_the_last_two_characters() {
    let events = events(&replay("--phi partial").await);
    assert_eq!(events[0]["caller_id"], "[redacted ..23]");
    assert_eq!(events[2]["target_number"], "[redacted ..23]");
    assert_eq!(events[1]["display_name"], "[redacted]", "two of four would be too many");
    assert_eq!(events[5]["inner"], "[redacted]");
}

#[tokio::test]
async fn free_text_is_scrubbed_unless_revealed() {
    let spec = || Kind::ALL.iter().map(|kind| kind.spec());
    let free = || {
        spec().flat_map(|spec| {
            spec.fields
                .iter()
                .filter(|field| field.class == Class::Free)
                .map(move |field| (spec, field))
        })
    };
    assert!(free().count() >= 10);
    let values = [
        json!("call 202-555-0123"),
        json!(2_025_550_123_u64),
        json!({"to": ["202-555-0123"], "202-555-0123": 1}),
        json!({"to": 2_025_550_123_u64}),
    ];
    for (spec, field) in free() {
        let lines: String = values
            .iter()
            .map(|value| {
                json!({"event_type": spec.event_type, field.name: value}).to_string() + "\n"
            })
            .collect();
        let name = format!("{}.{}", spec.event_type, field.name);
        let ran = evtap("replay -").stdin(lines.clone()).run().await.ended(0);
        assert!(!ran.contains("555"), "{name}: {ran}");
        for event in events(&ran) {
            let redacted = event["_tap"]["redacted"][0].as_str().unwrap_or_default();
            let is_masked = redacted.split('.').next() == Some(field.name);
            assert!(is_masked || event["_tap"]["scrubbed"] == json!([field.name]), "{event}");
        }
        for open in [format!("--reveal {name}"), "--scrub none --reveal none-of-these".to_owned()] {
            let ran = evtap(&format!("replay - {open}")).stdin(lines.clone()).run().await;
            let shown = ran.ended(0);
            // Nothing is declared about the values in the summary, so they are hidden.
            let is_shown = shown.contains("202-555-0123") || shown.contains(":2025550123}");
            let is_hidden = field.name == "emotional_summary" && open.contains("none-of-these");
            assert!(is_shown != is_hidden, "{name} {open}: {shown}");
            assert!(ran.stderr().contains(if open.contains("none") {
                "--scrub none"
            } else {
                "hidden fields are shown"
            }));
        }
    }
}

#[tokio::test]
async fn scrub_all_scrubs_open_fields_but_not_ids() {
    let bounced = r#"{"event_type":"channel.email_bounced","email_id":"CA20255501232025550123202555012320","from_address":"office@example.org","to_address":"x"}"#;
    let replay_with = |options: &'static str| async move {
        evtap(&format!("replay - {options}")).stdin(bounced).run().await.ended(0)
    };
    assert!(replay_with("").await.contains("office@example.org"));
    let scrubbed = replay_with("--scrub all").await;
    assert!(
        scrubbed.contains(r#""from_address":"[email]""#)
            && scrubbed.contains("CA20255501232025550123202555012320")
    );
    assert!(scrubbed.contains(r#""scrubbed":["from_address"]"#), "{scrubbed}");
    assert!(replay_with("--scrub all --reveal from_address").await.contains("office@example.org"));
}
