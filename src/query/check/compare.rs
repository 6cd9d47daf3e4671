//! Comparisons, lists and functions on strings, held against the model.

use std::ops::Range;

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use serde_json::Value;

use super::kinds::Kinds;
use super::shape::{FieldRef, TermType, json_type};
use super::{Checker, TermInfo};
use crate::json::JsonType;
use crate::model::{Kind, Type};
use crate::query::native::literal;
use crate::query::suggest::similar;
use crate::text::MASK;

impl<'p> Checker<'p> {
    pub(super) fn compare(
        &mut self,
        left: &Term<&'p str>,
        op: Cmp,
        right: &Term<&'p str>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let (one, other) = (self.term(left, input, kinds), self.term(right, input, kinds));
        let range = self.range(&Term::BinOp(
            Box::new(left.clone()),
            BinaryOp::Cmp(op),
            Box::new(right.clone()),
        ));
        match (&one.shape, &other.shape) {
            (TermType::EventType, TermType::Literal(value)) => {
                self.event_type(op, value, self.range(right), kinds)
            }
            (TermType::Literal(value), TermType::EventType) => {
                self.event_type(turned(op), value, self.range(left), kinds)
            }
            (TermType::Field(field), TermType::Literal(value)) => {
                self.field_with(field, op, value, range, kinds)
            }
            (TermType::Literal(value), TermType::Field(field)) => {
                self.field_with(field, turned(op), value, range, kinds)
            }
            (TermType::Field(field), _) | (_, TermType::Field(field)) => {
                self.sees_mask(field, range);
                TermInfo::anything(kinds)
            }
            _ => TermInfo::anything(kinds),
        }
    }

    /// The type of an event against a literal.
    fn event_type(
        &mut self,
        op: Cmp,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
    ) -> TermInfo {
        if !matches!(op, Cmp::Eq | Cmp::Ne) {
            return TermInfo::anything(kinds);
        }
        let named = self.named(value, range, kinds, op == Cmp::Eq);
        match op {
            Cmp::Eq => TermInfo::condition(kinds, named, kinds.without(named)),
            _ => TermInfo::condition(kinds, kinds.without(named), named),
        }
    }

    /// The events, of those that come here, that a literal names.
    fn named(&mut self, value: &Value, range: Range<usize>, kinds: Kinds, fatal: bool) -> Kinds {
        let Some(name) = value.as_str() else {
            self.report(
                fatal,
                range,
                "an event's type is a string".to_owned(),
                "compare it with a name such as \"call.ended\"".to_owned(),
            );
            return Kinds::NONE;
        };
        let all = || Kind::ALL.iter().chain(Kind::OWN).copied();
        if let Some(kind) = all().find(|kind| kind.spec().event_type == name) {
            return kinds.and(Kinds::one(kind));
        }
        let advice = match similar(name, all().map(|kind| kind.spec().event_type)).as_slice() {
            [] => "`evtap schema` lists the events".to_owned(),
            likely => format!("did you mean {}?", likely.join(" or ")),
        };
        self.report(fatal, range, format!("there is no event {name}"), advice);
        Kinds::NONE
    }

    fn field_with(
        &mut self,
        field: &FieldRef,
        op: Cmp,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
    ) -> TermInfo {
        let has = kinds.and(field.kinds());
        if value.is_null() {
            return match op {
                Cmp::Ne | Cmp::Gt => TermInfo::condition(kinds, has, kinds),
                _ => TermInfo::anything(kinds),
            };
        }
        if field.hidden && value.as_str() != Some(MASK) {
            self.sees_mask(field, range);
            return TermInfo::anything(kinds);
        }
        let can_equal = kinds.and(field.kinds_where(|ty| can_be(ty, value)));
        match op {
            Cmp::Eq => {
                if can_equal.is_empty_of(has) {
                    self.never(field, value, range, true);
                }
                TermInfo::condition(kinds, can_equal, kinds)
            }
            Cmp::Ne => {
                if can_equal.is_empty_of(has) {
                    self.never(field, value, range, false);
                }
                TermInfo::anything(kinds)
            }
            Cmp::Gt | Cmp::Ge | Cmp::Lt | Cmp::Le => self.order(field, op, value, range, kinds),
        }
    }

