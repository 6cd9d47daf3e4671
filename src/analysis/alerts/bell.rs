//! The bell of the terminal, which rings when an alert is raised.

use super::table::NoTally;
use crate::model::Kind;
use crate::output::{Observer, ObserverTally, OutputError, status};
use crate::query::EventContext;

/// An observer that rings the bell when an alert is raised.
///
/// It rings once for all alerts that are handled at the same time.
#[derive(Debug, Default)]
pub struct AlertBell {
    is_due: bool,
}

impl Observer for AlertBell {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let event = context.event;
        self.is_due |= event.kind() == Some(Kind::TapAlert)
            && event.field("state").is_some_and(|state| state.json == "\"raised\"");
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if std::mem::take(&mut self.is_due) {
            status::ring();
        }
        Ok(())
    }

    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        Some(Box::new(NoTally))
    }
}
