//! The report: what is covered by whom, what no tap covers, and how many events there are.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::coverage::{TapCoverage, TapGap};
use super::periods::{Period, Periods};
use super::{VerifiedStreams, Workspace};
use crate::text::terminal::visible;
use crate::text::units::counted;

/// What a set of recordings covers.
#[derive(Debug)]
pub struct VerifyReport {
    workspaces: Vec<WorkspaceReport>,
    /// The number of entries that did not fit into memory.
    missing: u64,
}

/// The coverage of the stream of one workspace.
#[derive(Debug)]
struct WorkspaceReport {
    id: String,
    events: u64,
    /// The taps and what each covers, or the recordings.
    taps: Vec<(String, TapCoverage)>,
    /// What no tap covers.
    gaps: Vec<RemainingGap>,
    /// The gaps in the observers of calls, by SID.
    calls: Vec<(String, TapGap)>,
    hours: Vec<HourReport>,
    /// The number of events without a time.
    undated: u64,
    /// The number of frames and lines that are no events.
    malformed: u64,
}

/// A period that no tap covers.
#[derive(Debug)]
struct RemainingGap {
    period: Period,
    /// Whether a tap knows that events are missing.
    is_certain: bool,
    /// The causes that the taps report. Without one, no tap was connected.
    reasons: BTreeSet<Box<str>>,
}

/// The events of one hour of a recording.
#[derive(Debug)]
struct HourReport {
    from: i64,
    recording: String,
    events: u64,
    digest: String,
}

impl VerifyReport {
    /// Builds the report of what was collected from the inputs with these names.
    #[must_use]
    pub fn new(streams: &VerifiedStreams, inputs: &[String]) -> Self {
        let workspaces = streams.workspaces.iter();
        Self {
            workspaces: workspaces
                .map(|(id, workspace)| WorkspaceReport::new(id, workspace, inputs))
                .collect(),
            missing: streams.missing(),
        }
    }

    /// Whether every stream is covered without a gap.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_complete = |workspace: &WorkspaceReport| {
            workspace.gaps.is_empty()
                && workspace.calls.is_empty()
                && workspace.undated == 0
                && workspace.malformed == 0
        };
        self.missing == 0 && self.workspaces.iter().all(is_complete)
    }

    /// Returns the report as text for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for workspace in &self.workspaces {
            workspace.write(&mut out);
        }
        let gaps: usize = self
            .workspaces
            .iter()
            .map(|workspace| workspace.gaps.len() + workspace.calls.len())
            .sum();
        let verdict = match gaps {
            0 if self.workspaces.is_empty() => "no events".to_owned(),
            0 if !self.is_complete() => "no gap is known, but not everything has a time".to_owned(),
            0 => "no gap remains".to_owned(),
            1 => "1 gap remains".to_owned(),
            gaps => format!("{gaps} gaps remain"),
        };
        out.push_str(&verdict);
        if self.missing > 0 {
            let entries = counted(self.missing, "detail");
            let _ = write!(out, "; {entries} left out, because the report would be too large");
        }
        out.push('\n');
        out
    }

    /// Returns the report as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let workspaces: Vec<_> = self.workspaces.iter().map(WorkspaceReport::json).collect();
        json!({"complete": self.is_complete(), "left_out": self.missing, "workspaces": workspaces})
    }
}

impl WorkspaceReport {
    fn new(id: &str, workspace: &Workspace, inputs: &[String]) -> Self {
        let input = |number: usize| inputs.get(number).cloned().unwrap_or_default();
        let by_events = workspace.recordings.iter().filter(|(_, recording)| !recording.has_taps);
        let taps: Vec<_> = workspace
            .taps
            .iter()
            .map(|(name, coverage)| (name.to_string(), coverage.clone()))
            .chain(
                by_events.map(|(number, recording)| (input(*number), recording.coverage.clone())),
            )
            .collect();
        let gaps = remaining(&taps);
        let calls = workspace
            .calls
            .iter()
            .flat_map(|(sid, call)| call.gaps().iter().map(|gap| (sid.to_string(), gap.clone())));
        let hours = workspace.hours.iter().map(|((from, recording), count)| HourReport {
            from: *from,
            recording: input(*recording),
            events: count.events,
            digest: count.to_string(),
        });
        Self {
            id: id.to_owned(),
            events: workspace.hours.values().map(|count| count.events).sum::<u64>()
                + workspace.undated,
            taps,
            gaps,
            calls: calls.collect(),
            hours: hours.collect(),
            undated: workspace.undated,
            malformed: workspace.malformed,
        }
    }

