//! Rules for every declaration in the model.

use std::collections::HashSet;

use evtap::model::catalog::field_named;
use evtap::model::{Class, FieldSpec, Kind, Type};

#[test]
fn the_platform_has_65_events_with_296_fields() {
    let fields = || Kind::ALL.iter().flat_map(|kind| kind.spec().fields);
    assert_eq!(Kind::ALL.len(), 65);
    assert_eq!(fields().count(), 296);
    assert_eq!(fields().filter(|field| field.class == Class::Phi).count(), 28, "annotated fields");
    assert_eq!(
        fields().filter(|field| field.first_seen.is_none()).count(),
        9,
        "fields that only the documents name"
    );
    assert_eq!(
        Kind::ALL.iter().filter(|kind| kind.spec().documented).count(),
        38,
        "documented events"
    );
}

#[test]
fn names_are_unique_and_sorted_within_their_family() {
    let mut seen = HashSet::new();
    let mut last = "";
    for kind in Kind::ALL.iter().chain(Kind::OWN) {
        let spec = kind.spec();
        assert!(seen.insert(spec.event_type), "{} is declared twice", spec.event_type);
        assert_eq!(Kind::from_name(spec.event_type).or(Some(*kind)), Some(*kind));
        if last.split('.').next() == spec.event_type.split('.').next() {
            assert!(last < spec.event_type, "{} is declared after {last}", spec.event_type);
        }
        last = spec.event_type;
        let names: HashSet<_> = spec.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), spec.fields.len(), "{} has a field twice", spec.event_type);
        assert!(spec.fields.len() <= 64, "{}: the set of seen fields has 64 bits", spec.event_type);
    }
}

#[test]
fn every_declaration_is_documented_and_every_enum_has_values() {
    for kind in Kind::ALL.iter().chain(Kind::OWN) {
        let spec = kind.spec();
        assert!(
            spec.doc.ends_with('.') && spec.doc.len() > 10,
            "{}: {:?}",
            spec.event_type,
            spec.doc
        );
        for field in spec.fields {
            assert!(
                field.doc.ends_with('.') && field.doc.len() > 5,
                "{}.{}",
                spec.event_type,
                field.name
            );
            check_type(&field.ty, field.name);
            assert!(
                !(field.required && field.last_seen.is_some()),
                "{}.{} can't be required: it is gone",
                spec.event_type,
                field.name
            );
        }
    }
}

fn check_type(ty: &Type, name: &str) {
    match ty {
        Type::Choice(choices) => {
            assert!(choices.len() > 1, "{name}");
            assert_eq!(choices.iter().collect::<HashSet<_>>().len(), choices.len(), "{name}");
        }
        Type::List(inner) | Type::Map(inner) => check_type(inner, name),
        Type::Record(members) => {
            assert!(!members.is_empty(), "{name}");
            for member in *members {
                assert!(member.doc.ends_with('.'), "{name}.{}", member.name);
                check_type(&member.ty, member.name);
            }
        }
        _ => {}
    }
}

#[test]
fn renamed_fields_are_declared_under_both_names() {
    for (event, before, after) in [
        ("surface.field_saved", "field_id", "field_key"),
        ("tool_call_started", "tool_input", "input"),
        ("tool_call_completed", "error", "error_message"),
    ] {
        let spec = Kind::from_name(event).expect("declared").spec();
        let class = |name| spec.field(name).expect("declared").class;
        assert_eq!(class(before), class(after), "{event}");
    }
}

#[test]
fn identifying_fields_without_annotation_are_hidden() {
    for (event, field) in [
        ("channel.email_received", "subject"),
        ("surface.delivered", "short_url"),
        ("operator.registered", "name"),
        ("operator.profile_updated", "changes"),
    ] {
        assert_eq!(
            Kind::from_name(event)
                .and_then(|kind| kind.spec().field(field))
                .expect("declared")
                .class,
            Class::Sensitive
        );
    }
}

#[test]
fn a_field_name_means_the_same_in_every_event() {
    for kind in Kind::ALL.iter().chain(Kind::OWN) {
        for field in kind.spec().fields {
            let named = field_named(field.name).expect("declared");
            let marks = |field: &FieldSpec| (field.domain, field.rank, field.error_values);
            assert_eq!(marks(field), marks(named), "{}.{}", kind.spec().event_type, field.name);
        }
    }
}
