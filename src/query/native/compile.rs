//! Compiles jq terms for the native evaluator.

use std::cell::Cell;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::path::{Opt, Part};

use super::expr::{Expr, Flow, Generator, Key, MemberExpr, PathStep, TextPart};
use crate::query::program::{search_pattern, unary_filter};
use crate::query::syntax::literal;
use crate::query::value::{JqObject, JqText, JqValue, Number, push_escaped};

/// The most terms that are compiled. Terms that are tried in two ways count twice.
const MAX_TERMS: usize = 1000;

/// The deepest nesting of terms that is compiled.
const MAX_DEPTH: usize = 100;

/// Compiles a predicate; `None` if the evaluator does not support it.
pub(super) fn compile(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<Expr> {
    Compiler::new(variables, false).expr(term)
}

/// Compiles terms.
pub(super) struct Compiler<'v> {
    variables: &'v [(String, JqValue)],
    /// Whether expressions may build values.
    is_program: bool,
    terms: Cell<usize>,
    depth: Cell<usize>,
}

impl<'v> Compiler<'v> {
    /// Creates a compiler for programs whose outputs are written.
    pub(super) const fn for_program(variables: &'v [(String, JqValue)]) -> Self {
        Self::new(variables, true)
    }

    const fn new(variables: &'v [(String, JqValue)], is_program: bool) -> Self {
        Self { variables, is_program, terms: Cell::new(0), depth: Cell::new(0) }
    }

    /// Returns an upper bound of the number of terms.
    pub(super) const fn terms(&self) -> usize {
        self.terms.get()
    }

