//! The identity of an event in cursor files, and the names of classes and domains.

use evtap::model::decode::Decoder;
use evtap::model::{Class, Domain, FrameFormat};
use evtap::redact::{Mode, Policy, Redactor};

use super::{hash, mode};
use crate::decode_redact::frame;

#[test]
fn every_class_and_domain_has_a_name_and_an_explanation() {
    let classes = [
        (Class::Phi, "phi", true),
        (Class::Sensitive, "sensitive", true),
        (Class::Free, "free", false),
        (Class::Open, "open", false),
    ];
    for (class, name, hidden) in classes {
        assert_eq!(
            (class.name(), class.to_string().as_str(), class.is_hidden()),
            (name, name, hidden)
        );
        assert_eq!(class.why().starts_with("hidden, "), hidden, "{}", class.why());
        assert!(
            class.why().len() > 4
                && classes.iter().filter(|other| other.0.why() == class.why()).count() == 1
        );
    }
    for (field, name) in [
        ("caller_id", "phone"),
        ("phone_number", "phone"),
        ("recipient_phone_number", "phone"),
        ("target_number", "phone"),
        ("channel_address", "address"),
        ("from_address", "address"),
        ("to_address", "address"),
        ("display_name", "name"),
        ("name", "name"),
        ("participant_name", "name"),
        ("transcript", "text"),
    ] {
        assert_eq!(Domain::for_field(field).name(), name, "{field}");
    }
    assert_eq!(Domain::ALL.len(), 4);
}

/// The identity recognises an event in a later run.
#[test]
fn the_identity_of_an_event_depends_on_its_type_and_open_fields() {
    let identity_of = |data: &str, policy: &Policy| {
        let raw = frame(FrameFormat::Record, None, data.as_bytes());
        let frame = raw.as_frame();
        let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
        evtap::redact::identity(&redactor.redact(&decoder.decode(frame)))
    };
    let mask = Policy::default();
    let first = r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+1"}"#;
    let of = |data: &str| identity_of(data, &mask);
    for same in [
        r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+2"}"#,
        r#"{"event_type":"call.started","call_sid":"CA1","undeclared":1}"#,
    ] {
        assert_eq!(of(same), of(first), "{same}");
    }
    for other in [
        r#"{"event_type":"call.ended","call_sid":"CA1"}"#,
        r#"{"event_type":"call.started","call_sid":"CA2"}"#,
        r#"{"event_type":"call.started","service_id":"CA1"}"#,
        r#"{"event_type":"call.started","call_sid":"CA1","direction":"inbound"}"#,
        r#"{"event_type":"call.started"}"#,
    ] {
        assert_ne!(of(other), of(first), "{other}");
    }
    let mut reveals = Policy::default();
    reveals.reveal.add("all");
    // Open fields with values that are hidden.
    let nested =
        r#"{"event_type":"call.started","call_sid":{"x":"Jane Roe"},"direction":"inbound"}"#;
    let mistyped = r#"{"event_type":"call.started","call_sid":7,"direction":"Jane Roe"}"#;
    let unnamed = r#"{"event_type":"Jane Roe","call_sid":"CA1"}"#;
    for policy in [mode(Mode::Drop), mode(Mode::Partial), hash(), reveals] {
        for data in [first, nested, mistyped, unnamed] {
            assert_eq!(identity_of(data, &policy), of(data), "whatever the policy shows");
        }
    }
    // Cursor files contain it, so it must not change: FNV-1a of the type and a zero byte.
    let fnv = "call.started\0".bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(of(r#"{"event_type":"call.started"}"#), fnv);
}
