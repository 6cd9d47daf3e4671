//! Limits the work, the memory and the stack of one evaluation of a program.
//!
//! jaq calls the operators of values without a context, so the state of the current evaluation is
//! local to the thread. Nothing is limited outside an evaluation, such as while constants are built.
//!
//! When a limit is reached, the evaluation is *exhausted*: everything that can fail fails, what
//! cannot fail gives a value that is cut off, and the result of the evaluation is discarded.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of bytes that are read or written for the cost of one step.
const BYTES_PER_STEP: u64 = 512;

/// The memory that the values of one evaluation may hold, in bytes.
pub const MAX_HELD: usize = 48 << 20;

/// The memory that the values of an evaluation may hold while others run, in bytes. Of the
/// evaluations that need more, one runs at a time.
const MAX_HELD_SMALL: usize = 2 << 20;

/// The stack that one evaluation may use, in bytes. The thread must have more.
const MAX_STACK: usize = 12 << 20;

/// The deepest nesting of a value. jq prints and reads 10,000 levels.
pub const MAX_DEPTH: u32 = 10_100;

static LARGE: Mutex<()> = Mutex::new(());

/// The state of the evaluation that runs on a thread.
struct Meter {
    /// The rest of the budget, in bytes.
    left: Cell<u64>,
    is_exhausted: Cell<bool>,
    is_running: Cell<bool>,
    /// The bytes that the values of this thread hold. Values that are dropped on another thread
    /// make it inexact, so only its change during an evaluation counts.
    held: Cell<isize>,
    /// When `held` exceeds this, [`Meter::grow`] decides.
    held_limit: Cell<isize>,
    held_at_start: Cell<isize>,
    stack_start: Cell<usize>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            left: Cell::new(u64::MAX),
            is_exhausted: Cell::new(false),
            is_running: Cell::new(false),
            held: Cell::new(0),
            held_limit: Cell::new(isize::MAX),
            held_at_start: Cell::new(0),
            stack_start: Cell::new(0),
        }
    };
    static LARGE_PERMIT: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

impl Meter {
    #[cold]
    fn exhaust(&self) {
        if self.is_running.get() {
            self.is_exhausted.set(true);
            self.left.set(0);
        }
    }

    fn take(&self, cost: u64) -> bool {
        if !self.is_running.get() {
            return true;
        }
        let left = self.left.get();
        if left > cost {
            self.left.set(left - cost);
            return true;
        }
        self.exhaust();
        false
    }

    #[cold]
    fn grow(&self) {
        if !self.is_running.get() {
            return;
        }
        let held = self.held.get() - self.held_at_start.get();
        if held > MAX_HELD.cast_signed() {
            self.exhaust();
            return;
        }
        LARGE_PERMIT.with_borrow_mut(|permit| {
            permit.get_or_insert_with(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
        });
        self.held_limit.set(self.held_at_start.get() + MAX_HELD.cast_signed());
    }
}

/// Starts and ends an evaluation.
pub struct Evaluation(());

impl Evaluation {
    /// Starts an evaluation on this thread that may take `steps` steps.
    #[must_use]
    pub fn start(steps: u32) -> Self {
        METER.with(|meter| {
            debug_assert!(!meter.is_running.get(), "evaluations are not nested");
            meter.is_running.set(true);
            meter.is_exhausted.set(false);
            meter.left.set(u64::from(steps) * BYTES_PER_STEP);
            meter.held_at_start.set(meter.held.get());
            meter.held_limit.set(meter.held.get() + MAX_HELD_SMALL.cast_signed());
            meter.stack_start.set(stack_pointer());
        });
        Self(())
    }

    /// Returns whether a limit was reached.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        is_exhausted()
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.is_running.set(false);
            meter.is_exhausted.set(false);
            meter.held_limit.set(isize::MAX);
        });
        LARGE_PERMIT.take();
    }
}

/// Returns whether the current evaluation has reached a limit.
#[must_use]
pub fn is_exhausted() -> bool {
    METER.with(|meter| meter.is_exhausted.get())
}

/// Ends the current evaluation, because a value would exceed a limit.
pub fn exhaust() {
    METER.with(Meter::exhaust);
}

/// Takes a step. Returns whether the evaluation may go on.
#[must_use]
pub fn step() -> bool {
    METER.with(|meter| {
        let stack = meter.stack_start.get().abs_diff(stack_pointer());
        if stack > MAX_STACK && meter.is_running.get() {
            meter.exhaust();
        }
        meter.take(BYTES_PER_STEP)
    })
}

/// Pays for reading or writing bytes. Returns whether the evaluation may go on.
#[must_use]
pub fn pay(bytes: u64) -> bool {
    METER.with(|meter| meter.take(bytes))
}

/// Returns whether the current evaluation may hold `bytes` more. Call this before an allocation
/// whose size an event controls.
#[must_use]
pub fn has_room(bytes: usize) -> bool {
    METER.with(|meter| {
        if !meter.is_running.get() {
            return true;
        }
        let held = meter.held.get() - meter.held_at_start.get();
        let has_room = isize::try_from(bytes)
            .is_ok_and(|bytes| held.saturating_add(bytes) <= MAX_HELD.cast_signed());
        if !has_room {
            meter.exhaust();
        }
        has_room && !meter.is_exhausted.get()
    })
}

/// Counts memory while it exists.
#[derive(Debug, Default)]
pub struct HeldBytes(usize);

impl HeldBytes {
    /// Counts `bytes` until the value is dropped.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let mut held = Self(0);
        held.set(bytes);
        held
    }

    /// Returns whether this counts `bytes`.
    #[must_use]
    pub const fn is(&self, bytes: usize) -> bool {
        self.0 == bytes
    }

    /// Changes the number of bytes.
    pub fn set(&mut self, bytes: usize) {
        METER.with(|meter| {
            let held = meter.held.get() + bytes.cast_signed() - self.0.cast_signed();
            meter.held.set(held);
            if held > meter.held_limit.get() {
                meter.grow();
            }
        });
        self.0 = bytes;
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        METER.with(|meter| meter.held.set(meter.held.get() - self.0.cast_signed()));
    }
}

/// Returns the approximate stack pointer.
#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
