//! Rewrites syntax that jaq evaluates in another way than jq, or does not have.
//!
//! - Of two operands that give several values, jq varies the left one first: `[(1, 2) + (10, 20)]`
//!   is `[11,12,21,22]`. The same holds for the texts in a string, and for an index and what it is
//!   applied to.
//! - When the update of `reduce` or `foreach` gives several values, jq goes on with the last one,
//!   and with null when it gives none.
//! - `|=` and the other assignments replace the values at the paths of the left side, one by one.
//! - `?//` tries patterns in turn.
//!
//! New variables and filters have names that start with `evtap_`. They are bound next to their use,
//! so an inner rewrite that uses the same name does not disturb an outer one.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Opt, Part, Path};

use super::grammar::ALTERNATIVE;
use crate::query::syntax::{PatternOf, TermOf};

const FIRST: &str = "$evtap_first";
const SECOND: &str = "$evtap_second";

/// The name of a definition that contains what follows `?//`.
const BODY: &str = "evtap_body";

/// The filter that gives the last value of its argument, and null if there is none.
pub(super) const LAST_OR_NULL: &str = "evtap_last_or_null";

/// The filter that gives the values of its argument and forgets their paths. The paths that jq
/// gives for `reduce`, `foreach` and `?//` do not lead to the values, and jaq's are others.
pub(super) const VALUE: &str = "evtap_value";

/// The filter that sets the values at paths to what a filter gives for them.
pub(super) const MODIFY: &str = "evtap_modify";

/// The filter that sets the values at paths to a constant.
pub(super) const ASSIGN: &str = "evtap_assign";

/// Rewrites a definition.
pub(super) fn desugar_def(def: Def<&str>) -> Def<&str> {
    Def { body: desugar(def.body), ..def }
}

/// Rewrites a term.
pub(super) fn desugar(term: TermOf<'_>) -> TermOf<'_> {
    match term {
        Term::BinOp(left, op, right) => operation(*left, op, *right),
        Term::Fold(name, over, pattern, args) => {
            let args = args.into_iter().map(desugar).collect();
            call(VALUE, vec![fold(name, desugar(*over), desugar_pattern(pattern), args)])
        }
        Term::Str(format, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) => StrPart::Term(desugar(term)),
                other => other,
            });
            string(format, parts.collect())
        }
        Term::Path(base, Path(parts)) => {
            parts.into_iter().fold(desugar(*base), |base, (part, opt)| add_part(base, part, opt))
        }
        Term::Def(defs, rest) => {
            Term::Def(defs.into_iter().map(desugar_def).collect(), boxed(*rest))
        }
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(desugar).collect()),
        Term::Arr(inner) => Term::Arr(inner.map(|inner| boxed(*inner))),
        Term::Obj(entries) => Term::Obj(
            entries.into_iter().map(|(key, value)| (desugar(key), value.map(desugar))).collect(),
        ),
        Term::Neg(inner) => Term::Neg(boxed(*inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(*inner)),
        Term::TryCatch(inner, catch) => {
            Term::TryCatch(boxed(*inner), catch.map(|catch| boxed(*catch)))
        }
        Term::IfThenElse(branches, last) => Term::IfThenElse(
            branches
                .into_iter()
                .map(|(condition, then)| (desugar(condition), desugar(then)))
                .collect(),
            last.map(|last| boxed(*last)),
        ),
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
    }
}

fn boxed(term: TermOf<'_>) -> Box<TermOf<'_>> {
    Box::new(desugar(term))
}

fn desugar_pattern(pattern: PatternOf<'_>) -> PatternOf<'_> {
    match pattern {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(desugar_pattern).collect()),
        Pattern::Obj(entries) => Pattern::Obj(
            entries
                .into_iter()
                .map(|(key, pattern)| (desugar(key), desugar_pattern(pattern)))
                .collect(),
        ),
    }
}

fn binary<'s>(left: TermOf<'s>, op: BinaryOp<&'s str>, right: TermOf<'s>) -> TermOf<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

fn pipe<'s>(left: TermOf<'s>, right: TermOf<'s>) -> TermOf<'s> {
    binary(left, BinaryOp::Pipe(None), right)
}

fn bind<'s>(value: TermOf<'s>, name: &'s str, rest: TermOf<'s>) -> TermOf<'s> {
    binary(value, BinaryOp::Pipe(Some(Pattern::Var(name))), rest)
}

/// Returns `.[position]`.
fn item(position: &str) -> TermOf<'_> {
    Term::Path(Box::new(Term::Id), Path(vec![(Part::Index(Term::Num(position)), Opt::Essential)]))
}

