//! Paths, held against the model.

use std::ops::Range;

use super::Checker;
use super::kinds::Kinds;
use super::shape::{FieldRef, TAP, TermType, nature};
use crate::model::{Kind, Type};
use crate::query::suggest::similar;

/// All declared events.
fn everything() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

/// The events that have a field of that name.
fn having(name: &str) -> Kinds {
    Kinds::matching(false, |kind| kind.spec().field(name).is_some())
}

impl Checker<'_> {
    /// A step by name.
    pub(super) fn step(
        &mut self,
        name: &str,
        range: Range<usize>,
        from: &TermType,
        kinds: Kinds,
    ) -> TermType {
        match from {
            TermType::Event => self.field(name, range, kinds),
            TermType::EventType => {
                self.report(
                    true,
                    range,
                    format!("an event's type is a string and has no `.{name}`"),
                    "compare it, or take it apart by `split`".to_owned(),
                );
                TermType::Any
            }
            TermType::Field(field) => self.member(name, range, field),
            TermType::Literal(_) | TermType::Any => TermType::Any,
        }
    }

    fn field(&mut self, name: &str, range: Range<usize>, kinds: Kinds) -> TermType {
        match name {
            "event_type" => return TermType::EventType,
            "_tap" => {
                return TermType::Field(FieldRef {
                    path: "_tap".into(),
                    types: everything().map(|kind| (kind, TAP)).collect(),
                    hidden: false,
                });
            }
            _ => {}
        }
        let fields: Vec<_> =
            kinds.iter().filter_map(|kind| Some((kind, kind.spec().field(name)?))).collect();
        if fields.is_empty() {
            // Where no declared event comes, there is nothing to hold it against.
            if !kinds.has_no_declared() {
                self.unknown_field(name, range, kinds);
            }
            return TermType::Any;
        }
        let hidden = fields.iter().all(|(kind, field)| self.policy.hides(kind.spec(), field));
        TermType::Field(FieldRef {
            path: name.to_owned(),
            types: fields.iter().map(|(kind, field)| (*kind, field.ty)).collect(),
            hidden,
        })
    }

    fn unknown_field(&mut self, name: &str, range: Range<usize>, kinds: Kinds) {
        let elsewhere = having(name);
        if !elsewhere.has_no_declared() {
            let why = format!(
                "`.{name}` is a field of {}, and only {} comes here",
                elsewhere.names(),
                kinds.names()
            );
            // What is printed may well be null.
            self.report(
                self.predicate,
                range,
                why,
                "ask for another event or another field".to_owned(),
            );
            return;
        }
        let names = everything()
            .flat_map(|kind| kind.spec().fields.iter().map(|field| field.name))
            .chain(["event_type", "_tap"]);
        let likely: Vec<_> = similar(name, names)
            .into_iter()
            .map(|name| match having(name) {
                kinds if kinds.has_no_declared() => format!("`.{name}`"),
                kinds => format!("`.{name}` ({})", kinds.names()),
            })
            .collect();
        let advice = if likely.is_empty() {
            "see `evtap schema` for what there is".to_owned()
        } else {
            format!("did you mean {}?", likely.join(" or "))
        };
        self.report(true, range, format!("no event has `.{name}`"), advice);
    }

    fn member(&mut self, name: &str, range: Range<usize>, field: &FieldRef) -> TermType {
        let inner: Vec<_> =
            field.types.iter().filter_map(|(kind, ty)| Some((*kind, into(ty, name)?))).collect();
        if inner.is_empty() {
            let members: Vec<_> = field.types.iter().flat_map(|(_, ty)| members(ty)).collect();
            let path = &field.path;
            if members.is_empty() {
                self.report(
                    true,
                    range,
                    format!("`.{path}` is {} and has no `.{name}`", field.nature()),
                    format!("see `evtap schema` on `{path}`"),
                );
            } else {
                let advice = match similar(name, members.iter().copied()).first() {
                    Some(likely) => format!("did you mean `.{path}.{likely}`?"),
                    None => format!("it has {}", members.join(", ")),
                };
                self.report(true, range, format!("`.{path}` has no `.{name}`"), advice);
            }
            return TermType::Any;
        }
        if inner.iter().any(|(_, ty)| matches!(ty, Type::Any | Type::Unstated)) {
            self.sees_mask(field, range);
            return TermType::Any;
        }
        TermType::Field(FieldRef {
            path: format!("{}.{name}", field.path),
            types: inner,
            hidden: field.hidden,
        })
    }

    /// A step by number, or to all that is inside.
    pub(super) fn inside(&mut self, index: bool, range: Range<usize>, from: &TermType) -> TermType {
        let TermType::Field(field) = from else {
            if *from == TermType::EventType {
                self.report(
                    true,
                    range,
                    "an event's type is a string and has nothing inside".to_owned(),
                    "compare it as a whole".to_owned(),
                );
            }
            return TermType::Any;
        };
        let inner: Vec<_> = field
            .types
            .iter()
            .filter_map(|(kind, ty)| match ty {
                Type::List(item) => Some((*kind, **item)),
                Type::Map(item) if !index => Some((*kind, **item)),
                Type::Record(_) if !index => Some((*kind, Type::Any)),
                Type::Any | Type::Unstated | Type::OneOf(_) => Some((*kind, Type::Any)),
                _ => None,
            })
            .collect();
        if inner.is_empty() {
            let natures = field.types.first().map(|(_, ty)| nature(ty)).unwrap_or_default();
            let what = if index { "no numbered items" } else { "nothing inside" };
            self.report(
                true,
                range,
                format!("`.{}` is {natures} and has {what}", field.path),
                format!("see `evtap schema` on `{}`", field.path),
            );
            return TermType::Any;
        }
        if inner.iter().any(|(_, ty)| matches!(ty, Type::Any | Type::Unstated)) {
            return TermType::Any;
        }
        TermType::Field(FieldRef {
            path: format!("{}[]", field.path),
            types: inner,
            hidden: field.hidden,
        })
    }
}

/// The type of a member, if a value of the type can have it.
fn into(ty: &Type, name: &str) -> Option<Type> {
    match ty {
        Type::Record(members) => {
            members.iter().find(|member| member.name == name).map(|member| member.ty)
        }
        Type::Map(value) => Some(**value),
        Type::Any | Type::Unstated | Type::OneOf(_) => Some(Type::Any),
        _ => None,
    }
}

fn members(ty: &Type) -> Vec<&'static str> {
    match ty {
        Type::Record(members) => members.iter().map(|member| member.name).collect(),
        _ => Vec::new(),
    }
}
