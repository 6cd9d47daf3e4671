//! Checks that an expression gives something by which events can be told apart.

use super::{CheckFinding, Kinds};
use crate::model::{Class, FieldSpec, Kind};
use crate::query::field_access::FieldAccess;
use crate::query::program::ParsedProgram;
use crate::redact::{Mode, Policy};

/// Checks an expression whose values are kept as keys or measured, for the events in `kinds`.
/// Returns the finding if it reads a hidden field or prose, may read any field, or reads only a field
/// that none of them has.
#[must_use]
pub fn check_key(
    parsed: &ParsedProgram<'_>,
    kinds: Kinds,
    policy: &Policy,
) -> Option<CheckFinding> {
    let range = 0..parsed.source.trim_end().len();
    let fatal = |why: String, advice: String| {
        Some(CheckFinding { fatal: true, range: range.clone(), why, advice })
    };
    let FieldAccess { fields, gives_event } = FieldAccess::from_term(&parsed.term);
    let Some(fields) = fields.filter(|_| !gives_event) else {
        let why = "it may read every field, also those that are hidden".to_owned();
        return fatal(why, "name fields, such as `.call_sid`".to_owned());
    };
    if let [name] = fields.as_slice()
        && !matches!(name.as_str(), "event_type" | "_tap")
        && !kinds.unknown
        && kinds.iter().all(|kind| kind.spec().field(name).is_none())
    {
        let why = format!("{} has no `.{name}`", kinds.names());
        return fatal(why, "use a field that all these events have".to_owned());
    }
    for name in &fields {
        let specs =
            || kinds.iter().filter_map(|kind| Some((kind.spec(), kind.spec().field(name)?)));
        let advice = "use another field, or pseudonyms with --phi hash";
        let is_hidden = specs().any(|(event, field)| policy.hides(event, field));
        // A pseudonym is as good as the value.
        if is_hidden && !matches!(policy.mode, Mode::Hash(_)) {
            let why = format!("`.{name}` is hidden, so all events have the same mask");
            return fatal(why, advice.to_owned());
        }
        // The key outlives this run: later ones read it from a record or a cursor, and show it.
        let usual = Policy::default();
        if specs().any(|(event, field)| usual.hides(event, field) && !policy.hides(event, field)) {
            let why = format!("`.{name}` is hidden unless revealed, and keys are always shown");
            return fatal(why, advice.to_owned());
        }
        if reveals_undeclared(name, kinds, policy) {
            let why = format!(
                "`.{name}` is hidden unless revealed where it is not declared, and keys are always \
                 shown"
            );
            let advice = "use a field that all these events declare, or do not reveal it";
            return fatal(why, advice.to_owned());
        }
        let is_prose = |field: &FieldSpec| field.class == Class::Free;
        if specs().any(|(_, field)| is_prose(field)) {
            let why = format!("`.{name}` is free text, in which people may be named");
            return fatal(why, "use a field with an id or a name".to_owned());
        }
    }
    None
}

/// Returns the names of the fields that an expression reads and that are hidden in one of the
/// declared events in `kinds`; `None` if it may read every field.
///
/// What such an expression selects depends on masks, so that an event that it does not select may
/// satisfy it all the same.
#[must_use]
pub fn hidden_reads(
    parsed: &ParsedProgram<'_>,
    kinds: Kinds,
    policy: &Policy,
) -> Option<Vec<String>> {
    let mut fields = FieldAccess::from_term(&parsed.term).fields?;
    fields.retain(|name| {
        let specs = kinds.iter().map(Kind::spec);
        let mut hidden = specs.filter_map(|spec| Some(policy.hides(spec, spec.field(name)?)));
        hidden.any(|is_hidden| is_hidden)
    });
    Some(fields)
}

/// Returns whether a field of this name is revealed in an event that does not declare it.
fn reveals_undeclared(name: &str, kinds: Kinds, policy: &Policy) -> bool {
    if matches!(name, "event_type" | "_tap") {
        return false;
    }
    let is_revealed =
        |event| policy.reveal.contains(event, name) && !policy.redact.contains(event, name);
    let undeclared = kinds.iter().map(Kind::spec).filter(|event| event.field(name).is_none());
    (kinds.unknown && policy.reveal.contains_in_any(name))
        || undeclared.map(|event| event.event_type).any(is_revealed)
}