    /// Compiles the parts of a term, unless there are too many in a program.
    pub(super) fn nested<T>(&self, compile: impl FnOnce() -> Option<T>) -> Option<T> {
        self.terms.set(self.terms.get() + 1);
        if self.is_program && (self.terms.get() > MAX_TERMS || self.depth.get() > MAX_DEPTH) {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let compiled = compile();
        self.depth.set(self.depth.get() - 1);
        compiled
    }

    fn boxed(&self, term: &Term<&str>) -> Option<Box<Expr>> {
        self.expr(term).map(Box::new)
    }

    /// Compiles a term that gives at most one value.
    pub(super) fn expr(&self, term: &Term<&str>) -> Option<Expr> {
        self.nested(|| self.simple(term).or_else(|| self.builder(term)))
    }

    /// Compiles a term that does not build a value, as predicates contain it.
    fn simple(&self, term: &Term<&str>) -> Option<Expr> {
        Some(match term {
            Term::Id => Expr::Input,
            Term::Num(number) => Expr::Constant(number_constant(number)?),
            Term::Str(None, parts) => Expr::Constant(JqValue::text(literal(parts)?)),
            Term::Var(name) => Expr::Constant(self.variable(name)?),
            Term::Path(base, path) => {
                path.0.iter().try_fold(self.expr(base)?, |base, (part, opt)| {
                    let key = match part {
                        Part::Index(Term::Str(None, parts)) => PathStep::Name(literal(parts)?),
                        Part::Index(Term::Num(number)) => PathStep::Index(number.parse().ok()?),
                        _ => return None,
                    };
                    Some(Expr::Step(Box::new(base), key, matches!(opt, Opt::Optional)))
                })?
            }
            Term::BinOp(left, BinaryOp::Cmp(op), right) => {
                Expr::Compare(self.boxed(left)?, *op, self.boxed(right)?)
            }
            Term::BinOp(left, BinaryOp::And, right) => {
                Expr::And(self.boxed(left)?, self.boxed(right)?)
            }
            Term::BinOp(left, BinaryOp::Or, right) => {
                Expr::Or(self.boxed(left)?, self.boxed(right)?)
            }
            Term::BinOp(left, BinaryOp::Alt, right) => {
                Expr::Alternative(self.boxed(left)?, self.boxed(right)?)
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                Expr::Pipe(self.boxed(left)?, self.boxed(right)?)
            }
            Term::Call(name, args) => match (*name, args.as_slice()) {
                ("not", []) => Expr::Not,
                ("true", []) => Expr::Constant(JqValue::Bool(true)),
                ("false", []) => Expr::Constant(JqValue::Bool(false)),
                ("null", []) => Expr::Constant(JqValue::Null),
                ("ascii_downcase", []) => Expr::AsciiDowncase,
                ("select", [condition]) => Expr::Select(self.boxed(condition)?),
                ("in", [object]) => Expr::In(if_constant(Box::new(constant_object(object)?))?),
                ("startswith", [prefix]) => Expr::StartsWith(if_constant(self.boxed(prefix)?)?),
                ("endswith", [suffix]) => Expr::EndsWith(if_constant(self.boxed(suffix)?)?),
                ("contains", [Term::Str(None, parts)]) => Expr::Contains(literal(parts)?),
                ("test", [Term::Str(None, pattern)]) => {
                    Expr::Test(search_pattern(&literal(pattern)?, "")?)
                }
                ("test", [Term::Str(None, pattern), Term::Str(None, flags)]) => {
                    Expr::Test(search_pattern(&literal(pattern)?, &literal(flags)?)?)
                }
                ("IN", [list]) => Expr::OneOf(self.generator(list)?.constants()?),
                ("any", [generator, condition]) => {
                    Expr::AnyOrAll(true, self.generator(generator)?, self.boxed(condition)?)
                }
                ("all", [generator, condition]) => {
                    Expr::AnyOrAll(false, self.generator(generator)?, self.boxed(condition)?)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    fn variable(&self, name: &str) -> Option<JqValue> {
        let is_named = |(known, _): &&(String, _)| Some(known.as_str()) == name.strip_prefix('$');
        self.variables.iter().find(is_named).map(|(_, value)| value.clone())
    }

    /// Compiles a term that may give several values.
    fn generator(&self, term: &Term<&str>) -> Option<Generator> {
        match term {
            Term::BinOp(left, BinaryOp::Comma, right) => {
                let (Generator::List(mut left), Generator::List(right)) =
                    (self.generator(left)?, self.generator(right)?)
                else {
                    return None;
                };
                left.extend(right);
                Some(Generator::List(left))
            }
            Term::Path(base, path) => match path.0.split_last() {
                Some(((Part::Range(None, None), Opt::Essential), rest)) => {
                    let inner = Term::Path(base.clone(), jaq_core::path::Path(rest.to_vec()));
                    Some(Generator::Items(Box::new(self.expr(&inner)?)))
                }
                _ => Some(Generator::List(vec![self.expr(term)?])),
            },
            _ => Some(Generator::List(vec![self.expr(term)?])),
        }
    }

    /// Compiles what only programs contain.
    fn builder(&self, term: &Term<&str>) -> Option<Expr> {
        if !self.is_program {
            return None;
        }
        Some(match term {
            Term::Neg(inner) => match &**inner {
                Term::Num(number) => {
                    Expr::Constant(JqValue::Number(Number::parse(number)?.negated()))
                }
                _ => return None,
            },
            Term::Path(base, path) => {
                path.0.iter().try_fold(self.expr(base)?, |base, (part, opt)| {
                    let Part::Index(index) = part else { return None };
                    let key = self.path_step(index)?;
                    Some(Expr::Step(Box::new(base), key, matches!(opt, Opt::Optional)))
                })?
            }
            Term::IfThenElse(branches, last) => {
                let branches = branches
                    .iter()
                    .map(|(condition, then)| Some((self.expr(condition)?, self.expr(then)?)))
                    .collect::<Option<_>>()?;
                let last = match last {
                    Some(last) => Some(self.boxed(last)?),
                    None => None,
                };
                Expr::If(branches, last)
            }
            Term::Obj(entries) => self.object(entries)?,
            Term::Arr(None) => Expr::Constant(JqValue::array(Vec::new())),
            Term::Arr(Some(items)) => Expr::Array(Box::new(self.flow(items)?)),
            Term::Str(None, parts) => Expr::Interpolated(self.text_parts(parts)?),
            Term::BinOp(left, BinaryOp::Math(math), right) => {
                Expr::Calculate(self.boxed(left)?, *math, self.boxed(right)?)
            }
            Term::Call(name, args) => match (*name, args.as_slice()) {
                ("tostring", []) => Expr::ToText,
                ("has", [Term::Str(None, parts)]) => Expr::Has(literal(parts)?),
                ("map", [f]) => {
                    let items = Flow::Items(Expr::Input, false);
                    let mapped = Flow::Pipe(Box::new(items), Box::new(self.flow(f)?));
                    Expr::Array(Box::new(mapped))
                }
                (name, []) => Expr::Apply(unary_filter(name)?),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Compiles an index of a path.
    pub(super) fn path_step(&self, index: &Term<&str>) -> Option<PathStep> {
        let integer = |number: &str| number.parse::<isize>().ok();
        Some(match index {
            Term::Str(None, parts) => PathStep::Name(literal(parts)?),
            Term::Num(number) => PathStep::Index(integer(number)?),
            Term::Neg(inner) => match &**inner {
                Term::Num(number) if self.is_program => PathStep::Index(-integer(number)?),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Compiles an object of which at most one key is computed.
    fn object(&self, entries: &[(Term<&str>, Option<Term<&str>>)]) -> Option<Expr> {
        let mut members: Vec<MemberExpr> = Vec::new();
        let mut has_computed_key = false;
        for (key, value) in entries {
            let (key, value) = match (key, value) {
                (Term::Str(None, parts), value) if let Some(name) = literal(parts) => {
                    let value = match value {
                        Some(value) => self.expr(value)?,
                        None => {
                            Expr::Step(Box::new(Expr::Input), PathStep::Name(name.clone()), false)
                        }
                    };
                    (name_key(name)?, value)
                }
                (Term::Var(name), None) => {
                    let value = Expr::Constant(self.variable(name)?);
                    (name_key(name.strip_prefix('$')?.to_owned())?, value)
                }
                (key, Some(value)) if !has_computed_key => {
                    has_computed_key = true;
                    (Key::Computed(self.expr(key)?), self.expr(value)?)
                }
                _ => return None,
            };
            if let Key::Name { name, .. } = &key
                && members.iter().any(|member| member.key.is_name(name))
            {
                return None;
            }
            self.terms.set(self.terms.get() + 2);
            members.push(MemberExpr { key, value });
        }
        Some(Expr::Object(members))
    }

    fn text_parts(&self, parts: &[StrPart<&str, Term<&str>>]) -> Option<Vec<TextPart>> {
        let text_part = |text: &str| {
            let contents = escaped(text)?;
            Some(TextPart::Text { text: text.to_owned(), contents })
        };
        parts
            .iter()
            .map(|part| match part {
                StrPart::Str(text) => text_part(text),
                StrPart::Char(character) => text_part(character.encode_utf8(&mut [0; 4])),
                StrPart::Term(term) => Some(TextPart::Value(self.expr(term)?)),
            })
            .collect()
    }
}

/// Returns the contents of the JSON string for a text.
fn escaped(text: &str) -> Option<String> {
    let mut contents = Vec::new();
    push_escaped(text, &mut contents, usize::MAX);
    String::from_utf8(contents).ok()
}

fn name_key(name: String) -> Option<Key> {
    let token = format!("\"{}\":", escaped(&name)?);
    Some(Key::Name { name, token })
}

/// Returns the expression if it is a constant.
fn if_constant(expr: Box<Expr>) -> Option<Box<Expr>> {
    matches!(*expr, Expr::Constant(_)).then_some(expr)
}

/// Compiles an object with literal keys and numbers for values: `{"a": 1, b: 2}`.
fn constant_object(term: &Term<&str>) -> Option<Expr> {
    let Term::Obj(entries) = term else { return None };
    let mut object = JqObject::default();
    for (key, entry) in entries {
        let (Term::Str(None, key), Some(Term::Num(number))) = (key, entry) else { return None };
        object.insert(JqText::new(literal(key)?), number_constant(number)?);
    }
    Some(Expr::Constant(JqValue::Object(object)))
}

impl Generator {
    /// Returns the values if all are constants.
    fn constants(self) -> Option<Vec<Expr>> {
        match self {
            Self::List(list) if list.iter().all(|expr| matches!(expr, Expr::Constant(_))) => {
                Some(list)
            }
            _ => None,
        }
    }
}

/// Returns the value of a number literal.
fn number_constant(number: &str) -> Option<JqValue> {
    Number::parse(number).map(JqValue::Number)
}
