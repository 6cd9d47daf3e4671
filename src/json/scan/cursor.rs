//! A cursor over an object whose keys the caller expects: it compares keys and scans only values.
//!
//! It uses the same scan as the rest of the module, so it skips valid JSON only, and it does not
//! move when something else is there.

use super::{STRIDE, Scan, Span, find_special};
use crate::json::JsonType;

/// The number of bytes of a key that are compared at once.
const HEAD: usize = 16;

/// An expected key with its quotes and colon, without white space: `"key":`.
#[derive(Debug)]
pub struct KeyToken {
    text: Box<[u8]>,
    /// The first bytes.
    head: u128,
    /// The bits of `head` that count, if the text is shorter.
    mask: u128,
    /// The last bytes and their offset, if the text is longer than the head.
    tail: Option<(usize, u128)>,
}

impl KeyToken {
    /// Creates the token of a key that needs no escapes.
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
    #[expect(clippy::inline_always, reason = "a handful of instructions that run for each field")]
    fn is_prefix_of(&self, bytes: &[u8]) -> bool {
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

/// A value that the cursor has skipped.
#[derive(Debug, Clone, Copy)]
pub struct ScannedValue {
    /// The bytes of the value.
    pub span: Span,
    /// The type of the value.
    pub json: JsonType,
    /// What the value contains.
    pub traits: ValueTraits,
    /// The types of the values inside it at any depth, as the bits of [`JsonType::bit`].
    pub inside: u8,
}

/// A set of facts about the text of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueTraits(u8);

impl ValueTraits {
    const NONE: Self = Self(0);
    /// The value contains white space outside of strings.
    pub const SPACED: Self = Self(1);
    /// The value contains characters beyond ASCII.
    pub const HIGH: Self = Self(2);
    /// The value contains a number with a fraction or an exponent.
    pub const FRACTION: Self = Self(4);

    /// Whether the set contains one of the `other` facts.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn with(self, other: Self, is_present: bool) -> Self {
        if is_present { Self(self.0 | other.0) } else { self }
    }
}

/// A position in an object.
#[derive(Clone, Copy)]
pub struct JsonCursor<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    /// The number of arrays and objects around the values.
    depth: u8,
}

#[expect(
    clippy::inline_always,
    reason = "measured: without it, the fast path over known events takes a tenth longer"
)]
impl<'a> JsonCursor<'a> {
    /// Creates a cursor at byte `at` of an object that ends before byte `end`. The text is below
    /// 4 GiB.
    ///
    /// The search for the end of a string may read a few bytes after `end`, which makes it faster.
    #[must_use]
    pub fn new(text: &'a str, at: usize, end: usize) -> Self {
        let bytes = text.as_bytes();
        Self { bytes: &bytes[..bytes.len().min(end + STRIDE)], at, end, depth: 1 }
    }

    /// Says that the object is itself in that many arrays and objects, which counts towards the
    /// limit of nesting.
    #[must_use]
    pub const fn nested_in(self, outer: u8) -> Self {
        Self { depth: 1 + outer, ..self }
    }

    /// Skips the given byte, and returns whether it was next.
    #[inline(always)]
    pub fn skip_byte(&mut self, byte: u8) -> bool {
        if self.bytes.get(self.at) != Some(&byte) {
            return false;
        }
        self.at += 1;
        true
    }

    /// Skips the given key, and returns whether it was next.
    #[inline(always)]
    pub fn skip_key(&mut self, key: &KeyToken) -> bool {
        let is_next = self.bytes.get(self.at..).is_some_and(|rest| key.is_prefix_of(rest));
        if is_next {
            self.at += key.text.len();
        }
        is_next
    }

    /// Skips and returns what `read` accepts of the rest of the object; `read` returns its length.
    /// `text` is that of [`JsonCursor::new`].
    #[inline]
    pub fn skip_with(
        &mut self,
        text: &str,
        read: impl FnOnce(&str) -> Option<usize>,
    ) -> Option<Span> {
        let start = self.at;
        self.at += read(text.get(start..self.end)?)?;
        Some(Span::new(start, self.at))
    }

    /// Skips the rest of a string without escapes, and returns the offset of its closing quote.
    #[inline(always)]
    pub fn finish_plain_string(&mut self) -> Option<usize> {
        let (quote, _) = find_special(self.bytes, self.at, 0);
        self.at = quote;
        self.skip_byte(b'"').then_some(quote)
    }

    /// Skips and returns a value, or returns `None` if there is no valid value.
    #[inline(always)]
    pub fn skip_value(&mut self) -> Option<ScannedValue> {
        let start = self.at;
        if self.bytes.get(start) == Some(&b'"') {
            let (quote, high) = find_special(self.bytes, start + 1, 0);
            if self.bytes.get(quote) == Some(&b'"') {
                self.at = quote + 1;
                let traits = ValueTraits::NONE.with(ValueTraits::HIGH, high != 0);
                return Some(ScannedValue {
                    span: Span::new(start, self.at),
                    json: JsonType::String,
                    traits,
                    inside: 0,
                });
            }
        }
        let value = match self.skip_plain_scalar() {
            Some((json, end)) => ScannedValue {
                span: Span::new(start, end),
                json,
                traits: ValueTraits::NONE,
                inside: 0,
            },
            None => scan_value(self.bytes, start, self.depth)?,
        };
        self.at = value.span.end();
        Some(value)
    }

    /// Returns the type and the end of a number without sign, fraction and exponent, or of a
    /// literal; `None` if another value comes next.
    #[inline(always)]
    fn skip_plain_scalar(&self) -> Option<(JsonType, usize)> {
        let rest = self.bytes.get(self.at..)?;
        match rest {
            [b'1'..=b'9', digits @ ..] => {
                let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
                let is_end = matches!(digits.get(count), Some(b',' | b'}'));
                is_end.then_some((JsonType::Number, self.at + 1 + count))
            }
            [b't', b'r', b'u', b'e', ..] => Some((JsonType::Bool, self.at + 4)),
            [b'n', b'u', b'l', b'l', ..] => Some((JsonType::Null, self.at + 4)),
            [b'f', b'a', b'l', b's', b'e', ..] => Some((JsonType::Bool, self.at + 5)),
            _ => None,
        }
    }

    /// Returns the offset of the next byte.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Whether the object ends here, with only white space after it.
    #[inline(always)]
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        match self.bytes.get(self.at..self.end) {
            Some(b"}") => true,
            Some([b'}', rest @ ..]) => {
                rest.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r'))
            }
            _ => false,
        }
    }
}

/// Scans the value at `start`, of any type. `depth` is the number of arrays and objects around it.
#[inline(never)]
fn scan_value(bytes: &[u8], start: usize, depth: u8) -> Option<ScannedValue> {
    let json = JsonType::from_first_byte(*bytes.get(start)?);
    let mut scan = Scan::at(bytes, start);
    scan.skip_value(depth).ok()?;
    let Scan { at, spaced, high, fraction, inside, .. } = scan;
    let traits = ValueTraits::NONE
        .with(ValueTraits::SPACED, spaced)
        .with(ValueTraits::HIGH, high != 0)
        .with(ValueTraits::FRACTION, fraction);
    Some(ScannedValue { span: Span::new(start, at), json, traits, inside })
}
