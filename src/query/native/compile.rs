//! Compiles jq terms for the native evaluator.

use super::expr::{Expr, Generator, PathStep};
use crate::query::program::search_pattern;
use crate::query::syntax::literal;
use crate::query::value::{JqObject, JqText, JqValue, Number};
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::path::{Opt, Part};

/// Compiles a term; `None` if the evaluator does not support it.
pub(super) fn compile(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<Expr> {
    let compile_boxed = |term: &Term<&str>| compile(term, variables).map(Box::new);
    Some(match term {
        Term::Id => Expr::Input,
        Term::Num(number) => Expr::Constant(number_constant(number)?),
        Term::Str(None, parts) => Expr::Constant(JqValue::text(literal(parts)?)),
        Term::Var(name) => Expr::Constant(
            variables
                .iter()
                .find(|(known, _)| Some(known.as_str()) == name.strip_prefix('$'))?
                .1
                .clone(),
        ),
        Term::Path(base, path) => {
            path.0.iter().try_fold(compile(base, variables)?, |base, (part, opt)| {
                let key = match part {
                    Part::Index(Term::Str(None, parts)) => PathStep::Name(literal(parts)?),
                    Part::Index(Term::Num(number)) => PathStep::Index(number.parse().ok()?),
                    _ => return None,
                };
                Some(Expr::Step(Box::new(base), key, matches!(opt, Opt::Optional)))
            })?
        }
        Term::BinOp(left, BinaryOp::Cmp(op), right) => {
            Expr::Compare(compile_boxed(left)?, *op, compile_boxed(right)?)
        }
        Term::BinOp(left, BinaryOp::And, right) => {
            Expr::And(compile_boxed(left)?, compile_boxed(right)?)
        }
        Term::BinOp(left, BinaryOp::Or, right) => {
            Expr::Or(compile_boxed(left)?, compile_boxed(right)?)
        }
        Term::BinOp(left, BinaryOp::Alt, right) => {
            Expr::Alternative(compile_boxed(left)?, compile_boxed(right)?)
        }
        Term::BinOp(left, BinaryOp::Pipe(None), right) => {
            Expr::Pipe(compile_boxed(left)?, compile_boxed(right)?)
        }
        Term::Call(name, args) => match (*name, args.as_slice()) {
            ("not", []) => Expr::Not,
            ("true", []) => Expr::Constant(JqValue::Bool(true)),
            ("false", []) => Expr::Constant(JqValue::Bool(false)),
            ("null", []) => Expr::Constant(JqValue::Null),
            ("ascii_downcase", []) => Expr::AsciiDowncase,
            ("select", [condition]) => Expr::Select(compile_boxed(condition)?),
            ("in", [object]) => Expr::In(if_constant(Box::new(constant_object(object)?))?),
            ("startswith", [prefix]) => Expr::StartsWith(if_constant(compile_boxed(prefix)?)?),
            ("endswith", [suffix]) => Expr::EndsWith(if_constant(compile_boxed(suffix)?)?),
            ("contains", [Term::Str(None, parts)]) => Expr::Contains(literal(parts)?),
            ("test", [Term::Str(None, pattern)]) => {
                Expr::Test(search_pattern(&literal(pattern)?, "")?)
            }
            ("test", [Term::Str(None, pattern), Term::Str(None, flags)]) => {
                Expr::Test(search_pattern(&literal(pattern)?, &literal(flags)?)?)
            }
            ("IN", [list]) => Expr::OneOf(compile_generator(list, variables)?.constants()?),
            ("any", [generator, condition]) => Expr::AnyOrAll(
                true,
                compile_generator(generator, variables)?,
                compile_boxed(condition)?,
            ),
            ("all", [generator, condition]) => Expr::AnyOrAll(
                false,
                compile_generator(generator, variables)?,
                compile_boxed(condition)?,
            ),
            _ => return None,
        },
        _ => return None,
    })
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

/// Compiles a term that may give several values.
fn compile_generator(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<Generator> {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => {
            let (Generator::List(mut left), Generator::List(right)) =
                (compile_generator(left, variables)?, compile_generator(right, variables)?)
            else {
                return None;
            };
            left.extend(right);
            Some(Generator::List(left))
        }
        Term::Path(base, path) => match path.0.split_last() {
            Some(((Part::Range(None, None), Opt::Essential), rest)) => {
                let inner = Term::Path(base.clone(), jaq_core::path::Path(rest.to_vec()));
                Some(Generator::Items(Box::new(compile(&inner, variables)?)))
            }
            _ => Some(Generator::List(vec![compile(term, variables)?])),
        },
        _ => Some(Generator::List(vec![compile(term, variables)?])),
    }
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
