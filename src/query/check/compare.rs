//! Checks comparisons of event types and fields with literals.

use std::ops::Range;

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use serde_json::Value;

use super::kinds::Kinds;
use super::term_type::{FieldRef, TermType, json_type};
use super::{Checker, TermInfo};
use crate::json::JsonType;
use crate::model::{Kind, Type};
use crate::query::suggest::similar;
use crate::text::MASK;

impl<'p> Checker<'p> {
    /// Checks `left op right`.
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
        match (&one.ty, &other.ty) {
            (TermType::EventType, TermType::Literal(value)) => {
                self.compare_event_type(op, value, self.range(right), kinds)
            }
            (TermType::Literal(value), TermType::EventType) => {
                self.compare_event_type(mirrored(op), value, self.range(left), kinds)
            }
            (TermType::Field(field), TermType::Literal(value)) => {
                self.compare_field(field, op, value, range, kinds)
            }
            (TermType::Literal(value), TermType::Field(field)) => {
                self.compare_field(field, mirrored(op), value, range, kinds)
            }
            (TermType::Field(field), _) | (_, TermType::Field(field)) => {
                self.warn_of_mask(field, range);
                TermInfo::unknown(kinds)
            }
            _ => TermInfo::unknown(kinds),
        }
    }

    /// Checks a comparison of the event type with a literal.
    fn compare_event_type(
        &mut self,
        op: Cmp,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
    ) -> TermInfo {
        if !matches!(op, Cmp::Eq | Cmp::Ne) {
            return TermInfo::unknown(kinds);
        }
        let named = self.kinds_named(value, range, kinds, op == Cmp::Eq);
        match op {
            Cmp::Eq => TermInfo::condition(kinds, named, kinds.without(named)),
            _ => TermInfo::condition(kinds, kinds.without(named), named),
        }
    }

    /// Returns the events of `kinds` that have the literal as their type, and reports an unknown
    /// type.
    fn kinds_named(
        &mut self,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
        fatal: bool,
    ) -> Kinds {
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
        self.report(fatal, range, format!("unknown event type {name}"), advice);
        Kinds::NONE
    }

    /// Checks a comparison of a field with a literal.
    fn compare_field(
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
                _ => TermInfo::unknown(kinds),
            };
        }
        if field.hidden && value.as_str() != Some(MASK) {
            self.warn_of_mask(field, range);
            return TermInfo::unknown(kinds);
        }
        let can_equal = kinds.and(field.kinds_where(|ty| can_be(ty, value)));
        match op {
            Cmp::Eq => {
                if can_equal.declares_none_of(has) {
                    self.report_constant_equality(field, value, range, true);
                }
                TermInfo::condition(kinds, can_equal, kinds)
            }
            Cmp::Ne => {
                if can_equal.declares_none_of(has) {
                    self.report_constant_equality(field, value, range, false);
                }
                TermInfo::unknown(kinds)
            }
            Cmp::Gt | Cmp::Ge | Cmp::Lt | Cmp::Le => {
                self.compare_order(field, op, value, range, kinds)
            }
        }
    }

    /// Checks `<`, `<=`, `>` or `>=`. jq orders values of different types: null, booleans, numbers,
    /// strings, arrays, objects (jq manual, `sort`).
    fn compare_order(
        &mut self,
        field: &FieldRef,
        op: Cmp,
        value: &Value,
        range: Range<usize>,
        kinds: Kinds,
    ) -> TermInfo {
        let has = kinds.and(field.kinds());
        let same = kinds.and(field.kinds_where(|ty| ty.accepts(json_type(value))));
        if same.declares_none_of(has) {
            let why = format!(
                "`.{}` is {}, and {value} is {}",
                field.path,
                field.description(),
                with_article(json_type(value))
            );
            self.report(true, range, why, format!("compare it with {}", field.description()));
            return TermInfo::unknown(kinds);
        }
        if matches!(op, Cmp::Gt | Cmp::Ge) {
            return TermInfo::condition(kinds, has, kinds);
        }
        let lacking = kinds.without(field.kinds());
        if !lacking.has_no_declared() {
            let why = format!(
                "it is also true for events without `.{}`, because null sorts first",
                field.path
            );
            self.report(
                false,
                range,
                why,
                format!("put `.{} != null and` before it, or name the event type", field.path),
            );
        }
        TermInfo::unknown(kinds)
    }

    /// Reports an `==` that is never true, or a `!=` that always is.
    fn report_constant_equality(
        &mut self,
        field: &FieldRef,
        value: &Value,
        range: Range<usize>,
        is_equality: bool,
    ) {
        let outcome = if is_equality { "never" } else { "always" };
        let path = &field.path;
        if let (Some(choices), Some(text)) = (field.choices(), value.as_str()) {
            let advice = match similar(text, choices.iter().copied()).first() {
                Some(likely) => {
                    format!("did you mean \"{likely}\"? It can be {}", choices.join(", "))
                }
                None => format!("it can be {}", choices.join(", ")),
            };
            self.report(
                is_equality,
                range,
                format!("it is {outcome} true: `.{path}` is never \"{text}\""),
                advice,
            );
        } else {
            let why = format!(
                "it is {outcome} true: `.{path}` is {}, and {value} is {}",
                field.description(),
                with_article(json_type(value))
            );
            self.report(
                is_equality,
                range,
                why,
                format!("compare it with {}", field.description()),
            );
        }
    }

    /// Checks `IN("a", "b")`.
    pub(super) fn in_list(
        &mut self,
        list: &Term<&'p str>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let mut literals = Vec::new();
        if !collect_literals(list, &mut literals) {
            self.term(list, input, kinds);
            return TermInfo::unknown(kinds);
        }
        let mut truthy = Kinds::NONE;
        for term in literals {
            let TermType::Literal(value) = self.term(term, input, kinds).ty else {
                return TermInfo::unknown(kinds);
            };
            let range = self.range(term);
            let known = match &input.ty {
                TermType::EventType => self.compare_event_type(Cmp::Eq, &value, range, kinds),
                TermType::Field(field) => self.compare_field(field, Cmp::Eq, &value, range, kinds),
                _ => return TermInfo::unknown(kinds),
            };
            truthy = truthy.or(known.truthy);
        }
        TermInfo::condition(kinds, truthy, kinds)
    }

    /// Warns that a hidden field is compared, so that the expression sees its mask.
    pub(super) fn warn_of_mask(&mut self, field: &FieldRef, range: Range<usize>) {
        if field.hidden && self.is_predicate {
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
                format!("`.{name}` is hidden, so the expression sees the mask"),
                format!("give --reveal {name} to let it see the value"),
            );
        }
    }
}

