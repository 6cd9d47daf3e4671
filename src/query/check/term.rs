//! Walks an expression and derives for which events each term is reached, true and false.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

use super::kinds::Kinds;
use super::term_type::TermType;
use super::{Checker, TermInfo};
use crate::query::syntax::literal;

impl<'p> Checker<'p> {
    /// Checks a term and everything inside it. `input` is what is known of the value of `.`, and
    /// `kinds` are the events for which the term is reached.
    pub(super) fn term(
        &mut self,
        term: &Term<&'p str>,
        input: &TermInfo,
        kinds: Kinds,
    ) -> TermInfo {
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
                let info = self.leniently(true, |checker| checker.term(inner, input, kinds));
                if let Some(catch) = catch {
                    self.term(catch, &TermInfo::unknown(kinds), kinds);
                }
                TermInfo { falsy: kinds, ..info }
            }
            Term::Var(name) => {
                let ty = self
                    .variables
                    .iter()
                    .rev()
                    .find(|(known, _)| known == name)
                    .map_or(TermType::Any, |(_, ty)| ty.clone());
                TermInfo { truthy: kinds, falsy: kinds, ..TermInfo::new(ty, kinds) }
            }
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match (key, value) {
                        (_, Some(value)) => drop(self.term(value, input, kinds)),
                        (Term::Str(None, parts), None) => {
                            if let Some(name) = literal(parts) {
                                let range = self.range(key);
                                self.step(&name, range, &input.ty, kinds);
                            }
                        }
                        _ => {}
                    }
                }
                TermInfo { falsy: Kinds::NONE, ..TermInfo::unknown(kinds) }
            }
            Term::Arr(inner) => {
                if let Some(inner) = inner {
                    self.term(inner, input, kinds);
                }
                TermInfo { falsy: Kinds::NONE, ..TermInfo::unknown(kinds) }
            }
            Term::Neg(inner) | Term::Label(_, inner) => {
                self.term(inner, input, kinds);
                TermInfo::unknown(kinds)
            }
            Term::Fold(_, over, _, args) => {
                self.term(over, input, kinds);
                if let Some(first) = args.first() {
                    self.term(first, input, kinds);
                }
                TermInfo::unknown(kinds)
            }
            Term::Def(_, rest) => self.term(rest, input, kinds),
            Term::Recurse | Term::Break(_) => TermInfo::unknown(kinds),
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
        TermInfo { falsy: Kinds::NONE, ..TermInfo::unknown(kinds) }
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
        let mut ty = base.ty;
        for (part, _) in &path.0 {
            ty = match part {
                Part::Index(Term::Str(None, parts)) if literal(parts).is_some() => {
                    let name = literal(parts).unwrap_or_default();
                    let range = self.key_range(parts);
                    self.leniently(lenient, |checker| checker.step(&name, range, &ty, kinds))
                }
                Part::Index(Term::Num(_)) | Part::Range(None, None) => {
                    let range = self.range(&Term::Path(Box::new(Term::Id), path.clone()));
                    let index = matches!(part, Part::Index(_));
                    self.leniently(lenient, |checker| checker.items(index, range, &ty))
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
        let known = TermInfo::new(ty, base.live.and(kinds));
        if lenient { TermInfo { falsy: kinds, ..known } } else { known }
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
                    self.variables.push(((*name).to_owned(), bound.ty));
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
                if known.truthy.is_empty() && !left.truthy.is_empty() && !self.has_fatal() {
                    let range = self.range(right);
                    let why = format!(
                        "it is never true after what precedes it, which leaves {}",
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
                    ty: left.ty,
                    truthy: left.truthy.or(other.truthy),
                    falsy: other.falsy,
                    live: kinds,
                }
            }
            BinaryOp::Comma => {
                let (left, right) = (self.term(left, input, kinds), self.term(right, input, kinds));
                TermInfo {
                    ty: TermType::Any,
                    truthy: left.truthy.or(right.truthy),
                    falsy: left.falsy.or(right.falsy),
                    live: left.live.or(right.live),
                }
            }
            BinaryOp::Assign if self.is_predicate => {
                let range = self.range(left).start..self.range(right).end;
                self.report(
                    true,
                    range,
                    "`=` assigns, which is true for every event".to_owned(),
                    "compare with `==`".to_owned(),
                );
                TermInfo::unknown(kinds)
            }
            BinaryOp::Cmp(op) => self.compare(left, *op, right, input, kinds),
            _ => {
                self.term(left, input, kinds);
                self.term(right, input, kinds);
                TermInfo::unknown(kinds)
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
        let mut add = |info: &TermInfo| {
            whole.truthy = whole.truthy.or(info.truthy);
            whole.falsy = whole.falsy.or(info.falsy);
        };
        for (condition, then) in branches {
            let condition = self.term(condition, input, rest);
            add(&self.term(then, input, condition.truthy));
            rest = condition.falsy;
        }
        match last {
            Some(last) => add(&self.term(last, input, rest)),
            None => add(&TermInfo::new(input.ty.clone(), rest)),
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
                TermInfo::new(input.ty.clone(), condition.truthy)
            }
            ("any" | "all", [generator, condition]) => {
                let each = self.term(generator, input, kinds);
                self.term(condition, &each, kinds);
                TermInfo::unknown(kinds)
            }
            ("IN", [list]) => self.in_list(list, input, kinds),
            (
                "test" | "startswith" | "endswith" | "contains" | "ltrimstr" | "rtrimstr"
                | "ascii_downcase" | "ascii_upcase" | "split" | "match" | "capture",
                _,
            ) => {
                for arg in args {
                    self.term(arg, &TermInfo::new(TermType::Event, kinds), kinds);
                }
                self.string_function(term, name, args, input, kinds)
            }
            ("has", [Term::Str(None, parts)]) if input.ty == TermType::Event => {
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
                TermInfo::unknown(kinds)
            }
            _ => {
                for arg in args {
                    self.term(arg, &TermInfo::unknown(kinds), kinds);
                }
                TermInfo::unknown(kinds)
            }
        }
    }
}
