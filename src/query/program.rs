//! jq programs: parsed, compiled once, and run on one value at a time.
//!
//! A program sees its input and nothing else: no environment, no other inputs, no files, no
//! modules, no clock, and no way to print or to end the process (file `builtins`). A program that
//! would not end is stopped (files `engine` and `steps`). An error never quotes a value (file
//! `errors`).

mod assignment;
mod builtins;
mod desugar;
mod engine;
mod errors;
mod grammar;
mod natives;
mod parse;
mod steps;

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars};

use super::context::EventContext;
use super::field_access::FieldAccess;
use super::value::budget::Evaluation;
use super::value::{self, JqObject, JqText, JqValue};
use crate::error::Result;
use crate::redact::RedactedEvent;
use desugar::desugar_def;
use engine::{JqEngine, RunState};
pub use engine::{StepBudget, THREAD_STACK};
pub use errors::ProgramError;
use errors::{failure_reason, rejected, undefined};
pub use natives::{UnaryFilter, is_valid_pattern, search_pattern, unary_filter};
pub use parse::{ParsedProgram, locate, parse, underline};
use steps::with_steps;

/// The name of the definition that holds the program.
const MAIN: &str = "evtap_main";

/// A compiled program.
pub struct Program {
    filter: Filter<JqEngine>,
    variables: Vec<JqValue>,
    /// The fields that the program reads, each with its name as a jq value; `None` if it may read
    /// any field.
    fields: Option<Vec<JqText>>,
    /// An output may be the whole event.
    gives_event: bool,
    budget: StepBudget,
}

