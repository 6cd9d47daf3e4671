//! The comparison of two runs as an HTML page: tables with a bar for each run.
//!
//! The size of the page is bounded. What is left out is named at its place; JSON has everything.

use std::io::{self, Write};

use super::align::AlignedStep;
use super::compare::{RunChange, RunComparison, RunDifference, ratio, step_name};
use super::profile::RunProfile;
use super::text::{percent, summary};
use crate::analysis::page::axis::float_of;
use crate::analysis::page::svg::{Svg, SvgArea};
use crate::analysis::page::{self, KeyNumber, escape, key_numbers, privacy_notice, shortened};
use crate::analysis::stats::text::span;
use crate::model::Kind;
use crate::text::units::{count, counted};

const STYLE: &str = concat!(include_str!("../page/page.css"), include_str!("diff.css"));

/// The number of rows of a table that are shown at once, and in all.
const ROWS: usize = 15;
const MAX_ROWS: usize = 500;

/// The number of aligned steps that are shown.
const MAX_STEPS: usize = 2000;

/// The most text of a name, in bytes.
const MAX_NAME: usize = 200;

/// The height of a bar, and of a pair of them, in pixels.
const BAR: f64 = 7.0;
const PAIR: f64 = 16.0;

/// Writes the page. `names` are those of the runs.
///
/// # Errors
/// Fails if `page` does.
pub fn html(
    comparison: &RunComparison<'_>,
    names: (&str, &str),
    page: &mut dyn Write,
) -> io::Result<()> {
    let (a, b) = comparison.runs;
    page::begin(page, "Comparison of two runs", STYLE)?;
    page.write_all(b"<header>\n<h1>Comparison of two runs</h1>\n")?;
    let (_, notice) = privacy_notice(&[]);
    writeln!(page, "<p class=\"hiding\">{}</p>\n<dl class=\"runs\">", escape(&notice))?;
    run("A", "a", names.0, a, page)?;
    run("B", "b", names.1, b, page)?;
    page.write_all(b"</dl>\n")?;
    key_numbers(page, &numbers(comparison))?;
    page.write_all(b"</header>\n<main>\n")?;
    let select = |is: fn(&RunChange) -> bool| {
        let differences = comparison.differences.iter().filter(|it| is(&it.change));
        differences.collect::<Vec<_>>()
    };
    let durations = &["What", "Name", "", "A", "B", "Change", "Measured"];
    section("Slower in B", durations, &select(is_slower), page)?;
    section("Faster in B", durations, &select(is_faster), page)?;
    let presence = &["What", "Name", "", "Times"];
    section("Only in A", presence, &select(is_gone), page)?;
    section("Only in B", presence, &select(is_new), page)?;
    let shares = &["What", "Name", "", "A", "B", "Counted"];
    section("Another share in B", shares, &select(is_share), page)?;
    if comparison.differences.is_empty() {
        page.write_all(b"<section>\n<h2>No difference</h2>\n<p>Nothing differs by more than the threshold.</p>\n</section>\n")?;
    }
    steps(comparison, page)?;
    page.write_all(b"</main>\n")?;
    page::end(page)
}

fn is_slower(change: &RunChange) -> bool {
    change.slowdown().is_some()
}

fn is_faster(change: &RunChange) -> bool {
    matches!(change, RunChange::Duration { .. }) && change.slowdown().is_none()
}

const fn is_gone(change: &RunChange) -> bool {
    matches!(change, RunChange::Disappeared(_))
}

const fn is_new(change: &RunChange) -> bool {
    matches!(change, RunChange::Appeared(_))
}

const fn is_share(change: &RunChange) -> bool {
    matches!(change, RunChange::Share { .. })
}

