//! The table of results, in Markdown.

use std::fmt::Write as _;

use super::measure::Measured;
use super::rows::{Goal, Tool};

/// Most memory of a replay, in KiB.
const REPLAY_MEMORY: u64 = 16 * 1024;

/// Most memory of any job, in KiB.
const MEMORY: u64 = 24 * 1024;

/// The jobs that most people ask for, by the names of their rows.
const SUMMARY: &[(&str, &str)] = &[
    ("ndjson", "Print everything, hidden fields masked"),
    ("comparison", "Print what a comparison selects"),
    ("group-by", "Count by event type"),
    ("csv-3", "Print three fields as CSV"),
    ("audit", "Search all text for identifiers (`evtap audit`)"),
];

/// The results for one recording.
pub struct Table<'a> {
    pub measured: &'a [Measured],
}

impl Table<'_> {
    /// Returns the table.
    pub fn markdown(&self) -> String {
        let has_before = self.measured.iter().any(|measured| !measured.rates_before.is_empty());
        let mut columns =
            vec!["job", "MB/s", "of `ndjson`", "goal", "", "MiB", "other tools, MB/s"];
        if has_before {
            columns.extend(["before", "gain", "output"]);
        }
        let mut text =
            format!("| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len()));
        for measured in self.own() {
            let row = &measured.row;
            let ratio = self.ratio(measured, "ndjson").map_or(String::new(), times);
            let verdict = match self.is_met(measured) {
                None => "",
                Some(true) => "met",
                Some(false) => "**missed**",
            };
            let mut cells = vec![
                format!("`{}`", row.name),
                with_spread(&measured.rates),
                ratio,
                self.goal(measured),
                verdict.to_owned(),
                memory(measured),
                self.peers(measured),
            ];
            if has_before {
                let gains = paired(&measured.rates, &measured.rates_before);
                let output = if measured.is_equal { "equal" } else { "**differs**" };
                cells.extend([
                    with_spread(&measured.rates_before),
                    times(median(&gains)),
                    output.to_owned(),
                ]);
            }
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// Returns the rows that most people ask for.
    pub fn summary(&self) -> String {
        let mut text = String::from("| job | evtap | other tools, MB/s |\n| --- | --- | --- |\n");
        for (name, job) in SUMMARY {
            let Some(measured) = self.own().find(|measured| measured.row.name == *name) else {
                continue;
            };
            let rate = rate(median(&measured.rates));
            let _ = writeln!(text, "| {job} | {rate} MB/s | {} |", self.peers(measured));
        }
        if let Some(replay) = self.own().find(|measured| measured.row.name == "ndjson") {
            let memory = replay.memory as f64 / 1024.0;
            let _ = writeln!(text, "\nPrinting everything took at most {memory:.1} MiB of memory.");
        }
        text
    }

    /// Returns what evtap does in each row.
    pub fn commands(&self) -> String {
        let mut text = String::from("| row | command |\n| --- | --- |\n");
        for measured in self.own() {
            let command = measured.row.command_line().replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | `{command}` |", measured.row.name);
        }
        text
    }

    /// Returns what went wrong: too much memory and wrong answers do count, missed goals do not.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for measured in self.measured {
            let row = &measured.row;
            if measured.memory > limit(measured) {
                failures.push(format!("{}: too much memory", row.name));
            }
            match row.peer_of {
                _ if measured.is_equal => {}
                None => {
                    failures.push(format!("{}: the two evtaps print different bytes", row.name));
                }
                Some((of, _)) => failures.push(format!("{of}: {} gives another answer", row.name)),
            }
        }
        failures
    }

    /// Returns the rows of evtap.
    fn own(&self) -> impl Iterator<Item = &Measured> {
        self.measured.iter().filter(|measured| measured.row.tool == Tool::Evtap)
    }

    /// Returns the row of a name: another tool that does the same job, or a job of evtap.
    fn find(&self, of: &Measured, name: &str) -> Option<&Measured> {
        let named = || self.measured.iter().filter(|measured| measured.row.name == name);
        let is_peer = |measured: &&Measured| {
            measured.row.peer_of.is_some_and(|(peer_of, _)| peer_of == of.row.name)
        };
        named().find(is_peer).or_else(|| named().find(|measured| measured.row.peer_of.is_none()))
    }

    /// Returns how many times as fast as another row a row is. Each round is compared with itself.
    pub fn ratio(&self, of: &Measured, name: &str) -> Option<f64> {
        let other = self.find(of, name)?;
        Some(median(&paired(&of.rates, &other.rates)))
    }

    fn goal(&self, measured: &Measured) -> String {
        let relative = |name| {
            self.ratio(measured, name)
                .map_or_else(|| format!("no {name}"), |ratio| format!("is {}", times(ratio)))
        };
        match measured.row.goal {
            Goal::None => String::new(),
            Goal::Rate(rate) => format!("≥ {rate:.0}"),
            Goal::Times(factor, name) => format!("≥ {factor} × `{name}`; {}", relative(name)),
            Goal::RateAndAhead(rate, name) => {
                format!("≥ {rate:.0}, ≥ `{name}`; {}", relative(name))
            }
        }
    }

    /// Whether a row meets its goal, if it has one and what it refers to was measured.
    pub fn is_met(&self, measured: &Measured) -> Option<bool> {
        let rate = median(&measured.rates);
        match measured.row.goal {
            Goal::None => None,
            Goal::Rate(least) => Some(rate >= least),
            Goal::Times(factor, name) => Some(self.ratio(measured, name)? >= factor),
            Goal::RateAndAhead(least, name) => {
                Some(rate >= least && self.ratio(measured, name).is_none_or(|ratio| ratio >= 1.0))
            }
        }
    }

    /// Returns the rates of other tools, and how fast they are relative to evtap.
    fn peers(&self, measured: &Measured) -> String {
        let peers = self.measured.iter().filter(|peer| {
            peer.row.peer_of.is_some_and(|(peer_of, _)| peer_of == measured.row.name)
        });
        let texts: Vec<_> = peers
            .map(|peer| {
                let ratio = median(&paired(&measured.rates, &peer.rates));
                let fraction =
                    if ratio >= 1.95 { format!("1/{ratio:.0}") } else { times(1.0 / ratio) };
                let verdict = if peer.is_equal { "" } else { ", **another answer**" };
                format!("{} {} ({fraction}){verdict}", peer.row.name, rate(median(&peer.rates)))
            })
            .collect();
        texts.join(", ")
    }
}

fn limit(measured: &Measured) -> u64 {
    if measured.row.name == "ndjson" { REPLAY_MEMORY } else { MEMORY }
}

fn memory(measured: &Measured) -> String {
    let text = format!("{:.1}", measured.memory as f64 / 1024.0);
    if measured.memory > limit(measured) { format!("**{text}, too much**") } else { text }
}

/// Divides the rates of each round.
pub fn paired(rates: &[f64], others: &[f64]) -> Vec<f64> {
    rates.iter().zip(others).map(|(rate, other)| rate / other).collect()
}

/// Returns the median of at least one number.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Formats the median, and half the range relative to it.
fn with_spread(rates: &[f64]) -> String {
    let (least, most) =
        rates.iter().fold((f64::MAX, f64::MIN), |(a, b), rate| (a.min(*rate), b.max(*rate)));
    let median = median(rates);
    format!("{} ± {:.0} %", rate(median), (most - least) / 2.0 / median * 100.0)
}

/// Formats megabytes per second with commas between the thousands.
pub fn rate(rate: f64) -> String {
    evtap::text::units::count(rate.round() as u64)
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2} ×")
}