impl Program {
    /// Compiles a parsed program that may use `variables`.
    ///
    /// # Errors
    ///
    /// Returns a usage error if the program uses an undefined filter or variable.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, JqValue)]) -> Result<Self> {
        let main = Def { name: MAIN, args: Vec::new(), body: parsed.term.clone() };
        let definitions = builtins::definitions()
            .map(with_steps)
            .map(shorten_lifetime)
            .chain(std::iter::once(with_steps(desugar_def(main))));
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { path: (), code: MAIN })
            .map_err(|_| rejected(parsed))?;
        let names: Vec<String> = variables.iter().map(|(name, _)| format!("${name}")).collect();
        let filter = Compiler::default()
            .with_funs(builtins::native_filters())
            .with_global_vars(names.iter().map(String::as_str))
            .compile(modules)
            .map_err(|errors| {
                let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
                first.map_or_else(
                    || rejected(parsed),
                    |(name, kind)| undefined(parsed, name, kind.as_str()),
                )
            })?;
        let access = FieldAccess::from_term(&parsed.term);
        Ok(Self {
            filter,
            variables: variables.iter().map(|(_, value)| value.clone()).collect(),
            fields: access
                .fields
                .map(|names| names.iter().map(|name| name.as_str().into()).collect()),
            gives_event: access.gives_event,
            budget: StepBudget::BATCH,
        })
    }

    /// Sets how much work the program may do on one event.
    #[must_use]
    pub fn with_budget(self, budget: StepBudget) -> Self {
        Self { budget, ..self }
    }

    /// Returns the input for a run whose outputs are only tested for truth: the fields that the
    /// program reads, or the whole event if they are not known.
    #[must_use]
    pub fn condition_input(&self, context: &EventContext<'_>) -> JqValue {
        self.fields
            .as_ref()
            .map_or_else(|| context.value(), |fields| value::fields(context.event, fields))
    }

    /// Returns the input for a run whose outputs are used: the fields that the program reads, or the
    /// whole event if an output may be that.
    #[must_use]
    pub fn output_input(&self, context: &EventContext<'_>) -> JqValue {
        if self.gives_event { context.value() } else { self.condition_input(context) }
    }

    /// Runs the program on an event and passes each output to `take` until `take` returns false.
    pub fn run_on_event(
        &self,
        context: &EventContext<'_>,
        take: impl FnMut(JqValue) -> bool,
    ) -> Result<(), ProgramError> {
        self.evaluate(|| self.output_input(context), take)
    }

    /// Returns whether the outputs depend only on known fields, none of which is `_tap`.
    #[must_use]
    pub fn depends_on_fields_only(&self) -> bool {
        self.fields.as_ref().is_some_and(|fields| fields.iter().all(|name| **name != *"_tap"))
    }

    /// Returns the JSON of each field that the outputs depend on, `None` for an absent field.
    /// Returns `None` if they may depend on anything else.
    #[must_use]
    pub fn field_values<'s>(
        &self,
        event: &'s RedactedEvent<'_>,
    ) -> Option<impl Iterator<Item = Option<&'s str>>> {
        let fields = self.fields.as_ref().filter(|_| self.depends_on_fields_only())?;
        Some(fields.iter().map(|name| match event.field(name) {
            Some(field) => Some(field.json),
            None if **name == *"event_type" => Some(event.event_type()),
            None => None,
        }))
    }

    /// Returns what [`field_values`](Self::field_values) does, unless an output may be the whole
    /// event.
    #[must_use]
    pub fn output_fields<'s>(
        &self,
        event: &'s RedactedEvent<'_>,
    ) -> Option<impl Iterator<Item = Option<&'s str>>> {
        if self.gives_event { None } else { self.field_values(event) }
    }

    /// Returns whether an output is neither false nor null.
    pub fn holds(&self, context: &EventContext<'_>) -> Result<bool, ProgramError> {
        let mut is_true = false;
        self.evaluate(
            || self.condition_input(context),
            |value| {
                is_true = value.is_true();
                !is_true
            },
        )?;
        Ok(is_true)
    }

    /// Returns whether an output is neither false nor null, and whether that output is the only
    /// one.
    pub fn holds_alone(&self, context: &EventContext<'_>) -> Result<(bool, bool), ProgramError> {
        let (mut is_true, mut count) = (false, 0);
        let outcome = self.evaluate(
            || self.condition_input(context),
            |value| {
                count += 1;
                if is_true {
                    return false;
                }
                is_true = value.is_true();
                !is_true || count == 1
            },
        );
        match outcome {
            // `holds` would have stopped before the error.
            Err(_) if is_true => Ok((true, false)),
            outcome => outcome.map(|()| (is_true, is_true && count == 1)),
        }
    }

    /// Runs the program on a value and passes each output to `take` until `take` returns false.
    pub fn run(
        &self,
        input: JqValue,
        take: impl FnMut(JqValue) -> bool,
    ) -> Result<(), ProgramError> {
        self.evaluate(|| input, take)
    }

    /// Returns whether the program ends within its budget on an event without fields. One that does
    /// not has an endless loop.
    #[must_use]
    pub fn ends(&self) -> bool {
        let try_out = || {
            let event = JqValue::Object(JqObject::default());
            self.run(event, |_| true) != Err(ProgramError::BudgetExceeded)
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(THREAD_STACK);
            let run = thread.spawn_scoped(scope, try_out).ok();
            run.and_then(|run| run.join().ok()).unwrap_or(true)
        })
    }

    /// Runs the program within its budget, which also covers the input.
    fn evaluate(
        &self,
        input: impl FnOnce() -> JqValue,
        mut take: impl FnMut(JqValue) -> bool,
    ) -> Result<(), ProgramError> {
        let evaluation = Evaluation::start(self.budget.steps());
        let input = input();
        let state = RunState(&self.filter.lut);
        let context = Ctx::<JqEngine>::new(state, Vars::new(self.variables.iter().cloned()));
        for output in self.filter.id.run((context, input)) {
            // An output that was made with an exhausted budget may be cut off.
            if evaluation.is_exhausted() {
                break;
            }
            match output {
                Ok(value) => {
                    if !take(value) {
                        break;
                    }
                }
                Err(exception) => {
                    return Err(exception
                        .get_err()
                        .map_or(ProgramError::BudgetExceeded, |error| {
                            ProgramError::Failed(failure_reason(&error.into_val()))
                        }));
                }
            }
        }
        if evaluation.is_exhausted() { Err(ProgramError::BudgetExceeded) } else { Ok(()) }
    }
}

/// Converts a definition with static text to the lifetime of the program's text.
const fn shorten_lifetime<'s>(
    def: Def<&'static str, jaq_core::load::parse::Term<&'static str>>,
) -> Def<&'s str, jaq_core::load::parse::Term<&'s str>> {
    def
}

#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod tests;