fn each(term: TermOf<'_>) -> TermOf<'_> {
    Term::Path(Box::new(term), Path(vec![(Part::Range(None, None), Opt::Essential)]))
}

fn array(term: TermOf<'_>) -> TermOf<'_> {
    Term::Arr(Some(Box::new(term)))
}

fn pair<'s>(first: TermOf<'s>, second: TermOf<'s>) -> TermOf<'s> {
    array(binary(first, BinaryOp::Comma, second))
}

fn call<'s>(name: &'s str, args: Vec<TermOf<'s>>) -> TermOf<'s> {
    Term::Call(name, args)
}

fn operation<'s>(left: TermOf<'s>, op: BinaryOp<&'s str>, right: TermOf<'s>) -> TermOf<'s> {
    let (left, right) = (desugar(left), desugar(right));
    let modify = |op| {
        let update = binary(Term::Id, op, Term::Var(FIRST));
        move |left, right| bind(right, FIRST, call(MODIFY, vec![left, update]))
    };
    match op {
        BinaryOp::Math(_) | BinaryOp::Cmp(_) if !is_plain(&left) && !is_plain(&right) => {
            bind(right, FIRST, binary(left, op, Term::Var(FIRST)))
        }
        BinaryOp::Assign => bind(right, FIRST, call(ASSIGN, vec![left, Term::Var(FIRST)])),
        BinaryOp::Update => call(MODIFY, vec![left, right]),
        BinaryOp::UpdateMath(math) => modify(BinaryOp::Math(math))(left, right),
        BinaryOp::UpdateAlt => modify(BinaryOp::Alt)(left, right),
        BinaryOp::Pipe(Some(pattern)) => match alternatives(desugar_pattern(pattern)) {
            Ok(patterns) => call(VALUE, vec![bind(left, FIRST, try_patterns(patterns, right))]),
            Err(pattern) => binary(left, BinaryOp::Pipe(Some(pattern)), right),
        },
        op => binary(left, op, right),
    }
}

/// Returns the alternatives of `?//`, or the pattern itself if it has none.
fn alternatives(pattern: PatternOf<'_>) -> Result<Vec<PatternOf<'_>>, PatternOf<'_>> {
    match pattern {
        Pattern::Obj(entries)
            if entries
                .iter()
                .all(|(key, _)| matches!(key, Term::Call(name, _) if *name == ALTERNATIVE)) =>
        {
            Ok(entries.into_iter().map(|(_, pattern)| pattern).collect())
        }
        pattern => Err(pattern),
    }
}

/// Returns a term that gives the variable [`FIRST`] to the first pattern for which neither the
/// pattern nor the body fails.
fn try_patterns<'s>(patterns: Vec<PatternOf<'s>>, body: TermOf<'s>) -> TermOf<'s> {
    let mut variables = Vec::new();
    for pattern in &patterns {
        collect_variables(pattern, &mut variables);
    }
    let body_call = call(BODY, variables.iter().map(|name| Term::Var(*name)).collect());
    let attempt = |pattern: PatternOf<'s>| {
        let mut bound = Vec::new();
        collect_variables(&pattern, &mut bound);
        let attempt = binary(Term::Var(FIRST), BinaryOp::Pipe(Some(pattern)), body_call.clone());
        let unbound = variables.iter().filter(|name| !bound.contains(name));
        unbound.fold(attempt, |term, name| bind(call("null", Vec::new()), name, term))
    };
    let mut attempts = patterns.into_iter().rev().map(attempt);
    let last = attempts.next().unwrap_or_default();
    let all = attempts.fold(last, |rest, attempt| {
        let rest = pipe(Term::Var(SECOND), rest);
        Term::TryCatch(Box::new(attempt), Some(Box::new(rest)))
    });
    let body = Def { name: BODY, args: variables.clone(), body };
    bind(Term::Id, SECOND, Term::Def(vec![body], Box::new(all)))
}

/// Collects the variables of a pattern, each once.
fn collect_variables<'s>(pattern: &PatternOf<'s>, variables: &mut Vec<&'s str>) {
    match pattern {
        Pattern::Var(name) if variables.contains(name) => {}
        Pattern::Var(name) => variables.push(name),
        Pattern::Arr(items) => {
            for item in items {
                collect_variables(item, variables);
            }
        }
        Pattern::Obj(entries) => {
            for (_, item) in entries {
                collect_variables(item, variables);
            }
        }
    }
}

/// Rewrites `reduce` and `foreach`, whose parts are rewritten.
fn fold<'s>(
    name: &'s str,
    over: TermOf<'s>,
    pattern: PatternOf<'s>,
    args: Vec<TermOf<'s>>,
) -> TermOf<'s> {
    let mut args = args.into_iter();
    let (init, update) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let extract = args.next();
    let over = Box::new(over);
    let (pattern, alternatives) = match alternatives(pattern) {
        Ok(patterns) => (Pattern::Var(FIRST), Some(patterns)),
        Err(pattern) => (pattern, None),
    };
    let has_alternatives = alternatives.is_some();
    let with_patterns = |body| match alternatives {
        Some(patterns) => try_patterns(patterns, body),
        None => body,
    };
    if name == "reduce" {
        let update = if is_single(&update) { update } else { call(LAST_OR_NULL, vec![update]) };
        return Term::Fold(name, over, pattern, vec![init, with_patterns(update)]);
    }
    if is_single(&update) && !has_alternatives {
        let args = [Some(init), Some(update), extract].into_iter().flatten().collect();
        return Term::Fold(name, over, pattern, args);
    }
    // The state becomes a pair of jq's state and the values to give. Each value of the update
    // becomes a pair of that value and what is extracted from it.
    let extracted = array(extract.unwrap_or(Term::Id));
    let pairs = with_patterns(array(pipe(update, pair(Term::Id, extracted))));
    let last_state = Term::Path(
        Box::new(Term::Id),
        Path(vec![
            (Part::Index(Term::Neg(Box::new(Term::Num("1")))), Opt::Essential),
            (Part::Index(Term::Num("0")), Opt::Essential),
        ]),
    );
    let values = array(pipe(each(Term::Id), each(item("1"))));
    let update = pipe(item("0"), pipe(pairs, pair(last_state, values)));
    let init = pipe(init, pair(Term::Id, Term::Arr(None)));
    Term::Fold(name, over, pattern, vec![init, update, each(item("1"))])
}

