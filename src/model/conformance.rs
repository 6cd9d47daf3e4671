//! Compares values with their declarations, at every depth: what is covered by the declaration and
//! may be shown, and what is drift.

use std::borrow::Cow;

use super::name::{NameMasks, is_name, mask_of_name};
use super::tap::{DriftKind, Name, is_time};
use super::types::{MemberSpec, Type, is_choice, is_id_or_name};
use crate::json::string::{unescape, unquote};
use crate::json::{JsonType, scan};

/// How a value relates to its declared type, whatever is inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conformance {
    /// The type declares it.
    Declared,
    /// It is not one of the declared values, but looks like one.
    NewValue,
    /// It is not one of the declared values, and may be text about a person.
    UnknownValue,
    /// It has another JSON type.
    OtherType,
    /// The type allows it, but declares nothing about its content.
    Undeclared,
}

impl Conformance {
    /// Returns whether the value may be shown.
    pub(crate) const fn is_shown(self) -> bool {
        matches!(self, Self::Declared | Self::NewValue)
    }

    const fn drift(self) -> Option<DriftKind> {
        match self {
            Self::Declared | Self::Undeclared => None,
            Self::NewValue | Self::UnknownValue => Some(DriftKind::UnknownValue),
            Self::OtherType => Some(DriftKind::OtherType),
        }
    }
}

/// Compares a value with its declared type, whatever is inside it.
pub(crate) fn conformance(json: &str, ty: &Type) -> Conformance {
    let found = JsonType::from_first_byte(json.as_bytes()[0]);
    if !ty.accepts(found) {
        return Conformance::OtherType;
    }
    let covered_if = |is_covered| {
        if is_covered { Conformance::Declared } else { Conformance::Undeclared }
    };
    match ty {
        Type::Integer if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            Conformance::OtherType
        }
        Type::Choice(choices) if is_choice(json, choices) => Conformance::Declared,
        Type::Choice(_) if is_string(json, is_name) => Conformance::NewValue,
        Type::Uuid if is_string(json, is_id_or_name) => Conformance::Declared,
        Type::Time if is_string(json, is_time) => Conformance::Declared,
        Type::Choice(_) | Type::Uuid | Type::Time => Conformance::UnknownValue,
        Type::Unstated if found == JsonType::String => covered_if(is_string(json, is_id_or_name)),
        Type::Any | Type::Unstated => covered_if(matches!(found, JsonType::Bool | JsonType::Null)),
        Type::OneOf(_) => covered_if(!found.is_container()),
        _ => Conformance::Declared,
    }
}

/// Returns whether a JSON string has a text that `accepts`.
fn is_string(json: &str, accepts: fn(&str) -> bool) -> bool {
    unquote(json).is_some_and(|text| accepts(&text))
}

/// A value in an array or an object.
pub(crate) struct NestedValue<'j> {
    /// The key as it arrived, without its quotes, or its placeholder; `None` in an array.
    pub key: Option<Cow<'j, str>>,
    /// The key without escapes, as it may be shown.
    pub name: Option<Cow<'j, str>>,
    /// The declared type; `None` if nothing is declared about it.
    pub ty: Option<&'static Type>,
    /// Whether it is a member that every record has, and that is not null.
    is_required: bool,
    pub json: &'j str,
}

/// Iterates over the values in an array or an object of a declared type.
pub(crate) fn nested_values<'j>(json: &'j str, ty: &Type) -> impl Iterator<Item = NestedValue<'j>> {
    let ty = *ty;
    let mut masks = NameMasks::default();
    scan::iter_entries(json).map(move |(key, json)| {
        let Some(key) = key else {
            let ty = if let Type::List(item) = ty { Some(item) } else { None };
            return NestedValue { key: None, name: None, ty, is_required: false, json };
        };
        let name = unescape(key);
        let key = Some(Cow::Borrowed(key));
        if let Type::Record(members) = ty
            && let Some(member) = members.iter().find(|member| name == member.name)
        {
            let MemberSpec { ty, required, .. } = member;
            let name = Some(name);
            return NestedValue { key, name, ty: Some(ty), is_required: *required, json };
        }
        if let Some(number) = masks.number(&name) {
            // Such a key may be text about a person, and so may its value.
            let mask = Some(mask_of_name(number));
            return NestedValue {
                key: mask.clone(),
                name: mask,
                ty: None,
                is_required: false,
                json,
            };
        }
        let ty = if let Type::Map(value) = ty { Some(value) } else { None };
        NestedValue { key, name: Some(name), ty, is_required: false, json }
    })
}

/// Compares a value with its declared type, at every depth, and passes what differs to `report`,
/// with a function that returns the dotted path of the value.
///
/// Returns whether the declaration covers everything in it. Redaction masks what is not covered.
/// `path` returns the dotted path of the value.
pub(crate) fn check_value(
    json: &str,
    ty: &Type,
    report: &mut dyn FnMut(DriftKind, &dyn Fn() -> Name),
    path: &dyn Fn() -> Name,
) -> bool {
    let conformance = conformance(json, ty);
    if let Some(kind) = conformance.drift() {
        report(kind, path);
    }
    let is_container = json.starts_with(['{', '[']);
    if !is_container || !conformance.is_shown() {
        // There is nothing to hide about null.
        return conformance.is_shown() || json == "null";
    }
    let mut is_covered = true;
    for NestedValue { name, ty, is_required, json, .. } in nested_values(json, ty) {
        let path = || match &name {
            Some(name) => Name::Owned(format!("{}.{name}", path())),
            None => path(),
        };
        let is_null = json == "null";
        match ty {
            Some(_) if is_null && !is_required => {}
            Some(ty) => is_covered &= check_value(json, ty, report, &path),
            None => {
                report(DriftKind::UnknownField, &path);
                is_covered = false;
            }
        }
    }
    is_covered
}
