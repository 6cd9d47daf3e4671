//! Checks values against their declared types.

use crate::json::JsonType;
use crate::json::scan;
use crate::json::string::unescape;
use crate::model::decode::shown_name;
use crate::model::{Drift, DriftKind, Type, is_choice};

/// Checks a value against its declared type, at every depth, and appends what differs to `drift`.
///
/// Returns false if the value holds something undeclared, which redaction must mask: a container
/// where none is declared, or a key that the record does not declare. A scalar of another type is
/// drift only. `path` returns the dotted path of the value.
pub(crate) fn check_value(
    json: &str,
    ty: &Type,
    drift: &mut Vec<Drift>,
    path: &dyn Fn() -> String,
) -> bool {
    let found = JsonType::from_first_byte(json.as_bytes()[0]);
    let mut report = |kind| {
        drift.push(Drift {
            kind,
            field: Some(path().split('.').map(shown_name).collect::<Vec<_>>().join(".").into()),
        });
    };
    if !ty.accepts(found) {
        report(DriftKind::OtherType);
        return !found.is_container();
    }
    match ty {
        Type::Integer if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            report(DriftKind::OtherType);
        }
        Type::Choice(choices) if !is_choice(json, choices) => report(DriftKind::UnknownValue),
        Type::Unstated => return !found.is_container(),
        Type::List(_) | Type::Map(_) | Type::Record(_) => {
            return check_nested(json, ty, drift, path);
        }
        _ => {}
    }
    true
}

fn check_nested(json: &str, ty: &Type, drift: &mut Vec<Drift>, path: &dyn Fn() -> String) -> bool {
    let mut is_declared = true;
    for (key, value) in scan::iter_entries(json) {
        let is_null = value == "null";
        match ty {
            Type::List(item) | Type::Map(item) => {
                is_declared &= is_null || check_value(value, item, drift, path);
            }
            Type::Record(members) => {
                let key = unescape(key.unwrap_or_default());
                if let Some(member) = members.iter().find(|member| key == member.name) {
                    let path = || format!("{}.{}", path(), member.name);
                    is_declared &= (is_null && !member.required)
                        || check_value(value, &member.ty, drift, &path);
                } else {
                    let name = format!("{}.{}", path(), shown_name(&key));
                    drift.push(Drift { kind: DriftKind::UnknownField, field: Some(name.into()) });
                    is_declared = false;
                }
            }
            _ => {}
        }
    }
    is_declared
}
