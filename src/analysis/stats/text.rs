//! Statistics as an aligned table of at max 80 columns, and the formats of its numbers.

use std::fmt::Write;

use colored::Colorize;
use jiff::Timestamp;

use super::event_stats::{CallStats, EventStats, ToolStats};
use super::grouped::{GroupStats, GroupedStats};
use super::histogram::DurationHistogram;
use super::tally::Tally;
use crate::model::Kind;
use crate::output::pretty::width_of;
use crate::text::terminal;
use crate::text::units::count;

/// The widths of the column that holds a name, and of a column that holds a number.
const NAME: usize = 32;
const SHORT_NAME: usize = 25;
const NUMBER: usize = 9;

/// A table under construction.
struct TextTable {
    text: String,
    has_colour: bool,
}

/// Renders statistics as a table. They cover the time to the last event, or to `until`
/// (milliseconds of Unix time) if that is later.
#[must_use]
pub fn table(stats: &GroupedStats, until: Option<i64>, has_colour: bool) -> String {
    let mut table = TextTable { text: String::new(), has_colour };
    let totals = &stats.totals;
    table.summary(totals, until);
    match &stats.groups {
        Some(groups) => table.groups(groups, totals, until),
        None => table.totals(totals, until),
    }
    table.text
}

impl TextTable {
    fn summary(&mut self, stats: &EventStats, until: Option<i64>) {
        let events = if stats.events == 1 { "event" } else { "events" };
        let mut line = format!("{} {events}", count(stats.events));
        if let Some((first, last)) = stats.span {
            let time = |millis| Timestamp::from_millisecond(millis).unwrap_or_default();
            let (first, last) = (time(first), time(until.unwrap_or(last).max(last)));
            let end = if first.strftime("%F").to_string() == last.strftime("%F").to_string() {
                "%T"
            } else {
                "%F %T"
            };
            let _ = write!(
                line,
                " from {} to {} UTC, {}",
                first.strftime("%F %T"),
                last.strftime(end),
                rate(stats, until)
            );
        }
        self.line(&if self.has_colour { line.bold().to_string() } else { line });
    }

    fn totals(&mut self, stats: &EventStats, until: Option<i64>) {
        self.calls("Calls", stats.count_of(Kind::CallStarted), &stats.calls);
        self.calls("Observed calls", stats.count_of(Kind::SessionStart), &stats.sessions);
        self.counts("Escalations by", &stats.triggers);
        self.tools(&stats.tools);
        self.durations(stats);
        self.surfaces(stats);
        let (synced, failed) =
            (stats.count_of(Kind::PipelineSyncCompleted), stats.count_of(Kind::PipelineError));
        self.section("Pipelines", &["count"], NAME, synced + failed > 0);
        if synced + failed > 0 {
            self.row(Some("syncs"), &[count(synced)], NAME);
            self.row(Some("failures"), &[count(failed)], NAME);
            self.row(Some("events taken in"), &[count_of(stats.synced_events)], NAME);
        }
        self.counts("Drift", &stats.drift);
        self.section("Gaps", &["certain", "possible"], NAME, !stats.gaps.is_empty());
        for (reason, (certain, possible)) in
            stats.gaps.sorted(|(certain, possible)| certain + possible)
        {
            self.row(reason, &[count(*certain), count(*possible)], NAME);
        }
        self.counts("Malformed", &stats.malformed);
        let seconds = stats.seconds(until);
        let types = stats.types();
        self.section("Events", &["count", "share", "per s"], NAME, !types.is_empty());
        for (name, number) in types {
            self.row(
                name,
                &[count(number), share(number, stats.events), per_second(number, seconds)],
                NAME,
            );
        }
    }

    fn calls(&mut self, title: &str, started: u64, calls: &CallStats) {
        let ended = calls.ended();
        if started + ended == 0 {
            return;
        }
        self.section(title, &["count", "share"], NAME, true);
        self.row(Some("started"), &[count(started)], NAME);
        let ongoing = calls.ongoing().map_or_else(|| "not known".to_owned(), count);
        self.row(Some("still on"), &[ongoing], NAME);
        self.row(Some("ended"), &[count(ended)], NAME);
        for (outcome, number) in calls.outcomes.sorted(|count| *count) {
            let name =
                outcome.map_or_else(|| "  (other)".to_owned(), |outcome| format!("  {outcome}"));
            self.row(Some(&name), &[count(*number), share(*number, ended)], NAME);
        }
    }

    fn tools(&mut self, tools: &Tally<ToolStats>) {
        let titles = ["calls", "failed", "p50", "p95", "p99", "max"];
        self.section("Tools", &titles, SHORT_NAME, !tools.is_empty());
        for (name, tool) in tools.sorted(|tool| tool.started.max(tool.completed)) {
            let counts = [count(tool.started.max(tool.completed)), count(tool.failed)];
            self.row(name, &[&counts[..], &percentiles(&tool.durations)].concat(), SHORT_NAME);
        }
    }

    fn durations(&mut self, stats: &EventStats) {
        let rows = stats.durations();
        self.section("Time taken", &["count", "p50", "p95", "p99", "max"], NAME, !rows.is_empty());
        for (name, durations) in rows {
            self.row(
                Some(name),
                &[vec![count(durations.count())], percentiles(durations)].concat(),
                NAME,
            );
        }
    }

