//! Statistics as an HTML page: a report with charts.

use std::io::{self, Write};

use super::event_stats::{CallStats, EventStats};
use super::grouped::GroupedStats;
use super::histogram::DurationHistogram;
use super::json::time;
use super::tally::Tally;
use super::text::{per_second, span};
use crate::analysis::page::axis::{TimeScale, duration, float, float_of, moment};
use crate::analysis::page::chart::{BarRow, HistogramChart, bar_table, columns_over_time};
use crate::analysis::page::{self, KeyNumber, escape, key_numbers, privacy_notice};
use crate::model::Kind;
use crate::text::units::{count, counted};

const STYLE: &str = concat!(include_str!("../page/page.css"), include_str!("stats.css"));

/// The number of rows of a table that are shown at once.
const ROWS: usize = 15;

/// The number of columns of a histogram for the durations below the 99th percentile.
const COLUMNS: i64 = 24;

/// Writes the page. The statistics cover the time to the last event, or to `until` (milliseconds of
/// Unix time) if that is later. `revealed` are the names of the fields that the user asked to reveal.
///
/// # Errors
/// Fails if `page` does.
pub fn html(
    stats: &GroupedStats,
    until: Option<i64>,
    revealed: &[String],
    page: &mut dyn Write,
) -> io::Result<()> {
    let totals = &stats.totals;
    page::begin(page, "Statistics", STYLE)?;
    page.write_all(b"<header>\n<h1>Statistics</h1>\n")?;
    if let Some((first, last)) = totals.span {
        let last = until.unwrap_or(last).max(last);
        let shown = |millis| format!("{} {}", moment(millis, i64::MAX), moment(millis, 1000));
        let (from, to) = (time(first), time(last));
        writeln!(
            page,
            "<p class=\"range\"><time datetime=\"{from}\">{}</time> to \
             <time datetime=\"{to}\">{}</time> UTC</p>",
            shown(first),
            shown(last)
        )?;
    }
    let (is_hidden, notice) = privacy_notice(revealed);
    let class = if is_hidden { "hiding" } else { "revealing" };
    writeln!(page, "<p class=\"{class}\">{}</p>", escape(&notice))?;
    key_numbers(page, &numbers(totals, until))?;
    page.write_all(b"</header>\n<main>\n")?;
    over_time(stats, page)?;
    page.write_all(b"<div class=\"cards\">\n")?;
    groups(stats, page)?;
    calls("Calls by outcome", &totals.calls, totals.count_of(Kind::CallStarted), page)?;
    calls(
        "Observed calls by outcome",
        &totals.sessions,
        totals.count_of(Kind::SessionStart),
        page,
    )?;
    histograms(totals, page)?;
    durations(totals, page)?;
    tools(totals, page)?;
    named("Escalations by trigger", "Trigger", &totals.triggers, page)?;
    funnel(totals, page)?;
    pipelines(totals, page)?;
    drift(totals, page)?;
    gaps(totals, page)?;
    named("Malformed frames", "Category", &totals.malformed, page)?;
    types(totals, until, page)?;
    page.write_all(b"</div>\n</main>\n")?;
    page::end(page)
}

