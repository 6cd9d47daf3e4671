//! jq expressions as conditions.
//!
//! A predicate runs on the native evaluator if that supports the expression. Otherwise it runs a jq
//! program, with two optimisations that do not change the result: the first part of `a and b` is
//! tried alone if it is cheap, and results are cached by the fields that the program reads.

use std::sync::Arc;

use jaq_core::load::parse::{BinaryOp, Term};

use super::context::EventContext;
use super::failures::Failures;
use super::field_access::FieldAccess;
use super::native::{self, Native};
use super::program::{ParsedProgram, Program, ProgramError, StepBudget};
use super::result_cache::ResultCache;
use super::value::JqValue;
use crate::error::Result;

/// A jq expression that holds for an event or not.
pub struct Predicate {
    option: String,
    engine: Arc<PredicateEngine>,
    /// It depends on nothing but the type of an event.
    depends_on_type_only: bool,
    split: Option<Box<SplitPredicate>>,
    failures: Failures,
    cache: ResultCache<Result<Match, ProgramError>>,
}

enum PredicateEngine {
    Native(Native),
    Program(Program),
}

/// The expression `first and rest`.
///
/// If `first` does not hold, the whole does not. If it holds with its only value, the whole gives
/// what `rest` gives. In all other cases the whole expression must be run.
struct SplitPredicate {
    first: Predicate,
    rest: Predicate,
}

/// The result of an expression.
#[derive(Debug, Clone, Copy)]
struct Match {
    holds: bool,
    /// It holds, and its value is known to be the only one.
    is_single: bool,
}

