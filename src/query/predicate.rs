//! jq expressions as conditions: the native evaluator where it can decide, a jq program otherwise.

use std::sync::Arc;

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_json::Val;

use super::context::EventContext;
use super::failures::Failures;
use super::native::{self, Native};
use super::program::{ParsedProgram, Program, ProgramError, StepBudget};
use super::result_cache::ResultCache;
use crate::error::{Error, Exit, Result};

/// A jq expression that holds of an event or doesn't.
pub struct Predicate {
    option: String,
    engine: Arc<PredicateEngine>,
    parts: Option<Box<SplitPredicate>>,
    pub(super) failures: Failures,
    memory: ResultCache<Result<Match, &'static str>>,
}

enum PredicateEngine {
    Native(Native),
    Program(Program),
}

/// `first and rest`. If the first doesn't hold, the whole doesn't; if it holds by its only value, the whole is as the rest is.
struct SplitPredicate {
    first: Predicate,
    rest: Predicate,
}

/// Whether an expression holds, and whether that is known to be by its only value.
#[derive(Debug, Clone, Copy)]
struct Match {
    held: bool,
    alone: bool,
}

impl Predicate {
    /// Compiles a parsed expression, for the fast path if it will do.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, Val)]) -> Result<Self> {
        Self::with_budget(StepBudget::BATCH, parsed, variables)
    }

    /// The same, where an event may take no more than that.
    pub fn with_budget(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, Val)],
    ) -> Result<Self> {
        // Compiled in any case: what jq refuses is refused.
        let program = Program::compile(parsed, variables)?.with_budget(budget);
        let (engine, parts) = match Native::compile(&parsed.term, variables) {
            Some(native) => (PredicateEngine::Native(native), None),
            None => (PredicateEngine::Program(program), Self::parts(budget, parsed, variables)?),
        };
        Ok(Self::of(parsed.option.to_owned(), Arc::new(engine), parts, Failures::new()))
    }

    /// Takes a part off that is for the fast path, or else one that is known by the fields that it reads.
    fn parts(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, Val)],
    ) -> Result<Option<Box<SplitPredicate>>> {
        let is_native = |term: &Term<&str>| Native::compile(term, variables).is_some();
        let Some((first, rest)) = split(&parsed.term, &is_native) else { return Ok(None) };
        let part = |term: &Term<_>| {
            Self::with_budget(budget, &ParsedProgram { term: term.clone(), ..*parsed }, variables)
        };
        let first = part(first)?;
        let is_quick = !matches!(&*first.engine, PredicateEngine::Program(program) if !program.is_known_by_fields());
        Ok(if is_quick {
            Some(Box::new(SplitPredicate { first, rest: part(&rest)? }))
        } else {
            None
        })
    }

    fn of(
        option: String,
        engine: Arc<PredicateEngine>,
        parts: Option<Box<SplitPredicate>>,
        failures: Failures,
    ) -> Self {
        Self { option, engine, parts, failures, memory: ResultCache::new() }
    }

    /// The same for another thread. It tells nothing.
    pub(super) fn fork(&self) -> Self {
        let parts = self.parts.as_ref().map(|parts| {
            Box::new(SplitPredicate { first: parts.first.fork(), rest: parts.rest.fork() })
        });
        Self::of(self.option.clone(), Arc::clone(&self.engine), parts, self.failures.fork())
    }

    /// Whether it holds: one of its values is neither false nor null. Where it fails it doesn't, which is told once.
    pub fn holds(&mut self, context: &EventContext<'_>) -> Result<bool> {
        match self.ask(context) {
            Ok(said) => Ok(said.held),
            Err(ProgramError::Failed(reason)) => {
                self.failures.record(|| {
                    let event_type = context.event.event_type();
                    let option = &self.option;
                    format!("{option} fails on {event_type}: {reason}; such events don't count as matching (told once)")
                });
                Ok(false)
            }
            Err(ProgramError::BudgetExceeded) => Err(budget_exceeded(&self.option)),
        }
    }

    fn ask(&mut self, context: &EventContext<'_>) -> Result<Match, ProgramError> {
        if let Some(parts) = &mut self.parts {
            match parts.first.ask(context) {
                Ok(Match { held: true, alone: true }) => return parts.rest.ask(context),
                Ok(Match { held: true, .. }) | Err(_) => {}
                Ok(said) => return Ok(said),
            }
        }
        let Self { engine, memory, .. } = self;
        let said = |(held, alone)| Match { held, alone };
        match &**engine {
            PredicateEngine::Native(native) => match native.holds(context.event) {
                Ok(held) => Ok(said((held, held))),
                Err(native::EvalError) => {
                    Err(ProgramError::Failed("a value is of a type that it can't use"))
                }
            },
            PredicateEngine::Program(program) => match program.looks_at(context.event) {
                None => program.holds(context).map(|held| said((held, false))),
                Some(fields) => {
                    let remembered =
                        memory.get_or_compute(fields, || match program.holds_alone(context) {
                            Ok(known) => Ok(Ok(said(known))),
                            Err(ProgramError::Failed(reason)) => Ok(Err(reason)),
                            Err(ProgramError::BudgetExceeded) => Err(ProgramError::BudgetExceeded),
                        });
                    remembered.and_then(|said| said.map_err(ProgramError::Failed))
                }
            },
        }
    }

    /// On how many events it has failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures.count()
    }
}

/// The longest `a` of `a and b` that is for the fast path, or else the shortest, and the `b`.
fn split<'t, 's>(
    term: &'t Term<&'s str>,
    is_native: &dyn Fn(&Term<&'s str>) -> bool,
) -> Option<(&'t Term<&'s str>, Term<&'s str>)> {
    let Term::BinOp(left, BinaryOp::And, right) = term else { return None };
    if is_native(left) {
        return Some((left, (**right).clone()));
    }
    Some(match split(left, is_native) {
        Some((first, rest)) => (first, Term::BinOp(Box::new(rest), BinaryOp::And, right.clone())),
        None => (left, (**right).clone()),
    })
}

/// The error for a program that was stopped.
#[must_use]
pub fn budget_exceeded(option: &str) -> Error {
    Error::new(
        Exit::Usage,
        format!("stopped {option}"),
        "on one event it took more steps or space than any should",
        "look for a loop without an end in it",
    )
}
