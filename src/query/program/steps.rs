//! Inserts steps into the syntax tree of a program, so that a program without end is stopped.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::path::{Part, Path};

use super::engine::STEP;
use super::natives::RECURSE;

/// The native filter behind `range`.
pub(super) const RANGE: &str = "evtap_range";

type DefOf<'s> = Def<&'s str, Term<&'s str>>;

/// Makes each call of a definition take a step, and inserts steps into its body.
pub(super) fn with_steps(def: DefOf<'_>) -> DefOf<'_> {
    Def { body: pipe(step(), insert_steps(def.body)), ..def }
}

fn step<'s>() -> Term<&'s str> {
    Term::Call(STEP, Vec::new())
}

fn pipe<'s>(first: Term<&'s str>, second: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(second))
}

/// Inserts a step into each local definition and after each number of a `range`, each value of a
/// `[]`, each calculation and each `,`, and replaces `..` by a filter that takes steps. Everything that
/// takes unbounded time goes through one.
fn insert_steps(term: Term<&str>) -> Term<&str> {
    let boxed = |term: Box<Term<_>>| Box::new(insert_steps(*term));
    let all = |terms: Vec<Term<_>>| terms.into_iter().map(insert_steps).collect();
    match term {
        Term::Def(defs, rest) => Term::Def(defs.into_iter().map(with_steps).collect(), boxed(rest)),
        Term::Call(name @ RANGE, args) => pipe(Term::Call(name, all(args)), step()),
        Term::Call(name, args) => Term::Call(name, all(args)),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(entries) => Term::Obj(
            entries
                .into_iter()
                .map(|(key, value)| (insert_steps(key), value.map(insert_steps)))
                .collect(),
        ),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, op @ (BinaryOp::Math(_) | BinaryOp::UpdateMath(_)), right) => {
            pipe(Term::BinOp(boxed(left), op, boxed(right)), step())
        }
        // Without a step, `(., .) | (., .) | …` would take exponential time.
        Term::BinOp(left, BinaryOp::Comma, right) => {
            Term::BinOp(boxed(left), BinaryOp::Comma, Box::new(pipe(step(), insert_steps(*right))))
        }
        Term::BinOp(left, op, right) => Term::BinOp(boxed(left), op, boxed(right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, over, pattern, args) => Term::Fold(name, boxed(over), pattern, all(args)),
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(branches, last) => Term::IfThenElse(
            branches
                .into_iter()
                .map(|(condition, then)| (insert_steps(condition), insert_steps(then)))
                .collect(),
            last.map(boxed),
        ),
        Term::Path(inner, path) => {
            let gives_many = path.0.iter().any(|(part, _)| matches!(part, Part::Range(None, None)));
            let parts = path.0.into_iter().map(|(part, opt)| (insert_steps_into_part(part), opt));
            let term = Term::Path(boxed(inner), Path(parts.collect()));
            if gives_many { pipe(term, step()) } else { term }
        }
        Term::Str(format, parts) => Term::Str(
            format,
            parts
                .into_iter()
                .map(|part| match part {
                    StrPart::Term(term) => StrPart::Term(insert_steps(term)),
                    other => other,
                })
                .collect(),
        ),
        Term::Recurse => Term::Call(RECURSE, Vec::new()),
        Term::Id | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
    }
}

fn insert_steps_into_part(part: Part<Term<&str>>) -> Part<Term<&str>> {
    match part {
        Part::Index(index) => Part::Index(insert_steps(index)),
        Part::Range(from, to) => Part::Range(from.map(insert_steps), to.map(insert_steps)),
    }
}
