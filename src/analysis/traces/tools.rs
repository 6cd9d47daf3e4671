//! The tool calls of a call.

use std::collections::HashMap;

use super::open_fields::OpenFields;
use super::span::TraceTime;

/// How many tool calls may contain each other. Deeper ones belong to the turn.
const MAX_DEPTH: usize = 64;

/// A tool call.
#[derive(Default)]
pub struct TracedTool {
    /// The id of the tool call; `None` in events of earlier versions.
    pub id: Option<String>,
    /// The id of the tool call that made this one.
    pub parent: Option<String>,
    /// The name of the tool.
    pub name: Option<String>,
    /// The protocol.
    pub protocol: Option<String>,
    /// The integration that the tool belongs to.
    pub integration: Option<String>,
    /// The endpoint that the tool calls.
    pub endpoint: Option<String>,
    /// The index of the turn in which it was called.
    pub turn: Option<usize>,
    /// The time at which it was called.
    pub started: Option<TraceTime>,
    /// The time at which it answered.
    pub completed: Option<TraceTime>,
    /// The duration that the platform reports, in milliseconds.
    pub duration: Option<f64>,
    /// Whether it failed.
    pub has_failed: bool,
}

impl TracedTool {
    /// Reads what both the start and the completion of a tool call contain.
    pub fn new(fields: &OpenFields<'_, '_>, turn: Option<usize>) -> Self {
        Self {
            id: fields.text("call_id"),
            parent: fields.text("parent_call_id"),
            name: fields.text("tool_name"),
            protocol: fields.text("protocol"),
            integration: fields.text("integration_name"),
            endpoint: fields.text("endpoint_name"),
            turn,
            ..Self::default()
        }
    }

    /// Returns whether the completion with this id or, without one, this name may be its own.
    fn is_answered_by(&self, answer: &Self) -> bool {
        self.completed.is_none()
            && match &answer.id {
                Some(id) => self.id.as_ref() == Some(id),
                None => self.name == answer.name,
            }
    }

    /// Returns the approximate memory use, in bytes.
    pub fn bytes(&self) -> usize {
        let texts =
            [&self.id, &self.parent, &self.name, &self.protocol, &self.integration, &self.endpoint];
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        // A span of it has about the same size, and is built while this still exists.
        2 * (size_of::<Self>() + texts.into_iter().map(length).sum::<usize>())
    }
}

/// Completes the last open tool call that an answer fits. Returns the answer if there is none.
pub fn complete(tools: &mut [TracedTool], answer: TracedTool) -> Option<TracedTool> {
    let Some(tool) = tools.iter_mut().rev().find(|tool| tool.is_answered_by(&answer)) else {
        return Some(answer);
    };
    (tool.completed, tool.duration) = (answer.completed, answer.duration);
    tool.has_failed = answer.has_failed;
    None
}

/// Returns the index of the tool call that contains each tool call. Tool calls that contain each
/// other have none.
pub fn parents(tools: &[TracedTool]) -> Vec<Option<usize>> {
    let mut places = HashMap::new();
    for (at, tool) in tools.iter().enumerate() {
        if let Some(id) = &tool.id {
            places.entry(id.as_str()).or_insert(at);
        }
    }
    let named: Vec<_> =
        tools.iter().map(|tool| places.get(tool.parent.as_deref()?).copied()).collect();
    let is_reachable = |at: usize| {
        let chain = std::iter::successors(Some(at), |at| named[*at]);
        chain.take(MAX_DEPTH + 1).count() <= MAX_DEPTH
    };
    named.iter().enumerate().map(|(at, parent)| parent.filter(|_| is_reachable(at))).collect()
}

/// Returns a name for the place of each tool call, which no other one has.
pub fn places(tools: &[TracedTool]) -> Vec<String> {
    let mut counts = HashMap::new();
    let name = |tool: &TracedTool| {
        let id = tool.id.as_ref().map(|id| format!("id/{id}"));
        id.unwrap_or_else(|| format!("name/{}", tool.name.as_deref().unwrap_or_default()))
    };
    let mut place = |tool: &TracedTool| {
        let name = name(tool);
        let count: &mut u32 = counts.entry(name.clone()).or_default();
        *count += 1;
        format!("tool/{count}/{name}")
    };
    tools.iter().map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(id: &str, parent: Option<&str>) -> TracedTool {
        let (id, parent) = (Some(id.to_owned()), parent.map(ToOwned::to_owned));
        TracedTool { id, parent, ..TracedTool::default() }
    }

    #[test]
    fn tools_are_below_the_tool_that_contains_them_whatever_the_order() {
        let tools = [tool("b", Some("a")), tool("a", None), tool("c", Some("b")), tool("b", None)];
        assert_eq!(parents(&tools), [Some(1), None, Some(0), None]);
        assert_eq!(parents(&[tool("a", Some("lost"))]), [None]);
    }

    #[test]
    fn tools_that_contain_each_other_have_no_parent() {
        let tools = [tool("a", Some("b")), tool("b", Some("a")), tool("c", Some("c"))];
        assert_eq!(parents(&tools), [None, None, None]);
        let id = |number: usize| number.to_string();
        let chain: Vec<_> = (0..1000)
            .map(|number: usize| tool(&id(number), number.checked_sub(1).map(id).as_deref()))
            .collect();
        let parents = parents(&chain);
        assert_eq!((parents[1], parents[MAX_DEPTH - 1]), (Some(0), Some(MAX_DEPTH - 2)));
        assert_eq!((parents[MAX_DEPTH], parents[999]), (None, None));
    }

    #[test]
    fn places_are_distinct() {
        let nameless = || TracedTool::default();
        let tools = [tool("a", None), tool("a", None), nameless(), nameless(), tool("", None)];
        let mut places = places(&tools);
        places.sort();
        places.dedup();
        assert_eq!(places.len(), tools.len());
    }
}
