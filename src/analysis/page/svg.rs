//! Pictures in SVG that adapt to the width of the page without a script: places and widths are in
//! percent of the picture's width, heights in pixels, and text keeps its size.

use std::fmt::Write;

use super::escape;

/// The least width of a rectangle in percent: some two pixels, because a narrower one is not seen.
const MIN_WIDTH: f64 = 0.3;

/// A part of a picture.
#[derive(Debug, Clone, Copy)]
pub struct SvgArea {
    /// The left edge, in percent of the picture's width.
    pub x: f64,
    /// The upper edge, in pixels.
    pub y: f64,
    /// The width, in percent of the picture's width.
    pub width: f64,
    /// The height, in pixels.
    pub height: f64,
}

impl SvgArea {
    /// Creates an area.
    #[must_use]
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }
}

/// A picture under construction. Classes are part of evtap; all other text is escaped.
pub struct Svg {
    text: String,
}

impl Svg {
    /// Begins a picture that is as wide as its container. `label` says what it shows to those who
    /// do not see it.
    #[must_use]
    pub fn new(class: &'static str, height: f64, label: &str) -> Self {
        let (height, label) = (number(height), escape(label));
        let text = format!(
            "<svg class=\"{class}\" width=\"100%\" height=\"{height}\" role=\"img\" \
             aria-label=\"{label}\">"
        );
        Self { text }
    }

    /// Begins a picture that adds nothing to the text beside it.
    #[must_use]
    pub fn decoration(class: &'static str, height: f64) -> Self {
        let height = number(height);
        let text = format!(
            "<svg class=\"{class}\" width=\"100%\" height=\"{height}\" aria-hidden=\"true\">"
        );
        Self { text }
    }

    /// Draws a rectangle, with a text that appears when the pointer is on it.
    pub fn rect(&mut self, class: &'static str, area: SvgArea, title: &str) {
        let width = area.width.max(MIN_WIDTH);
        let x = area.x.min(100.0 - width).max(0.0);
        let _ = write!(
            self.text,
            "<rect class=\"{class}\" x=\"{}%\" y=\"{}\" width=\"{}%\" height=\"{}\"",
            number(x),
            number(area.y),
            number(width),
            number(area.height)
        );
        self.close("rect", title);
    }

    /// Draws a circle with a radius in pixels.
    pub fn circle(&mut self, class: &'static str, (x, y): (f64, f64), radius: f64, title: &str) {
        let (x, y, radius) = (number(x), number(y), number(radius));
        let _ =
            write!(self.text, "<circle class=\"{class}\" cx=\"{x}%\" cy=\"{y}\" r=\"{radius}\"");
        self.close("circle", title);
    }

    /// Draws a straight line.
    pub fn line(&mut self, class: &'static str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        let _ = write!(
            self.text,
            "<line class=\"{class}\" x1=\"{x1}%\" y1=\"{y1}\" x2=\"{x2}%\" y2=\"{y2}\"/>"
        );
    }

    /// Draws a curve through points whose places are in percent of the width and of the height of
    /// an area as wide as the picture.
    pub fn curve(&mut self, class: &'static str, (y, height): (f64, f64), points: &[(f64, f64)]) {
        let (y, height) = (number(y), number(height));
        let _ = write!(
            self.text,
            "<svg x=\"0\" y=\"{y}\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 100 100\" \
             preserveAspectRatio=\"none\"><polyline class=\"{class}\" points=\""
        );
        for (at, (x, y)) in points.iter().enumerate() {
            let between = if at > 0 { " " } else { "" };
            let _ = write!(self.text, "{between}{},{}", number(*x), number(*y));
        }
        self.text.push_str("\"/></svg>");
    }

    /// Writes text `shift` pixels to the right of a place. The class decides on which side of it.
    pub fn text(&mut self, class: &'static str, (x, y): (f64, f64), shift: f64, text: &str) {
        let (x, y, shift) = (number(x), number(y), number(shift));
        let _ = write!(
            self.text,
            "<text class=\"{class}\" x=\"{x}%\" y=\"{y}\" dx=\"{shift}\">{}</text>",
            escape(text)
        );
    }

    /// Writes text inside an area, which cuts it.
    pub fn clipped_text(&mut self, class: &'static str, area: SvgArea, text: &str) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(number);
        let baseline = number(area.height / 2.0 + 4.0);
        let _ = write!(
            self.text,
            "<svg x=\"{x}%\" y=\"{y}\" width=\"{width}%\" height=\"{height}\">\
             <text class=\"{class}\" x=\"5\" y=\"{baseline}\">{}</text></svg>",
            escape(text)
        );
    }

    /// Begins a link to a place on the page. It is left out of the order of focus, because pictures
    /// repeat what the page says elsewhere.
    pub fn begin_link(&mut self, number: usize) {
        let _ = write!(self.text, "<a href=\"#e{number}\" tabindex=\"-1\">");
    }

    /// Ends a link.
    pub fn end_link(&mut self) {
        self.text.push_str("</a>");
    }

    fn close(&mut self, element: &str, title: &str) {
        if title.is_empty() {
            self.text.push_str("/>");
        } else {
            let _ = write!(self.text, "><title>{}</title></{element}>", escape(title));
        }
    }

    /// Returns the picture as HTML.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }
}

/// Formats a number with at most two decimals.
fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.0, -0.001, 100.0, 12.345, 7.5].map(number),
            ["0", "0", "100", "12.35", "7.5"]
        );
    }

    #[test]
    fn rectangles_are_wide_enough_to_be_seen_and_stay_inside() {
        let mut svg = Svg::decoration("x", 10.0);
        svg.rect("a", SvgArea::new(100.0, 0.0, 0.0, 5.0), "<b>");
        let text = svg.finish();
        assert!(text.contains("x=\"99.7%\"") && text.contains("width=\"0.3%\""), "{text}");
        assert!(text.contains("<title>&lt;b&gt;</title></rect></svg>"), "{text}");
    }
}
