//! Declared fields in any order, undeclared ones among them, and text that is nearly an event.

use proptest::prelude::*;
use serde_json::Value;

use super::{PathComparison, fields, object, values};
use crate::model::Kind;
use crate::redact::{Mode, Policy, PseudonymKey, ScrubMode};

/// Declared fields of an event in any order, some of them missing, with any values.
fn any_event() -> impl Strategy<Value = (Kind, Vec<(&'static str, String)>)> {
    let kind = prop::sample::select(Kind::ALL);
    (kind, any::<u64>(), prop::collection::vec(0..8u8, 32)).prop_flat_map(|(kind, seed, picks)| {
        let values: Vec<_> = values().collect();
        let mut fields = fields(kind);
        let mut picks = picks.into_iter().cycle();
        fields.retain(|_| picks.next() != Some(0));
        for (at, (_, json)) in fields.iter_mut().enumerate() {
            if picks.next() == Some(1) {
                let seed = usize::try_from(seed % 1000).expect("small") + at;
                json.clone_from(&values[seed % values.len()]);
            }
        }
        (Just(kind), Just(fields).prop_shuffle())
    })
}

/// Draws the key of a field that is not declared: a name, or text that must be masked.
fn undeclared_key() -> impl Strategy<Value = String> {
    let keys = [
        "region",
        "region2",
        "caller_number",
        "x_12345",
        "Jane Roe",
        "[redacted]",
        "[redacted 2]",
        "café",
        "_tap",
        "event_type",
        "type",
        "data",
        "specversion",
        "",
        "\\u0061",
        "a.b",
        "x_202_555",
    ];
    prop::sample::select(keys.to_vec()).prop_map(str::to_owned)
}

/// Returns a policy of each mode.
fn policies() -> impl Iterator<Item = Policy> {
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    [Mode::Mask, Mode::Partial, Mode::Hash(key), Mode::Drop]
        .into_iter()
        .map(|mode| Policy { mode, ..Policy::default() })
}

/// Returns the line that an earlier run wrote for this one.
fn with_tap(line: &str) -> String {
    PathComparison::new(Policy::default()).line(line).0
}

proptest! {
    #[test]
    fn any_subset_of_the_declared_fields_in_any_order_is_recognized((kind, fields) in any_event()) {
        let mut hiding = Policy::default();
        let mut revealing = Policy { scrub: ScrubMode::All, ..Policy::default() };
        // A policy that hides an id in `_tap` does not allow the fast path.
        if let Some((name, _)) = fields.iter().find(|(name, _)| *name != "call_sid" && *name != "workspace_id") {
            hiding.redact.add(name);
            revealing.reveal.add(name);
        }
        let line = object(kind.spec().event_type, &fields);
        let recorded = with_tap(&line);
        for policy in [Policy::default(), hiding, revealing] {
            let mut paths = PathComparison::new(policy);
            for line in [&line, &recorded, &line.replacen('{', "{\"event_type\":\"x\",", 1)] {
                let is_fast = paths.is_fast(line);
                let is_shallow = fields.iter().all(|(_, json)| !json.starts_with(['{', '[']));
                let is_other = line.starts_with("{\"event_type\":\"x") || !is_shallow;
                prop_assert!(is_fast || is_other || line == &recorded, "{}", line);
                // A value in the clear in a recorded line is masked now.
                let body = &line[..line.len() - 1];
                paths.line(&format!("{body},\"_tap\":{{\"redacted\":[\"{}\"]}}}}", fields.first().map_or("", |field| field.0)));
                paths.line(&format!("{body},\"_tap\":{{}}}}"));
            }
            let (_, fields) = line.split_once(',').unwrap_or(("", "}"));
            paths.event(kind.spec().event_type, &format!("{{{fields}"));
        }
    }

    #[test]
    fn undeclared_fields_are_masked_in_the_same_way(
        (kind, mut fields) in any_event(),
        keys in prop::collection::vec((undeclared_key(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..12),
    ) {
        let values: Vec<_> = values().collect();
        for (key, place, value) in &keys {
            fields.insert(place.index(fields.len() + 1), (key, value.get(&values).clone()));
        }
        let line = object(kind.spec().event_type, &fields);
        let recorded = with_tap(&line);
        let body = &line[..line.len() - 1];
        let (_, members) = body.split_once(',').unwrap_or_default();
        let mut revealing = Policy::default();
        revealing.reveal.add(&keys[0].0);
        let mut hiding = Policy::default();
        hiding.redact.add(&keys[0].0);
        let scrubbing = Policy { scrub: ScrubMode::All, ..Policy::default() };
        for policy in policies().chain([revealing, hiding, scrubbing]) {
            let mut paths = PathComparison::new(policy);
            paths.line(&line);
            paths.line(&recorded);
            paths.event(kind.spec().event_type, &format!("{{{members}}}"));
            paths.id = "soon";
            paths.event(kind.spec().event_type, &format!("{{{members}}}"));
            paths.line(&format!("{body},\"_tap\":{{}}}}"));
            paths.line(&format!("{body},\"_tap\":{{\"redacted\":[\"{}\",\"region\"]}}}}", fields[0].0));
        }
    }

    #[test]
    fn keys_that_nearly_match_are_not_taken_for_declared_ones(
        (kind, fields) in any_event(), at in any::<prop::sample::Index>(), edit in 0..8u8
    ) {
        prop_assume!(!fields.is_empty());
        let mut paths = PathComparison::new(Policy::default());
        let at = at.index(fields.len());
        let key = fields[at].0;
        let other = match edit {
            0 => key[..key.len() - 1].to_owned(),
            1 => format!("{key}s"),
            2 => key[1..].to_owned(),
            3 => key.to_uppercase(),
            4 => format!("{key}\\u0000"),
            5 => format!("\\u{:04x}{}", key.as_bytes()[0], &key[1..]),
            6 => format!(" {key}"),
            _ => String::new(),
        };
        let mut changed: Vec<(&str, String)> = fields.clone();
        changed[at].0 = &other;
        let name = kind.spec().event_type;
        let lines = |fields: &[(&str, String)]| {
            let line = object(name, fields);
            let body = &line[..line.len() - 1];
            [format!("{body},\"_tap\":{{}}}}"), line.clone()]
        };
        for line in lines(&changed) {
            paths.line(&line);
        }
        // The declared key comes as well, before and after, and then twice.
        changed.push(fields[at].clone());
        for line in lines(&changed) {
            paths.line(&line);
        }
        changed.insert(0, fields[at].clone());
        for line in lines(&changed) {
            prop_assert!(!paths.is_fast(&line), "{}", line);
        }
    }

    #[test]
    fn a_line_that_is_cut_or_continued_anywhere_is_malformed((kind, fields) in any_event()) {
        let mut paths = PathComparison::new(Policy::default());
        let line = with_tap(&object(kind.spec().event_type, &fields));
        for at in (0..line.len()).filter(|at| line.is_char_boundary(*at)) {
            let (shown, is_fast) = paths.line(&line[..at]);
            prop_assert!(!is_fast && shown.contains("tap.malformed"), "{}", shown);
        }
        for rest in ["}", "]", ",", "x", "{}", "\"", ",\"a\":1}", " 1"] {
            let (shown, is_fast) = paths.line(&format!("{line}{rest}"));
            prop_assert!(!is_fast && shown.contains("tap.malformed"), "{}", shown);
        }
    }

    #[test]
    fn one_byte_changed_anywhere_gives_the_same_on_both_paths(
        (kind, fields) in any_event(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize), 40),
    ) {
        let mut paths = PathComparison::new(Policy::default());
        let line = with_tap(&object(kind.spec().event_type, &fields));
        for (at, byte) in changes {
            let at = at.index(line.len());
            if line.is_char_boundary(at) && line.is_char_boundary(at + 1) {
                let byte = ["\"", "\\", ",", ":", "{", "}", "[", "0", "e", " ", "\u{1}", "é"][byte];
                let changed = [&line[..at], byte, &line[at + 1..]].concat();
                let (shown, _) = paths.line(&changed);
                let is_object = serde_json::from_str::<Value>(&changed).is_ok_and(|value| value.is_object());
                prop_assert!(is_object || shown.contains("tap.malformed"), "{}", changed);
            }
        }
    }
}