impl Predicate {
    /// Compiles a parsed expression with the budget of a command.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, JqValue)]) -> Result<Self> {
        Self::with_budget(StepBudget::BATCH, parsed, variables)
    }

    /// Compiles a parsed expression that may do at most `budget` of work on one event.
    pub fn with_budget(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, JqValue)],
    ) -> Result<Self> {
        // Compiled in any case, so that an expression that jq rejects is rejected.
        let program = Program::compile(parsed, variables)?.with_budget(budget);
        let (engine, split) = match Native::compile(&parsed.term, variables) {
            Some(native) => (PredicateEngine::Native(native), None),
            None => (PredicateEngine::Program(program), Self::split(budget, parsed, variables)?),
        };
        let predicate =
            Self::from_engine(parsed.option.to_owned(), Arc::new(engine), split, Failures::new());
        let FieldAccess { fields, gives_event } = FieldAccess::from_term(&parsed.term);
        let is_type = |name: &String| name == "event_type";
        let depends_on_type_only =
            !gives_event && fields.is_some_and(|fields| fields.iter().all(is_type));
        Ok(Self { depends_on_type_only, ..predicate })
    }

    /// Splits `first and rest` if the first part is cheap: native, or cached by its fields.
    fn split(
        budget: StepBudget,
        parsed: &ParsedProgram<'_>,
        variables: &[(String, JqValue)],
    ) -> Result<Option<Box<SplitPredicate>>> {
        let is_native = |term: &Term<&str>| Native::compile(term, variables).is_some();
        let Some((first, rest)) = split_and(&parsed.term, &is_native) else { return Ok(None) };
        let compile_part = |term: &Term<_>| {
            Self::with_budget(budget, &ParsedProgram { term: term.clone(), ..*parsed }, variables)
        };
        let first = compile_part(first)?;
        let is_cheap = match &*first.engine {
            PredicateEngine::Native(_) => true,
            PredicateEngine::Program(program) => program.depends_on_fields_only(),
        };
        Ok(if is_cheap {
            Some(Box::new(SplitPredicate { first, rest: compile_part(&rest)? }))
        } else {
            None
        })
    }

    fn from_engine(
        option: String,
        engine: Arc<PredicateEngine>,
        split: Option<Box<SplitPredicate>>,
        failures: Failures,
    ) -> Self {
        let (depends_on_type_only, cache) = (false, ResultCache::new());
        Self { option, engine, depends_on_type_only, split, failures, cache }
    }

    /// Creates a copy for another thread, which counts failures but does not report them.
    #[must_use]
    pub fn fork(&self) -> Self {
        let split = self.split.as_ref().map(|split| {
            Box::new(SplitPredicate { first: split.first.fork(), rest: split.rest.fork() })
        });
        let predicate = Self::from_engine(
            self.option.clone(),
            Arc::clone(&self.engine),
            split,
            self.failures.fork(),
        );
        Self { depends_on_type_only: self.depends_on_type_only, ..predicate }
    }

    /// Returns whether it holds for all events of a type or for none.
    #[must_use]
    pub const fn depends_on_type_only(&self) -> bool {
        self.depends_on_type_only
    }

    /// Returns whether the expression holds: whether one of its values is neither false nor null.
    ///
    /// It does not hold where it fails or exceeds its budget; the first failure is reported.
    pub fn holds(&mut self, context: &EventContext<'_>) -> bool {
        match self.evaluate(context) {
            Ok(result) => result.holds,
            Err(error) => {
                self.failures.record(|| {
                    let event_type = context.event.event_type();
                    let option = &self.option;
                    let reason = error.reason();
                    format!("{option} fails on {event_type}: {reason}; such events do not match (reported once)")
                });
                false
            }
        }
    }

    fn evaluate(&mut self, context: &EventContext<'_>) -> Result<Match, ProgramError> {
        if let Some(split) = &mut self.split {
            match split.first.evaluate(context) {
                Ok(Match { holds: true, is_single: true }) => return split.rest.evaluate(context),
                Ok(Match { holds: true, .. }) | Err(_) => {}
                Ok(result) => return Ok(result),
            }
        }
        let Self { engine, cache, .. } = self;
        let result = |(holds, is_single)| Match { holds, is_single };
        match &**engine {
            PredicateEngine::Native(native) => match native.holds(context.event) {
                Ok(holds) => Ok(result((holds, holds))),
                Err(native::EvalError) => Err(ProgramError::Failed("a value has the wrong type")),
            },
            PredicateEngine::Program(program) => match program.field_values(context.event) {
                None => program.holds(context).map(|holds| result((holds, false))),
                Some(fields) => {
                    cache.get_or_compute(fields, || program.holds_alone(context).map(result))
                }
            },
        }
    }

    /// Keeps the message about the first failure for [`Self::take_failure_message`] instead of
    /// writing it to stderr.
    #[must_use]
    pub fn keeping_failure_message(mut self) -> Self {
        self.failures.keep_message();
        self
    }

    /// Returns the message about the first failure, once.
    pub const fn take_failure_message(&mut self) -> Option<String> {
        self.failures.take_message()
    }

    /// Returns whether the expression ends within its budget on an event without fields.
    #[must_use]
    pub fn ends(&self) -> bool {
        match &*self.engine {
            PredicateEngine::Native(_) => true,
            PredicateEngine::Program(program) => program.ends(),
        }
    }

    /// Returns the counter of the events on which the expression failed.
    pub const fn failures_mut(&mut self) -> &mut Failures {
        &mut self.failures
    }

    /// Returns the number of events on which the expression failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures.count()
    }
}

/// Splits `a and b`, with the longest `a` that the native evaluator supports, or else the shortest.
fn split_and<'t, 's>(
    term: &'t Term<&'s str>,
    is_native: &dyn Fn(&Term<&'s str>) -> bool,
) -> Option<(&'t Term<&'s str>, Term<&'s str>)> {
    let Term::BinOp(left, BinaryOp::And, right) = term else { return None };
    if is_native(left) {
        return Some((left, (**right).clone()));
    }
    Some(match split_and(left, is_native) {
        Some((first, rest)) => (first, Term::BinOp(Box::new(rest), BinaryOp::And, right.clone())),
        None => (left, (**right).clone()),
    })
}
