//! A walk through an object by somebody who knows which keys to expect: they are compared, and only values are scanned. It is
//! the same scan, so what it steps over is valid, and what it doesn't know it doesn't step over.

use super::{HIGHS, Scan, Span};
use crate::event::JsonType;

/// The bytes of a key that are compared at once.
const HEAD: usize = 16;

/// A key with what stands around it where no white space is: `,"key":`.
#[derive(Debug)]
pub struct Key {
    text: Box<[u8]>,
    /// Its first bytes, and which of them count.
    head: u128,
    mask: u128,
}

impl Key {
    /// The key of that name, which needs no escapes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let text = format!(",\"{name}\":").into_bytes();
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for (at, byte) in text.iter().take(HEAD).enumerate() {
            (head[at], mask[at]) = (*byte, u8::MAX);
        }
        Self { text: text.into(), head: u128::from_le_bytes(head), mask: u128::from_le_bytes(mask) }
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        match bytes.first_chunk::<HEAD>() {
            Some(head) if u128::from_le_bytes(*head) & self.mask != self.head => false,
            Some(_) if self.text.len() <= HEAD => true,
            _ => bytes.starts_with(&self.text),
        }
    }
}

/// A value that was stepped over.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// Where it stands.
    pub span: Span,
    /// Its type.
    pub json: JsonType,
    /// There is white space in it, outside its strings.
    pub spaced: bool,
    /// There may be something beyond ASCII in it.
    pub high: bool,
}

/// A place in an object.
pub struct Cursor<'a> {
    scan: Scan<'a>,
}

impl<'a> Cursor<'a> {
    /// At that byte. The text is below 4 GiB.
    #[must_use]
    pub const fn new(text: &'a str, at: usize) -> Self {
        Self { scan: Scan { bytes: text.as_bytes(), at, spaced: false, high: 0 } }
    }

    /// Steps over that key, if it is here, and says where it stands between its quotes.
    pub fn key(&mut self, key: &Key) -> Option<Span> {
        let start = self.scan.at;
        key.begins(self.scan.bytes.get(start..)?).then(|| {
            self.scan.at += key.text.len();
            Scan::span(start + 2, self.scan.at - 2)
        })
    }

    /// Steps over a value; `None` if it is none.
    pub fn value(&mut self) -> Option<Value> {
        let scan = &mut self.scan;
        (scan.spaced, scan.high) = (false, 0);
        let start = scan.at;
        let json = JsonType::of(scan.peek().ok()?);
        scan.value(1).ok()?;
        Some(Value { span: Scan::span(start, scan.at), json, spaced: scan.spaced, high: scan.high & HIGHS != 0 })
    }

    /// Whether the object ends here, and the text with it.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.scan.bytes.get(self.scan.at..).is_some_and(|rest| rest == b"}")
    }
}
