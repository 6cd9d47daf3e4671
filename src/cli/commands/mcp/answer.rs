//! Results of tools, whose size is bounded.

use std::collections::VecDeque;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::text::terminal;

/// The maximum size of the items of one result, in bytes.
pub const PAGE_BYTES: usize = 64 << 10;

/// The items of a result as JSON texts: at most a number of them, and at most [`PAGE_BYTES`].
pub struct ResultPage {
    items: VecDeque<String>,
    bytes: usize,
    limit: usize,
}

impl ResultPage {
    /// Creates an empty page that takes at most `limit` items.
    pub const fn new(limit: usize) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limit }
    }

    /// Adds an item. Returns false if there is no room for it.
    ///
    /// An item that fits on no page is replaced by what `stand_in` returns for its size.
    pub fn push(&mut self, item: String, stand_in: impl FnOnce(usize) -> Value) -> bool {
        let item = fitting(item, stand_in);
        if self.is_full() || self.bytes + item.len() > PAGE_BYTES {
            return false;
        }
        self.bytes += item.len();
        self.items.push_back(item);
        true
    }

    /// Adds an item, like [`push`](Self::push), but removes the first ones to make room for it.
    pub fn push_last(&mut self, item: String, stand_in: impl FnOnce(usize) -> Value) {
        let item = fitting(item, stand_in);
        self.bytes += item.len();
        self.items.push_back(item);
        while self.items.len() > self.limit || self.bytes > PAGE_BYTES {
            let Some(first) = self.items.pop_front() else { break };
            self.bytes -= first.len();
        }
    }

    /// Returns whether the page has as many items as it may have.
    pub fn is_full(&self) -> bool {
        self.items.len() >= self.limit
    }
}

fn fitting(item: String, stand_in: impl FnOnce(usize) -> Value) -> String {
    if item.len() > PAGE_BYTES { stand_in(item.len()).to_string() } else { item }
}

/// Creates the result of a tool: items under a name, and the members that follow them.
///
/// The text has the items as they are. The structured content has them as values, whose numbers may
/// be less precise.
pub fn listing(name: &str, page: &ResultPage, members: &Map<String, Value>) -> CallToolResult {
    let rest = object_text(members);
    let items: Vec<_> = page.items.iter().map(String::as_str).collect();
    let separator = if members.is_empty() { "" } else { "," };
    let text = format!("{{\"{name}\":[{}]{separator}{}", items.join(","), &rest[1..]);
    let values = items
        .iter()
        // What this parser does not accept, such as half of a surrogate pair, stays a text.
        .map(|item| serde_json::from_str(item).unwrap_or_else(|_| Value::from(*item)))
        .collect();
    let mut object = Map::from_iter([(name.to_owned(), Value::Array(values))]);
    object.extend(members.clone());
    result(text, object)
}

/// Creates the result of a tool that has no items.
pub fn object(members: Map<String, Value>) -> CallToolResult {
    result(object_text(&members), members)
}

/// Creates the result of a call that failed.
pub fn failure(error: &Error) -> CallToolResult {
    let mut text = error.to_string();
    if let Some(detail) = error.detail() {
        text.push('\n');
        text.push_str(detail);
    }
    CallToolResult::error(vec![ContentBlock::text(for_agents(&text))])
}

/// Says what an agent can do where a message says what a user of the command line can do.
pub fn for_agents(text: &str) -> String {
    text.replace("`evtap schema", "`schema").replace("--reveal", "a user's --reveal")
}

fn result(text: String, object: Map<String, Value>) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(Value::Object(object));
    result
}

/// Writes an object as text, with hostile characters as escapes.
fn object_text(members: &Map<String, Value>) -> String {
    let json = serde_json::to_string(members).unwrap_or_else(|_| "{}".to_owned());
    let mut text = String::with_capacity(json.len());
    terminal::push_json(&json, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_bounded_in_bytes_and_in_items() {
        let item = format!("\"{}\"", "x".repeat(1000));
        let mut page = ResultPage::new(1_000_000);
        while page.push(item.clone(), |_| unreachable!("it fits")) {}
        assert!(page.bytes <= PAGE_BYTES && page.bytes > PAGE_BYTES - 1100);
        let mut page = ResultPage::new(2);
        assert!(page.push("1".to_owned(), |_| Value::Null));
        assert!(page.push("2".to_owned(), |_| Value::Null));
        assert!(!page.push("3".to_owned(), |_| Value::Null) && page.is_full());
    }

    #[test]
    fn an_item_that_fits_nowhere_is_replaced() {
        let mut page = ResultPage::new(5);
        assert!(page.push("9".repeat(PAGE_BYTES + 1), |bytes| json!({"bytes": bytes})));
        assert_eq!(page.items[0], format!("{{\"bytes\":{}}}", PAGE_BYTES + 1));
    }

    #[test]
    fn the_last_items_stay() {
        let mut page = ResultPage::new(3);
        for number in 0..10 {
            page.push_last(number.to_string(), |_| Value::Null);
        }
        assert_eq!(page.items, ["7", "8", "9"]);
        page.push_last("x".repeat(PAGE_BYTES), |_| Value::Null);
        assert_eq!((page.items.len(), page.bytes), (1, PAGE_BYTES));
    }

    #[test]
    fn the_text_keeps_the_digits_and_what_no_value_can_hold() {
        let mut page = ResultPage::new(5);
        for item in ["{\"a\":1.10}", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}"] {
            assert!(page.push(item.to_owned(), |_| Value::Null));
        }
        let members = Map::from_iter([("complete".to_owned(), json!(true))]);
        let result = listing("events", &page, &members);
        let json = serde_json::to_value(&result).expect("JSON");
        let text = json["content"][0]["text"].as_str().expect("a text");
        assert_eq!(
            text,
            "{\"events\":[{\"a\":1.10},{\"a\":\"\\ud800\"},{\"a\":1e999}],\"complete\":true}"
        );
        let structured = &json["structuredContent"];
        assert_eq!(structured["events"][0], json!({"a": 1.1}));
        assert_eq!(structured["events"][1], json!("{\"a\":\"\\ud800\"}"));
        assert_eq!(structured["complete"], json!(true));
    }
}
