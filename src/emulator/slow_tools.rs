//! Tools that take longer on request, to test how that is noticed.

use std::collections::VecDeque;

use serde_json::Value;

use super::faults::Fault;
use super::stories::StoryStep;
use crate::model::Kind;

/// The tools that take longer, and how many times as long.
#[derive(Debug, Clone, Default)]
pub struct SlowTools(Vec<(String, u32)>);

impl SlowTools {
    /// Takes the slow tools from a list of faults.
    pub fn take_from(faults: &mut VecDeque<Fault>) -> Self {
        let mut slow = Vec::new();
        faults.retain(|fault| match fault {
            Fault::Slow(tool, factor) => {
                slow.push((tool.clone(), *factor));
                false
            }
            _ => true,
        });
        Self(slow)
    }

    /// Makes the tool of a step slow if it is one of them: in what the event says, not in time.
    pub fn slow_down(&self, step: &mut StoryStep) {
        if step.kind != Kind::ToolCallCompleted {
            return;
        }
        let name = step.payload["tool_name"].as_str();
        let slow = self.0.iter().find(|(tool, _)| Some(&**tool) == name);
        if let (Some((_, factor)), Some(took)) = (slow, step.payload["duration_ms"].as_f64()) {
            step.payload["duration_ms"] = Value::from(took * f64::from(*factor));
        }
    }
}
