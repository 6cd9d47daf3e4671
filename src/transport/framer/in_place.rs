//! What can be said about the frames of a buffer without a parser: where they end, which id is the
//! last, and where the fields of a frame of the usual form are.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr_iter, memrchr2};

/// The places of the fields in a frame of the usual form.
///
/// It consists of comments and of at most one line for each of `event:`, `id:` and `data:`, and
/// ends in a blank line.
#[derive(Debug, Default)]
pub struct PlainFrame {
    /// The value of the `event:` line, unless it is empty.
    pub event: Option<Range<usize>>,
    /// The value of the `id:` line.
    pub id: Option<Range<usize>>,
    /// The value of the `data:` line.
    pub data: Option<Range<usize>>,
    /// The offset after the blank line.
    pub end: usize,
}

/// Finds the fields of the frame that begins at `at`, if it is of the usual form and lines end in
/// LF.
///
/// The caller must make sure that the frame is valid UTF-8, has no CR and is within the limit of a
/// frame.
#[must_use]
pub fn plain_frame(bytes: &[u8], mut at: usize) -> Option<PlainFrame> {
    let mut frame = PlainFrame::default();
    loop {
        let line = &bytes[at..];
        let (name, field) = match line {
            [b'\n', ..] => break,
            [b':', ..] => (1, None),
            [b'd', b'a', b't', b'a', b':', ..] => (5, Some(&mut frame.data)),
            [b'i', b'd', b':', ..] => (3, Some(&mut frame.id)),
            [b'e', b'v', b'e', b'n', b't', b':', ..] => (6, Some(&mut frame.event)),
            _ => return None,
        };
        let start = at + name + usize::from(line.get(name) == Some(&b' '));
        let end = at + memchr(b'\n', line)?;
        // Of several lines with the same name, the parser knows what to do.
        if field.is_some_and(|field| field.replace(start..end).is_some()) {
            return None;
        }
        at = end + 1;
    }
    frame.end = at + 1;
    frame.event = frame.event.filter(|event| !event.is_empty());
    let has_valid_id = frame.id.as_ref().is_none_or(|id| is_valid_id(&bytes[id.clone()]));
    has_valid_id.then_some(frame)
}

/// Returns the place of the last id that these complete frames set.
#[must_use]
pub fn last_id(frames: &[u8]) -> Option<Range<usize>> {
    let mut rest = frames;
    loop {
        let start = memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
        let (name, value) = split_field(&rest[start..]);
        if name == b"id" && is_valid_id(value) {
            return Some(rest.len() - value.len()..rest.len());
        }
        rest = &rest[..start.checked_sub(1)?];
    }
}

/// Returns the length of the complete frames at the beginning of these bytes.
///
/// Only blank lines that end in LF are recognised, so the result may be less than possible.
#[must_use]
pub fn complete_frames_len(bytes: &[u8]) -> usize {
    memrchr_iter(b'\n', bytes).find(|end| is_blank_line(bytes, *end)).map_or(0, |end| end + 1)
}

/// Returns the length of the first of these complete frames, or of the first few: only blank lines
/// that end in LF are recognised.
#[must_use]
pub fn first_frames_len(frames: &[u8]) -> usize {
    memchr_iter(b'\n', frames)
        .find(|end| is_blank_line(frames, *end))
        .map_or(frames.len(), |end| end + 1)
}

/// Returns whether the LF at `end` ends a blank line.
fn is_blank_line(bytes: &[u8], end: usize) -> bool {
    bytes[..end].ends_with(b"\n") || bytes[..end].ends_with(b"\n\r")
}

/// Splits a line into the name and the value of a field.
pub(super) fn split_field(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = memchr(b':', line);
    let value = colon.map_or(&b""[..], |colon| &line[colon + 1..]);
    (&line[..colon.unwrap_or(line.len())], value.strip_prefix(b" ").unwrap_or(value))
}

/// Returns whether the standard allows the id: it ignores those with NUL.
pub(super) fn is_valid_id(id: &[u8]) -> bool {
    memchr(0, id).is_none()
}
