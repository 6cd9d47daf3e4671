//! Figures as people read them: aligned, within 80 columns.

use std::fmt::Write;

use colored::Colorize;
use jiff::Timestamp;

use super::grouped::{GroupStats, GroupedStats};
use super::histogram::DurationHistogram;
use super::tally::Tally;
use super::{CallStats, EventStats, ToolStats};
use crate::model::Kind;
use crate::output::pretty::width_of;
use crate::text::terminal;
use crate::text::units::count;

/// The columns of a name, and of a number.
const NAME: usize = 32;
const SHORT_NAME: usize = 25;
const NUMBER: usize = 9;

/// A table that grows.
struct TextTable {
    text: String,
    paint: bool,
}

/// What was counted, until that moment if it is later than the last event. `paint` allows for colours.
#[must_use]
pub fn board(board: &GroupedStats, until: Option<i64>, paint: bool) -> String {
    let mut page = TextTable { text: String::new(), paint };
    let figures = &board.figures;
    page.summary(figures, until);
    match &board.groups {
        Some(groups) => page.groups(groups, figures, until),
        None => page.figures(figures, until),
    }
    page.text
}

impl TextTable {
    fn summary(&mut self, figures: &EventStats, until: Option<i64>) {
        let events = if figures.events == 1 { "event" } else { "events" };
        let mut line = format!("{} {events}", count(figures.events));
        if let Some((first, last)) = figures.span {
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
                rate(figures, until)
            );
        }
        self.line(&if self.paint { line.bold().to_string() } else { line });
    }

    fn figures(&mut self, figures: &EventStats, until: Option<i64>) {
        self.calls("Calls", figures.of(Kind::CallStarted), &figures.calls);
        self.calls("Observed calls", figures.of(Kind::SessionStart), &figures.sessions);
        self.counts("Escalations by", &figures.triggers);
        self.tools(&figures.tools);
        self.times(figures);
        self.surfaces(figures);
        let (synced, failed) =
            (figures.of(Kind::PipelineSyncCompleted), figures.of(Kind::PipelineError));
        self.section("Pipelines", &["count"], NAME, synced + failed > 0);
        if synced + failed > 0 {
            self.row(Some("syncs"), &[count(synced)], NAME);
            self.row(Some("failures"), &[count(failed)], NAME);
            self.row(Some("events taken in"), &[count_of(figures.synced_events)], NAME);
        }
        self.counts("Drift", &figures.drift);
        self.section("Gaps", &["certain", "possible"], NAME, !figures.gaps.is_empty());
        for (reason, (certain, possible)) in
            figures.gaps.sorted(|(certain, possible)| certain + possible)
        {
            self.row(reason, &[count(*certain), count(*possible)], NAME);
        }
        self.counts("Malformed", &figures.malformed);
        let seconds = figures.seconds(until);
        let types = figures.types();
        self.section("Events", &["count", "share", "per s"], NAME, !types.is_empty());
        for (name, number) in types {
            self.row(
                name,
                &[count(number), share(number, figures.events), per_second(number, seconds)],
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
        self.row(Some("still on"), &[count(calls.on())], NAME);
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
            self.row(name, &[&counts[..], &percentiles(&tool.took)].concat(), SHORT_NAME);
        }
    }

    fn times(&mut self, figures: &EventStats) {
        let rows = figures.times();
        self.section("Time taken", &["count", "p50", "p95", "p99", "max"], NAME, !rows.is_empty());
        for (name, took) in rows {
            self.row(Some(name), &[vec![count(took.count())], percentiles(took)].concat(), NAME);
        }
    }

    fn surfaces(&mut self, figures: &EventStats) {
        let counts = figures.funnel();
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
        if figures.surfaces.lost() > 0 {
            self.row(Some("events of more, not followed"), &[count(figures.surfaces.lost())], NAME);
        }
    }

    fn counts(&mut self, title: &str, tally: &Tally<u64>) {
        self.section(title, &["count"], 80 - NUMBER, !tally.is_empty());
        for (name, number) in tally.sorted(|count| *count) {
            self.row(name, &[count(*number)], 80 - NUMBER);
        }
    }

    fn groups(&mut self, groups: &Tally<GroupStats>, figures: &EventStats, until: Option<i64>) {
        let seconds = figures.seconds(until);
        self.section(
            "Groups",
            &["count", "share", "per s", "p50", "p95", "max"],
            SHORT_NAME,
            !groups.is_empty(),
        );
        for (name, group) in groups.sorted(|group| group.events) {
            let [p50, p95, _, most] = &percentiles(&group.took)[..] else { continue };
            let numbers = [
                count(group.events),
                share(group.events, figures.events),
                per_second(group.events, seconds),
            ];
            self.row(
                name,
                &[&numbers[..], &[p50.clone(), p95.clone(), most.clone()]].concat(),
                SHORT_NAME,
            );
        }
    }

    fn section(&mut self, title: &str, columns: &[&str], name: usize, is_there: bool) {
        if !is_there {
            return;
        }
        let (title, columns) = (cell(title, name), numbers(columns));
        self.line("");
        self.line(&if self.paint {
            format!("{}{}", title.bold(), columns.dimmed())
        } else {
            title + &columns
        });
    }

    /// `None` is the name of all that have none of their own.
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

/// The percentiles and the maximum, or as many blanks.
fn percentiles(took: &DurationHistogram) -> Vec<String> {
    match (took.percentiles(), took.bounds()) {
        (Some(percentiles), Some((_, most))) => {
            percentiles.into_iter().chain([most]).map(span).collect()
        }
        _ => vec![String::new(); 4],
    }
}

fn rate(figures: &EventStats, until: Option<i64>) -> String {
    let seconds = figures.seconds(until);
    if seconds > 0.0 {
        format!("{}/s", per_second(figures.events, seconds))
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a sum of counts"
)]
fn count_of(number: f64) -> String {
    count(number as u64)
}

/// A length of time in milliseconds, as people read it.
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

/// Text safe to be shown, of exactly that many columns.
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

/// A length of time in seconds, as people read it at a glance.
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
    fn cells_have_their_width_whatever_is_in_them() {
        assert_eq!(cell("漢字", 3), "漢…");
        assert_eq!(cell("漢字", 4), "漢字");
        assert_eq!(cell("漢字", 2), "… ");
        assert_eq!(cell("\u{1b}", 8), "\\u{1b}  ");
    }

    #[test]
    fn tells_numbers_and_lengths_of_time() {
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
