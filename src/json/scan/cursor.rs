//! A walk through an object by somebody who knows which keys to expect: they are compared, and only values are scanned. It is
//! the same scan, so what it steps over is valid, and what it doesn't know it doesn't step over.

use super::{STRIDE, Scan, Span, plain};
use crate::json::JsonType;

/// The bytes of a key that are compared at once.
const HEAD: usize = 16;

/// A key with its quotes and the colon, where no white space is: `"key":`.
#[derive(Debug)]
pub struct KeyToken {
    text: Box<[u8]>,
    /// Its first bytes, and which of them count.
    head: u128,
    mask: u128,
    /// Its last bytes, and where they begin, if it is longer.
    tail: Option<(usize, u128)>,
}

impl KeyToken {
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
        Self {
            text: text.into(),
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            tail,
        }
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it is a handful of instructions, once for each field"
    )]
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
pub struct ScannedValue {
    /// Where it stands.
    pub span: Span,
    /// Its type.
    pub json: JsonType,
    /// What there is in it.
    pub traits: ValueTraits,
    /// The types of what is inside of it, at any depth, a bit each.
    pub inside: u8,
}

/// What there is in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueTraits(u8);

impl ValueTraits {
    /// Nothing of these.
    const NONE: Self = Self(0);
    /// White space outside its strings.
    pub const SPACED: Self = Self(1);
    /// Something beyond ASCII.
    pub const HIGH: Self = Self(2);
    /// A number with a fraction or an exponent.
    pub const FRACTION: Self = Self(4);

    /// Whether that is in it.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn and(self, other: Self, is_there: bool) -> Self {
        if is_there { Self(self.0 | other.0) } else { self }
    }
}

/// A place in an object.
#[derive(Clone, Copy)]
pub struct JsonCursor<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

#[expect(
    clippy::inline_always,
    reason = "measured: the walk over known events takes a tenth longer without"
)]
impl<'a> JsonCursor<'a> {
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
        if self.bytes.get(self.at) != Some(&byte) {
            return false;
        }
        self.at += 1;
        true
    }

    /// Steps over that key, if it is here.
    #[inline(always)]
    pub fn key(&mut self, key: &KeyToken) -> bool {
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
    pub fn value(&mut self) -> Option<ScannedValue> {
        let start = self.at;
        if self.bytes.get(start) == Some(&b'"') {
            let (quote, high) = plain(self.bytes, start + 1, 0);
            if self.bytes.get(quote) == Some(&b'"') {
                self.at = quote + 1;
                let traits = ValueTraits::NONE.and(ValueTraits::HIGH, high != 0);
                return Some(ScannedValue {
                    span: Scan::span(start, self.at),
                    json: JsonType::String,
                    traits,
                    inside: 0,
                });
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
            Some([b'}', rest @ ..]) => {
                rest.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r'))
            }
            _ => false,
        }
    }
}

/// The value at `start`, whatever it is.
#[inline(never)]
fn any(bytes: &[u8], start: usize) -> Option<ScannedValue> {
    let json = JsonType::from_first_byte(*bytes.get(start)?);
    let mut scan = Scan::at(bytes, start);
    scan.value(1).ok()?;
    let Scan { at, spaced, high, fraction, inside, .. } = scan;
    let traits = ValueTraits::NONE
        .and(ValueTraits::SPACED, spaced)
        .and(ValueTraits::HIGH, high != 0)
        .and(ValueTraits::FRACTION, fraction);
    Some(ScannedValue { span: Scan::span(start, at), json, traits, inside })
}
