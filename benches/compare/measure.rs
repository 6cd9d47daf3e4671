//! Measures the rows of the table in turn, so that noise affects all of them.

use std::path::Path;

use super::agreement;
use super::data::{Data, Input};
use super::options::Options;
use super::process::{Job, version};
use super::rows::{Goal, Row, Tool, rows};

/// What was measured of a row.
pub struct Measured {
    pub row: Row,
    /// Megabytes per second in each round.
    pub rates: Vec<f64>,
    /// The same for the evtap to compare with.
    pub rates_before: Vec<f64>,
    /// Whether the other evtap prints the same, or the other tool gives the same answer.
    pub is_equal: bool,
    /// The peak memory in KiB; zero if it was not measured.
    pub memory: u64,
}

/// Returns the rows to measure: what the options ask for, what that refers to, and other tools, as
/// far as they are installed.
pub fn selected(options: &Options) -> Vec<Row> {
    let all = rows();
    let wanted: Vec<_> = all
        .iter()
        .filter(|row| row.peer_of.is_none() && options.wants(row.name))
        .map(|row| row.name)
        .collect();
    let referred: Vec<_> = all
        .iter()
        .filter(|row| wanted.contains(&row.name))
        .filter_map(|row| match row.goal {
            Goal::Times(_, name) | Goal::RateAndAhead(_, name) => Some(name),
            Goal::None | Goal::Rate(_) => None,
        })
        // Other rates are reported relative to this one.
        .chain(["ndjson"])
        .collect();
    let is_selected = |row: &Row| match row.peer_of {
        None => wanted.contains(&row.name) || referred.contains(&row.name),
        Some((of, _)) => {
            wanted.contains(&of) && (options.with_peers || referred.contains(&row.name))
        }
    };
    all.iter().filter(|row| is_selected(row) && version(row.tool).is_some()).cloned().collect()
}

/// Measures all rows.
pub fn measure(options: &Options, evtap: &Path, data: &Data) -> Vec<Measured> {
    let rows = selected(options);
    let measured = |row: Row| {
        progress(&format!("{}, checking: {}", data.kind.name(), row.name));
        let before = options.against.as_deref().filter(|_| row.tool == Tool::Evtap);
        let is_equal = agrees(&row, evtap, data)
            && before.is_none_or(|before| is_equal(&row, [evtap, before], data));
        Measured { row, rates: Vec::new(), rates_before: Vec::new(), is_equal, memory: 0 }
    };
    let mut measured: Vec<_> = rows.into_iter().map(measured).collect();
    for round in 1..=options.rounds {
        for measured in &mut measured {
            progress(&format!("{}, {round}: {}", data.kind.name(), measured.row.name));
            let rate = |evtap| {
                let took = Job::new(&measured.row, evtap, data).run_repeatedly(options.at_least);
                data.size(measured.row.input) as f64 / took.as_secs_f64() / 1e6
            };
            let before = options.against.as_deref().filter(|_| measured.row.tool == Tool::Evtap);
            let (now, before) = (rate(evtap), before.map(rate));
            measured.rates.push(now);
            measured.rates_before.extend(before);
        }
    }
    for measured in measured.iter_mut().filter(|measured| measured.row.tool == Tool::Evtap) {
        measured.memory = Job::new(&measured.row, evtap, data).peak_memory();
    }
    measured
}

/// Whether another tool gives the same answer as evtap.
fn agrees(row: &Row, evtap: &Path, data: &Data) -> bool {
    let Some((of, answer)) = row.peer_of else { return true };
    let rows = rows();
    let ours = rows.iter().find(|row| row.name == of).expect("a row");
    let [ours, theirs] = [ours, row].map(|row| {
        let input = agreement::input(answer, row.input);
        Job::for_answer(row, input, evtap, data).output()
    });
    agreement::agree(answer, &ours, &theirs, data)
}

/// Whether two evtaps print the same.
fn is_equal(row: &Row, evtaps: [&Path; 2], data: &Data) -> bool {
    let input = if row.input == Input::Whole { Input::Head } else { row.input };
    let [now, before] = evtaps.map(|evtap| Job::for_answer(row, input, evtap, data).output());
    now == before
}

/// Shows what is going on, where that is a terminal.
fn progress(text: &str) {
    use std::io::{IsTerminal, Write};
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{text}");
    }
}