    fn write(&self, out: &mut String) {
        let events = counted(self.events, "event");
        let id = if self.id.is_empty() { "without a name".into() } else { visible(&self.id) };
        let _ = writeln!(out, "workspace {id}: {events}");
        for (name, coverage) in &self.taps {
            for period in coverage.covered().as_slice() {
                let _ = writeln!(out, "  covered  {}  {}", text(*period), visible(name));
            }
        }
        for gap in &self.gaps {
            let certainty =
                if gap.is_certain { "events are missing" } else { "events may be missing" };
            let reasons: Vec<_> = gap.reasons.iter().map(AsRef::as_ref).collect();
            let reasons =
                if reasons.is_empty() { "no tap was connected".into() } else { reasons.join(", ") };
            let _ = writeln!(out, "  GAP      {}  {certainty}: {reasons}", text(gap.period));
        }
        for (sid, gap) in &self.calls {
            let _ = writeln!(
                out,
                "  GAP      {}  call {}: {}",
                text(gap.period),
                visible(sid),
                gap.reason
            );
        }
        if self.undated > 0 {
            let _ = writeln!(out, "  UNDATED  {} without a time", counted(self.undated, "event"));
        }
        if self.malformed > 0 {
            let frames = counted(self.malformed, "frame");
            let _ = writeln!(out, "  DAMAGED  {frames} that cannot be read as an event");
        }
        for hour in &self.hours {
            let events = counted(hour.events, "event");
            let (from, digest, name) = (moment(hour.from), &hour.digest, visible(&hour.recording));
            let _ = writeln!(out, "  hour     {from}  {events:>14}  sha256 {digest}  {name}");
        }
        out.push('\n');
    }

    fn json(&self) -> Value {
        let taps = self.taps.iter().map(|(name, coverage)| {
            let covered: Vec<_> = coverage.covered().as_slice().iter().map(period_json).collect();
            let gaps: Vec<_> = coverage.gaps().iter().map(gap_json).collect();
            json!({"tap": name, "covered": covered, "gaps": gaps})
        });
        let gaps = self.gaps.iter().map(|gap| {
            let Period { from, to } = gap.period;
            json!({"from": moment(from), "to": moment(to), "certain": gap.is_certain, "reasons": gap.reasons})
        });
        let calls = self.calls.iter().map(|(sid, gap)| {
            let mut json = gap_json(gap);
            json["call_sid"] = sid.as_str().into();
            json
        });
        let hours = self.hours.iter().map(|hour| {
            json!({"from": moment(hour.from), "input": hour.recording, "events": hour.events, "sha256": hour.digest})
        });
        json!({
            "workspace_id": self.id,
            "events": self.events,
            "taps": taps.collect::<Vec<_>>(),
            "gaps": gaps.collect::<Vec<_>>(),
            "call_gaps": calls.collect::<Vec<_>>(),
            "hours": hours.collect::<Vec<_>>(),
            "undated": self.undated,
            "malformed": self.malformed,
        })
    }
}

/// Returns what is missing at one tap and not covered by another, and what lies between the periods
/// that the taps cover.
fn remaining(taps: &[(String, TapCoverage)]) -> Vec<RemainingGap> {
    let reported = || taps.iter().flat_map(|(_, tap)| tap.gaps());
    let mut covered = Periods::default();
    let periods = taps.iter().flat_map(|(_, tap)| tap.covered().as_slice());
    periods.for_each(|period| covered.add(*period));
    let mut missing = Periods::default();
    covered.between().for_each(|hole| missing.add(hole));
    reported().for_each(|gap| missing.add(gap.period));
    covered.as_slice().iter().for_each(|period| missing.remove(*period));
    // A gap of unknown length is a moment, at which another tap may have been connected.
    let is_inside = |moment: i64| {
        covered.as_slice().iter().any(|period| period.from < moment && moment < period.to)
    };
    let moments = reported().map(|gap| gap.period);
    let moments = moments.filter(|gap| gap.from == gap.to && !is_inside(gap.from));
    let mut periods: Vec<_> = missing.as_slice().iter().copied().chain(moments).collect();
    periods.sort_unstable();
    periods.dedup();
    let gap = |period: Period| {
        let (mut is_certain, mut reasons) = (false, BTreeSet::new());
        for gap in reported() {
            if gap.period == period || gap.period.from < period.to && period.from < gap.period.to {
                is_certain |= gap.is_certain;
                reasons.insert(gap.reason.clone());
            }
        }
        RemainingGap { period, is_certain, reasons }
    };
    periods.into_iter().map(gap).collect()
}

fn period_json(period: &Period) -> Value {
    json!({"from": moment(period.from), "to": moment(period.to)})
}

fn gap_json(gap: &TapGap) -> Value {
    let mut json = period_json(&gap.period);
    json["certain"] = gap.is_certain.into();
    json["reason"] = gap.reason.as_ref().into();
    json
}

fn text(period: Period) -> String {
    format!("{} to {}", moment(period.from), moment(period.to))
}

fn moment(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(|_| "-".to_owned(), |time| format!("{time:.3}"))
}
