//! Reads JSON text as a value.

use super::budget;
use super::jq_text::JqText;
use super::jq_value::{JqArray, JqObject, JqValue};
use super::number::Number;
use crate::json::string::unescape;

/// The deepest nesting that jq reads.
const MAX_READ_DEPTH: usize = 10_000;

/// Why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError {
    /// The error message, in the words of jq.
    pub reason: &'static str,
    /// The offset in bytes.
    pub offset: usize,
}

/// Reads a text that is one JSON value. As in jq, `nan` and numbers such as `.5` are accepted.
///
/// # Errors
///
/// Fails if the text is not one JSON value, or has too many levels.
pub fn read(text: &str) -> Result<JqValue, ReadError> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    if reader.at == text.len() {
        return Err(reader.error("Expected JSON value"));
    }
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.error("Unexpected extra JSON values"));
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    const fn error(&self, reason: &'static str) -> ReadError {
        ReadError { reason, offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, level: usize) -> Result<JqValue, ReadError> {
        match self.peek() {
            Some(b'"') => Ok(JqValue::Text(self.string()?)),
            Some(b'[') => self.array(level),
            Some(b'{') => self.object(level),
            Some(_) => self.word(),
            None => Err(self.error("Unfinished JSON term")),
        }
    }

    /// Reads a number or a literal such as `true`.
    fn word(&mut self) -> Result<JqValue, ReadError> {
        let rest = &self.text[self.at..];
        let is_end = |byte: u8| {
            matches!(
                byte,
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'"'
            )
        };
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "null" => JqValue::Null,
            "true" => JqValue::Bool(true),
            "false" => JqValue::Bool(false),
            "" => return Err(self.error("Expected value before ','")),
            _ => {
                let Some(number) = Number::parse(word) else {
                    self.at += length;
                    let is_letter = word.starts_with(['n', 't', 'f']);
                    return Err(self.error(if is_letter {
                        "Invalid literal"
                    } else {
                        "Invalid numeric literal"
                    }));
                };
                JqValue::Number(number)
            }
        };
        self.at += length;
        Ok(value)
    }

    /// Reads a string, whose opening quote is next.
    fn string(&mut self) -> Result<JqText, ReadError> {
        let start = self.at + 1;
        let mut end = start;
        let mut has_escapes = false;
        loop {
            match memchr::memchr2(b'"', b'\\', &self.text.as_bytes()[end..]) {
                None => {
                    self.at = self.text.len();
                    return Err(self.error("Unfinished string"));
                }
                Some(offset) if self.text.as_bytes()[end + offset] == b'"' => {
                    end += offset;
                    break;
                }
                Some(offset) => {
                    has_escapes = true;
                    end = (end + offset + 2).min(self.text.len());
                }
            }
        }
        self.at = end + 1;
        let contents = &self.text[start..end];
        if contents.bytes().any(|byte| byte < b' ') {
            return Err(self.error("Invalid string: control characters must be escaped"));
        }
        if !has_escapes {
            return Ok(contents.into());
        }
        if !has_valid_escapes(contents) {
            return Err(self.error("Invalid escape"));
        }
        Ok(JqText::new(unescape(contents).into_owned()))
    }

    fn array(&mut self, level: usize) -> Result<JqValue, ReadError> {
        self.open(level)?;
        let mut items = JqArray::new(Vec::new());
        if self.closes(b']') {
            return Ok(JqValue::Array(items));
        }
        loop {
            self.skip_space();
            if self.peek() == Some(b']') {
                return Err(self.error("Expected another array element"));
            }
            items.push(self.value(level + 1)?);
            if !self.separator(b']', "Expected separator between values")? {
                return Ok(JqValue::Array(items));
            }
        }
    }

    fn object(&mut self, level: usize) -> Result<JqValue, ReadError> {
        self.open(level)?;
        let mut object = JqObject::default();
        if self.closes(b'}') {
            return Ok(JqValue::Object(object));
        }
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => return Err(self.error("Expected another key-value pair")),
                _ => return Err(self.error("Object keys must be strings")),
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.error("Objects must consist of key:value pairs"));
            }
            self.at += 1;
            self.skip_space();
            object.insert(key, self.value(level + 1)?);
            if !self.separator(b'}', "Expected separator between values")? {
                return Ok(JqValue::Object(object));
            }
        }
    }

    fn open(&mut self, level: usize) -> Result<(), ReadError> {
        self.at += 1;
        if level >= MAX_READ_DEPTH {
            return Err(self.error("Exceeds depth limit for parsing"));
        }
        if budget::is_exhausted() {
            return Err(self.error("Too large"));
        }
        Ok(())
    }

    /// Returns whether the end of the container follows, and skips it.
    fn closes(&mut self, end: u8) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(end);
        self.at += usize::from(closes);
        closes
    }

    /// Reads what follows a value in a container. Returns whether it was a comma.
    fn separator(&mut self, end: u8, reason: &'static str) -> Result<bool, ReadError> {
        if self.closes(end) {
            return Ok(false);
        }
        if budget::is_exhausted() {
            return Err(self.error("Too large"));
        }
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Err(self.error(reason)),
            None => Err(self.error("Unfinished JSON term")),
        }
    }
}

/// Returns whether all escapes in the contents of a string are known and complete, and surrogates
/// come in pairs.
fn has_valid_escapes(contents: &str) -> bool {
    let mut bytes = contents.bytes();
    let mut is_after_high = false;
    while let Some(byte) = bytes.next() {
        let mut unit = 0;
        if byte == b'\\' {
            match bytes.next() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                Some(b'u') => {
                    for _ in 0..4 {
                        match bytes.next().and_then(|digit| char::from(digit).to_digit(16)) {
                            Some(digit) => unit = unit * 16 + digit,
                            None => return false,
                        }
                    }
                }
                _ => return false,
            }
        }
        if is_after_high != matches!(unit, 0xdc00..=0xdfff) {
            return false;
        }
        is_after_high = matches!(unit, 0xd800..=0xdbff);
    }
    !is_after_high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written() {
        for (text, written) in [
            (
                " [1 , 2.50,{\"a\" : null}, true,false,\"\\u00e9\\n\"] ",
                "[1,2.50,{\"a\":null},true,false,\"é\\n\"]",
            ),
            ("{\"b\":1,\"a\":2,\"b\":3}", "{\"b\":3,\"a\":2}"),
            ("[nan,.5]", "[null,0.5]"),
            ("\"\"", "\"\""),
        ] {
            assert_eq!(read(text).ok().and_then(|value| value.to_json()).as_deref(), Some(written));
        }
        for text in [
            "",
            " ",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "tru",
            "1 2",
            "]",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83dx\"",
            "\"\t\"",
            "'a'",
            "1x",
            ",",
            "[,1]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_number_of_levels_is_limited() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let outcome = std::thread::Builder::new()
            .stack_size(128 << 20)
            .spawn(move || {
                assert!(read(&nested(10_000)).is_ok());
                read(&nested(10_001)).map(drop).map_err(|error| error.reason)
            })
            .expect("a thread")
            .join();
        assert_eq!(outcome.expect("no panic"), Err("Exceeds depth limit for parsing"));
    }
}
