//! Recordings whose events take several lines each: a JSON array, as `evtap -o json` writes it, or
//! JSON values one after the other.
//!
//! The splitter finds where each event begins and ends, and leaves the rest to decoding. Brackets
//! and commas between events are skipped, so an array that is cut off, or followed by another one,
//! is read as far as it goes. White space within an event is removed while it is read: an event has
//! the limit that it has on one line, however it is indented.
//!
//! An event that never ends must not hide those after it. A line that begins where an event of this
//! file begins, and at which the current event cannot continue, begins the next one.

use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::chunk_reader::ChunkReader;
use crate::model::{FrameError, Origin};
use crate::transport::{BlockingSender, Chunk, Item, RawFrame};

/// The size of the text whose events are sent as one item, in bytes.
const PART: usize = 64 * 1024;

/// The depth to which the kinds of open brackets are remembered. Decoding refuses deeper events.
const MAX_DEPTH: usize = 1024;

/// Reads the values of a recording. `chunk` begins at `offset` in the file.
pub(super) fn read_values(
    mut chunk: BytesMut,
    offset: u64,
    chunks: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> std::io::Result<()> {
    let mut splitter = ValueSplitter::new(limit, offset);
    if offset == 0 && chunk.starts_with(b"\xef\xbb\xbf") {
        chunk.advance(3);
        splitter.offset = 3;
    }
    loop {
        for part in chunk.chunks(PART) {
            splitter.push(part);
            if !chunks.send(splitter.take(), tx) {
                return Ok(());
            }
        }
        chunk.clear();
        match chunks.extend(&mut chunk) {
            Ok(true) => {}
            Ok(false) => {
                splitter.finish();
                chunks.send(splitter.take(), tx);
                return Ok(());
            }
            Err(error) => {
                splitter.cut_off();
                chunks.send(splitter.take(), tx);
                return Err(error);
            }
        }
    }
}

/// Where a value ends in the text, where it begins in the file, and why it is not passed on, with
/// its size in bytes.
type CompleteValue = (usize, u64, Option<(FrameError, u64)>);

/// Splits chunks that may end anywhere into values.
struct ValueSplitter {
    /// The maximum size of a value without white space, in bytes.
    limit: usize,
    origin: Arc<Origin>,
    /// The text of the values in `ready` and of the current one, without white space.
    text: BytesMut,
    /// The complete values.
    ready: Vec<CompleteValue>,
    current: Option<OpenValue>,
    /// The position in the file, in bytes.
    offset: u64,
    /// The number of spaces at the beginning of the current line, while there is nothing else.
    indent: Option<u64>,
}

/// A value whose end has not been read yet.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct OpenValue {
    /// Where it begins in the text.
    begin: usize,
    /// Where it begins in the file.
    offset: u64,
    /// Its indentation, if it is the first value of its line.
    indent: Option<u64>,
    /// The open brackets.
    brackets: Vec<u8>,
    /// The number of open brackets within those.
    deeper: u64,
    in_string: bool,
    /// The next byte is escaped by a backslash.
    is_escaped: bool,
    /// White space has been removed after `last`.
    is_spaced: bool,
    /// The last byte that is not white space.
    last: u8,
    is_too_large: bool,
}

impl OpenValue {
    /// Returns whether the value is not an array or object, but something else between the events.
    const fn is_bare(&self) -> bool {
        self.brackets.is_empty()
    }

    fn open(&mut self, bracket: u8) {
        if self.brackets.len() < MAX_DEPTH {
            self.brackets.push(bracket);
        } else {
            self.deeper += 1;
        }
    }

    /// Closes a bracket. Returns whether the value ends with it.
    fn close(&mut self) -> bool {
        if self.deeper > 0 {
            self.deeper -= 1;
            return false;
        }
        self.brackets.pop();
        self.brackets.is_empty()
    }

    /// Returns whether an opening brace, the first byte of a line with this indentation, begins the
    /// next event, because this one was cut off.
    fn is_cut_off_by(&self, indent: u64) -> bool {
        match self.indent {
            // Within an indented event, each line is indented further.
            Some(own) if own > 0 => indent <= own,
            // An object has keys, and a string does not contain line ends.
            Some(_) => {
                let is_value = self.last == b':' || self.brackets.last() != Some(&b'{');
                indent == 0 && (!is_value || self.last == b'\n') && self.deeper == 0
            }
            None => false,
        }
    }
}

