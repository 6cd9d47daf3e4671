//! Text measured in terminal cells: width, cutting, wrapping and alignment. Grapheme clusters are
//! never split.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub use crate::analysis::stats::text::{cell, length};
pub use crate::text::units::{count, counted};

/// Returns the width of spans in cells.
#[must_use]
pub fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| span.content.width()).sum()
}

/// Splits spans after at most `width` cells. Returns both parts.
fn split(spans: Vec<Span<'static>>, width: usize) -> [Vec<Span<'static>>; 2] {
    let (mut first, mut rest, mut room) = (Vec::new(), Vec::new(), Some(width));
    for span in spans {
        let mut taken = 0;
        for grapheme in span.content.graphemes(true) {
            room = room.and_then(|room| room.checked_sub(grapheme.width()));
            if room.is_none() {
                break;
            }
            taken += grapheme.len();
        }
        let (before, after) = span.content.split_at(taken);
        for (part, text) in [(&mut first, before), (&mut rest, after)] {
            if !text.is_empty() {
                part.push(Span::styled(text.to_owned(), span.style));
            }
        }
    }
    [first, rest]
}

/// Wraps spans between words into lines of at most `width` cells. All lines but the first one are
/// indented. A word that is longer than a line is split.
#[must_use]
pub fn wrap(spans: Vec<Span<'static>>, width: usize, indent: usize) -> Vec<Line<'static>> {
    let indent = indent.min(width / 2);
    let (mut lines, mut rest) = (Vec::new(), spans);
    loop {
        let before = if lines.is_empty() { 0 } else { indent };
        let room = (width - before).max(1);
        let is_last = self::width(&rest) <= room;
        let end = if is_last { usize::MAX } else { line_end(&rest, room) };
        let [mut line, after] = split(rest, end);
        if before > 0 {
            line.insert(0, Span::raw(" ".repeat(before)));
        }
        lines.push(Line::from(line));
        if is_last {
            return lines;
        }
        rest = trim_start(after);
        if rest.is_empty() {
            return lines;
        }
    }
}

/// Returns the width of the first line of spans that do not fit into `room` cells: up to the last
/// space, or the whole room within a long word. It is at least one grapheme cluster wide.
fn line_end(spans: &[Span<'_>], room: usize) -> usize {
    let text: String = spans.iter().map(|span| &*span.content).collect();
    let (mut cells, mut space, mut has_word) = (0, None, false);
    for grapheme in text.graphemes(true) {
        let is_space = grapheme == " ";
        if is_space && has_word {
            space = Some(cells);
        }
        has_word |= !is_space;
        let next = cells + grapheme.width();
        if next > room {
            return space.unwrap_or(if cells == 0 { next } else { cells });
        }
        cells = next;
    }
    cells
}

/// Removes the spaces at which a line was wrapped.
fn trim_start(spans: Vec<Span<'static>>) -> Vec<Span<'static>> {
    let mut is_start = true;
    let trimmed = spans.into_iter().filter_map(|span| {
        if !is_start {
            return Some(span);
        }
        let text = span.content.trim_start_matches(' ');
        is_start = text.is_empty();
        (!is_start).then(|| Span::styled(text.to_owned(), span.style))
    });
    trimmed.collect()
}

/// Wraps text between words into lines of at most `width` cells. A longer word gets a line of its
/// own, which exceeds the width.
#[must_use]
pub fn words(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// Returns spans as one line of at most `width` cells, which ends in `…` if something was cut.
#[must_use]
pub fn cut(spans: Vec<Span<'static>>, width: usize) -> Line<'static> {
    if self::width(&spans) <= width {
        return Line::from(spans);
    }
    let [line, _] = split(spans, width.saturating_sub(1));
    let mut line = Line::from(line);
    let style = line.spans.last().map_or_else(Style::default, |span| span.style);
    // A value that was shortened at the same place has an ellipsis already.
    if !line.to_string().ends_with('…') {
        line.spans.push(Span::styled("…", style));
    }
    line
}

/// Returns one line with text aligned to both sides. The left text is cut first.
#[must_use]
pub fn sides(left: Vec<Span<'static>>, right: Vec<Span<'static>>, width: usize) -> Line<'static> {
    let taken = self::width(&right);
    if taken + 4 > width {
        return cut(right, width);
    }
    let room = width - taken;
    let mut line = cut(left, room.saturating_sub(1));
    line.spans.push(Span::raw(" ".repeat(room.saturating_sub(self::width(&line.spans)))));
    line.spans.extend(right);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn never_splits_wide_characters_or_grapheme_clusters() {
        let spans = || vec![Span::raw("ab漢"), Span::raw("字🙂c")];
        assert_eq!(texts(&wrap(spans(), 3, 0)), ["ab", "漢", "字", "🙂c"]);
        assert_eq!(cut(spans(), 5).to_string(), "ab漢…");
        assert_eq!(cut(spans(), 9).to_string(), "ab漢字🙂c");
        assert_eq!(cut(vec![Span::raw("a…"), Span::raw("bc")], 3).to_string(), "a…");
        assert_eq!(texts(&wrap(spans(), 1, 0)).len(), 6);
        let family = "👩\u{200d}⚕\u{fe0f}";
        assert_eq!(
            texts(&wrap(vec![Span::raw(format!("a{family}{family}"))], 3, 0)),
            [format!("a{family}"), family.to_owned()]
        );
        assert_eq!(cut(vec![Span::raw("e\u{301}שלום")], 3).to_string(), "e\u{301}ש…");
    }

    #[test]
    fn wraps_between_words() {
        let spans = || vec![Span::raw("  one two"), Span::raw(" three, fourteen")];
        assert_eq!(texts(&wrap(spans(), 10, 0)), ["  one two", "three,", "fourteen"]);
        assert_eq!(texts(&wrap(spans(), 10, 3)), ["  one two", "   three,", "   fourtee", "   n"]);
        assert_eq!(texts(&wrap(Vec::new(), 10, 3)), [""]);
        assert_eq!(texts(&wrap(vec![Span::raw("one   ")], 4, 0)), ["one "]);
        assert_eq!(words("one two three fourteen", 7), ["one two", "three", "fourteen"]);
        assert_eq!(words("", 7), [""]);
    }
}
