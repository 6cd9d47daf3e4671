//! Checks functions on strings, such as `test` and `startswith`.

use jaq_core::load::parse::Term;

use super::kinds::Kinds;
use super::term_type::{FieldRef, TermType};
use super::{Checker, TermInfo};
use crate::json::JsonType;
use crate::model::{Kind, Type};
use crate::query::program::is_valid_pattern;
use crate::query::syntax::literal;

impl<'p> Checker<'p> {
    /// Checks a call of a function whose input must be a string.
    pub(super) fn string_function(
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
            && !is_valid_pattern(pattern)
        {
            let range = self.range(&args[0]);
            self.report(
                true,
                range,
                "invalid regular expression".to_owned(),
                "escape literal characters with \\\\".to_owned(),
            );
        }
        match &input.ty {
            TermType::EventType => {
                let Some(matches) = text.and_then(|text| matcher(name, &text)) else {
                    return TermInfo::unknown(kinds);
                };
                let truthy =
                    Kinds::matching(true, |kind| matches(kind.spec().event_type)).and(kinds);
                if truthy.has_no_declared() && !kinds.has_no_declared() {
                    let range = self.range(term);
                    self.report(
                        true,
                        range,
                        "no selected event type matches".to_owned(),
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
                if fits.declares_none_of(kinds.and(field.kinds()))
                    && !matches!(args.first(), Some(Term::Arr(_) | Term::Obj(_)))
                {
                    let why = format!(
                        "`.{}` is {}, and {name} needs a string",
                        field.path,
                        field.description()
                    );
                    self.report(
                        true,
                        range,
                        why,
                        "compare it, or convert it with `tostring`".to_owned(),
                    );
                    return TermInfo::unknown(kinds);
                }
                self.warn_of_mask(field, range.clone());
                if let (Some(choices), Some(text)) = (field.choices(), &text)
                    && let Some(matches) = matcher(name, text)
                    && !choices.iter().any(|choice| matches(choice))
                {
                    self.report(
                        true,
                        range,
                        format!("it is never true: no value of `.{}` matches", field.path),
                        format!("it can be {}", choices.join(", ")),
                    );
                }
                let truthy = if matcher(name, "").is_some() { fits } else { kinds };
                let ty = if name.starts_with("ascii_") {
                    TermType::Field(FieldRef { types: types_in_other_case(field), ..field.clone() })
                } else {
                    TermType::Any
                };
                TermInfo { ty, truthy, falsy: kinds, live: kinds }
            }
            _ => TermInfo::unknown(kinds),
        }
    }
}

/// Returns the types of a field after a change of case: the declared strings no longer apply.
fn types_in_other_case(field: &FieldRef) -> Vec<(Kind, Type)> {
    field
        .types
        .iter()
        .map(|(kind, ty)| (*kind, if ty.choices().is_some() { Type::Text } else { *ty }))
        .collect()
}

type Matcher = Box<dyn Fn(&str) -> bool>;

/// Returns a test for the strings for which a function can be true, if that is known.
///
/// `test` is taken as case-insensitive, because its flags are not looked at.
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