impl ValueSplitter {
    fn new(limit: usize, offset: u64) -> Self {
        Self {
            limit,
            origin: Arc::default(),
            text: BytesMut::new(),
            ready: Vec::new(),
            current: None,
            offset,
            indent: Some(0),
        }
    }

    /// Reads a chunk.
    fn push(&mut self, mut chunk: &[u8]) {
        while let Some(byte) = chunk.first() {
            let read = match &mut self.current {
                Some(value) if value.in_string => self.read_string(chunk),
                _ => {
                    self.read_byte(*byte);
                    1
                }
            };
            chunk = &chunk[read..];
            self.offset += read as u64;
        }
    }

    /// Reads the rest of a string, as far as the chunk goes. Returns the number of bytes.
    fn read_string(&mut self, chunk: &[u8]) -> usize {
        let Some(value) = &mut self.current else { return 0 };
        if std::mem::take(&mut value.is_escaped) && chunk[0] != b'\n' {
            self.append(&chunk[..1]);
            return 1;
        }
        let end = memchr::memchr3(b'"', b'\\', b'\n', chunk);
        let read = end.map_or(chunk.len(), |end| end + 1);
        match end.map(|end| chunk[end]) {
            Some(b'\\') => value.is_escaped = true,
            Some(byte) => {
                value.in_string = false;
                // A line end is not part of a string. Decoding reports it.
                if byte == b'\n' {
                    self.indent = Some(0);
                }
            }
            None => {}
        }
        let ends = value.is_bare() && self.indent.is_some();
        self.append(&chunk[..read]);
        if ends {
            self.end_value(read as u64);
        }
        read
    }

    /// Reads a byte outside of strings.
    fn read_byte(&mut self, byte: u8) {
        let indent = self.indent.take();
        match byte {
            b' ' => self.indent = indent.map(|indent| indent + 1),
            b'\n' => self.indent = Some(0),
            _ => {}
        }
        let is_white = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        if let Some(value) = &mut self.current {
            let ends = if value.is_bare() {
                matches!(byte, b'\n' | b',' | b'[' | b']' | b'{')
            } else {
                byte == b'{' && indent.is_some_and(|indent| value.is_cut_off_by(indent))
            };
            if ends {
                self.end_value(0);
            } else if is_white {
                value.is_spaced = true;
                return;
            }
        }
        let Some(value) = &mut self.current else {
            if !is_white && !matches!(byte, b',' | b'[' | b']') {
                self.begin_value(byte, indent);
            }
            return;
        };
        // Without a space, two tokens would become one.
        let is_separate = std::mem::take(&mut value.is_spaced)
            && ![value.last, byte].iter().any(|byte| b"{}[],:\"".contains(byte));
        let ends = match byte {
            b'{' | b'[' => {
                value.open(byte);
                false
            }
            b'}' | b']' => value.close(),
            _ => {
                value.in_string = byte == b'"';
                false
            }
        };
        self.append(&[b' ', byte][usize::from(!is_separate)..]);
        if ends {
            self.end_value(1);
        }
    }

    fn begin_value(&mut self, byte: u8, indent: Option<u64>) {
        self.current = Some(OpenValue {
            begin: self.text.len(),
            offset: self.offset,
            indent,
            brackets: if byte == b'{' { vec![byte] } else { Vec::new() },
            deeper: 0,
            in_string: byte == b'"',
            is_escaped: false,
            is_spaced: false,
            last: byte,
            is_too_large: false,
        });
        self.append(&[byte]);
    }

    /// Appends to the current value, up to the limit.
    fn append(&mut self, bytes: &[u8]) {
        let Some(value) = &mut self.current else { return };
        value.last = *bytes.last().unwrap_or(&value.last);
        value.is_too_large |= self.text.len() - value.begin + bytes.len() > self.limit;
        if value.is_too_large {
            self.text.truncate(value.begin);
        } else {
            self.text.extend_from_slice(bytes);
        }
    }

