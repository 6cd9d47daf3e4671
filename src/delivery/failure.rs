//! What destinations share that deliver over the network: when they give up, and how they report it.

use std::time::Duration;

use crate::error::{Error, Exit};
use crate::output::OutputError;
use crate::output::status::DestinationCounts;
use crate::transport::shutdown::ShutdownFlag;

/// The upper bound of the first delay between two attempts.
pub(super) const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The time that is left to deliver events after the run was asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Why delivering ended, and what the user can do.
#[derive(Debug, Clone)]
pub(super) struct DeliveryFailure {
    why: String,
    /// `None` if another run may succeed.
    advice: Option<&'static str>,
}

impl DeliveryFailure {
    /// Creates a failure after which another run may succeed.
    pub fn temporary(why: impl Into<String>) -> Self {
        Self { why: why.into(), advice: None }
    }

    /// Creates a failure after which another run fails too, unless something is changed.
    pub fn permanent(why: impl Into<String>, advice: &'static str) -> Self {
        Self { why: why.into(), advice: Some(advice) }
    }

    /// Waits until the run was asked to stop and has no time left to deliver events.
    pub async fn of_stop(stop: &ShutdownFlag) -> Self {
        stop.wait().await;
        tokio::time::sleep(STOP_GRACE).await;
        Self::temporary("the run ended before all events were acknowledged")
    }

    /// Creates the error of a destination that cannot deliver, with `left` events undelivered. `verb`
    /// is what it does with them.
    pub fn into_error(self, verb: &str, counts: &DestinationCounts, left: usize) -> OutputError {
        let DestinationCounts { name, verb: done, delivered, .. } = counts;
        let events =
            if left == 1 { "event that was shown is" } else { "events that were shown are" };
        let why = format!("{}; {delivered} {done}, {left} {events} not", self.why);
        let advice = self.advice.map_or_else(
            || {
                format!(
                    "check the {name} and start again; with --cursor the run resumes where it stopped"
                )
            },
            str::to_owned,
        );
        Error::new(Exit::Failure, format!("cannot {verb} the events"), why, advice).into()
    }
}