/// Rewrites a string whose parts are rewritten: of several terms in it, the last varies slowest.
fn string<'s>(format: Option<&'s str>, mut parts: Vec<StrPart<&'s str, TermOf<'s>>>) -> TermOf<'s> {
    let varies = |part: &StrPart<_, _>| matches!(part, StrPart::Term(term) if !is_plain(term));
    if parts.iter().filter(|part| varies(part)).count() < 2 {
        return Term::Str(format, parts);
    }
    let last = parts.iter().rposition(varies).unwrap_or_default();
    let mut tail = parts.split_off(last);
    let term = match std::mem::replace(&mut tail[0], StrPart::Term(Term::Var(FIRST))) {
        StrPart::Term(term) => term,
        _ => Term::Id,
    };
    let head = string(format, parts);
    let sum = binary(head, BinaryOp::Math(Math::Add), Term::Str(format, tail));
    bind(term, FIRST, sum)
}

/// Adds a part to a path whose base is rewritten: the indices vary slower than the base.
fn add_part<'s>(base: TermOf<'s>, part: Part<TermOf<'s>>, opt: Opt) -> TermOf<'s> {
    let with = |base, part| match base {
        Term::Path(base, Path(mut parts)) => {
            parts.push((part, opt));
            Term::Path(base, Path(parts))
        }
        base => Term::Path(Box::new(base), Path(vec![(part, opt)])),
    };
    let keeps_order = is_plain(&base);
    match part {
        Part::Index(index) => {
            let index = desugar(index);
            if keeps_order || is_plain(&index) {
                return with(base, Part::Index(index));
            }
            bind(index, FIRST, with(base, Part::Index(Term::Var(FIRST))))
        }
        Part::Range(from, to) => {
            let (from, to) = (from.map(desugar), to.map(desugar));
            if keeps_order || from.iter().chain(&to).all(is_plain) {
                return with(base, Part::Range(from, to));
            }
            let variable = |bound: &Option<_>, name| bound.as_ref().map(|_| Term::Var(name));
            let range = Part::Range(variable(&from, FIRST), variable(&to, SECOND));
            let mut term = with(base, range);
            if let Some(to) = to {
                term = bind(to, SECOND, term);
            }
            if let Some(from) = from {
                term = bind(from, FIRST, term);
            }
            term
        }
    }
}

/// Returns whether a term has exactly one value and cannot fail.
fn is_plain(term: &TermOf<'_>) -> bool {
    match term {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
        Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        Term::Obj(entries) => entries.is_empty(),
        Term::Neg(inner) => matches!(**inner, Term::Num(_)),
        Term::Call(name, args) => args.is_empty() && matches!(*name, "true" | "false" | "null"),
        _ => false,
    }
}

/// Returns whether a term is known to have exactly one value, unless it fails.
fn is_single(term: &TermOf<'_>) -> bool {
    match term {
        Term::Path(base, path) => {
            let part = |part: &Part<_>| match part {
                Part::Index(index) => is_single(index),
                Part::Range(None, None) => false,
                Part::Range(from, to) => from.iter().chain(to).all(is_single),
            };
            is_single(base)
                && path.0.iter().all(|(it, opt)| part(it) && matches!(opt, Opt::Essential))
        }
        Term::BinOp(left, op, right) => {
            let is_simple = match op {
                BinaryOp::Comma => false,
                BinaryOp::Pipe(Some(pattern)) => !matches!(pattern, Pattern::Obj(_)),
                _ => true,
            };
            is_simple && is_single(left) && is_single(right)
        }
        Term::Str(_, parts) => parts.iter().all(|part| match part {
            StrPart::Term(term) => is_single(term),
            _ => true,
        }),
        Term::Arr(_) | Term::Call(MODIFY, _) => true,
        Term::Obj(entries) => entries
            .iter()
            .all(|(key, value)| is_single(key) && value.as_ref().is_none_or(is_single)),
        Term::Neg(inner) => is_single(inner),
        Term::IfThenElse(branches, last) => {
            branches.iter().all(|(condition, then)| is_single(condition) && is_single(then))
                && last.as_deref().is_none_or(is_single)
        }
        Term::Call(ASSIGN, args) => args.iter().skip(1).all(is_single),
        term => is_plain(term),
    }
}
