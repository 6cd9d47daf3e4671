//! Runs jq programs within a budget.
//!
//! jaq has no limits of its own, so the compiled program contains calls of a native filter that
//! takes a step ([`super::steps`] inserts them), and values and native filters pay for what they
//! do. When the budget is used up, the step raises an exception that no `try` catches.

use jaq_core::data::{DataT, HasLut};
use jaq_core::native::v;
use jaq_core::{Cv, Exn, Lut, Native};

use crate::query::value::JqValue;
use crate::query::value::budget;

/// The stack size of a thread that runs programs, in bytes.
pub const THREAD_STACK: usize = 128 << 20;

/// The name of the native filter that takes a step.
pub(super) const STEP: &str = "evtap_tick";

/// How much work a program may do on one event.
#[derive(Debug, Clone, Copy)]
pub struct StepBudget {
    steps: u32,
}

impl StepBudget {
    /// The budget for a command that a user waits for.
    pub const BATCH: Self = Self { steps: 250_000 };

    /// The budget for the live screen, small enough to go unnoticed while a user types.
    pub const INTERACTIVE: Self = Self { steps: 20_000 };

    /// Returns the number of steps.
    #[must_use]
    pub const fn steps(self) -> u32 {
        self.steps
    }
}

/// The jaq data type of evtap's programs.
pub(super) struct JqEngine;

/// An input with the context in which a filter runs.
pub(super) type Input<'a> = Cv<'a, JqEngine>;

/// A filter that is written in Rust.
pub(super) type NativeFilter = jaq_core::native::Fun<JqEngine>;

/// The compiled program, which filters can access.
#[derive(Clone)]
pub(super) struct RunState<'a>(pub &'a Lut<JqEngine>);

impl DataT for JqEngine {
    type V<'a> = JqValue;
    type Data<'a> = RunState<'a>;
}

impl<'a> HasLut<'a, JqEngine> for RunState<'a> {
    fn lut(&self) -> &'a Lut<JqEngine> {
        self.0
    }
}

/// Takes a step. Fails with an exception that nothing catches if a limit is reached.
pub(super) fn step<'e>() -> Result<(), Exn<'e, JqValue>> {
    if budget::step() { Ok(()) } else { Err(Exn::halt(0)) }
}

/// Returns the native filter [`STEP`], which takes a step and passes its input on.
pub(super) fn step_filter() -> NativeFilter {
    let native = Native::<JqEngine>::new(|cv| Box::new(std::iter::once(step().map(|()| cv.1))))
        .with_paths(|cv| Box::new(std::iter::once(step().map(|()| cv.1))))
        .with_update(|cv, update| match step() {
            Ok(()) => update(cv.1),
            Err(stop) => Box::new(std::iter::once(Err(stop))),
        });
    (STEP, v(0), native)
}
