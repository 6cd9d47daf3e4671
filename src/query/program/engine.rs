//! Runs jq programs within a budget of steps, stack and value size.
//!
//! jaq has no limits of its own, so the compiled program contains calls of a native filter that
//! takes a step ([`super::steps`] inserts them). When the budget is used up, the filter raises an
//! exception that no `try` catches.

use std::cell::Cell;

use jaq_core::data::{DataT, HasLut};
use jaq_core::{Bind, Exn, Lut, Native};
use jaq_json::Val;

/// The stack that one event may use, in bytes. The thread that runs programs must have more.
const MAX_STACK: usize = 12 << 20;

/// The largest string that a program may produce, in bytes. An array may have a sixteenth as many
/// items.
const MAX_VALUE: usize = 64 << 20;

/// The stack size of a thread that runs programs, in bytes.
pub const THREAD_STACK: usize = 128 << 20;

/// The name of the native filter that takes a step.
pub(super) const STEP: &str = "evtap_tick";

/// How much work a program may do on one event.
#[derive(Debug, Clone, Copy)]
pub struct StepBudget {
    /// The number of steps.
    pub(super) steps: u32,
    /// The number of bytes in the current value that cost one more step.
    bytes_per_step: usize,
}

impl StepBudget {
    /// The budget for a command that a user waits for.
    pub const BATCH: Self = Self { steps: 250_000, bytes_per_step: usize::MAX };

    /// The budget for the live screen, small enough to go unnoticed while a user types.
    pub const INTERACTIVE: Self = Self { steps: 20_000, bytes_per_step: 1024 };

    /// Returns the cost of a step on `value`.
    fn cost(self, value: &Val) -> u32 {
        let bytes = match value {
            Val::TStr(text) | Val::BStr(text) => text.len(),
            Val::Arr(items) => items.len() * size_of::<Val>(),
            Val::Obj(members) => members.len() * 4 * size_of::<Val>(),
            _ => 0,
        };
        u32::try_from(bytes / self.bytes_per_step).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// The jaq data type of evtap's programs.
pub(super) struct JqEngine;

/// The state of one run, which native filters can access.
#[derive(Clone)]
pub(super) struct RunState<'a> {
    lut: &'a Lut<JqEngine>,
    steps_left: &'a Cell<u32>,
    budget: StepBudget,
    /// The stack pointer at the start of the run.
    stack_start: usize,
}

impl DataT for JqEngine {
    type V<'a> = Val;
    type Data<'a> = RunState<'a>;
}

impl<'a> HasLut<'a, JqEngine> for RunState<'a> {
    fn lut(&self) -> &'a Lut<JqEngine> {
        self.lut
    }
}

impl<'a> RunState<'a> {
    pub(super) fn new(
        lut: &'a Lut<JqEngine>,
        steps_left: &'a Cell<u32>,
        budget: StepBudget,
    ) -> Self {
        Self { lut, steps_left, budget, stack_start: stack_pointer() }
    }

    /// Takes a step on `value`. Fails with an exception that nothing catches if a limit is reached.
    fn step<'e>(&self, value: &Val) -> Result<(), Exn<'e, Val>> {
        let left = self.steps_left.get();
        self.steps_left.set(left.saturating_sub(self.budget.cost(value)));
        let is_too_large = match value {
            Val::TStr(text) | Val::BStr(text) => text.len() > MAX_VALUE,
            Val::Arr(items) => items.len() > MAX_VALUE / 16,
            _ => false,
        };
        if left == 0 || is_too_large || self.stack_start.abs_diff(stack_pointer()) > MAX_STACK {
            self.steps_left.set(0);
            return Err(Exn::halt(0));
        }
        Ok(())
    }
}

/// Returns the approximate stack pointer.
#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Returns the native filter [`STEP`], which takes a step and passes its input on.
pub(super) fn step_filter() -> (&'static str, Box<[Bind]>, Native<JqEngine>) {
    let native = Native::<JqEngine>::new(|cv| {
        Box::new(std::iter::once(cv.0.data().step(&cv.1).map(|()| cv.1)))
    })
    .with_paths(|cv| Box::new(std::iter::once(cv.0.data().step(&cv.1.0).map(|()| cv.1))))
    .with_update(|cv, update| match cv.0.data().step(&cv.1) {
        Ok(()) => update(cv.1),
        Err(stop) => Box::new(std::iter::once(Err(stop))),
    });
    (STEP, Box::new([]), native)
}