    /// `<` and the like: across types, jq sorts null, booleans, numbers, strings, arrays, objects.
    fn order(
        &mut self,
        field: &FieldRef,
        op: Cmp,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
    ) -> TermInfo {
        let has = kinds.and(field.kinds());
        let same = kinds.and(field.kinds_where(|ty| ty.accepts(json_type(value))));
        if same.is_empty_of(has) {
            let why = format!(
                "`.{}` is {}, and {value} is {}",
                field.path,
                field.nature(),
                article(json_type(value))
            );
            self.report(true, range, why, format!("compare it with {}", field.nature()));
            return TermInfo::anything(kinds);
        }
        if matches!(op, Cmp::Gt | Cmp::Ge) {
            return TermInfo::condition(kinds, has, kinds);
        }
        let lacking = kinds.without(field.kinds());
        if !lacking.has_no_declared() {
            let why = format!(
                "it is true of events without `.{}` too, as null sorts before all else",
                field.path
            );
            self.report(
                false,
                range,
                why,
                format!("put `.{} != null and` before it, or name the event", field.path),
            );
        }
        TermInfo::anything(kinds)
    }

    /// An equality that can't be.
    fn never(&mut self, field: &FieldRef, value: &Value, range: Range<usize>, equal: bool) {
        let always = if equal { "never" } else { "always" };
        let path = &field.path;
        if let (Some(choices), Some(text)) = (field.choices(), value.as_str()) {
            let advice = match similar(text, choices.iter().copied()).first() {
                Some(likely) => {
                    format!("did you mean \"{likely}\"? It can be {}", choices.join(", "))
                }
                None => format!("it can be {}", choices.join(", ")),
            };
            self.report(
                equal,
                range,
                format!("it is {always} true: `.{path}` is never \"{text}\""),
                advice,
            );
        } else {
            let why = format!(
                "it is {always} true: `.{path}` is {}, and {value} is {}",
                field.nature(),
                article(json_type(value))
            );
            self.report(equal, range, why, format!("compare it with {}", field.nature()));
        }
    }

    /// `IN("a", "b")`.
    pub(super) fn one_of(
        &mut self,
        list: &Term<&'p str>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let mut literals = Vec::new();
        if !collect(list, &mut literals) {
            self.term(list, input, kinds);
            return TermInfo::anything(kinds);
        }
        let mut truthy = Kinds::NONE;
        for term in literals {
            let TermType::Literal(value) = self.term(term, input, kinds).shape else {
                return TermInfo::anything(kinds);
            };
            let range = self.range(term);
            let known = match &input.shape {
                TermType::EventType => self.event_type(Cmp::Eq, &value, range, kinds),
                TermType::Field(field) => self.field_with(field, Cmp::Eq, &value, range, kinds),
                _ => return TermInfo::anything(kinds),
            };
            truthy = truthy.or(known.truthy);
        }
        TermInfo::condition(kinds, truthy, kinds)
    }

