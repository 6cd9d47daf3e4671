//! One strict pass over the JSON of an event: is it valid, and where do its top-level members stand?
//!
//! Nothing is built but the table of members; everything later points into the bytes that arrived. What `serde_json` refuses
//! is refused here, with the same limit of nesting, but for numbers out of range (`1e999`), which are grammatical and whose
//! digits are only passed on.

mod cursor;

use wide::u8x16;

use crate::json::JsonType;
pub use cursor::{JsonCursor, KeyToken, ScannedValue, ValueTraits};

/// The deepest nesting, as in `serde_json`.
const MAX_DEPTH: u8 = 127;

/// A range of bytes in a frame. Frames are far below 4 GiB: [`object`] refuses others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where it begins.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// Where it ends.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end as usize
    }

    /// How many bytes it spans.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it spans none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The bytes that it spans.
    #[must_use]
    pub fn slice<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start as usize..self.end as usize]
    }
}

/// A top-level member of an event's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The key, without its quotes.
    pub key: Span,
    /// The value.
    pub value: Span,
    /// The value's type.
    pub json: JsonType,
    /// The key has escapes in it.
    pub key_escaped: bool,
    /// There is white space inside the value, outside its strings.
    pub spaced: bool,
}

/// Why bytes are no JSON object, or no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Nothing, or only white space.
    Empty,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// Text that ends within a value.
    Truncated,
    /// Text that is no JSON.
    NotJson,
    /// A `\u` escape of half a surrogate pair.
    LoneSurrogate,
    /// Arrays and objects nested beyond 127 levels.
    TooDeep,
    /// JSON, but no object.
    NotAnObject,
    /// An object that doesn't say which event it is.
    NoEventType,
    /// More bytes than a frame may have.
    TooLarge,
}

impl Category {
    /// Its name in `tap.malformed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotUtf8 => "not_utf8",
            Self::Truncated => "truncated",
            Self::NotJson => "not_json",
            Self::LoneSurrogate => "lone_surrogate",
            Self::TooDeep => "too_deep",
            Self::NotAnObject => "not_an_object",
            Self::NoEventType => "no_event_type",
            Self::TooLarge => "too_large",
        }
    }
}

/// Where and why a frame is no event. It never holds any of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// Why.
    pub category: Category,
    /// The byte at which it shows, from 0.
    pub offset: usize,
}

/// Fills `members` with the members of the JSON object that `bytes` are, and returns the bytes as text.
pub fn object<'a>(bytes: &'a [u8], members: &mut Vec<Member>) -> Result<&'a str, Defect> {
    members.clear();
    if u32::try_from(bytes.len()).is_err() {
        return Err(Defect { category: Category::TooLarge, offset: 0 });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Defect { category: Category::NotUtf8, offset: error.valid_up_to() })?;
    let mut scan = Scan::at(bytes, 0);
    scan.document(members).map_err(|category| Defect { category, offset: scan.at })?;
    Ok(text)
}

/// Appends the members of the object at `within`, which [`object`] has found in `text`.
pub fn inner(text: &str, within: Span, members: &mut Vec<Member>) {
    let mut scan = Scan::at(&text.as_bytes()[..within.end as usize], within.start as usize);
    // It has been found valid before; were it not, the members up to the defect would stand.
    let _ = scan.document(members);
}

/// How many bytes of a string are looked at at once.
const STRIDE: usize = 16;

#[derive(Clone)]
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    spaced: bool,
    /// Not zero if a string has had a byte beyond ASCII.
    high: u32,
    /// A number with a fraction or an exponent has been passed.
    fraction: bool,
    /// The types that have been passed inside of an array or object, a bit each.
    inside: u8,
}

type Step<T = ()> = Result<T, Category>;

impl<'a> Scan<'a> {
    const fn at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, spaced: false, high: 0, fraction: false, inside: 0 }
    }
}

