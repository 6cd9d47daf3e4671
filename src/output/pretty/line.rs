//! Writes the texts of a line, and truncates it.

use unicode_width::UnicodeWidthChar;

use super::field::width_of;
use crate::output::style::Style;

/// Shows that a line is truncated.
const MARK: &str = "…";

/// Appends texts with their styles until there is no more room.
pub(super) struct LineWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    /// The columns that are left; `None` if the line is not truncated.
    room: Option<usize>,
    is_complete: bool,
}

impl<'o> LineWriter<'o> {
    /// Begins a line. If it is truncated, `room` is the number of columns before the mark.
    pub(super) const fn new(out: &'o mut Vec<u8>, room: Option<usize>) -> Self {
        let start = out.len();
        Self { out, start, room, is_complete: false }
    }

    /// Appends a text that consists of `parts`.
    pub(super) fn push<const N: usize>(&mut self, style: &Style, parts: [&str; N]) {
        match self.room {
            None => self.push_whole(style, parts),
            Some(room) if !self.is_complete => self.push_truncated(style, &parts, room),
            Some(_) => {}
        }
    }

    fn push_whole<const N: usize>(&mut self, style: &Style, parts: [&str; N]) {
        self.out.extend_from_slice(style.before.as_bytes());
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.extend_from_slice(style.after.as_bytes());
    }

    fn push_truncated(&mut self, style: &Style, parts: &[&str], mut room: usize) {
        let width = parts.iter().map(|part| width_of(part)).sum();
        if let Some(rest) = room.checked_sub(width) {
            self.room = Some(rest);
            for part in [&[&*style.before], parts, &[&*style.after]].concat() {
                self.out.extend_from_slice(part.as_bytes());
            }
            return;
        }
        // The prefix of an id ends with the mark already.
        let mut is_marked = self.out[self.start..].ends_with(MARK.as_bytes());
        self.out.extend_from_slice(style.before.as_bytes());
        for character in parts.iter().flat_map(|part| part.chars()) {
            let taken = character.width().unwrap_or(0);
            if taken > room {
                break;
            }
            room -= taken;
            self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            is_marked = character == '…';
        }
        if !is_marked {
            self.out.extend_from_slice(MARK.as_bytes());
        }
        self.out.extend_from_slice(style.after.as_bytes());
        self.is_complete = true;
    }
}
