//! The rules as a stage of the pipeline.

use std::sync::{Arc, PoisonError};

use serde_json::value::RawValue;

use super::attention::{AttentionChange, AttentionListener, SharedAttention};
use super::engine::RuleEngine;
use super::matcher::RuleMatcher;
use super::observation::Observations;
use crate::model::Origin;
use crate::output::status;
use crate::query::{EventContext, Failures};
use crate::text::units::counted;
use crate::transport::{ConnectionEvent, ConnectionState, Coverage, CoverageState};

/// Finds the rules that events concern, and applies them.
pub struct AlertStage {
    matcher: RuleMatcher,
    engine: RuleEngine,
    observations: Observations,
    is_only: bool,
    attention: Option<SharedAttention>,
    listener: Option<AttentionListener>,
}

impl AlertStage {
    /// Creates a stage. `is_only` says that no other events than alerts are shown.
    #[must_use]
    pub fn new(matcher: RuleMatcher, engine: RuleEngine, is_only: bool) -> Self {
        let observations = Observations::default();
        Self { matcher, engine, observations, is_only, attention: None, listener: None }
    }

    /// Returns whether no other events than alerts are shown.
    #[must_use]
    pub const fn is_only(&self) -> bool {
        self.is_only
    }

    /// Returns the names of the rules.
    #[must_use]
    pub fn rule_names(&self) -> Vec<Arc<str>> {
        self.engine.rule_names()
    }

    /// Sets the list to which the stage passes what needs attention at the end of the input.
    pub fn share_attention(&mut self, attention: SharedAttention) {
        self.attention = Some(attention);
    }

    /// Sets what receives each change of what needs attention.
    pub fn set_listener(&mut self, listener: AttentionListener) {
        self.listener = Some(listener);
    }

    /// Returns whether the alerts of a rule are events.
    #[must_use]
    pub fn reports_events(&self) -> bool {
        self.engine.reports_events()
    }

    /// Returns a matcher for another thread.
    #[must_use]
    pub fn fork(&self) -> RuleMatcher {
        self.matcher.fork()
    }

    /// Applies the rules to an event.
    pub fn event(&mut self, context: &EventContext<'_>) {
        self.matcher.observe(context, &mut self.observations);
        self.engine.apply(&mut self.observations);
    }

    /// Applies the rules to what a matcher on another thread has observed.
    pub fn merge(&mut self, observations: &mut Observations) {
        self.engine.apply(observations);
    }

    /// Notes what of a live stream has arrived.
    pub fn coverage(&mut self, coverage: &Coverage) {
        let origin = &coverage.origin;
        let until = match coverage.state {
            CoverageState::From(_) | CoverageState::Resumed(_) => None,
            CoverageState::Until(until) => until.map(jiff::Timestamp::as_millisecond),
        };
        self.engine.covered(origin.workspace_id.as_deref(), origin.call_sid.as_deref(), until);
    }

    /// Notes a change of a live connection.
    pub fn connection(&mut self, event: &ConnectionEvent) {
        let for_good = match event.state {
            ConnectionState::Connected => return,
            ConnectionState::Reconnecting { .. } => false,
            ConnectionState::NotObserved { .. } | ConnectionState::Ended { .. } => true,
        };
        let origin = &event.origin;
        self.engine.closed(origin.workspace_id.as_deref(), origin.call_sid.as_deref(), for_good);
    }

    /// Returns the state of the rules for the next run.
    #[must_use]
    pub fn save(&self) -> Option<Box<RawValue>> {
        if self.reports_events() { self.engine.save() } else { None }
    }

    /// Goes on with the state of an earlier run.
    pub fn restore(&mut self, saved: &RawValue) {
        match self.engine.restore(saved) {
            Some(changed) if changed.is_empty() => {}
            Some(changed) => status::warn(&format!(
                "these rules have changed since the last run and begin anew: {}",
                changed.join(", ")
            )),
            None => {
                status::warn("the state of the rules in the cursor is unknown; they begin anew");
            }
        }
        if let Some(listener) = &mut self.listener {
            let items = self.engine.attention();
            for item in items {
                listener(AttentionChange::Begins(item));
            }
        }
    }

    /// Handles the end of the input. `goes_on` says that the next run continues.
    pub fn finish(&mut self, goes_on: bool) {
        self.engine.finish(goes_on);
        if let Some(attention) = &self.attention {
            *attention.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.attention();
        }
        if !self.reports_events() {
            return;
        }
        let reasons = [
            (
                self.engine.without_key(),
                "without a key of at most 256 bytes; `per` must name a field that they have",
            ),
            (self.engine.without_time(), "without a time; rules need the `_tap` of a recording"),
            (self.engine.beyond_limit(), "of further workspaces; use several processes"),
        ];
        for (count, reason) in reasons.into_iter().filter(|(count, _)| *count > 0) {
            let events = counted(count, "event");
            status::warn(&format!("no rule was applied to {events} {reason}"));
        }
    }

    /// Takes the next alert that is an event, in order: writes its line, and returns its origin. The
    /// listener gets all alerts.
    pub fn next_alert(&mut self, line: &mut String) -> Option<Arc<Origin>> {
        loop {
            let alert = self.engine.next_alert()?;
            if let Some((listener, change)) =
                self.listener.as_mut().zip(AttentionChange::of(&alert))
            {
                listener(change);
            }
            if alert.is_reported {
                alert.write(line);
                return Some(alert.origin);
            }
        }
    }

    /// Returns the failure counters of the expressions, in order.
    pub fn failures_each(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.matcher.failures_each()
    }
}
