//! Compiles terms that give any number of values.

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::path::{Opt, Part};

use super::compile::Compiler;
use super::expr::{Expr, Flow};
use crate::query::value::JqValue;

/// Compiles a program; `None` if the evaluator does not support it. Also returns its size.
pub(super) fn compile(term: &Term<&str>, variables: &[(String, JqValue)]) -> Option<(Flow, usize)> {
    let compiler = Compiler::for_program(variables);
    let flow = compiler.flow(term)?;
    Some((flow, compiler.terms()))
}

impl Compiler<'_> {
    /// Compiles a term that may give any number of values.
    pub(super) fn flow(&self, term: &Term<&str>) -> Option<Flow> {
        if let Some(expr) = self.expr(term) {
            return Some(Flow::One(expr));
        }
        self.nested(|| self.many(term))
    }

    fn many(&self, term: &Term<&str>) -> Option<Flow> {
        Some(match term {
            Term::BinOp(left, BinaryOp::Comma, right) => {
                let mut flows = match self.flow(left)? {
                    Flow::List(flows) => flows,
                    flow => vec![flow],
                };
                flows.push(self.flow(right)?);
                Flow::List(flows)
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                Flow::Pipe(Box::new(self.flow(left)?), Box::new(self.flow(right)?))
            }
            Term::BinOp(left, BinaryOp::Alt, right) => {
                Flow::Alternative(self.expr(left)?, Box::new(self.flow(right)?))
            }
            Term::Path(base, path) => {
                let mut flow = self.flow(base)?;
                for (part, opt) in &path.0 {
                    let is_optional = matches!(opt, Opt::Optional);
                    flow = match part {
                        Part::Range(None, None) => match flow {
                            Flow::One(container) => Flow::Items(container, is_optional),
                            flow => pipe(flow, Flow::Items(Expr::Input, is_optional)),
                        },
                        Part::Index(index) => {
                            let key = self.path_step(index)?;
                            match flow {
                                Flow::One(base) => {
                                    Flow::One(Expr::Step(Box::new(base), key, is_optional))
                                }
                                flow => {
                                    let base = Box::new(Expr::Input);
                                    pipe(flow, Flow::One(Expr::Step(base, key, is_optional)))
                                }
                            }
                        }
                        Part::Range(..) => return None,
                    };
                }
                flow
            }
            Term::IfThenElse(branches, last) => {
                let branches = branches
                    .iter()
                    .map(|(condition, then)| Some((self.expr(condition)?, self.flow(then)?)))
                    .collect::<Option<_>>()?;
                let last = match last {
                    Some(last) => Some(Box::new(self.flow(last)?)),
                    None => None,
                };
                Flow::If(branches, last)
            }
            Term::Call("empty", args) if args.is_empty() => Flow::List(Vec::new()),
            _ => return None,
        })
    }
}

fn pipe(left: Flow, right: Flow) -> Flow {
    Flow::Pipe(Box::new(left), Box::new(right))
}
