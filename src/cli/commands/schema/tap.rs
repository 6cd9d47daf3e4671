//! Describes `_tap`, the last member of every line, for all languages that `schema` writes.

use crate::model::{MemberSpec, Type};

/// The members of `_tap`. Each is present only if it is known.
pub const TAP: &[MemberSpec] = &[
    member("id", Type::Text, "The ID of the SSE frame: milliseconds of Unix time."),
    member("time", Type::Time, "The ID as a time, RFC 3339 in UTC."),
    member("received_at", Type::Time, "When the event arrived at evtap, RFC 3339 in UTC."),
    member(
        "stream",
        Type::Choice(&["workspace", "observer"]),
        "The stream that the event belongs to.",
    ),
    member("workspace_id", Type::Text, "The workspace whose stream the event came from."),
    member("call_sid", Type::Text, "The call whose observer the event came from."),
    member("redacted", Type::List(&Type::Text), "The names of the hidden fields."),
    member(
        "scrubbed",
        Type::List(&Type::Text),
        "The names of the fields in whose text something is masked.",
    ),
    member(
        "drift",
        Type::List(&Type::Record(DRIFT)),
        "How the event differs from its declaration.",
    ),
];

const DRIFT: &[MemberSpec] = &[
    MemberSpec { name: "kind", ty: Type::Text, required: true, doc: "The kind of difference." },
    member("field", Type::Text, "The field that differs."),
];

const fn member(name: &'static str, ty: Type, doc: &'static str) -> MemberSpec {
    MemberSpec { name, ty, required: false, doc }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Drift, DriftKind, Tap};

    #[test]
    fn the_members_are_those_that_are_written() {
        let text = || Some("x".to_owned());
        let drift = Drift { kind: DriftKind::UnknownField, field: Some("x".into()) };
        let tap = Tap {
            id: text(),
            time: text(),
            received_at: text(),
            stream: Some("workspace".into()),
            workspace_id: text(),
            call_sid: text(),
            redacted: vec!["x".into()],
            scrubbed: vec!["x".into()],
            drift: vec![drift],
        };
        let written = serde_json::to_value(tap).expect("JSON");
        let names = |members: &[MemberSpec]| members.iter().map(|it| it.name).collect::<Vec<_>>();
        let keys = |value: &serde_json::Value| {
            value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(TAP), keys(&written));
        assert_eq!(names(DRIFT), keys(&written["drift"][0]));
    }
}
