//! The lanes of what was measured: the emotion of the caller, and the latency of the turns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::picture::{LanePicture, longest_latency, put};
use crate::tui::text::length;

/// The levels of a bar in one line, from the lowest to the full one.
const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws valence as a line in braille dots, with the line of zero in the middle.
pub fn render_valence(picture: &LanePicture<'_>, names: Rect, area: Rect, buffer: &mut Buffer) {
    let theme = picture.theme;
    let emotions = &picture.call.transcript.emotions;
    let mut dots = DotGrid::new(area);
    let points = emotions
        .iter()
        .map(|(time, valence, _)| (picture.axis.half_cell(*time), dots.row_of(*valence)));
    let points: Vec<_> = points.collect();
    if let [point] = points.as_slice() {
        dots.draw_line(*point, *point);
    }
    for pair in points.windows(2) {
        dots.draw_line(pair[0], pair[1]);
    }
    if area.height >= 3 {
        let middle = area.y + area.height / 2;
        let zero = "┈".repeat(area.width.into());
        put(area.x, middle, &zero, theme.quiet(), buffer);
        let right = |text: &str| format!("{text:>width$} ", width = usize::from(names.width) - 1);
        for (y, mark) in [(area.y, "+1"), (middle, "0"), (area.bottom() - 1, "-1")] {
            let x = names.right().saturating_sub(3);
            put(x, y, &format!("{mark:>2} "), theme.quiet(), buffer);
        }
        let now = picture.cursor.map(|(time, _)| time);
        let value = emotions.iter().rev().find(|(time, ..)| now.is_none_or(|now| *time <= now));
        if let Some((_, valence, _)) = value.filter(|_| names.width > 9) {
            let text = right(&format!("{valence:+.2}  0"));
            put(names.x, middle, &text, theme.quiet(), buffer);
        }
    }
    dots.render(area, theme.good(), buffer);
}

/// Draws arousal as bars from one measurement to the next.
pub fn render_arousal(picture: &LanePicture<'_>, area: Rect, buffer: &mut Buffer) {
    let emotions = &picture.call.transcript.emotions;
    for (place, (from, _, arousal)) in emotions.iter().enumerate() {
        let next = emotions.get(place + 1).map_or(*from, |(next, ..)| *next);
        let Some((first, last)) = picture.axis.period(*from, next) else { continue };
        for at in first..=last.saturating_sub(u16::from(last > first)) {
            let column = Rect { x: area.x + at, width: 1, ..area };
            render_bar(*arousal, column, picture.theme.quiet(), buffer);
        }
    }
}

/// Draws the time to the first audio of each turn as a bar. The slowest turn stands out.
pub fn render_latency(picture: &LanePicture<'_>, names: Rect, area: Rect, buffer: &mut Buffer) {
    let theme = picture.theme;
    let turns = &picture.call.transcript.turns;
    let (slowest, longest) = (longest_latency(picture.call), picture.longest);
    if slowest <= 0.0 {
        return;
    }
    let mut cells = vec![0.0_f64; area.width.into()];
    for turn in turns {
        let cell = picture.axis.cell(turn.time).and_then(|at| cells.get_mut(usize::from(at)));
        if let Some(highest) = cell {
            *highest = highest.max(turn.latency.first_audio);
        }
    }
    for (x, latency) in (area.x..).zip(cells).filter(|(_, latency)| *latency > 0.0) {
        let style = if latency >= slowest { theme.warning() } else { theme.family("observer") };
        render_bar(latency / longest.max(1.0), Rect { x, width: 1, ..area }, style, buffer);
    }
    // A full bar stands for this.
    #[expect(clippy::cast_possible_truncation, reason = "it is a number of seconds")]
    let seconds = (longest / 1000.0) as i64;
    let most = match longest {
        ..1000.0 => format!("{longest:.0}"),
        ..10_000.0 => format!("{:.1}s", longest / 1000.0),
        _ => length(seconds),
    };
    if 10 + most.len() <= names.width.into() {
        put(names.x + 9, names.y, &most, theme.quiet(), buffer);
    }
}