fn numbers(stats: &EventStats, until: Option<i64>) -> Vec<KeyNumber> {
    let tools = stats.tools.sorted(|_| 0);
    let called = tools.iter().map(|(_, tool)| tool.started.max(tool.completed)).sum::<u64>();
    let failed = tools.iter().map(|(_, tool)| tool.failed).sum::<u64>();
    let (started, ended) = (stats.count_of(Kind::CallStarted), stats.calls.ended());
    let ongoing = stats.calls.ongoing().map_or_else(|| "not known".to_owned(), count);
    let escalated = stats.count_of(Kind::CallEscalated);
    let audio = stats.latency[0].percentiles();
    let gaps = stats.gaps.sorted(|_| 0);
    let certain = gaps.iter().map(|(_, (certain, _))| certain).sum::<u64>();
    let possible = gaps.iter().map(|(_, (_, possible))| possible).sum::<u64>();
    let malformed = stats.malformed.sorted(|_| 0).iter().map(|(_, number)| **number).sum::<u64>();
    let rate = per_second(stats.events, stats.seconds(until));
    let rate =
        if rate.is_empty() { "all at once".to_owned() } else { format!("{rate} per second") };
    vec![
        KeyNumber::new("Events", count(stats.events), rate),
        KeyNumber::new(
            "Calls started",
            count(started),
            format!("{} ended, {ongoing} still on", count(ended)),
        ),
        KeyNumber::new(
            "Escalations",
            count(escalated),
            share_of(escalated, started, "of the calls"),
        ),
        KeyNumber::new("Tool calls", count(called), format!("{} failed", count(failed)))
            .bad_if(failed > 0),
        KeyNumber::new(
            "First audio, p95",
            audio.map_or_else(|| "–".to_owned(), |[_, p95, _]| span(p95)),
            audio.map_or_else(
                || "not measured".to_owned(),
                |[p50, _, p99]| format!("p50 {} · p99 {}", span(p50), span(p99)),
            ),
        ),
        KeyNumber::new("Drift", count(stats.drifted), "events that deviate from the model")
            .bad_if(stats.drifted > 0),
        KeyNumber::new(
            "Gaps",
            if certain + possible == 0 { "none".to_owned() } else { count(certain + possible) },
            format!("{} certain, {} possible", count(certain), count(possible)),
        )
        .bad_if(certain + possible > 0),
        KeyNumber::new("Malformed", count(malformed), "frames that are no event")
            .bad_if(malformed > 0),
    ]
}

fn over_time(stats: &GroupedStats, page: &mut dyn Write) -> io::Result<()> {
    let Some(over_time) = stats.over_time.as_ref().filter(|over_time| over_time.total() > 0) else {
        return Ok(());
    };
    let columns = over_time.columns();
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return Ok(()) };
    let width = first.to - first.from;
    let scale = TimeScale::new(first.from, last.to);
    let most = columns.iter().map(|column| column.events).max().unwrap_or(0);
    let (gaps, more_gaps) = over_time.gaps();
    let each = duration(float(width));
    let (from, to) = stats.totals.span.unwrap_or((first.from, last.to));
    let label = format!(
        "Events over time, from {} to {}: at most {} in {each}, {}",
        time(from),
        time(to),
        count(most),
        counted(gaps.len() as u64, "gap")
    );
    writeln!(page, "<section class=\"wide\">\n<h2>Events over time</h2>")?;
    page.write_all(columns_over_time(scale, &columns, gaps, &label).as_bytes())?;
    write!(page, "<p class=\"note\">Events per {each}; times are UTC.")?;
    if !gaps.is_empty() {
        page.write_all(b" Hatched: gaps, in which events are or may be missing.")?;
    }
    if more_gaps > 0 {
        write!(page, " {} are not drawn.", counted(more_gaps, "more gap"))?;
    }
    let untimed = stats.totals.events - over_time.total().min(stats.totals.events);
    if untimed > 0 {
        write!(page, " Left out: {} without a time.", counted(untimed, "event"))?;
    }
    page.write_all(b"</p>\n</section>\n")
}

