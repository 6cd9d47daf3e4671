//! The strings of jq programs.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::budget::{self, HeldBytes};

/// A string.
#[derive(Debug, Clone)]
pub struct JqText(Arc<TextBlock>);

#[derive(Debug)]
struct TextBlock {
    text: String,
    held: HeldBytes,
}

impl JqText {
    /// Creates a string.
    #[must_use]
    pub fn new(text: String) -> Self {
        let held = HeldBytes::new(size_of::<TextBlock>() + text.capacity());
        if !budget::pay(text.len() as u64) {
            return Self(Arc::new(TextBlock { text: String::new(), held: HeldBytes::default() }));
        }
        Self(Arc::new(TextBlock { text, held }))
    }

    /// Appends a text, in place if nothing else shares the string.
    pub fn append(&mut self, more: &str) {
        if !budget::pay(more.len() as u64) || !budget::has_room(more.len()) {
            return;
        }
        if let Some(block) = Arc::get_mut(&mut self.0) {
            if block.text.capacity() - block.text.len() < more.len() {
                let grown = (block.text.len() + more.len()).max(block.text.len() * 3 / 2);
                if !budget::has_room(grown) {
                    return;
                }
                block.text.reserve_exact(grown - block.text.len());
                block.held.set(size_of::<TextBlock>() + block.text.capacity());
            }
            block.text.push_str(more);
        } else if budget::has_room(self.len() + more.len()) {
            *self = Self::new([self, more].concat());
        }
    }
}

impl Deref for JqText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl Borrow<str> for JqText {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for JqText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for JqText {}

impl Hash for JqText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<&str> for JqText {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}