fn run(
    side: &str,
    class: &str,
    name: &str,
    run: &RunProfile,
    page: &mut dyn Write,
) -> io::Result<()> {
    let name = escape(&shortened(name, 2 * MAX_NAME));
    write!(
        page,
        "<div><dt><span class=\"key {class}\">{side}</span>{name}</dt><dd>{}</dd>",
        summary(run)
    )?;
    let gaps = run.stats.count_of(Kind::TapGap);
    if gaps > 0 {
        let gaps = counted(gaps, "gap");
        write!(
            page,
            "<dd class=\"missing\">▲ {gaps}: what is only in the other may be missing</dd>"
        )?;
    }
    if run.left_out() > 0 {
        let left_out = counted(run.left_out(), "measurement");
        write!(page, "<dd class=\"missing\">▲ {left_out} left out to limit memory</dd>")?;
    }
    page.write_all(b"</div>\n")
}

fn numbers(comparison: &RunComparison<'_>) -> Vec<KeyNumber> {
    let number = |is: fn(&RunChange) -> bool| {
        comparison.differences.iter().filter(|it| is(&it.change)).count() as u64
    };
    let shown = |number| if number == 0 { "none".to_owned() } else { count(number) };
    let slower = number(is_slower);
    let largest = match comparison.slowdown() {
        slowdown if slowdown > 0.0 => format!("{} at most", percent(slowdown)),
        _ => "nothing takes longer".to_owned(),
    };
    vec![
        KeyNumber::new("Slower in B", shown(slower), largest).bad_if(slower > 0),
        KeyNumber::new("Faster in B", shown(number(is_faster)), "durations"),
        KeyNumber::new("Only in A", shown(number(is_gone)), "disappeared"),
        KeyNumber::new("Only in B", shown(number(is_new)), "appeared"),
        KeyNumber::new("Another share", shown(number(is_share)), "outcomes and failures"),
    ]
}

/// Writes a section with a table, if there are differences. Further rows are folded.
fn section(
    title: &str,
    headings: &[&'static str],
    differences: &[&RunDifference],
    page: &mut dyn Write,
) -> io::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    writeln!(page, "<section>\n<h2>{title}</h2>")?;
    let all = differences.len();
    let most = differences.iter().map(|it| occurrences(&it.change)).max().unwrap_or(1);
    let folded = if all > ROWS + 3 { ROWS } else { all };
    table(headings, &differences[..folded], most, page)?;
    if folded < all {
        let end = all.min(MAX_ROWS);
        writeln!(page, "<details><summary>{} more</summary>", count((all - folded) as u64))?;
        table(headings, &differences[folded..end], most, page)?;
        if end < all {
            let rest = count((all - end) as u64);
            writeln!(
                page,
                "<p class=\"note\">{rest} are left out here; <code>-o json</code> has them.</p>"
            )?;
        }
        page.write_all(b"</details>\n")?;
    }
    page.write_all(b"</section>\n")
}

fn table(
    headings: &[&'static str],
    differences: &[&RunDifference],
    most: u64,
    page: &mut dyn Write,
) -> io::Result<()> {
    page.write_all(b"<table class=\"pairs\">\n<thead><tr>")?;
    for (at, heading) in headings.iter().enumerate() {
        match (at, *heading) {
            (_, "") => page.write_all(b"<td></td>")?,
            (0 | 1, heading) => write!(page, "<th scope=\"col\">{heading}</th>")?,
            (_, heading) => {
                let class = class_of(heading);
                write!(page, "<th scope=\"col\" class=\"{class}\">{heading}</th>")?;
            }
        }
    }
    page.write_all(b"</tr></thead>\n<tbody>\n")?;
    for difference in differences {
        let RunDifference { subject, name, change } = difference;
        let name = escape(&shortened(name, MAX_NAME));
        let percentile = match change {
            RunChange::Duration { percentile, .. } => {
                format!(" <span class=\"quiet\">p{percentile}</span>")
            }
            _ => String::new(),
        };
        write!(
            page,
            "<tr><th scope=\"row\">{}</th><th scope=\"row\">{name}{percentile}</th><td class=\"pair\">{}</td>",
            subject.name(),
            bars(change, most)
        )?;
        for (cell, heading) in cells(change).iter().zip(&headings[3..]) {
            write!(page, "<td class=\"{}\">{}</td>", class_of(heading), escape(cell))?;
        }
        page.write_all(b"</tr>\n")?;
    }
    page.write_all(b"</tbody>\n</table>\n")
}

/// Returns the class of a column. A phone has no room for the counts.
fn class_of(heading: &str) -> &'static str {
    if matches!(heading, "Measured" | "Counted") { "number wide" } else { "number" }
}

