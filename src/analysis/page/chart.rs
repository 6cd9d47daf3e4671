//! Charts that pages share: tables with bars, histograms, and columns over time.

use std::io::{self, Write};

use super::axis::{TimeScale, float, float_of, moment, round_step};
use super::escape;
use super::svg::{Svg, SvgArea};
use crate::analysis::stats::over_time::TimeColumn;
use crate::text::units::count;

/// The height of a bar in a table, in pixels.
const BAR_HEIGHT: f64 = 14.0;

/// The height of the columns of a chart, in pixels.
const COLUMN_HEIGHT: f64 = 120.0;

/// The room above the columns, in pixels.
const TOP: f64 = 18.0;

/// The room below the columns for labels, in pixels.
const BOTTOM: f64 = 20.0;

/// The longest name in a table, in bytes.
const MAX_NAME: usize = 200;

/// A row of a table with bars.
pub struct BarRow {
    /// The name.
    pub name: String,
    /// The length of the bar.
    pub length: f64,
    /// The part of the bar that is hatched, from its left end.
    pub hatched: f64,
    /// The numbers.
    pub cells: Vec<String>,
}

/// Writes a table whose rows have bars, of which `longest` has the whole width. The first heading is
/// that of the names, and the others those of the numbers.
///
/// # Errors
/// Fails if `page` does.
pub fn bar_table(
    page: &mut dyn Write,
    headings: &[&'static str],
    rows: &[BarRow],
    longest: f64,
) -> io::Result<()> {
    let (first, others) = headings.split_first().unwrap_or((&"", &[]));
    write!(page, "<table class=\"bars\">\n<thead><tr><th scope=\"col\">{first}</th><td></td>")?;
    for heading in others {
        write!(page, "<th scope=\"col\" class=\"number\">{heading}</th>")?;
    }
    page.write_all(b"</tr></thead>\n<tbody>\n")?;
    for row in rows {
        let name = escape(&super::shortened(&row.name, MAX_NAME));
        let mut svg = Svg::decoration("bar", BAR_HEIGHT);
        let width = |length: f64| if longest > 0.0 { length * 100.0 / longest } else { 0.0 };
        if row.length > 0.0 {
            svg.rect("fill", SvgArea::new(0.0, 0.0, width(row.length), BAR_HEIGHT), "");
        }
        if row.hatched > 0.0 {
            svg.rect("badfill", SvgArea::new(0.0, 0.0, width(row.hatched), BAR_HEIGHT), "");
        }
        write!(page, "<tr><th scope=\"row\">{name}</th><td>{}</td>", svg.finish())?;
        for cell in &row.cells {
            write!(page, "<td class=\"number\">{}</td>", escape(cell))?;
        }
        page.write_all(b"</tr>\n")?;
    }
    page.write_all(b"</tbody>\n</table>\n")
}

/// A histogram of durations in milliseconds.
pub struct HistogramChart<'a> {
    /// What the durations are.
    pub name: &'a str,
    /// The width of a column, in milliseconds.
    pub step: f64,
    /// The number of durations in each column. The last one has everything above the others.
    pub counts: &'a [u64],
    /// The 50th, 95th and 99th percentile.
    pub percentiles: [f64; 3],
    /// Formats a duration.
    pub format: fn(f64) -> String,
}