/// Draws a vertical bar for a share of the height of `area`. It is never empty.
fn render_bar(share: f64, area: Rect, style: Style, buffer: &mut Buffer) {
    let eighths = f64::from(area.height) * 8.0 * share.clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few lines")]
    let mut left = (eighths.round() as usize).max(1);
    for y in (area.y..area.bottom()).rev() {
        let Some(level) = left.min(8).checked_sub(1) else { break };
        if buffer.area.contains((area.x, y).into()) {
            buffer.set_string(area.x, y, LEVELS[level], style);
        }
        left = left.saturating_sub(8);
    }
}

/// A grid of braille dots, two by four in each cell.
struct DotGrid {
    /// The dots of each cell, one bit for each.
    cells: Vec<u8>,
    width: usize,
    height: usize,
}

impl DotGrid {
    fn new(area: Rect) -> Self {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        Self { cells: vec![0; width * height], width, height }
    }

    /// Returns the row of dots for a value from -1 to 1.
    fn row_of(&self, value: f64) -> i64 {
        let last = i32::try_from(self.height * 4).unwrap_or(4) - 1;
        let share = (1.0 - value.clamp(-1.0, 1.0)) / 2.0;
        #[expect(clippy::cast_possible_truncation, reason = "few lines")]
        let row = (share * f64::from(last)).round() as i64;
        row.clamp(0, i64::from(last))
    }

    fn draw(&mut self, column: i64, row: i64) {
        // The bits of the dots in Unicode, by column and row.
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row)) else { return };
        if column / 2 < self.width && row / 4 < self.height {
            self.cells[row / 4 * self.width + column / 2] |= BITS[column % 2][row % 4];
        }
    }

    /// Draws a line from one dot to another at its right. Both may be outside the grid.
    fn draw_line(&mut self, (x, y): (i64, i64), (to_x, to_y): (i64, i64)) {
        let row = |column: i64| match to_x - x {
            ..=0 => y,
            width => y + (to_y - y) * (column - x) / width,
        };
        let last = i64::try_from(self.width * 2).unwrap_or(0);
        let mut before = row(x.max(0));
        for column in x.max(0)..=to_x.min(last) {
            // A steep line has several dots in a column.
            let row = if column == to_x { to_y } else { row(column) };
            for row in row.min(before)..=row.max(before) {
                self.draw(column, row);
            }
            before = row;
        }
    }

    fn render(&self, area: Rect, style: Style, buffer: &mut Buffer) {
        for (place, dots) in self.cells.iter().enumerate().filter(|(_, dots)| **dots != 0) {
            let (line, column) = (place / self.width, place % self.width);
            let offset = |at: usize| u16::try_from(at).unwrap_or(0);
            let at = (area.x + offset(column), area.y + offset(line));
            let symbol = char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' ');
            if let Some(cell) = buffer.cell_mut(at) {
                cell.set_char(symbol).set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[(i64, i64)]) -> Vec<String> {
        let area = Rect::new(0, 0, 4, 3);
        let mut dots = DotGrid::new(area);
        points.windows(2).for_each(|pair| dots.draw_line(pair[0], pair[1]));
        let mut buffer = Buffer::empty(area);
        dots.render(area, Style::new(), &mut buffer);
        let line = |y| (0..4).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..3).map(line).collect()
    }

    #[test]
    fn a_line_is_connected_and_clipped() {
        assert_eq!(drawn(&[(0, 5), (7, 5)]), ["    ", "⠒⠒⠒⠒", "    "]);
        assert_eq!(drawn(&[(0, 0), (0, 11)]), ["⡇   ", "⡇   ", "⡇   "]);
        assert_eq!(drawn(&[(0, 0), (7, 11)])[0].trim_end(), "⠙⣆");
        // The part that is visible has the slope of the whole.
        let far = 1_i64 << 41;
        assert_eq!(drawn(&[(-far, 0), (far, 10)]), drawn(&[(0, 5), (7, 5)]));
        assert_eq!(drawn(&[(-9, 3), (-2, 8)]).concat().trim(), "");
    }

    #[test]
    fn values_are_in_order_from_the_top_to_the_bottom() {
        let dots = DotGrid::new(Rect::new(0, 0, 4, 3));
        let rows = [2.0, 1.0, 0.1, -0.1, -1.0, f64::NEG_INFINITY].map(|value| dots.row_of(value));
        assert_eq!(rows, [0, 0, 5, 6, 11, 11]);
    }
}