impl Kinds {
    /// Returns whether it has no declared event although `those` has one.
    pub(super) fn declares_none_of(self, those: Self) -> bool {
        self.has_no_declared() && !those.has_no_declared()
    }
}

/// Returns whether a value of the type can equal a literal.
fn can_be(ty: &Type, value: &Value) -> bool {
    match (ty, value.as_str()) {
        (Type::Choice(choices), Some(text)) => choices.contains(&text),
        (Type::OneOf(types), _) => types.iter().any(|ty| can_be(ty, value)),
        _ => ty.accepts(json_type(value)),
    }
}

/// Collects the literals of `a, b, c`; false if there is anything else.
fn collect_literals<'t, 'p>(term: &'t Term<&'p str>, into: &mut Vec<&'t Term<&'p str>>) -> bool {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => {
            collect_literals(left, into) && collect_literals(right, into)
        }
        Term::Str(None, _) | Term::Num(_) | Term::Call("true" | "false" | "null", _) => {
            into.push(term);
            true
        }
        _ => false,
    }
}

/// Returns the operator for swapped operands.
const fn mirrored(op: Cmp) -> Cmp {
    match op {
        Cmp::Gt => Cmp::Lt,
        Cmp::Ge => Cmp::Le,
        Cmp::Lt => Cmp::Gt,
        Cmp::Le => Cmp::Ge,
        Cmp::Eq => Cmp::Eq,
        Cmp::Ne => Cmp::Ne,
    }
}

/// Returns a JSON type in words.
const fn with_article(json: JsonType) -> &'static str {
    match json {
        JsonType::Null => "null",
        JsonType::Bool => "a boolean",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}
