//! Where terms are in the source of an expression.

use std::ops::Range;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::path::Part;

use super::Checker;
use crate::query::program::locate;

impl Checker<'_> {
    /// Returns the range of a term in the source: from its first token to its last.
    pub(super) fn range(&self, term: &Term<&str>) -> Range<usize> {
        let mut range = self.source.len()..0;
        visit_tokens(term, &mut |token| {
            let at = locate(self.source, token);
            if !token.is_empty() && at.end > at.start {
                range = range.start.min(at.start)..range.end.max(at.end);
            }
        });
        if range.start >= range.end {
            return 0..self.source.trim_end().len();
        }
        // jaq has no tokens for the dot of a path and the quotes of a string.
        let bytes = self.source.as_bytes();
        if range.start > 0 && matches!(bytes[range.start - 1], b'.' | b'"') {
            range.start -= 1;
        }
        if bytes.get(range.end) == Some(&b'"') {
            range.end += 1;
        }
        range
    }

    /// Returns the range of the key of a path, with its dot.
    pub(super) fn key_range(&self, parts: &[StrPart<&str, Term<&str>>]) -> Range<usize> {
        let key = Term::Str(None, parts.to_vec());
        self.range(&key)
    }
}

/// Calls `visit` with the tokens of a term, as far as the syntax tree keeps them.
fn visit_tokens<'s>(term: &Term<&'s str>, visit: &mut impl FnMut(&'s str)) {
    match term {
        Term::Num(token) | Term::Var(token) | Term::Break(token) => visit(token),
        Term::Call(name, _) => visit(name),
        Term::Str(_, parts) => {
            for part in parts {
                if let StrPart::Str(token) = part {
                    visit(token);
                }
            }
        }
        _ => {}
    }
    for inner in children(term) {
        visit_tokens(inner, visit);
    }
}

/// Returns the direct children of a term.
fn children<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
    match term {
        Term::Str(_, parts) => parts
            .iter()
            .filter_map(|part| if let StrPart::Term(term) = part { Some(term) } else { None })
            .collect(),
        Term::Call(_, args) => args.iter().collect(),
        Term::Path(base, path) => {
            let parts = path.0.iter().flat_map(|(part, _)| match part {
                Part::Index(index) => vec![index],
                Part::Range(from, to) => from.iter().chain(to).collect(),
            });
            std::iter::once(&**base).chain(parts).collect()
        }
        Term::BinOp(left, _, right) => vec![left, right],
        Term::Neg(inner) | Term::Label(_, inner) | Term::Arr(Some(inner)) | Term::Def(_, inner) => {
            vec![inner]
        }
        Term::TryCatch(inner, catch) => std::iter::once(&**inner).chain(catch.as_deref()).collect(),
        Term::IfThenElse(branches, last) => branches
            .iter()
            .flat_map(|(condition, then)| [condition, then])
            .chain(last.as_deref())
            .collect(),
        Term::Obj(entries) => {
            entries.iter().flat_map(|(key, value)| std::iter::once(key).chain(value)).collect()
        }
        Term::Fold(_, over, _, args) => std::iter::once(&**over).chain(args).collect(),
        _ => Vec::new(),
    }
}
