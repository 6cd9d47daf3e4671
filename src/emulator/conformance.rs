//! Checks that a payload conforms to its declaration, for tests.

use serde_json::Value;

use crate::json::JsonType;
use crate::model::{EventSpec, Type, is_uuid};

/// Checks that an object has all required fields, no others, and values of the declared types.
pub fn fits(spec: &EventSpec, payload: &Value) -> Result<(), String> {
    let name = spec.event_type;
    let fields = payload.as_object().ok_or_else(|| format!("{name} is no object"))?;
    if let Some(field) =
        spec.fields.iter().find(|field| field.required && !fields.contains_key(field.name))
    {
        return Err(format!("{name} lacks {}", field.name));
    }
    for (key, value) in fields {
        let field = spec.field(key).ok_or_else(|| format!("{name} has no {key}"))?;
        if value.is_null() && field.nullable {
            continue;
        }
        if !has_type(&field.ty, value) {
            return Err(format!("{name}.{key} is {value}, not {}", field.ty.name()));
        }
        if field.max_length.is_some_and(|max| {
            value.as_str().is_some_and(|text| text.chars().count() > max as usize)
        }) {
            return Err(format!("{name}.{key} is too long"));
        }
    }
    Ok(())
}

fn has_type(ty: &Type, value: &Value) -> bool {
    let first = value.to_string().as_bytes()[0];
    ty.accepts(JsonType::from_first_byte(first))
        && match ty {
            Type::Integer => value.is_i64(),
            Type::Uuid => value.as_str().is_some_and(is_uuid),
            Type::Time => {
                value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
            }
            Type::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
            Type::List(item) => value
                .as_array()
                .is_some_and(|items| items.iter().all(|value| has_type(item, value))),
            Type::Map(item) => {
                value.as_object().is_some_and(|map| map.values().all(|value| has_type(item, value)))
            }
            Type::Record(members) => value.as_object().is_some_and(|map| {
                map.keys().all(|key| members.iter().any(|member| member.name == key))
                    && members.iter().all(|member| match map.get(member.name) {
                        None | Some(Value::Null) => !member.required,
                        Some(value) => has_type(&member.ty, value),
                    })
            }),
            Type::OneOf(types) => types.iter().any(|ty| has_type(ty, value)),
            _ => true,
        }
}

#[test]
fn deviations_from_the_declaration_are_found() {
    use serde_json::json;

    use crate::model::Kind;

    let ended = |change: &dyn Fn(&mut Value)| {
        let mut payload = json!({
            "call_sid": "CA0",
            "completion_reason": "completed",
            "direction": "inbound",
            "duration_seconds": 1.5,
        });
        change(&mut payload);
        fits(Kind::CallEnded.spec(), &payload)
    };
    assert_eq!(ended(&|_| ()), Ok(()));
    assert!(ended(&|payload| payload["direction"] = json!("sideways")).is_err());
    assert!(ended(&|payload| payload["duration_seconds"] = json!("1.5")).is_err());
    assert!(ended(&|payload| payload["call_sid"] = json!(null)).is_err());
    assert!(ended(&|payload| payload["surprise"] = json!(1)).is_err());
    assert!(
        ended(&|payload| drop(
            payload.as_object_mut().and_then(|fields| fields.remove("direction"))
        ))
        .is_err()
    );
}
