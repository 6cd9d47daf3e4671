//! Expressions, held against the model before anything connects: what no event can have, be, or satisfy is an error.
//!
//! The walk over an expression carries the set of events for which the place at hand is reached, and returns those for which
//! it can be true and those for which it can be false. So `.event_type == "call.ended" and …` is judged by `call.ended`
//! alone. What the checker doesn't understand can be anything: it never calls right wrong.

mod compare;
mod finding;
mod kinds;
mod shape;
mod step;

use std::ops::Range;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

pub use finding::CheckFinding;
pub use kinds::Kinds;
use shape::TermType;

use super::native::literal;
use super::program::{ParsedProgram, place};
use crate::redact::Policy;

/// What is known of a term.
#[derive(Debug, Clone)]
struct TermInfo {
    shape: TermType,
    /// The events for which it can be true.
    truthy: Kinds,
    /// The events for which it can be false or null.
    falsy: Kinds,
    /// The events for which it gives anything at all.
    live: Kinds,
}

impl TermInfo {
    /// Nothing is known but where it is reached.
    const fn anything(kinds: Kinds) -> Self {
        Self { shape: TermType::Any, truthy: kinds, falsy: kinds, live: kinds }
    }

    fn new(shape: TermType, kinds: Kinds) -> Self {
        let (truthy, falsy) = match &shape {
            TermType::Literal(serde_json::Value::Null | serde_json::Value::Bool(false)) => {
                (Kinds::NONE, kinds)
            }
            TermType::Event | TermType::EventType | TermType::Literal(_) => (kinds, Kinds::NONE),
            TermType::Field(field) => (kinds.and(field.kinds()), kinds),
            TermType::Any => (kinds, kinds),
        };
        Self { shape, truthy, falsy, live: kinds }
    }

    /// A condition that holds for some events and doesn't for others.
    const fn condition(kinds: Kinds, truthy: Kinds, falsy: Kinds) -> Self {
        Self { shape: TermType::Any, truthy, falsy, live: kinds }
    }
}

/// Holds an expression against the model, for the events in `kinds`. Returns those that can satisfy it, and what there is to
/// say. `predicate` is false for a program whose outputs are printed: it may show a mask, and needn't be true of anything.
#[must_use]
pub fn check(
    parsed: &ParsedProgram<'_>,
    kinds: Kinds,
    policy: &Policy,
    predicate: bool,
) -> (Kinds, Vec<CheckFinding>) {
    let mut checker = Checker {
        source: parsed.source,
        policy,
        predicate,
        lenient: 0,
        variables: Vec::new(),
        findings: Vec::new(),
    };
    let known = checker.term(&parsed.term, &TermInfo::new(TermType::Event, kinds), kinds);
    let satisfied = known.truthy.and(known.live);
    if predicate && satisfied.is_empty() && !checker.findings.iter().any(|finding| finding.fatal) {
        let range = 0..parsed.source.trim_end().len();
        let why = if kinds == Kinds::matching(true, |_| true) {
            "no event can satisfy it".to_owned()
        } else {
            format!("of the events that come here, {}, none can satisfy it", kinds.names())
        };
        checker.report(true, range, why, "see `evtap schema` for what events have".to_owned());
    }
    (satisfied, checker.findings)
}

struct Checker<'p> {
    source: &'p str,
    policy: &'p Policy,
    predicate: bool,
    /// Within `?`, `try` or the left of `//`: what isn't there has been thought of.
    lenient: u32,
    variables: Vec<(String, TermType)>,
    findings: Vec<CheckFinding>,
}

impl<'p> Checker<'p> {
    fn report(&mut self, fatal: bool, range: Range<usize>, why: String, advice: String) {
        let finding = CheckFinding { fatal: fatal && self.lenient == 0, range, why, advice };
        if !self
            .findings
            .iter()
            .any(|known| known.range == finding.range && known.why == finding.why)
        {
            self.findings.push(finding);
        }
    }

