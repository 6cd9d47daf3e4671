//! Which policies and modes allow the fast path.

use super::{PathComparison, started};
use crate::redact::{Mode, Policy, PseudonymKey};

#[test]
fn only_policies_that_keep_tap_ids_use_the_fast_path() {
    let redacts = |name: &str| {
        let mut policy = Policy::default();
        policy.redact.add(name);
        policy
    };
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    let mode = |mode| Policy { mode, ..Policy::default() };
    for (policy, allows_fast_path) in [
        (Policy::default(), true),
        (redacts("direction"), true),
        (redacts("workspace_id"), false),
        (redacts("call_sid"), false),
        (redacts("all"), false),
        (mode(Mode::Partial), true),
        (mode(Mode::Hash(key)), true),
        (mode(Mode::Drop), true),
    ] {
        let mut paths = PathComparison::new(policy.clone());
        let tap = r#"{"workspace_id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","call_sid":"CA00000000000000000000000000000001"}"#;
        paths.line(&started(""));
        assert_eq!(paths.is_fast(&started("")), allows_fast_path, "{policy:?}");
        paths.line(&started(&format!(",\"_tap\":{tap}")));
    }
}

#[test]
fn only_masks_of_unknown_origin_need_the_full_path_in_some_modes() {
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    for mode in [Mode::Mask, Mode::Partial, Mode::Hash(key), Mode::Drop] {
        let computes = matches!(mode, Mode::Partial | Mode::Hash(_));
        let mut paths = PathComparison::new(Policy { mode, ..Policy::default() });
        let tap = r#","_tap":{"redacted":["caller_id"]}"#;
        let masked = started(&format!(",\"caller_id\":\"[redacted]\"{tap}"));
        paths.line(&masked);
        assert!(paths.is_fast(&masked));
        assert!(paths.is_fast(&started(",\"caller_id\":null")));
        for (name, clear) in [
            ("caller_id", ",\"caller_id\":\"+12025550123\""),
            ("region", ",\"region\":\"Ohio\",\"Jane Roe\":[1]"),
        ] {
            assert!(paths.is_fast(&started(clear)));
            let tap = format!(",\"_tap\":{{\"redacted\":[\"{name}\"]}}");
            assert!(paths.is_fast(&started(&format!("{clear}{tap}"))));
            // A mask of an earlier run beside a value that has been added.
            let masked = ",\"service\":\"[redacted]\"";
            for (names, is_fast) in [("\"service\"", true), ("\"other\"", false), ("", !computes)] {
                let tap = format!(",\"_tap\":{{\"redacted\":[{names}]}}");
                assert_eq!(paths.is_fast(&started(&format!("{masked}{clear}{tap}"))), is_fast);
            }
        }
        assert_eq!(paths.is_fast(&started(",\"caller_id\":\"[redacted]\"")), !computes);
        for rest in [",\"caller_id\":\"+12025550123\"", ",\"caller_id\":\"[redacted ..23]\""] {
            paths.line(&started(&format!("{rest}{tap}")));
            paths.line(&started(&format!("{rest},\"_tap\":{{\"redacted\":[]}}")));
        }
        paths.line(&started(",\"caller_id\":\"[redacted]\",\"_tap\":{\"redacted\":[]}"));
    }
}
