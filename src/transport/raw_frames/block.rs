//! Splits an event stream into blocks of lines, and keeps every line.
//!
//! Unlike the parser of events, this drops nothing: not comments, unknown fields, nor blocks that
//! the standard does not consider events.

use memchr::memchr2;

use super::message::{RawMessage, SseBlock};

/// The byte order mark, which may begin a stream.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Splits the bytes of an event stream at blank lines. Lines end with LF, CR or CRLF.
pub(super) struct BlockSplitter {
    /// The maximum size of a block in bytes.
    limit: usize,
    /// The current block with LF after each line. Empty once it is over the limit.
    block: Vec<u8>,
    /// The size of the current block.
    size: u64,
    line_is_empty: bool,
    ends_with_cr: bool,
    is_first: bool,
}

impl BlockSplitter {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            block: Vec::new(),
            size: 0,
            line_is_empty: true,
            ends_with_cr: false,
            is_first: true,
        }
    }

    /// Adds bytes, and returns the blocks that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<RawMessage> {
        let mut blocks = Vec::new();
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.ends_with_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.add(bytes);
                break;
            };
            self.add(&bytes[..end]);
            self.ends_with_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if self.line_is_empty {
                blocks.extend(self.take());
            } else {
                self.add(b"\n");
                self.line_is_empty = true;
            }
        }
        blocks
    }

    /// Returns what the stream ended in the middle of.
    pub(super) fn finish(mut self) -> Option<RawMessage> {
        self.take().map(|message| match message {
            RawMessage::Sse(block) => RawMessage::Sse(SseBlock { is_incomplete: true, ..block }),
            message => message,
        })
    }

    /// Returns the size of the block that is not complete yet, in bytes.
    pub(super) const fn unfinished(&self) -> u64 {
        self.size
    }

    fn add(&mut self, bytes: &[u8]) {
        self.line_is_empty &= bytes.is_empty();
        self.size += bytes.len() as u64;
        if self.size <= self.limit as u64 {
            self.block.extend_from_slice(bytes);
        } else {
            self.block = Vec::new();
        }
    }

    /// Takes the current block, unless it is empty.
    fn take(&mut self) -> Option<RawMessage> {
        let (size, mut block) = (std::mem::take(&mut self.size), std::mem::take(&mut self.block));
        self.line_is_empty = true;
        if size > self.limit as u64 {
            self.is_first = false;
            return Some(RawMessage::TooLarge(size));
        }
        if std::mem::take(&mut self.is_first) && block.starts_with(BOM) {
            block.drain(..BOM.len());
        }
        match String::from_utf8(block) {
            Ok(text) if text.trim_end_matches('\n').is_empty() => None,
            Ok(text) => Some(RawMessage::Sse(parse(&text))),
            Err(error) => Some(RawMessage::Binary(error.into_bytes())),
        }
    }
}

/// Sorts the lines of a block by their fields.
fn parse(text: &str) -> SseBlock {
    let (mut event, mut id, mut retry) = (None, None, None);
    let (mut data, mut other) = (None, None);
    for line in text.split_terminator('\n') {
        let field = match field(line) {
            ("data", value) => {
                append(&mut data, value);
                continue;
            }
            ("event", _) => &mut event,
            ("id", _) => &mut id,
            ("retry", value) if milliseconds(value).is_some() => &mut retry,
            _ => {
                append(&mut other, line);
                continue;
            }
        };
        if let Some(replaced) = field.replace(line) {
            append(&mut other, replaced);
        }
    }
    let value = |line: Option<&str>| line.map(|line| field(line).1.to_owned());
    SseBlock {
        event: value(event),
        id: value(id),
        retry: retry.and_then(|line| milliseconds(field(line).1)),
        data,
        other,
        is_incomplete: false,
    }
}

/// Splits a line into the name and the value of a field. A comment has an empty name.
fn field(line: &str) -> (&str, &str) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name, value.strip_prefix(' ').unwrap_or(value))
}

fn milliseconds(value: &str) -> Option<u64> {
    // `parse` would also accept a sign.
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().ok()).flatten()
}

fn append(lines: &mut Option<String>, line: &str) {
    match lines {
        None => *lines = Some(line.to_owned()),
        Some(lines) => {
            lines.push('\n');
            lines.push_str(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a stream that arrives in chunks of this size, and returns the blocks as text.
    fn split(stream: &[u8], chunk: usize, limit: usize) -> Vec<String> {
        let mut splitter = BlockSplitter::new(limit);
        let mut blocks: Vec<_> =
            stream.chunks(chunk).flat_map(|chunk| splitter.push(chunk)).collect();
        blocks.extend(splitter.finish());
        blocks.iter().map(describe).collect()
    }

    fn describe(message: &RawMessage) -> String {
        match message {
            RawMessage::Sse(SseBlock { event, id, retry, data, other, is_incomplete }) => {
                let end = if *is_incomplete { " incomplete" } else { "" };
                format!("{event:?} {id:?} {retry:?} {data:?} {other:?}{end}")
            }
            RawMessage::Binary(bytes) => format!("{bytes:?}"),
            RawMessage::TooLarge(bytes) => format!("too large {bytes}"),
            RawMessage::Text(_) => unreachable!("a message of a WebSocket"),
        }
    }

    #[test]
    fn every_line_is_in_the_block_wherever_the_chunks_and_lines_end() {
        let stream = "\u{feff}: hi\nretry: 7\n\nevent\nid:\n\nevent: a\nevent:  b\nfoo: bar\ndata\ndata:x\n\n\
                      \n\nretry: -1\nretry: 2s\nDATA: x\n:\n\n: end\ndata: cut";
        let expected = [
            r#"None None Some(7) None Some(": hi")"#,
            r#"Some("") Some("") None None None"#,
            r#"Some(" b") None None Some("\nx") Some("event: a\nfoo: bar")"#,
            r#"None None None None Some("retry: -1\nretry: 2s\nDATA: x\n:")"#,
            r#"None None None Some("cut") Some(": end") incomplete"#,
        ];
        for end in ["\n", "\r\n", "\r"] {
            let stream = stream.replace('\n', end);
            for chunk in [1, 2, 3, 7, stream.len()] {
                assert_eq!(split(stream.as_bytes(), chunk, 1000), expected, "{end:?} {chunk}");
            }
        }
    }

    #[test]
    fn large_blocks_are_skipped_and_invalid_text_is_kept_as_bytes() {
        let stream = b"data: 123456\n\n: 1\n: 2\n: 3\n: 4\n\ndata: \xff\n\ndata: a\n\n: 1234567890";
        let expected = [
            "too large 13",
            "too large 16",
            "[100, 97, 116, 97, 58, 32, 255, 10]",
            r#"None None None Some("a") None"#,
            "too large 12",
        ];
        for chunk in [1, 5, stream.len()] {
            assert_eq!(split(stream, chunk, 10), expected);
        }
        let mut splitter = BlockSplitter::new(1000);
        for _ in 0..1000 {
            assert!(splitter.push(&[b'x'; 1000]).is_empty());
            assert!(splitter.block.capacity() < 3000, "{} bytes", splitter.block.capacity());
        }
        assert_eq!(splitter.unfinished(), 1_000_000);
    }
}
