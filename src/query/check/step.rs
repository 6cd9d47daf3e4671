//! Checks the steps of paths: fields, members and items.

use std::ops::Range;

use super::Checker;
use super::kinds::Kinds;
use super::term_type::{FieldRef, TAP, TermType, describe};
use crate::model::{Kind, Type};
use crate::query::suggest::similar;

/// Iterates over the declared events.
fn declared_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

/// Returns the events that declare a field of that name.
fn kinds_with_field(name: &str) -> Kinds {
    Kinds::matching(false, |kind| kind.spec().field(name).is_some())
}

impl Checker<'_> {
    /// Checks a step by name, `.name`, into a value of type `from`.
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
                    "compare it, or take it apart with `split`".to_owned(),
                );
                TermType::Any
            }
            TermType::Field(field) => self.member(name, range, field),
            TermType::Literal(_) | TermType::Any => TermType::Any,
        }
    }

    /// Checks a step to a field of the event.
    fn field(&mut self, name: &str, range: Range<usize>, kinds: Kinds) -> TermType {
        match name {
            "event_type" => return TermType::EventType,
            "_tap" => {
                return TermType::Field(FieldRef {
                    path: "_tap".into(),
                    types: declared_kinds().map(|kind| (kind, TAP)).collect(),
                    hidden: false,
                });
            }
            _ => {}
        }
        let fields: Vec<_> =
            kinds.iter().filter_map(|kind| Some((kind, kind.spec().field(name)?))).collect();
        if fields.is_empty() {
            // Undeclared events may have any field.
            if !kinds.has_no_declared() {
                self.report_unknown_field(name, range, kinds);
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

    /// Reports a field that no selected event has.
    fn report_unknown_field(&mut self, name: &str, range: Range<usize>, kinds: Kinds) {
        let elsewhere = kinds_with_field(name);
        if !elsewhere.has_no_declared() {
            let why = format!(
                "`.{name}` is a field of {}, and only {} is selected",
                elsewhere.names(),
                kinds.names()
            );
            // An expression whose output is printed may give null.
            self.report(
                self.is_predicate,
                range,
                why,
                "select another event or use another field".to_owned(),
            );
            return;
        }
        let names = declared_kinds()
            .flat_map(|kind| kind.spec().fields.iter().map(|field| field.name))
            .chain(["event_type", "_tap"]);
        let likely: Vec<_> = similar(name, names)
            .into_iter()
            .map(|name| match kinds_with_field(name) {
                kinds if kinds.has_no_declared() => format!("`.{name}`"),
                kinds => format!("`.{name}` ({})", kinds.names()),
            })
            .collect();
        let advice = if likely.is_empty() {
            "see `evtap schema` for the fields".to_owned()
        } else {
            format!("did you mean {}?", likely.join(" or "))
        };
        self.report(true, range, format!("no event has `.{name}`"), advice);
    }

    /// Checks a step to a member of a field's value.
    fn member(&mut self, name: &str, range: Range<usize>, field: &FieldRef) -> TermType {
        let inner: Vec<_> = field
            .types
            .iter()
            .filter_map(|(kind, ty)| Some((*kind, member_type(ty, name)?)))
            .collect();
        if inner.is_empty() {
            let members: Vec<_> = field.types.iter().flat_map(|(_, ty)| member_names(ty)).collect();
            let path = &field.path;
            if members.is_empty() {
                self.report(
                    true,
                    range,
                    format!("`.{path}` is {} and has no `.{name}`", field.description()),
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
            self.warn_of_mask(field, range);
            return TermType::Any;
        }
        TermType::Field(FieldRef {
            path: format!("{}.{name}", field.path),
            types: inner,
            hidden: field.hidden,
        })
    }

    /// Checks a step to an item, `.[0]` (`is_index`), or to all items, `.[]`.
    pub(super) fn items(
        &mut self,
        is_index: bool,
        range: Range<usize>,
        from: &TermType,
    ) -> TermType {
        let TermType::Field(field) = from else {
            if *from == TermType::EventType {
                self.report(
                    true,
                    range,
                    "an event's type is a string and has no items".to_owned(),
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
                Type::Map(item) if !is_index => Some((*kind, **item)),
                Type::Record(_) if !is_index => Some((*kind, Type::Any)),
                Type::Any | Type::Unstated | Type::OneOf(_) => Some((*kind, Type::Any)),
                _ => None,
            })
            .collect();
        if inner.is_empty() {
            let description = field.types.first().map(|(_, ty)| describe(ty)).unwrap_or_default();
            let what = if is_index { "no numbered items" } else { "no items" };
            self.report(
                true,
                range,
                format!("`.{}` is {description} and has {what}", field.path),
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

/// Returns the type of a member, if a value of the type can have it.
fn member_type(ty: &Type, name: &str) -> Option<Type> {
    match ty {
        Type::Record(members) => {
            members.iter().find(|member| member.name == name).map(|member| member.ty)
        }
        Type::Map(value) => Some(**value),
        Type::Any | Type::Unstated | Type::OneOf(_) => Some(Type::Any),
        _ => None,
    }
}

/// Returns the names of the declared members.
fn member_names(ty: &Type) -> Vec<&'static str> {
    match ty {
        Type::Record(members) => members.iter().map(|member| member.name).collect(),
        _ => Vec::new(),
    }
}
