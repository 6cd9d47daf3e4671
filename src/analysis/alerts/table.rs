//! The table of `evtap alert --test`: what the rules would have reported.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use super::attention::SharedAttention;
use crate::model::Kind;
use crate::model::catalog::TapAlert;
use crate::model::catalog::value::AlertState;
use crate::output::{Observer, ObserverTally, Out, OutputError};
use crate::query::EventContext;
use crate::text::terminal;
use crate::text::units::counted;

/// The maximum number of alerts that are listed as not resolved.
const MAX_OPEN: usize = 100;

/// The number of changes of a rule to each state.
#[derive(Debug, Default)]
struct StateCounts {
    raised: u64,
    resolved: u64,
    unknown: u64,
    pending: u64,
}

/// An observer that writes a line for each alert and the counts of each rule at the end.
pub struct AlertTable {
    out: Out,
    rules: Vec<Arc<str>>,
    counts: BTreeMap<String, StateCounts>,
    has_begun: bool,
    attention: SharedAttention,
}

impl AlertTable {
    /// Creates a table of the alerts of these rules, and of what is in `attention` at the end.
    #[must_use]
    pub fn new(out: Out, rules: Vec<Arc<str>>, attention: SharedAttention) -> Self {
        Self { out, rules, counts: BTreeMap::new(), has_begun: false, attention }
    }

    /// Writes the alerts that were not resolved.
    fn write_attention(&mut self) -> io::Result<()> {
        let items =
            std::mem::take(&mut *self.attention.lock().unwrap_or_else(PoisonError::into_inner));
        let more = items.len().saturating_sub(MAX_OPEN);
        for (number, item) in items.iter().take(MAX_OPEN).enumerate() {
            if number == 0 {
                writeln!(self.out, "\nNOT RESOLVED")?;
            }
            let state = if item.is_raised { "raised" } else { "unknown" };
            let since = Timestamp::from_millisecond(item.since).unwrap_or_default();
            let (rule, key) = (&item.rule, terminal::visible(&item.key));
            let (subject, count) = (item.subject.name(), item.count);
            let workspace = item.workspace.as_deref().unwrap_or_default();
            let workspace = terminal::visible(workspace);
            let about = if key.is_empty() { workspace } else { key };
            writeln!(
                self.out,
                "{since:.3}  {state:8}  {rule:20}  {subject} {about}, {}",
                counted(count, "event")
            )?;
        }
        if more > 0 {
            writeln!(self.out, "and {more} more")?;
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        writeln!(self.out, "{:24}  {:8}  {:20}  {:34}  WHY", "TIME", "STATE", "RULE", "KEY")
    }
}

impl Observer for AlertTable {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let event = context.event;
        let Some(alert) = event.read::<TapAlert>().filter(|_| event.kind() == Some(Kind::TapAlert))
        else {
            return Ok(());
        };
        self.begin()?;
        let text =
            |text: Option<&String>| terminal::visible(text.map_or("", String::as_str)).into_owned();
        let (rule, key) = (text(alert.rule.value()), text(alert.key.value()));
        let state = alert.state.value();
        let mut why =
            alert.reason.value().map_or_else(String::new, |reason| reason.as_str().to_owned());
        // Writing to a string cannot fail.
        if let Some(since) = alert.since.value() {
            let _ = write!(why, " since {}", terminal::visible(&since.0));
        }
        if let Some(count) = alert.count.value().filter(|count| **count != 1) {
            let _ = write!(why, ", {count} events");
        }
        if let Some(value) = alert.value.value() {
            let _ = write!(why, ", value {value}");
        }
        let time = event.tap().time.as_deref().unwrap_or_default();
        let state_name = state.map_or("", AlertState::as_str);
        writeln!(self.out, "{time:24}  {state_name:8}  {rule:20}  {key:34}  {why}")?;
        let counts = self.counts.entry(rule).or_default();
        match state {
            Some(AlertState::Raised) => counts.raised += 1,
            Some(AlertState::Resolved) => counts.resolved += 1,
            Some(AlertState::Unknown) => counts.unknown += 1,
            Some(AlertState::Pending) => counts.pending += 1,
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.has_begun {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{:24}  RAISED  RESOLVED  UNKNOWN  PENDING", "RULE")?;
        for rule in &self.rules {
            let none = StateCounts::default();
            let StateCounts { raised, resolved, unknown, pending } =
                self.counts.get(&**rule).unwrap_or(&none);
            writeln!(
                self.out,
                "{rule:24}  {raised:>6}  {resolved:>8}  {unknown:>7}  {pending:>7}"
            )?;
        }
        self.write_attention()?;
        self.out.flush()
    }

    /// Alerts come from the merged observations alone.
    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        Some(Box::new(NoTally))
    }
}

/// The part of an observer of alerts on a worker thread, which sees none.
pub(super) struct NoTally;

impl ObserverTally for NoTally {
    fn event(&mut self, _context: &EventContext<'_>) {}

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        None
    }
}
