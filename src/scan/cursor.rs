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
    /// Its last bytes, and where they begin, if it is longer.
    tail: Option<(usize, u128)>,
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
        let tail = text.last_chunk::<HEAD>().filter(|_| text.len() > HEAD);
        let tail = tail.map(|tail| (text.len() - HEAD, u128::from_le_bytes(*tail)));
        Self { text: text.into(), head: u128::from_le_bytes(head), mask: u128::from_le_bytes(mask), tail }
    }

    #[inline]
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(head) = bytes.first_chunk::<HEAD>() else { return bytes.starts_with(&self.text) };
        if u128::from_le_bytes(*head) & self.mask != self.head {
            return false;
        }
        let Some((at, tail)) = self.tail else { return true };
        let rest = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEAD>);
        rest.is_some_and(|rest| u128::from_le_bytes(*rest) == tail)
            && (self.text.len() <= 2 * HEAD || bytes.starts_with(&self.text))
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
    /// There is a number with a fraction or an exponent in it.
    pub fraction: bool,
}

/// A place in an object.
pub struct Cursor<'a> {
    scan: Scan<'a>,
}

impl<'a> Cursor<'a> {
    /// At that byte. The text is below 4 GiB.
    #[must_use]
    pub const fn new(text: &'a str, at: usize) -> Self {
        Self { scan: Scan::at(text.as_bytes(), at) }
    }

    /// Steps over that key, if it is here, and says where it stands between its quotes.
    #[inline]
    pub fn key(&mut self, key: &Key) -> Option<Span> {
        let start = self.scan.at;
        key.begins(self.scan.bytes.get(start..)?).then(|| {
            self.scan.at += key.text.len();
            Scan::span(start + 2, self.scan.at - 2)
        })
    }

    /// Steps over a value; `None` if it is none.
    #[inline]
    pub fn value(&mut self) -> Option<Value> {
        let scan = &mut self.scan;
        (scan.spaced, scan.high, scan.fraction) = (false, 0, false);
        let start = scan.at;
        let json = JsonType::of(scan.peek().ok()?);
        if json == JsonType::String {
            scan.at += 1;
            scan.string().ok()?;
        } else {
            scan.value(1).ok()?;
        }
        let Scan { at, spaced, high, fraction, .. } = *scan;
        Some(Value { span: Scan::span(start, at), json, spaced, high: high & HIGHS != 0, fraction })
    }

    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.scan.at
    }

    /// Whether the object ends here, and the text with it.
    #[inline]
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.scan.bytes.get(self.scan.at..).is_some_and(|rest| rest == b"}")
    }
}
