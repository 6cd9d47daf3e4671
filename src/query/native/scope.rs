//! What an evaluation works on, and what it costs.

use super::expr::EvalError;
use crate::query::value::budget;
use crate::redact::RedactedEvent;

/// The event that an expression is evaluated on.
pub(super) struct Scope<'e, 'a> {
    pub event: &'e RedactedEvent<'a>,
    /// The cost of evaluating the whole program once, in bytes.
    cost: u64,
}

impl<'e, 'a> Scope<'e, 'a> {
    /// Creates a scope in which one evaluation of the program costs `cost` bytes.
    pub(super) const fn new(event: &'e RedactedEvent<'a>, cost: u64) -> Self {
        Self { event, cost }
    }

    /// Pays for one evaluation of the program, or of a part of it.
    pub(super) fn pay(&self) -> Result<(), EvalError> {
        self.pay_bytes(self.cost)
    }

    /// Pays for reading or writing bytes.
    #[expect(clippy::unused_self, reason = "the budget belongs to the scope's evaluation")]
    pub(super) fn pay_bytes(&self, bytes: u64) -> Result<(), EvalError> {
        if budget::pay(bytes) { Ok(()) } else { Err(EvalError) }
    }
}
