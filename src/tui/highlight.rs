//! Marks parts of a text, such as the matches of a search, in styled spans.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Span;

/// Gives ranges of a text a style of their own. The text is that of all spans together, and the
/// ranges are in ascending order.
#[must_use]
pub fn mark_ranges(
    spans: Vec<Span<'static>>,
    ranges: &[Range<usize>],
    style: Style,
) -> Vec<Span<'static>> {
    if ranges.is_empty() {
        return spans;
    }
    let (mut marked, mut start) = (Vec::new(), 0);
    for span in spans {
        let (end, mut done) = (start + span.content.len(), start);
        for range in ranges.iter().filter(|range| range.start < end && range.end > start) {
            let found = range.start.max(start)..range.end.min(end);
            let mut push = |range: Range<usize>, style| {
                let part = span.content.get(range.start - start..range.end - start);
                marked.extend(part.map(|part| Span::styled(part.to_owned(), style)));
            };
            push(done..found.start, span.style);
            push(found.clone(), style);
            done = found.end;
        }
        let rest = span.content.get(done - start..).unwrap_or_default();
        marked.push(Span::styled(rest.to_owned(), span.style));
        start = end;
    }
    marked
}
