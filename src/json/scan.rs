//! One strict pass over the JSON of an event, which validates it and finds its top-level members.
//!
//! The pass builds only a table of members, whose spans point into the bytes that arrived. It
//! rejects what `serde_json` rejects, with the same limit of nesting. Numbers out of range
//! (`1e999`) are the one exception: they follow the grammar, and their digits are passed on
//! unchanged.

mod cursor;

use wide::u8x16;

use crate::json::JsonType;
pub use cursor::{JsonCursor, KeyToken, ScannedValue, ValueTraits};

/// The deepest nesting that is accepted, which is the limit of `serde_json`.
const MAX_DEPTH: u8 = 127;

/// A range of bytes in a frame. It has 32-bit offsets, so [`scan_object`] rejects 4 GiB and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Creates the span of the bytes from `start` to before `end`, which are below 4 GiB.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "scan_object() rejects 4 GiB and more")]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Returns the offset of the first byte.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// Returns the offset after the last byte.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.end as usize
    }

    /// Returns the number of bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span contains no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns the part of `text` that the span covers.
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
    /// Whether the key contains escapes.
    pub key_escaped: bool,
    /// Whether the value contains white space outside of strings.
    pub spaced: bool,
}

/// The reason why bytes are not a JSON object, or not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Nothing, or only white space.
    Empty,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Text that ends inside a value.
    Truncated,
    /// Text that is not JSON.
    NotJson,
    /// A `\u` escape of half a surrogate pair.
    LoneSurrogate,
    /// Arrays and objects nested deeper than 127 levels.
    TooDeep,
    /// JSON that is not an object.
    NotAnObject,
    /// An object without an event type.
    NoEventType,
    /// More bytes than a frame may have.
    TooLarge,
}

impl Category {
    /// Returns the name of the category in `tap.malformed`.
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

/// Where and why a frame is not an event. It never contains any of the frame's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// The reason.
    pub category: Category,
    /// The offset of the byte where the defect was found, from 0.
    pub offset: usize,
}

/// Validates that `bytes` are a JSON object, replaces `members` by its members, and returns the
/// bytes as text.
pub fn scan_object<'a>(bytes: &'a [u8], members: &mut Vec<Member>) -> Result<&'a str, Defect> {
    members.clear();
    if u32::try_from(bytes.len()).is_err() {
        return Err(Defect { category: Category::TooLarge, offset: 0 });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Defect { category: Category::NotUtf8, offset: error.valid_up_to() })?;
    scan_text(text, members).map(|()| text)
}

/// Validates that `text` is a JSON object and replaces `members` by its members.
pub fn scan_text(text: &str, members: &mut Vec<Member>) -> Result<(), Defect> {
    members.clear();
    if u32::try_from(text.len()).is_err() {
        return Err(Defect { category: Category::TooLarge, offset: 0 });
    }
    let mut scan = Scan::at(text.as_bytes(), 0);
    scan.document(members).map_err(|category| Defect { category, offset: scan.at })
}

/// Appends the members of the nested object at `within`. The `text` has passed [`scan_object`].
pub fn scan_inner_object(text: &str, within: Span, members: &mut Vec<Member>) {
    let mut scan = Scan::at(&text.as_bytes()[..within.end as usize], within.start as usize);
    // The outer scan has validated the object, so this cannot fail.
    let _ = scan.document(members);
}

/// The number of bytes of a string that are searched in one step.
const STRIDE: usize = 16;

/// A scan in progress: the position, and what the bytes before it contain.
#[derive(Clone)]
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether white space was skipped.
    spaced: bool,
    /// Not zero if a string had a byte beyond ASCII.
    high: u32,
    /// Whether a number had a fraction or an exponent.
    fraction: bool,
    /// The types of the values inside arrays and objects, as the bits of [`JsonType::bit`].
    inside: u8,
}

/// The result of one step of the grammar.
type Step<T = ()> = Result<T, Category>;

impl<'a> Scan<'a> {
    const fn at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, spaced: false, high: 0, fraction: false, inside: 0 }
    }
}