impl HistogramChart<'_> {
    /// Draws the histogram, with its percentiles as lines.
    #[must_use]
    pub fn draw(&self) -> String {
        let Self { name, step, counts, percentiles, format } = self;
        let [p50, p95, p99] = percentiles.map(format);
        let total = counts.iter().sum::<u64>();
        let label = format!(
            "Histogram of {name}: {} measured, half of them up to {p50}, 95 % up to {p95}, 99 % up to {p99}",
            count(total)
        );
        let mut svg = Svg::new("chart", TOP + COLUMN_HEIGHT + BOTTOM, &label);
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let columns = float_of(counts.len() as u64).max(1.0);
        let (width, base) = (100.0 / columns, TOP + COLUMN_HEIGHT);
        let is_open = |at: usize| at + 1 == counts.len() && counts.len() > 1;
        for (at, number) in counts.iter().enumerate().filter(|(_, number)| **number > 0) {
            let left = float_of(at as u64);
            let height = (float_of(*number) * COLUMN_HEIGHT / float_of(most)).max(1.0);
            let area =
                SvgArea::new(left * width + width * 0.06, base - height, width * 0.88, height);
            let range = if is_open(at) {
                format!("{} and more", format(left * step))
            } else {
                format!("{} to {}", format(left * step), format((left + 1.0) * step))
            };
            let class = if is_open(at) { "rest" } else { "fill" };
            svg.rect(class, area, &format!("{range}: {}", count(*number)));
        }
        svg.line("base", (0.0, base), (100.0, base));
        svg.text(
            "start label",
            (0.0, TOP - 6.0),
            0.0,
            &format!("{} at most per column", count(most)),
        );
        let regular = (columns - 1.0).max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "a length of a picture")]
        let (ticks, _) = TimeScale::new(0, (columns * step) as i64).ticks(4);
        for (number, millis) in ticks.into_iter().enumerate() {
            let place = float(millis) / step * width;
            svg.line("tick", (place, base), (place, base + 4.0));
            svg.text(side(place, number), (place, base + 16.0), 0.0, &format(float(millis)));
        }
        for (name, value) in ["p50", "p95", "p99"].into_iter().zip(percentiles) {
            let place = (value / step).min(regular + 0.5) * width;
            svg.line("percentile", (place, TOP - 2.0), (place, base));
            let class = if place > 80.0 { "end mark" } else { "start mark" };
            let shift = if place > 80.0 { -3.0 } else { 3.0 };
            // Labels of percentiles that are close to each other do not meet.
            let y = TOP
                + match name {
                    "p50" => 8.0,
                    "p95" => 21.0,
                    _ => 34.0,
                };
            svg.text(class, (place, y), shift, &format!("{name} {}", format(*value)));
        }
        svg.finish()
    }
}

/// Draws events over time. `gaps` are ranges of time that are marked, and whether events are missing
/// there for certain.
#[must_use]
pub fn columns_over_time(
    scale: TimeScale,
    columns: &[TimeColumn],
    gaps: &[(i64, i64, bool)],
    label: &str,
) -> String {
    let mut svg = Svg::new("chart", TOP + COLUMN_HEIGHT + BOTTOM, label);
    let base = TOP + COLUMN_HEIGHT;
    let most = columns.iter().map(|column| column.events).max().unwrap_or(0).max(1);
    let step = round_step(float_of(most), 4.0).max(1.0);
    let top = (float_of(most) / step).ceil() * step;
    let height = |number: f64| number * COLUMN_HEIGHT / top;
    let mut level = step;
    while level <= top {
        let y = base - height(level);
        svg.line("grid", (0.0, y), (100.0, y));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        svg.text("start label", (0.0, y - 3.0), 0.0, &count(level as u64));
        level += step;
    }
    let (ticks, tick_step) = scale.ticks(6);
    for column in columns.iter().filter(|column| column.events > 0) {
        let (from, to) = (scale.place(column.from), scale.place(column.to));
        let room = (to - from) * 0.05;
        let height = height(float_of(column.events)).max(1.0);
        let area = SvgArea::new(from + room, base - height, to - from - 2.0 * room, height);
        let (from, to) = (moment(column.from, 1000), moment(column.to, 1000));
        svg.rect("fill", area, &format!("{from} to {to} UTC: {} events", count(column.events)));
    }
    for (from, to, is_certain) in gaps {
        let (left, right) = (scale.place(*from), scale.place(*to));
        let what = if *is_certain { "events were lost" } else { "events may have been lost" };
        let (from, to) = (moment(*from, 1000), moment(*to, 1000));
        let area = SvgArea::new(left, TOP, right - left, COLUMN_HEIGHT);
        svg.rect("gap", area, &format!("gap: {what} from {from} to {to} UTC"));
    }
    svg.line("base", (0.0, base), (100.0, base));
    for (number, tick) in ticks.into_iter().enumerate() {
        let place = scale.place(tick);
        svg.line("tick", (place, base), (place, base + 4.0));
        svg.text(side(place, number), (place, base + 16.0), 0.0, &moment(tick, tick_step));
    }
    svg.finish()
}

/// Returns the class of a label of an axis, which must not leave the picture. On a narrow page, the
/// labels with an odd number are not shown.
#[must_use]
pub fn side(place: f64, number: usize) -> &'static str {
    match (place, number % 2) {
        (..6.0, _) => "start label",
        (6.0..94.0, 0) => "middle label",
        (6.0..94.0, _) => "middle label minor",
        (_, 0) => "end label",
        _ => "end label minor",
    }
}