impl Scan<'_> {
    fn document(&mut self, members: &mut Vec<Member>) -> Step {
        self.space();
        match self.bytes.get(self.at) {
            None => return Err(Category::Empty),
            Some(b'{') => {}
            Some(_) => {
                self.value(0)?;
                self.end()?;
                self.at = 0;
                return Err(Category::NotAnObject);
            }
        }
        self.at += 1;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return self.end();
        }
        loop {
            let start = self.at + 1;
            let key_escaped = self.key()?;
            let key = Self::span(start, self.at - 1);
            self.colon()?;
            self.spaced = false;
            let start = self.at;
            let json = JsonType::from_first_byte(self.peek()?);
            self.value(1)?;
            members.push(Member {
                key,
                value: Self::span(start, self.at),
                json,
                key_escaped,
                spaced: self.spaced,
            });
            self.space();
            if self.next_of(b',', b'}')? {
                return self.end();
            }
            self.space();
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "object() refuses 4 GiB and more")]
    const fn span(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// Nothing but white space may follow.
    fn end(&mut self) -> Step {
        self.space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Category::NotJson) }
    }

    fn peek(&self) -> Step<u8> {
        self.bytes.get(self.at).copied().ok_or(Category::Truncated)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
            self.spaced = true;
        }
    }

    fn expect(&mut self, byte: u8) -> Step {
        if self.peek()? != byte {
            return Err(Category::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over `more` (false) or `end` (true).
    fn next_of(&mut self, more: u8, end: u8) -> Step<bool> {
        let byte = self.peek()?;
        if byte != more && byte != end {
            return Err(Category::NotJson);
        }
        self.at += 1;
        Ok(byte == end)
    }

    fn key(&mut self) -> Step<bool> {
        self.expect(b'"')?;
        self.string()
    }

    fn colon(&mut self) -> Step {
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    fn value(&mut self, depth: u8) -> Step {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string().map(|_| ())
            }
            b'{' => self.nested(depth, b'}', true),
            b'[' => self.nested(depth, b']', false),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(Category::NotJson),
        }
    }

    fn nested(&mut self, depth: u8, end: u8, keys: bool) -> Step {
        if depth >= MAX_DEPTH {
            return Err(Category::TooDeep);
        }
        self.at += 1;
        self.space();
        if self.peek()? == end {
            self.at += 1;
            return Ok(());
        }
        loop {
            if keys {
                self.key()?;
                self.colon()?;
            }
            self.inside |= JsonType::from_first_byte(self.peek()?).bit();
            self.value(depth + 1)?;
            self.space();
            if self.next_of(b',', end)? {
                return Ok(());
            }
            self.space();
        }
    }

    #[inline]
    fn literal<const LENGTH: usize>(&mut self, word: &[u8; LENGTH]) -> Step {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(Category::Truncated)
        } else {
            Err(Category::NotJson)
        }
    }

    fn number(&mut self) -> Step {
        let (at, found) = number(self.bytes, self.at);
        self.at = at;
        self.fraction |= found?;
        Ok(())
    }

    /// Steps over the rest of a string, its closing quote included; says whether it has escapes.
    #[inline]
    fn string(&mut self) -> Step<bool> {
        let mut escaped = false;
        loop {
            (self.at, self.high) = plain(self.bytes, self.at, self.high);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Category::NotJson),
            }
        }
    }

    fn escape(&mut self) -> Step {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => {
                self.at += 1;
                match self.hex()? {
                    0xd800..=0xdbff => {
                        for byte in *b"\\u" {
                            self.expect(byte).map_err(|category| match category {
                                Category::Truncated => category,
                                _ => Category::LoneSurrogate,
                            })?;
                        }
                        match self.hex()? {
                            0xdc00..=0xdfff => Ok(()),
                            _ => Err(Category::LoneSurrogate),
                        }
                    }
                    0xdc00..=0xdfff => Err(Category::LoneSurrogate),
                    _ => Ok(()),
                }
            }
            _ => Err(Category::NotJson),
        }
    }

    fn hex(&mut self) -> Step<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or(Category::NotJson)?;
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// Where the number at `at` ends and whether it has a fraction or an exponent, or where and why it is none.
fn number(bytes: &[u8], at: usize) -> (usize, Step<bool>) {
    let byte = |at: usize| bytes.get(at).copied();
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let missing = if from == bytes.len() { Category::Truncated } else { Category::NotJson };
        (from + count, if count == 0 { Err(missing) } else { Ok(()) })
    };
    let start = at + usize::from(byte(at) == Some(b'-'));
    let (mut end, mut found) =
        if byte(start) == Some(b'0') { (start + 1, Ok(())) } else { digits(start) };
    let mut fraction = false;
    if found.is_ok() && byte(end) == Some(b'.') {
        fraction = true;
        (end, found) = digits(end + 1);
    }
    if found.is_ok() && matches!(byte(end), Some(b'e' | b'E')) {
        fraction = true;
        (end, found) = digits(end + 1 + usize::from(matches!(byte(end + 1), Some(b'+' | b'-'))));
    }
    (end, found.map(|()| fraction))
}

/// Where the next quote, backslash or control character is, looking at several bytes at a time; and `high`, or something else
/// than zero if there is a byte beyond ASCII before it.
#[inline(always)]
fn plain(bytes: &[u8], mut at: usize, mut high: u32) -> (usize, u32) {
    const QUOTE: u8x16 = u8x16::splat(b'"');
    const SLASH: u8x16 = u8x16::splat(b'\\');
    const CONTROL: u8x16 = u8x16::splat(0x1f);
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<STRIDE>) {
        let chunk = u8x16::new(*chunk);
        let hits = chunk.simd_eq(QUOTE) | chunk.simd_eq(SLASH) | chunk.simd_eq(chunk.min(CONTROL));
        let (hits, highs) = (hits.to_bitmask(), chunk.to_bitmask());
        if hits != 0 {
            // Those below the first.
            return (
                at + hits.trailing_zeros() as usize,
                high | (highs & hits.wrapping_sub(1) & !hits),
            );
        }
        high |= highs;
        at += STRIDE;
    }
    while let Some(byte) = bytes.get(at).filter(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        high |= u32::from(byte & 0x80);
        at += 1;
    }
    (at, high)
}

/// What stands in an array or object that [`object`] has found valid: values, with the inside of their keys in an object.
pub fn each(json: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut scan = Scan::at(json.as_bytes(), 1);
    let keyed = json.starts_with('{');
    scan.space();
    std::iter::from_fn(move || {
        scan.bytes.get(scan.at).filter(|byte| !matches!(byte, b']' | b'}'))?;
        scan.entry(json, keyed).ok()
    })
}

/// The same, all at once.
#[must_use]
pub fn entries(json: &str) -> Vec<(Option<&str>, &str)> {
    each(json).collect()
}

impl Scan<'_> {
    fn entry<'a>(&mut self, json: &'a str, keyed: bool) -> Step<(Option<&'a str>, &'a str)> {
        let start = self.at + 1;
        let key = if keyed {
            self.key()?;
            let key = &json[start..self.at - 1];
            self.colon()?;
            Some(key)
        } else {
            None
        };
        let start = self.at;
        self.value(0)?;
        let value = &json[start..self.at];
        self.space();
        if self.peek()? == b',' {
            self.at += 1;
            self.space();
        }
        Ok((key, value))
    }
}

#[cfg(test)]
mod tests;