    fn surfaces(&mut self, stats: &EventStats) {
        let counts = stats.funnel();
        let created = counts[0].1;
        self.section(
            "Surfaces",
            &["count", "share"],
            NAME,
            counts.iter().any(|(_, number)| *number > 0),
        );
        for (name, number) in
            counts.into_iter().filter(|_| counts.iter().any(|(_, number)| *number > 0))
        {
            self.row(
                Some(name),
                &[count(number), if created > 0 { share(number, created) } else { String::new() }],
                NAME,
            );
        }
        if stats.surfaces.untracked() > 0 {
            self.row(
                Some("events of more, not followed"),
                &[count(stats.surfaces.untracked())],
                NAME,
            );
        }
    }

    fn counts(&mut self, title: &str, tally: &Tally<u64>) {
        self.section(title, &["count"], 80 - NUMBER, !tally.is_empty());
        for (name, number) in tally.sorted(|count| *count) {
            self.row(name, &[count(*number)], 80 - NUMBER);
        }
    }

    fn groups(&mut self, groups: &Tally<GroupStats>, stats: &EventStats, until: Option<i64>) {
        let seconds = stats.seconds(until);
        self.section(
            "Groups",
            &["count", "share", "per s", "p50", "p95", "max"],
            SHORT_NAME,
            !groups.is_empty(),
        );
        for (name, group) in groups.sorted(|group| group.events) {
            let [p50, p95, _, max] = &percentiles(&group.durations)[..] else { continue };
            let numbers = [
                count(group.events),
                share(group.events, stats.events),
                per_second(group.events, seconds),
            ];
            self.row(
                name,
                &[&numbers[..], &[p50.clone(), p95.clone(), max.clone()]].concat(),
                SHORT_NAME,
            );
        }
    }

    fn section(&mut self, title: &str, columns: &[&str], name: usize, is_shown: bool) {
        if !is_shown {
            return;
        }
        let (title, columns) = (cell(title, name), numbers(columns));
        self.line("");
        self.line(&if self.has_colour {
            format!("{}{}", title.bold(), columns.dimmed())
        } else {
            title + &columns
        });
    }

    /// Adds a row. Without a name, it stands for everything that is not counted separately.
    fn row(&mut self, name: Option<&str>, columns: &[String], width: usize) {
        let name = cell(&format!("  {}", name.unwrap_or("(other)")), width);
        self.line(&(name + &numbers(columns)));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

fn numbers(columns: &[impl AsRef<str>]) -> String {
    columns.iter().fold(String::new(), |mut line, column| {
        let _ = write!(line, "{:>NUMBER$}", column.as_ref());
        line
    })
}

/// Returns cells for the three percentiles and the maximum, which are blank without durations.
fn percentiles(durations: &DurationHistogram) -> Vec<String> {
    match (durations.percentiles(), durations.bounds()) {
        (Some(percentiles), Some((_, max))) => {
            percentiles.into_iter().chain([max]).map(span).collect()
        }
        _ => vec![String::new(); 4],
    }
}

fn rate(stats: &EventStats, until: Option<i64>) -> String {
    let seconds = stats.seconds(until);
    if seconds > 0.0 {
        format!("{}/s", per_second(stats.events, seconds))
    } else {
        "at once".to_owned()
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53, and rounded")]
pub(super) fn per_second(number: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return String::new();
    }
    match number as f64 / seconds {
        rate @ 100.0.. => format!("{rate:.0}"),
        rate @ 1.0..100.0 => format!("{rate:.1}"),
        rate => format!("{rate:.3}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53, and rounded")]
fn share(number: u64, of: u64) -> String {
    format!("{:.1} %", number as f64 * 100.0 / of.max(1) as f64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts")]
fn count_of(number: f64) -> String {
    count(number as u64)
}

/// Formats a duration in milliseconds for people.
#[must_use]
pub fn span(millis: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is shown")]
    match millis {
        0.0..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        1000.0..60_000.0 => format!("{:.1} s", millis / 1000.0),
        _ => length((millis / 1000.0).round() as i64),
    }
}

/// Makes text safe for a terminal, and pads or truncates it to exactly `width` columns.
#[must_use]
pub fn cell(text: &str, width: usize) -> String {
    let text = terminal::visible(text);
    let taken = width_of(&text);
    if taken <= width {
        return text.into_owned() + &" ".repeat(width - taken);
    }
    let mut cut = String::new();
    let mut room = width.saturating_sub(1);
    for character in text.chars() {
        let taken = width_of(character.encode_utf8(&mut [0; 4]));
        if taken > room {
            break;
        }
        room -= taken;
        cut.push(character);
    }
    cut + "…" + &" ".repeat(room)
}

/// Formats a duration in seconds for people, with its two largest units.
#[must_use]
pub fn length(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds @ 3600..86400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        seconds => format!("{}d{:02}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_exactly_their_width() {
        assert_eq!(cell("漢字", 3), "漢…");
        assert_eq!(cell("漢字", 4), "漢字");
        assert_eq!(cell("漢字", 2), "… ");
        assert_eq!(cell("\u{1b}", 8), "\\u{1b}  ");
    }

    #[test]
    fn formats_numbers_and_durations() {
        assert_eq!(
            [-1, 59, 61, 3661, 90_000].map(length),
            ["0s", "59s", "1m01s", "1h01m", "1d01h"]
        );
        assert_eq!(
            [0.04, 9.94, 10.0, 999.4, 1000.0, 59_940.0, 60_000.0, 3.7e6].map(span),
            ["0.0 ms", "9.9 ms", "10 ms", "999 ms", "1.0 s", "59.9 s", "1m00s", "1h01m"]
        );
        assert_eq!(per_second(1, 0.0), "");
        assert_eq!([1, 30, 5_000].map(|number| per_second(number, 20.0)), ["0.050", "1.5", "250"]);
    }
}
