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

/// Wraps spans into lines of at most `width` cells.
#[must_use]
pub fn wrap(spans: Vec<Span<'static>>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Vec::new()];
    let mut room = width;
    for span in spans {
        let mut text = String::new();
        for grapheme in span.content.graphemes(true) {
            let taken = grapheme.width();
            if taken > room && room < width {
                if let Some(line) = lines.last_mut() {
                    line.push(Span::styled(std::mem::take(&mut text), span.style));
                }
                lines.push(Vec::new());
                room = width;
            }
            room = room.saturating_sub(taken);
            text.push_str(grapheme);
        }
        if let Some(line) = lines.last_mut() {
            line.push(Span::styled(text, span.style));
        }
    }
    lines.into_iter().map(Line::from).collect()
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
    let mut line = wrap(spans, width.saturating_sub(1)).into_iter().next().unwrap_or_default();
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
        assert_eq!(texts(&wrap(spans(), 3)), ["ab", "漢", "字", "🙂c"]);
        assert_eq!(cut(spans(), 5).to_string(), "ab漢…");
        assert_eq!(cut(spans(), 9).to_string(), "ab漢字🙂c");
        assert_eq!(cut(vec![Span::raw("a…"), Span::raw("bc")], 3).to_string(), "a…");
        assert_eq!(texts(&wrap(spans(), 1)).len(), 6);
        let family = "👩\u{200d}⚕\u{fe0f}";
        assert_eq!(
            texts(&wrap(vec![Span::raw(format!("a{family}{family}"))], 3)),
            [format!("a{family}"), family.to_owned()]
        );
        assert_eq!(cut(vec![Span::raw("e\u{301}שלום")], 3).to_string(), "e\u{301}ש…");
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(words("one two three fourteen", 7), ["one two", "three", "fourteen"]);
        assert_eq!(words("", 7), [""]);
    }
}
