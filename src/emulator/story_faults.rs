//! What goes wrong in the clinic on request, rather than on a connection: events that do not happen,
//! and tools that do not answer.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::faults::Fault;
use super::stories::StoryStep;
use crate::model::Kind;

/// The time that a tool takes that does not answer, in milliseconds.
const TIMEOUT: f64 = 10_000.0;

/// The faults of the clinic.
#[derive(Debug, Clone, Default)]
pub struct StoryFaults {
    /// The types of which the first events are absent, and how many of each.
    first_absent: Vec<(Kind, usize)>,
    /// The types of which only the first events happen, and how many of each.
    last: Vec<(Kind, usize)>,
    /// The tools that do not answer in time.
    timed_out: Vec<&'static str>,
}

impl StoryFaults {
    /// Takes the faults of the clinic from a list of faults.
    pub fn take_from(faults: &mut VecDeque<Fault>) -> Self {
        let mut taken = Self::default();
        faults.retain(|fault| match fault {
            Fault::Absent(kind, count) => {
                taken.first_absent.push((*kind, *count));
                false
            }
            Fault::Last(kind, count) => {
                taken.last.push((*kind, *count));
                false
            }
            Fault::Timeout(tool) => {
                taken.timed_out.push(tool);
                false
            }
            _ => true,
        });
        taken
    }

    /// Returns whether the next event of this type is absent.
    pub fn take(&mut self, kind: Kind) -> bool {
        let next =
            self.first_absent.iter_mut().find(|(absent, count)| *absent == kind && *count > 0);
        let mut is_absent = next.is_some();
        if let Some((_, count)) = next {
            *count -= 1;
        }
        for (_, left) in self.last.iter_mut().filter(|(last, _)| *last == kind) {
            is_absent |= *left == 0;
            *left = left.saturating_sub(1);
        }
        is_absent
    }

    /// Changes an event of a call so that it reports a tool that has not answered in time.
    pub fn time_out(&self, step: &mut StoryStep) {
        let tool = step.payload.get("tool_name").and_then(Value::as_str);
        let is_meant = tool.is_some_and(|tool| self.timed_out.contains(&tool));
        if is_meant && step.kind == Kind::ToolCallCompleted {
            step.payload["succeeded"] = json!(false);
            step.payload["output"] = Value::Null;
            step.payload["duration_ms"] = json!(TIMEOUT);
            step.payload["error_message"] = json!("timeout after 10 s");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn faults(texts: &[&str]) -> StoryFaults {
        let faults = texts.iter().map(|fault| fault.parse().expect("a fault"));
        let mut faults = faults.collect::<VecDeque<_>>();
        let taken = StoryFaults::take_from(&mut faults);
        assert!(faults.iter().all(|fault| *fault == Fault::Cut(1)), "{faults:?}");
        taken
    }

    #[test]
    fn the_first_events_of_a_type_are_absent() {
        let mut absent = faults(&["cut=1", "absent=call.ended:2"]);
        let mut take = |kind| absent.take(kind);
        assert!(!take(Kind::CallStarted) && take(Kind::CallEnded) && take(Kind::CallEnded));
        assert!(!take(Kind::CallEnded));
    }

    #[test]
    fn only_the_first_events_of_a_type_happen() {
        let mut absent = faults(&["last=call.ended:2", "last=call.started:1"]);
        let seen: Vec<_> = (0..4).map(|_| !absent.take(Kind::CallEnded)).collect();
        assert_eq!(seen, [true, true, false, false]);
        assert!(!absent.take(Kind::CallStarted) && absent.take(Kind::CallStarted));
        assert!(!absent.take(Kind::CallEscalated));
    }

    #[test]
    fn a_tool_does_not_answer_in_time() {
        let faults = faults(&["timeout=book_slot"]);
        let step = |tool: &str| {
            let payload = json!({"tool_name": tool, "succeeded": true, "output": "{}"});
            let mut step = StoryStep {
                at: Duration::ZERO,
                kind: Kind::ToolCallCompleted,
                payload,
                call: None,
            };
            faults.time_out(&mut step);
            step.payload
        };
        assert_eq!(step("find_slots")["succeeded"], true);
        let failed = step("book_slot");
        assert_eq!((&failed["succeeded"], &failed["output"]), (&json!(false), &Value::Null));
    }
}