fn cells(change: &RunChange) -> Vec<String> {
    match *change {
        RunChange::Appeared(times) | RunChange::Disappeared(times) => vec![count(times)],
        RunChange::Duration { millis: (before, after), counts, .. } => vec![
            span(before),
            span(after),
            percent(after / before.max(f64::MIN_POSITIVE) - 1.0),
            format!("{} and {}", count(counts.0), count(counts.1)),
        ],
        RunChange::Share { counts, of } => vec![
            format!("{:.1} %", ratio(counts.0, of.0) * 100.0),
            format!("{:.1} %", ratio(counts.1, of.1) * 100.0),
            format!(
                "{} of {}, {} of {}",
                count(counts.0),
                count(of.0),
                count(counts.1),
                count(of.1)
            ),
        ],
    }
}

const fn occurrences(change: &RunChange) -> u64 {
    match *change {
        RunChange::Appeared(times) | RunChange::Disappeared(times) => times,
        _ => 1,
    }
}

/// Draws a bar for each run, the upper one for A. Durations fill the width with the longer of the
/// two, shares with the whole, and counts with the largest one of their table.
fn bars(change: &RunChange, most: u64) -> String {
    let (before, after, whole) = match *change {
        RunChange::Disappeared(times) => (float_of(times), 0.0, float_of(most)),
        RunChange::Appeared(times) => (0.0, float_of(times), float_of(most)),
        RunChange::Duration { millis: (before, after), .. } => (before, after, before.max(after)),
        RunChange::Share { counts, of } => (ratio(counts.0, of.0), ratio(counts.1, of.1), 1.0),
    };
    let width = |length: f64| length * 100.0 / whole.max(f64::MIN_POSITIVE);
    let mut svg = Svg::decoration("pair", PAIR);
    if before > 0.0 {
        svg.rect("rest", SvgArea::new(0.0, 0.0, width(before), BAR), "");
    }
    if after > 0.0 {
        let class = if is_slower(change) { "badfill" } else { "fill" };
        svg.rect(class, SvgArea::new(0.0, PAIR - BAR, width(after), BAR), "");
    }
    svg.finish()
}

/// Writes the steps of both calls, if a step is only in one of them.
fn steps(comparison: &RunComparison<'_>, page: &mut dyn Write) -> io::Result<()> {
    let steps = comparison.steps().unwrap_or_default();
    if steps.iter().all(|step| matches!(step, AlignedStep::Both(_))) {
        return Ok(());
    }
    page.write_all(b"<section>\n<h2>Steps <span class=\"quiet\">(- only in A, + only in B)</span></h2>\n<ol class=\"steps\">\n")?;
    for step in steps.iter().take(MAX_STEPS) {
        let (class, mark, step) = match step {
            AlignedStep::Both(step) => ("both", "", step),
            AlignedStep::First(step) => ("first", "-", step),
            AlignedStep::Second(step) => ("second", "+", step),
        };
        let (kind, name, has_failed) = step_name(step);
        let failed = if has_failed { " <span class=\"bad\">✗ failed</span>" } else { "" };
        writeln!(
            page,
            "<li class=\"{class}\"><b>{mark}</b><span class=\"kind\">{kind}</span> {}{failed}</li>",
            escape(name)
        )?;
    }
    page.write_all(b"</ol>\n")?;
    let rest = steps.len().saturating_sub(MAX_STEPS);
    if rest > 0 {
        let rest = count(rest as u64);
        writeln!(
            page,
            "<p class=\"note\">{rest} are left out here; <code>-o json</code> has them.</p>"
        )?;
    }
    page.write_all(b"</section>\n")
}
