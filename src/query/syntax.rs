//! Helpers for jq syntax trees.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Part, Path};

/// A term whose strings are parts of the source.
pub type TermOf<'s> = Term<&'s str>;

/// A pattern whose strings are parts of the source.
pub type PatternOf<'s> = Pattern<&'s str>;

/// Returns the text of a string literal; `None` if it has an interpolation.
#[must_use]
pub fn literal(parts: &[StrPart<&str, Term<&str>>]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(part) => text.push_str(part),
            StrPart::Char(character) => text.push(*character),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

/// Returns whether a term calls a filter without arguments of this name.
#[must_use]
pub fn calls(term: &TermOf<'_>, name: &str) -> bool {
    let inner = |term: &TermOf<'_>| calls(term, name);
    let in_path = |path: &Path<TermOf<'_>>| {
        path.0.iter().any(|(part, _)| match part {
            Part::Index(index) => inner(index),
            Part::Range(from, to) => from.iter().chain(to).any(inner),
        })
    };
    match term {
        Term::Call(called, args) => (*called == name && args.is_empty()) || args.iter().any(inner),
        Term::BinOp(left, op, right) => {
            let in_op = matches!(op, BinaryOp::Pipe(Some(pattern)) if pattern_calls(pattern, name));
            in_op || inner(left) || inner(right)
        }
        Term::Fold(_, over, pattern, args) => {
            inner(over) || pattern_calls(pattern, name) || args.iter().any(inner)
        }
        Term::Str(_, parts) => {
            parts.iter().any(|part| matches!(part, StrPart::Term(term) if inner(term)))
        }
        Term::Path(base, path) => inner(base) || in_path(path),
        Term::Def(defs, rest) => defs.iter().any(|def| inner(&def.body)) || inner(rest),
        Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => inner(term),
        Term::Obj(entries) => {
            entries.iter().any(|(key, value)| inner(key) || value.as_ref().is_some_and(inner))
        }
        Term::TryCatch(term, catch) => inner(term) || catch.as_deref().is_some_and(inner),
        Term::IfThenElse(branches, last) => {
            branches.iter().any(|(condition, then)| inner(condition) || inner(then))
                || last.as_deref().is_some_and(inner)
        }
        Term::Id
        | Term::Recurse
        | Term::Num(_)
        | Term::Arr(None)
        | Term::Break(_)
        | Term::Var(_) => false,
    }
}

fn pattern_calls(pattern: &PatternOf<'_>, name: &str) -> bool {
    match pattern {
        Pattern::Var(_) => false,
        Pattern::Arr(items) => items.iter().any(|item| pattern_calls(item, name)),
        Pattern::Obj(entries) => {
            entries.iter().any(|(key, item)| calls(key, name) || pattern_calls(item, name))
        }
    }
}