    /// A function that needs a string for its input.
    pub(super) fn on_string(
        &mut self,
        term: &Term<&'p str>,
        name: &str,
        args: &[Term<&'p str>],
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let text = match args.first() {
            Some(Term::Str(None, parts)) => literal(parts),
            _ => None,
        };
        if name == "test"
            && let Some(pattern) = &text
            && regex::Regex::new(pattern).is_err()
            && !pattern.contains("(?")
        {
            let range = self.range(&args[0]);
            self.report(
                true,
                range,
                "it is no regular expression".to_owned(),
                "escape what is meant literally by \\\\".to_owned(),
            );
        }
        match &input.shape {
            TermType::EventType => {
                let Some(matches) = text.and_then(|text| matcher(name, &text)) else {
                    return TermInfo::anything(kinds);
                };
                let truthy =
                    Kinds::matching(true, |kind| matches(kind.spec().event_type)).and(kinds);
                if truthy.has_no_declared() && !kinds.has_no_declared() {
                    let range = self.range(term);
                    self.report(
                        true,
                        range,
                        "the type of no event that comes here is like that".to_owned(),
                        "`evtap schema` lists the events".to_owned(),
                    );
                }
                TermInfo::condition(kinds, truthy, kinds)
            }
            TermType::Field(field) => {
                let range = self.range(term);
                let is_text = |ty: &Type| {
                    ty.accepts(JsonType::String)
                        || (name == "contains" && ty.accepts(JsonType::Array))
                };
                let fits = kinds.and(field.kinds_where(is_text));
                if fits.is_empty_of(kinds.and(field.kinds()))
                    && !matches!(args.first(), Some(Term::Arr(_) | Term::Obj(_)))
                {
                    let why = format!(
                        "`.{}` is {}, and {name} needs a string",
                        field.path,
                        field.nature()
                    );
                    self.report(
                        true,
                        range,
                        why,
                        "compare it, or make it one by `tostring`".to_owned(),
                    );
                    return TermInfo::anything(kinds);
                }
                self.sees_mask(field, range.clone());
                if let (Some(choices), Some(text)) = (field.choices(), &text)
                    && let Some(matches) = matcher(name, text)
                    && !choices.iter().any(|choice| matches(choice))
                {
                    self.report(
                        true,
                        range,
                        format!("it is never true: `.{}` is never like that", field.path),
                        format!("it can be {}", choices.join(", ")),
                    );
                }
                let truthy = if matcher(name, "").is_some() { fits } else { kinds };
                let shape = if name.starts_with("ascii_") {
                    TermType::Field(FieldRef { types: lowered(field), ..field.clone() })
                } else {
                    TermType::Any
                };
                TermInfo { shape, truthy, falsy: kinds, live: kinds }
            }
            _ => TermInfo::anything(kinds),
        }
    }

    pub(super) fn sees_mask(&mut self, field: &FieldRef, range: Range<usize>) {
        if field.hidden && self.predicate {
            let name = field.path.split(['.', '[']).next().unwrap_or_default();
            if self
                .findings
                .iter()
                .any(|finding| finding.advice.starts_with(&format!("give --reveal {name} ")))
            {
                return;
            }
            self.report(
                false,
                range,
                format!("`.{name}` is hidden, so it sees the mask"),
                format!("give --reveal {name} if it is to see the value"),
            );
        }
    }
}

impl Kinds {
    /// None of those that matter is left.
    fn is_empty_of(self, those: Self) -> bool {
        self.has_no_declared() && !those.has_no_declared()
    }
}

/// Whether a value of the type can equal a literal.
fn can_be(ty: &Type, value: &Value) -> bool {
    match (ty, value.as_str()) {
        (Type::Choice(choices), Some(text)) => choices.contains(&text),
        (Type::OneOf(types), _) => types.iter().any(|ty| can_be(ty, value)),
        _ => ty.accepts(json_type(value)),
    }
}

/// Strings in another case are none of the choices any more.
fn lowered(field: &FieldRef) -> Vec<(Kind, Type)> {
    field
        .types
        .iter()
        .map(|(kind, ty)| (*kind, if ty.choices().is_some() { Type::Text } else { *ty }))
        .collect()
}

type Matcher = Box<dyn Fn(&str) -> bool>;

/// What a function on strings finds in a name, if that can be told.
fn matcher(function: &str, text: &str) -> Option<Matcher> {
    let text = text.to_owned();
    Some(match function {
        "startswith" => Box::new(move |name| name.starts_with(&text)),
        "endswith" => Box::new(move |name| name.ends_with(&text)),
        "contains" => Box::new(move |name| name.contains(&text)),
        "test" => {
            let regex = regex::RegexBuilder::new(&text).case_insensitive(true).build().ok()?;
            Box::new(move |name| regex.is_match(name))
        }
        _ => return None,
    })
}

/// The literals of `a, b, c`.
fn collect<'t, 'p>(term: &'t Term<&'p str>, into: &mut Vec<&'t Term<&'p str>>) -> bool {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => collect(left, into) && collect(right, into),
        Term::Str(None, _) | Term::Num(_) | Term::Call("true" | "false" | "null", _) => {
            into.push(term);
            true
        }
        _ => false,
    }
}

const fn turned(op: Cmp) -> Cmp {
    match op {
        Cmp::Gt => Cmp::Lt,
        Cmp::Ge => Cmp::Le,
        Cmp::Lt => Cmp::Gt,
        Cmp::Le => Cmp::Ge,
        Cmp::Eq => Cmp::Eq,
        Cmp::Ne => Cmp::Ne,
    }
}

const fn article(json: JsonType) -> &'static str {
    match json {
        JsonType::Null => "null",
        JsonType::Bool => "a boolean",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}