impl Scan<'_> {
    fn document(&mut self, members: &mut Vec<Member>) -> Step {
        self.skip_space();
        match self.bytes.get(self.at) {
            None => return Err(Category::Empty),
            Some(b'{') => {}
            Some(_) => {
                self.skip_value(0)?;
                self.expect_end()?;
                self.at = 0;
                return Err(Category::NotAnObject);
            }
        }
        self.at += 1;
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return self.expect_end();
        }
        loop {
            let start = self.at + 1;
            let key_escaped = self.skip_key()?;
            let key = Span::new(start, self.at - 1);
            self.skip_colon()?;
            self.spaced = false;
            let start = self.at;
            let json = JsonType::from_first_byte(self.peek()?);
            self.skip_value(1)?;
            members.push(Member {
                key,
                value: Span::new(start, self.at),
                json,
                key_escaped,
                spaced: self.spaced,
            });
            self.skip_space();
            if self.skip_separator(b'}')? {
                return self.expect_end();
            }
            self.skip_space();
        }
    }

    /// Checks that only white space follows.
    fn expect_end(&mut self) -> Step {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Category::NotJson) }
    }

    fn peek(&self) -> Step<u8> {
        self.bytes.get(self.at).copied().ok_or(Category::Truncated)
    }

    fn skip_space(&mut self) {
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

    /// Skips a comma or the closing bracket `end`, and returns whether it was the bracket.
    fn skip_separator(&mut self, end: u8) -> Step<bool> {
        let byte = self.peek()?;
        if byte != b',' && byte != end {
            return Err(Category::NotJson);
        }
        self.at += 1;
        Ok(byte == end)
    }

    /// Skips a key and returns whether it has escapes.
    fn skip_key(&mut self) -> Step<bool> {
        self.expect(b'"')?;
        self.finish_string()
    }

    fn skip_colon(&mut self) -> Step {
        self.skip_space();
        self.expect(b':')?;
        self.skip_space();
        Ok(())
    }

    fn skip_value(&mut self, depth: u8) -> Step {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.finish_string().map(|_| ())
            }
            b'{' => self.skip_container(depth, b'}', true),
            b'[' => self.skip_container(depth, b']', false),
            b'-' | b'0'..=b'9' => self.skip_number(),
            b't' => self.skip_literal(b"true"),
            b'f' => self.skip_literal(b"false"),
            b'n' => self.skip_literal(b"null"),
            _ => Err(Category::NotJson),
        }
    }

    fn skip_container(&mut self, depth: u8, end: u8, has_keys: bool) -> Step {
        if depth >= MAX_DEPTH {
            return Err(Category::TooDeep);
        }
        self.at += 1;
        self.skip_space();
        if self.peek()? == end {
            self.at += 1;
            return Ok(());
        }
        loop {
            if has_keys {
                self.skip_key()?;
                self.skip_colon()?;
            }
            self.inside |= JsonType::from_first_byte(self.peek()?).bit();
            self.skip_value(depth + 1)?;
            self.skip_space();
            if self.skip_separator(end)? {
                return Ok(());
            }
            self.skip_space();
        }
    }

    #[inline]
    fn skip_literal<const LENGTH: usize>(&mut self, word: &[u8; LENGTH]) -> Step {
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

    fn skip_number(&mut self) -> Step {
        let (at, fraction) = number(self.bytes, self.at);
        self.at = at;
        self.fraction |= fraction?;
        Ok(())
    }

    /// Skips the rest of a string with its closing quote, and returns whether it has escapes.
    #[inline]
    fn finish_string(&mut self) -> Step<bool> {
        let mut escaped = false;
        loop {
            (self.at, self.high) = find_special(self.bytes, self.at, self.high);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.skip_escape()?;
                }
                _ => return Err(Category::NotJson),
            }
        }
    }

    fn skip_escape(&mut self) -> Step {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => {
                self.at += 1;
                match self.read_hex()? {
                    0xd800..=0xdbff => {
                        for byte in *b"\\u" {
                            self.expect(byte).map_err(|category| match category {
                                Category::Truncated => category,
                                _ => Category::LoneSurrogate,
                            })?;
                        }
                        match self.read_hex()? {
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

    fn read_hex(&mut self) -> Step<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or(Category::NotJson)?;
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// Returns where the number at `at` ends and whether it has a fraction or an exponent, or where and
/// why it is invalid.
fn number(bytes: &[u8], at: usize) -> (usize, Step<bool>) {
    let byte = |at: usize| bytes.get(at).copied();
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let missing = if from == bytes.len() { Category::Truncated } else { Category::NotJson };
        (from + count, if count == 0 { Err(missing) } else { Ok(()) })
    };
    let start = at + usize::from(byte(at) == Some(b'-'));
    let (mut end, mut result) =
        if byte(start) == Some(b'0') { (start + 1, Ok(())) } else { digits(start) };
    let mut fraction = false;
    if result.is_ok() && byte(end) == Some(b'.') {
        fraction = true;
        (end, result) = digits(end + 1);
    }
    if result.is_ok() && matches!(byte(end), Some(b'e' | b'E')) {
        fraction = true;
        (end, result) = digits(end + 1 + usize::from(matches!(byte(end + 1), Some(b'+' | b'-'))));
    }
    (end, result.map(|()| fraction))
}

/// Finds the next quote, backslash or control character, several bytes at a time.
///
/// Also returns `high`, or a value other than zero if a byte beyond ASCII comes before it.
#[inline(always)]
fn find_special(bytes: &[u8], mut at: usize, mut high: u32) -> (usize, u32) {
    const QUOTE: u8x16 = u8x16::splat(b'"');
    const SLASH: u8x16 = u8x16::splat(b'\\');
    const CONTROL: u8x16 = u8x16::splat(0x1f);
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<STRIDE>) {
        let chunk = u8x16::new(*chunk);
        let hits = chunk.simd_eq(QUOTE) | chunk.simd_eq(SLASH) | chunk.simd_eq(chunk.min(CONTROL));
        let (hits, highs) = (hits.to_bitmask(), chunk.to_bitmask());
        if hits != 0 {
            // Of the bytes beyond ASCII, only those before the first hit count.
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

/// Iterates over the values in a valid array or object. In an object, each comes with its key,
/// without quotes but with its escapes.
pub fn iter_entries(json: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut scan = Scan::at(json.as_bytes(), 1);
    let has_keys = json.starts_with('{');
    scan.skip_space();
    std::iter::from_fn(move || {
        scan.bytes.get(scan.at).filter(|byte| !matches!(byte, b']' | b'}'))?;
        scan.next_entry(json, has_keys).ok()
    })
}

/// Collects the values in a valid array or object; see [`iter_entries`].
#[must_use]
pub fn entries(json: &str) -> Vec<(Option<&str>, &str)> {
    iter_entries(json).collect()
}

impl Scan<'_> {
    fn next_entry<'a>(
        &mut self,
        json: &'a str,
        has_keys: bool,
    ) -> Step<(Option<&'a str>, &'a str)> {
        let start = self.at + 1;
        let key = if has_keys {
            self.skip_key()?;
            let key = &json[start..self.at - 1];
            self.skip_colon()?;
            Some(key)
        } else {
            None
        };
        let start = self.at;
        self.skip_value(0)?;
        let value = &json[start..self.at];
        self.skip_space();
        if self.peek()? == b',' {
            self.at += 1;
            self.skip_space();
        }
        Ok((key, value))
    }
}

#[cfg(test)]
mod tests;