    /// Ends the current value, with so many bytes of it after the position in the file.
    fn end_value(&mut self, rest: u64) {
        let Some(value) = self.current.take() else { return };
        let length = self.offset - value.offset + rest;
        let fault = value.is_too_large.then_some((FrameError::TooLarge, length));
        self.ready.push((self.text.len(), value.offset, fault));
    }

    /// Ends the last value at the end of the file.
    fn finish(&mut self) {
        self.end_value(0);
    }

    /// Reports the incomplete value after a failed read.
    fn cut_off(&mut self) {
        if let Some(value) = self.current.take() {
            self.text.truncate(value.begin);
            let fault = if value.is_too_large { FrameError::TooLarge } else { FrameError::CutOff };
            let length = self.offset - value.offset;
            self.ready.push((self.text.len(), value.offset, Some((fault, length))));
        }
    }

    /// Takes the complete values.
    fn take(&mut self) -> Vec<Item> {
        let Some((end, ..)) = self.ready.last() else { return Vec::new() };
        let text = self.text.split_to(*end).freeze();
        if let Some(value) = &mut self.current {
            value.begin -= text.len();
        }
        let mut begin = 0;
        let frames = self.ready.drain(..).map(|(end, offset, fault)| {
            let data = text.slice(begin..end);
            begin = end;
            RawFrame { fault, ..RawFrame::record(&self.origin, data, offset) }
        });
        vec![Item::Chunk(Chunk::Frames(frames.collect()))]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transport::FRAME_LIMIT;

    /// Returns the offset and the text of each value, or why it is not passed on, when the file is
    /// read in chunks of `size` bytes.
    fn split(file: &str, size: usize, limit: usize) -> Vec<(u64, String)> {
        let mut splitter = ValueSplitter::new(limit, 0);
        let mut items = Vec::new();
        for chunk in file.as_bytes().chunks(size) {
            splitter.push(chunk);
            items.extend(splitter.take());
        }
        splitter.finish();
        items.extend(splitter.take());
        describe(&items)
    }

    fn describe(items: &[Item]) -> Vec<(u64, String)> {
        let origin = Origin::default();
        let mut values = Vec::new();
        for item in items {
            let Item::Chunk(chunk) = item else { panic!("not a chunk") };
            values.extend(chunk.frames(&origin).map(|frame| {
                let text = String::from_utf8_lossy(frame.data).into_owned();
                (frame.offset, frame.fault.map_or(text, |fault| format!("{fault:?}")))
            }));
        }
        values
    }

    fn texts(file: &str) -> Vec<String> {
        let whole = split(file, usize::MAX, FRAME_LIMIT);
        for size in [1, 2, 3, 7] {
            assert_eq!(split(file, size, FRAME_LIMIT), whole, "in chunks of {size}: {file}");
        }
        whole.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn values_are_found_however_they_are_written() {
        for (file, expected) in [
            ("[]\n", &[][..]),
            ("[\n]\n[]", &[]),
            (
                "[\n  {\n    \"a\": 1,\n    \"b\": [\n      {},\n      \"x y\"\n    ]\n  },\n  {\n    \"c\": true\n  }\n]\n",
                &["{\"a\":1,\"b\":[{},\"x y\"]}", "{\"c\":true}"],
            ),
            ("[{\"a\":1},{\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]),
            ("[{\"a\":1}\r\n,\t{\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]),
            ("{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n", &["{\"a\":1}", "{\"b\":2}"]),
            ("[{\"a\":1}] [{\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]),
            // Brackets and quotes in strings.
            (
                "[{\"a\": \"}] [{ \\\" \\\\\"}, {\"b\": \"\\\\\\\"\"}]",
                &["{\"a\":\"}] [{ \\\" \\\\\"}", "{\"b\":\"\\\\\\\"\"}"],
            ),
            // Objects that begin a line within an event that is not indented.
            (
                "[\n{\n\"a\":\n{\n\"b\":\n[\n{},\n{}\n]\n}\n},\n{}\n]",
                &["{\"a\":{\"b\":[{},{}]}}", "{}"],
            ),
            // Two tokens stay two.
            ("[{\"a\": 1 2, \"b\": tr ue}]", &["{\"a\":1 2,\"b\":tr ue}"]),
        ] {
            assert_eq!(texts(file), expected, "{file}");
        }
    }

    #[test]
    fn what_is_not_an_event_hides_none_of_the_others() {
        for (file, expected) in [
            ("[1, \"a, b\", {\"a\":1}, null]", &["1", "\"a, b\"", "{\"a\":1}", "null"][..]),
            ("[\n  \0{\n    \"a\": 1\n  },\n  {}\n]", &["\0", "{\"a\":1}", "{}"]),
            ("[\n  {\n    \"a\": 1 \0\n  },\n  {}\n]", &["{\"a\":1 \0}", "{}"]),
            ("[\n  {}}\n  {}\n]", &["{}", "}", "{}"]),
            // The end of an event is missing.
            ("[\n  {\n    \"a\": 1,\n  {\n    \"b\": 2\n  }\n]", &["{\"a\":1,", "{\"b\":2}"]),
            ("[\n  {\n    \"a\": [\n  {\n    \"b\": 2\n  }\n]", &["{\"a\":[", "{\"b\":2}"]),
            ("[\n  {\n    \"a\": \"x[\n  {\n    \"b\": 2\n  }\n]", &["{\"a\":\"x[\n", "{\"b\":2}"]),
            ("{\n  \"a\": 1,\n{\n  \"b\": 2\n}\n", &["{\"a\":1,", "{\"b\":2}"]),
            ("{\n  \"a\": \"x\\\n{\n  \"b\": 2\n}\n", &["{\"a\":\"x\\\n", "{\"b\":2}"]),
            // The file is cut off.
            ("[\n  {},\n  {\n    \"a\"", &["{}", "{\"a\""]),
        ] {
            assert_eq!(texts(file), expected, "{file}");
        }
    }

    #[test]
    fn a_value_over_the_limit_is_reported_with_its_length_and_white_space_does_not_count() {
        let file = "[ {\"a\": \"12345678\"}, { \"b\" : 1 }, 123456789012, {\"c\":2} ]";
        for size in [1, 5, usize::MAX] {
            assert_eq!(
                split(file, size, 8),
                [
                    (2, "(TooLarge, 17)".to_owned()),
                    (21, "{\"b\":1}".to_owned()),
                    (34, "(TooLarge, 12)".to_owned()),
                    (48, "{\"c\":2}".to_owned()),
                ],
                "in chunks of {size}"
            );
        }
    }

    #[test]
    fn a_failed_read_reports_the_incomplete_value() {
        let mut splitter = ValueSplitter::new(100, 7);
        splitter.push(b"[{\"a\":1}, {\"b\"");
        splitter.cut_off();
        let values = describe(&splitter.take());
        assert_eq!(values, [(8, "{\"a\":1}".to_owned()), (17, "(CutOff, 4)".to_owned())]);
    }

    #[test]
    fn an_endless_value_needs_bounded_memory() {
        for text in ["[{\"a\":", "{\"a\":", "x", "  ", "\"", "{", "[{", "\\\"", "1\n  "] {
            let mut splitter = ValueSplitter::new(1000, 0);
            splitter.push(b"[\n  {\"a\": ");
            for _ in 0..100_000 {
                splitter.push(text.as_bytes());
                splitter.take();
            }
            let value = splitter.current.as_ref().expect("a value");
            let kept = splitter.text.capacity() + value.brackets.capacity();
            assert!(kept < 10_000, "{text}: {kept}");
        }
    }

    proptest! {
        #[test]
        fn an_array_gives_the_same_values_as_lines(
            values in prop::collection::vec("[a\\[\\]{}:,\" \\\\\n\u{e9}]{0,12}", 0..6),
            size in 1..40usize,
        ) {
            let objects: Vec<_> =
                values.iter().map(|value| serde_json::json!({"a": [{}, value, {"b": value}]})).collect();
            let lines: Vec<_> = objects.iter().map(ToString::to_string).collect();
            let array = serde_json::to_string_pretty(&objects).expect("JSON");
            let found = split(&array, size, FRAME_LIMIT);
            prop_assert_eq!(found.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), lines);
        }
    }
}
