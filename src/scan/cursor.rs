//! A walk through an object by somebody who knows which keys to expect: they are compared, and only values are scanned. It is
//! the same scan, so what it steps over is valid, and what it doesn't know it doesn't step over.

use super::{STRIDE, Scan, Span, plain};
use crate::event::JsonType;

/// The bytes of a key that are compared at once.
const HEAD: usize = 16;

/// A key with its quotes and the colon, where no white space is: `"key":`.
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
        let text = format!("\"{name}\":").into_bytes();
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        for (at, byte) in text.iter().take(HEAD).enumerate() {
            (head[at], mask[at]) = (*byte, u8::MAX);
        }
        let tail = text.last_chunk::<HEAD>().filter(|_| text.len() > HEAD);
        let tail = tail.map(|tail| (text.len() - HEAD, u128::from_le_bytes(*tail)));
        Self { text: text.into(), head: u128::from_le_bytes(head), mask: u128::from_le_bytes(mask), tail }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it is a handful of instructions, once for each field")]
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
    /// There is something beyond ASCII in it.
    pub high: bool,
    /// There is a number with a fraction or an exponent in it.
    pub fraction: bool,
    /// The types of what is inside of it, at any depth, a bit each.
    pub inside: u8,
}

/// A place in an object.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

#[expect(clippy::inline_always, reason = "measured: the walk over known events takes a tenth longer without")]
impl<'a> Cursor<'a> {
    /// At byte `at` of an object that ends before `end`; what comes then is not of it, but spares a look at where it ends. The
    /// text is below 4 GiB.
    #[must_use]
    pub fn new(text: &'a str, at: usize, end: usize) -> Self {
        let bytes = text.as_bytes();
        Self { bytes: &bytes[..bytes.len().min(end + STRIDE)], at, end }
    }

    /// Steps over that byte, if it is here.
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) -> bool {
        let is_here = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_here);
        is_here
    }

    /// Steps over that key, if it is here.
    #[inline(always)]
    pub fn key(&mut self, key: &Key) -> bool {
        let is_here = self.bytes.get(self.at..).is_some_and(|rest| key.begins(rest));
        if is_here {
            self.at += key.text.len();
        }
        is_here
    }

    /// Steps over the rest of a string without escapes and its quote, and says where the quote is.
    #[inline(always)]
    pub fn plain(&mut self) -> Option<usize> {
        let (quote, _) = plain(self.bytes, self.at, 0);
        self.at = quote;
        self.byte(b'"').then_some(quote)
    }

    /// Steps over a value; `None` if it is none.
    #[inline(always)]
    pub fn value(&mut self) -> Option<Value> {
        let start = self.at;
        if self.byte(b'"') {
            let (quote, high) = plain(self.bytes, self.at, 0);
            self.at = quote;
            if self.byte(b'"') {
                let (span, json) = (Scan::span(start, self.at), JsonType::String);
                return Some(Value { span, json, spaced: false, high: high != 0, fraction: false, inside: 0 });
            }
        }
        let value = any(self.bytes, start)?;
        self.at = value.span.end();
        Some(value)
    }

    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.at
    }

    /// Whether the object ends here, with nothing but white space behind it.
    #[inline(always)]
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self.bytes.get(self.at..self.end) {
            Some(b"}") => true,
            Some([b'}', rest @ ..]) => rest.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')),
            _ => false,
        }
    }
}

/// The value at `start`, whatever it is.
#[inline(never)]
fn any(bytes: &[u8], start: usize) -> Option<Value> {
    let json = JsonType::of(*bytes.get(start)?);
    let mut scan = Scan::at(bytes, start);
    scan.value(1).ok()?;
    let Scan { at, spaced, high, fraction, inside, .. } = scan;
    Some(Value { span: Scan::span(start, at), json, spaced, high: high != 0, fraction, inside })
}