    fn leniently<T>(&mut self, lenient: bool, walk: impl FnOnce(&mut Self) -> T) -> T {
        self.lenient += u32::from(lenient);
        let known = walk(self);
        self.lenient -= u32::from(lenient);
        known
    }

    /// Where a term stands: from its first token to its last.
    fn range(&self, term: &Term<&str>) -> Range<usize> {
        let mut range = self.source.len()..0;
        tokens(term, &mut |token| {
            let at = place(self.source, token);
            if !token.is_empty() && at.end > at.start {
                range = range.start.min(at.start)..range.end.max(at.end);
            }
        });
        if range.start >= range.end {
            return 0..self.source.trim_end().len();
        }
        // The dot of a path and the quotes of a string are no tokens of their own.
        let bytes = self.source.as_bytes();
        if range.start > 0 && matches!(bytes[range.start - 1], b'.' | b'"') {
            range.start -= 1;
        }
        if bytes.get(range.end) == Some(&b'"') {
            range.end += 1;
        }
        range
    }

    fn term(&mut self, term: &Term<&'p str>, input: &TermInfo, kinds: Kinds) -> TermInfo {
        match term {
            Term::Id => TermInfo {
                live: kinds,
                truthy: input.truthy.and(kinds),
                falsy: input.falsy.and(kinds),
                ..input.clone()
            },
            Term::Num(number) => TermInfo::new(
                serde_json::from_str(number).map_or(TermType::Any, TermType::Literal),
                kinds,
            ),
            Term::Str(None, parts) => match literal(parts) {
                Some(text) => TermInfo::new(TermType::Literal(text.into()), kinds),
                None => self.string(parts, input, kinds),
            },
            Term::Str(Some(_), parts) => self.string(parts, input, kinds),
            Term::Path(base, path) => self.path(base, path, input, kinds),
            Term::BinOp(left, op, right) => self.operation(left, op, right, input, kinds),
            Term::Call(name, args) => self.call(term, name, args, input, kinds),
            Term::IfThenElse(branches, last) => {
                self.branches(branches, last.as_deref(), input, kinds)
            }
            Term::TryCatch(inner, catch) => {
                let known = self.leniently(true, |checker| checker.term(inner, input, kinds));
                if let Some(catch) = catch {
                    self.term(catch, &TermInfo::anything(kinds), kinds);
                }
                TermInfo { falsy: kinds, ..known }
            }
            Term::Var(name) => {
                let shape = self
                    .variables
                    .iter()
                    .rev()
                    .find(|(known, _)| known == name)
                    .map_or(TermType::Any, |(_, shape)| shape.clone());
                TermInfo { truthy: kinds, falsy: kinds, ..TermInfo::new(shape, kinds) }
            }
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match (key, value) {
                        (_, Some(value)) => drop(self.term(value, input, kinds)),
                        (Term::Str(None, parts), None) => {
                            if let Some(name) = literal(parts) {
                                let range = self.range(key);
                                self.step(&name, range, &input.shape, kinds);
                            }
                        }
                        _ => {}
                    }
                }
                TermInfo { falsy: Kinds::NONE, ..TermInfo::anything(kinds) }
            }
            Term::Arr(inner) => {
                if let Some(inner) = inner {
                    self.term(inner, input, kinds);
                }
                TermInfo { falsy: Kinds::NONE, ..TermInfo::anything(kinds) }
            }
            Term::Neg(inner) | Term::Label(_, inner) => {
                self.term(inner, input, kinds);
                TermInfo::anything(kinds)
            }
            Term::Fold(_, over, _, args) => {
                self.term(over, input, kinds);
                if let Some(first) = args.first() {
                    self.term(first, input, kinds);
                }
                TermInfo::anything(kinds)
            }
            Term::Def(_, rest) => self.term(rest, input, kinds),
            Term::Recurse | Term::Break(_) => TermInfo::anything(kinds),
        }
    }

    fn string(
        &mut self,
        parts: &[StrPart<&'p str, Term<&'p str>>],
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        for part in parts {
            if let StrPart::Term(term) = part {
                self.term(term, input, kinds);
            }
        }
        TermInfo { falsy: Kinds::NONE, ..TermInfo::anything(kinds) }
    }

    fn path(
        &mut self,
        base: &Term<&'p str>,
        path: &Path<Term<&'p str>>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let base = self.term(base, input, kinds);
        let lenient = path.0.iter().any(|(_, opt)| matches!(opt, Opt::Optional));
        let mut shape = base.shape;
        for (part, _) in &path.0 {
            shape = match part {
                Part::Index(Term::Str(None, parts)) if literal(parts).is_some() => {
                    let name = literal(parts).unwrap_or_default();
                    let range = self.key_range(parts);
                    self.leniently(lenient, |checker| checker.step(&name, range, &shape, kinds))
                }
                Part::Index(Term::Num(_)) | Part::Range(None, None) => {
                    let range = self.range(&Term::Path(Box::new(Term::Id), path.clone()));
                    let index = matches!(part, Part::Index(_));
                    self.leniently(lenient, |checker| checker.inside(index, range, &shape))
                }
                Part::Index(index) => {
                    self.term(index, input, kinds);
                    TermType::Any
                }
                Part::Range(from, to) => {
                    for bound in [from, to].into_iter().flatten() {
                        self.term(bound, input, kinds);
                    }
                    TermType::Any
                }
            };
        }
        let known = TermInfo::new(shape, base.live.and(kinds));
        if lenient { TermInfo { falsy: kinds, ..known } } else { known }
    }

    /// Where the key of a path stands, with its dot.
    fn key_range(&self, parts: &[StrPart<&'p str, Term<&'p str>>]) -> Range<usize> {
        let key = Term::Str(None, parts.to_vec());
        self.range(&key)
    }

    fn operation(
        &mut self,
        left: &Term<&'p str>,
        op: &BinaryOp<&'p str>,
        right: &Term<&'p str>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        match op {
            BinaryOp::Pipe(None) => {
                let left = self.term(left, input, kinds);
                self.term(right, &left, left.live)
            }
            BinaryOp::Pipe(Some(pattern)) => {
                let bound = self.term(left, input, kinds);
                if let Pattern::Var(name) = pattern {
                    self.variables.push(((*name).to_owned(), bound.shape));
                }
                let known = self.term(right, input, bound.live);
                if let Pattern::Var(_) = pattern {
                    self.variables.pop();
                }
                known
            }
            BinaryOp::And => {
                let left = self.term(left, input, kinds);
                let known = self.term(right, input, left.truthy);
                if known.truthy.is_empty()
                    && !left.truthy.is_empty()
                    && !self.findings.iter().any(|finding| finding.fatal)
                {
                    let range = self.range(right);
                    let why = format!(
                        "it is never true of what stands before it, which leaves {}",
                        left.truthy.names()
                    );
                    self.report(true, range, why, "use `or`, or drop one of them".to_owned());
                }
                TermInfo::condition(kinds, known.truthy, left.falsy.or(known.falsy))
            }
            BinaryOp::Or => {
                let left = self.term(left, input, kinds);
                let known = self.term(right, input, left.falsy);
                TermInfo::condition(kinds, left.truthy.or(known.truthy), known.falsy)
            }
            BinaryOp::Alt => {
                let left = self.leniently(true, |checker| checker.term(left, input, kinds));
                let other = self.term(right, input, kinds);
                TermInfo {
                    shape: left.shape,
                    truthy: left.truthy.or(other.truthy),
                    falsy: other.falsy,
                    live: kinds,
                }
            }
            BinaryOp::Comma => {
                let (left, right) = (self.term(left, input, kinds), self.term(right, input, kinds));
                TermInfo {
                    shape: TermType::Any,
                    truthy: left.truthy.or(right.truthy),
                    falsy: left.falsy.or(right.falsy),
                    live: left.live.or(right.live),
                }
            }
            BinaryOp::Assign if self.predicate => {
                let range = self.range(left).start..self.range(right).end;
                self.report(
                    true,
                    range,
                    "`=` assigns, which is true of every event".to_owned(),
                    "compare by `==`".to_owned(),
                );
                TermInfo::anything(kinds)
            }
            BinaryOp::Cmp(op) => self.compare(left, *op, right, input, kinds),
            _ => {
                self.term(left, input, kinds);
                self.term(right, input, kinds);
                TermInfo::anything(kinds)
            }
        }
    }

    fn branches(
        &mut self,
        branches: &[(Term<&'p str>, Term<&'p str>)],
        last: Option<&Term<&'p str>>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        let mut rest = kinds;
        let mut whole = TermInfo::condition(kinds, Kinds::NONE, Kinds::NONE);
        let mut add = |known: &TermInfo| {
            whole.truthy = whole.truthy.or(known.truthy);
            whole.falsy = whole.falsy.or(known.falsy);
        };
        for (condition, then) in branches {
            let condition = self.term(condition, input, rest);
            add(&self.term(then, input, condition.truthy));
            rest = condition.falsy;
        }
        match last {
            Some(last) => add(&self.term(last, input, rest)),
            None => add(&TermInfo::new(input.shape.clone(), rest)),
        }
        whole
    }

    fn call(
        &mut self,
        term: &Term<&'p str>,
        name: &str,
        args: &[Term<&'p str>],
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
        match (name, args) {
            ("not", []) => {
                TermInfo::condition(kinds, input.falsy.and(kinds), input.truthy.and(kinds))
            }
            ("true", []) => TermInfo::new(TermType::Literal(true.into()), kinds),
            ("false", []) => TermInfo::new(TermType::Literal(false.into()), kinds),
            ("null", []) => TermInfo::new(TermType::Literal(serde_json::Value::Null), kinds),
            ("empty", []) => TermInfo::condition(Kinds::NONE, Kinds::NONE, Kinds::NONE),
            ("select", [condition]) => {
                let condition = self.term(condition, input, kinds);
                TermInfo::new(input.shape.clone(), condition.truthy)
            }
            ("any" | "all", [generator, condition]) => {
                let each = self.term(generator, input, kinds);
                self.term(condition, &each, kinds);
                TermInfo::anything(kinds)
            }
            ("IN", [list]) => self.one_of(list, input, kinds),
            (
                "test" | "startswith" | "endswith" | "contains" | "ltrimstr" | "rtrimstr"
                | "ascii_downcase" | "ascii_upcase" | "split" | "match" | "capture",
                _,
            ) => {
                for arg in args {
                    self.term(arg, &TermInfo::new(TermType::Event, kinds), kinds);
                }
                self.on_string(term, name, args, input, kinds)
            }
            ("has", [Term::Str(None, parts)]) if input.shape == TermType::Event => {
                let (name, range) = (literal(parts).unwrap_or_default(), self.key_range(parts));
                let has = self.step(&name, range, &TermType::Event, kinds);
                TermInfo::condition(kinds, TermInfo::new(has, kinds).truthy, kinds)
            }
            (
                "del" | "path" | "pick" | "map_values" | "paths" | "isempty" | "first" | "last"
                | "limit" | "error",
                args,
            ) => {
                for arg in args {
                    self.term(arg, input, kinds);
                }
                TermInfo::anything(kinds)
            }
            _ => {
                for arg in args {
                    self.term(arg, &TermInfo::anything(kinds), kinds);
                }
                TermInfo::anything(kinds)
            }
        }
    }
}

/// Hands the tokens of a term to `take`, as far as the tree has them.
fn tokens<'s>(term: &Term<&'s str>, take: &mut impl FnMut(&'s str)) {
    match term {
        Term::Num(token) | Term::Var(token) | Term::Break(token) => take(token),
        Term::Call(name, _) => take(name),
        Term::Str(_, parts) => {
            for part in parts {
                if let StrPart::Str(token) = part {
                    take(token);
                }
            }
        }
        _ => {}
    }
    for inner in inside(term) {
        tokens(inner, take);
    }
}

/// The terms directly inside a term.
fn inside<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
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