/// Writes a section with a table, if there are rows. Further rows are folded.
fn section(
    title: &str,
    headings: &[&'static str],
    rows: &[BarRow],
    page: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(page, "<section>\n<h2>{title}</h2>")?;
    let longest = rows.iter().map(|row| row.length).fold(0.0, f64::max);
    let shown = if rows.len() > ROWS + 3 { ROWS } else { rows.len() };
    bar_table(page, headings, &rows[..shown], longest)?;
    let rest = rows.len() - shown;
    if rest > 0 {
        writeln!(page, "<details><summary>{} more</summary>", count(rest as u64))?;
        bar_table(page, headings, &rows[shown..], longest)?;
        page.write_all(b"</details>\n")?;
    }
    page.write_all(b"</section>\n")
}

fn row(name: Option<&str>, number: u64, cells: Vec<String>) -> BarRow {
    let name = name.unwrap_or("(other)").to_owned();
    BarRow { name, length: float_of(number), hatched: 0.0, cells }
}

fn calls(title: &str, calls: &CallStats, started: u64, page: &mut dyn Write) -> io::Result<()> {
    let ended = calls.ended();
    let outcomes = calls.outcomes.sorted(|number| *number).into_iter();
    let mut rows: Vec<_> = outcomes
        .map(|(name, number)| row(name, *number, vec![count(*number), share(*number, ended)]))
        .collect();
    if let Some(ongoing) = calls.ongoing().filter(|ongoing| *ongoing > 0 && started > 0) {
        rows.push(row(Some("still on"), ongoing, vec![count(ongoing), String::new()]));
    }
    section(title, &["Outcome", "Calls", "Share"], &rows, page)
}

fn named(
    title: &str,
    heading: &'static str,
    tally: &Tally<u64>,
    page: &mut dyn Write,
) -> io::Result<()> {
    let sorted = tally.sorted(|number| *number);
    let all = sorted.iter().map(|(_, number)| **number).sum::<u64>();
    let rows = sorted
        .into_iter()
        .map(|(name, number)| row(name, *number, vec![count(*number), share(*number, all)]));
    section(title, &[heading, "Count", "Share"], &rows.collect::<Vec<_>>(), page)
}

fn histograms(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let all = [
        ("Duration of calls", &stats.calls.durations),
        ("Duration of observed calls", &stats.sessions.durations),
        ("Time to first audio", &stats.latency[0]),
        ("Duration of tool calls", &stats.tool_calls),
    ];
    for (title, durations) in all {
        // Fewer than this are in the table of percentiles as well as in a picture.
        if durations.count() < 5 {
            continue;
        }
        if let Some(chart) = histogram(title, durations) {
            writeln!(page, "<section>\n<h2>{title}</h2>\n{chart}</section>")?;
        }
    }
    Ok(())
}

/// Draws the distribution of durations. The few that are longer than almost all share a column.
fn histogram(name: &str, durations: &DurationHistogram) -> Option<String> {
    let percentiles = durations.percentiles()?;
    let (_, max) = durations.bounds()?;
    let [_, _, p99] = percentiles;
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let (_, step) = TimeScale::new(0, p99.clamp(1.0, 1e15) as i64).ticks(COLUMNS);
    let step = float(step);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few columns")]
    let regular = (p99 / step).floor().clamp(0.0, 2.0 * float(COLUMNS)) as usize + 1;
    let mut limits = Vec::with_capacity(regular + 1);
    while limits.len() <= regular {
        limits.push(float_of(limits.len() as u64) * step);
    }
    let counts = durations.counts(&limits);
    debug_assert!(max >= p99, "the maximum is the highest percentile");
    let chart = HistogramChart { name, step, counts: &counts, percentiles, format: duration };
    Some(chart.draw())
}

fn durations(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let rows = stats.durations();
    if rows.is_empty() {
        return Ok(());
    }
    page.write_all(
        b"<section>\n<h2>Time taken</h2>\n<table>\n<thead><tr><th scope=\"col\">What</th>",
    )?;
    for heading in ["Count", "p50", "p95", "p99", "Max"] {
        write!(page, "<th scope=\"col\" class=\"number\">{heading}</th>")?;
    }
    page.write_all(b"</tr></thead>\n<tbody>\n")?;
    for (name, durations) in rows {
        write!(page, "<tr><th scope=\"row\">{name}</th>")?;
        for cell in [count(durations.count())].into_iter().chain(percentiles(durations)) {
            write!(page, "<td class=\"number\">{cell}</td>")?;
        }
        page.write_all(b"</tr>\n")?;
    }
    page.write_all(b"</tbody>\n</table>\n</section>\n")
}

/// Returns the percentiles and the maximum.
fn percentiles(durations: &DurationHistogram) -> [String; 4] {
    match (durations.percentiles(), durations.bounds()) {
        (Some([p50, p95, p99]), Some((_, max))) => [p50, p95, p99, max].map(span),
        _ => Default::default(),
    }
}

fn tools(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let sorted = stats.tools.sorted(|tool| tool.started.max(tool.completed)).into_iter();
    let rows = sorted.map(|(name, tool)| {
        let called = tool.started.max(tool.completed);
        let [p50, p95, ..] = percentiles(&tool.durations);
        let cells = vec![count(called), count(tool.failed), p50, p95];
        BarRow { hatched: float_of(tool.failed), ..row(name, called, cells) }
    });
    let rows: Vec<_> = rows.collect();
    let title = "Tools <span class=\"quiet\">(hatched: failed)</span>";
    section(title, &["Tool", "Calls", "Failed", "p50", "p95"], &rows, page)
}

fn funnel(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let steps = stats.funnel();
    if steps.iter().all(|(_, number)| *number == 0) {
        return Ok(());
    }
    let created = steps[0].1;
    let mut before = created;
    let mut rows = Vec::with_capacity(steps.len());
    for (name, number) in steps {
        let cells = vec![count(number), share(number, created), share(number, before)];
        rows.push(row(Some(&name.replace('_', " ")), number, cells));
        before = number;
    }
    section(
        "Surfaces, step by step",
        &["Step", "Surfaces", "Of created", "Of previous"],
        &rows,
        page,
    )?;
    let untracked = stats.surfaces.untracked();
    if untracked > 0 {
        writeln!(
            page,
            "<p class=\"note\">{} of more surfaces, which are not followed.</p>",
            counted(untracked, "event")
        )?;
    }
    Ok(())
}

fn pipelines(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let (synced, failed) =
        (stats.count_of(Kind::PipelineSyncCompleted), stats.count_of(Kind::PipelineError));
    if synced + failed == 0 {
        return Ok(());
    }
    let failures = row(Some("failures"), failed, vec![count(failed)]);
    let failures = BarRow { hatched: failures.length, ..failures };
    let rows = vec![row(Some("syncs"), synced, vec![count(synced)]), failures];
    section("Pipelines", &["Result", "Count"], &rows, page)
}

fn drift(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let rows = stats.drift.sorted(|number| *number).into_iter();
    let rows = rows.map(|(name, number)| row(name, *number, vec![count(*number)]));
    section("Drift from the model", &["Deviation", "Count"], &rows.collect::<Vec<_>>(), page)
}

fn gaps(stats: &EventStats, page: &mut dyn Write) -> io::Result<()> {
    let gaps = stats.gaps.sorted(|(certain, possible)| certain + possible).into_iter();
    let rows = gaps.map(|(reason, (certain, possible))| {
        let cells = vec![count(*certain), count(*possible)];
        BarRow { hatched: float_of(*certain), ..row(reason, certain + possible, cells) }
    });
    let rows: Vec<_> = rows.collect();
    let title = "Gaps <span class=\"quiet\">(hatched: certain)</span>";
    section(title, &["Reason", "Certain", "Possible"], &rows, page)
}

fn types(stats: &EventStats, until: Option<i64>, page: &mut dyn Write) -> io::Result<()> {
    let seconds = stats.seconds(until);
    let rows = stats.types().into_iter().map(|(name, number)| {
        let cells = vec![count(number), share(number, stats.events), per_second(number, seconds)];
        row(name, number, cells)
    });
    section("Events by type", &["Type", "Count", "Share", "Per s"], &rows.collect::<Vec<_>>(), page)
}

fn groups(stats: &GroupedStats, page: &mut dyn Write) -> io::Result<()> {
    let Some(groups) = &stats.groups else { return Ok(()) };
    let rows = groups.sorted(|group| group.events).into_iter().map(|(name, group)| {
        let [p50, p95, ..] = percentiles(&group.durations);
        let share = share(group.events, stats.totals.events);
        row(name, group.events, vec![count(group.events), share, p50, p95])
    });
    section("Groups", &["Group", "Events", "Share", "p50", "p95"], &rows.collect::<Vec<_>>(), page)
}

fn share(number: u64, of: u64) -> String {
    if of == 0 {
        String::new()
    } else {
        format!("{:.1} %", float_of(number) * 100.0 / float_of(of))
    }
}

fn share_of(number: u64, of: u64, what: &str) -> String {
    let share = share(number, of);
    if share.is_empty() { share } else { format!("{share} {what}") }
}
