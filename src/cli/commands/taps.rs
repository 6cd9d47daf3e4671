//! `evtap taps`: lists who taps which workspace, how far each tap is, what nobody taps, and who
//! observes which call.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::args::{ReportFormat, TapsArgs};
use crate::cli::session::print;
use crate::error::{Exit, Result};
use crate::text::units::counted;
use crate::transport::broker::{
    BrokerAddress, BrokerConfig, CallOwner, SubjectPrefix, TapList, TapReport, TapReports,
    read_taps,
};
use crate::transport::call_lease;

/// How many heartbeats of a tap may be missing before it counts as silent.
const MISSING_HEARTBEATS: u32 = 3;

/// How much later than expected a heartbeat may arrive.
const TOLERANCE: Duration = Duration::from_secs(1);

pub(super) async fn run(args: TapsArgs) -> Result<Exit> {
    let config = BrokerConfig {
        address: BrokerAddress::parse("--from", &args.from, args.insecure_http)?,
        credentials: args.broker.nats_creds,
        ca_cert: args.ca_cert,
        prefix: SubjectPrefix::new("--subject-prefix", &args.broker.subject_prefix)?,
        creates_stream: false,
    };
    let taps = read_taps(&config).await?;
    let now = Timestamp::now();
    let text = match args.output {
        ReportFormat::Text => text(&taps.workspaces, now) + &calls_text(&taps, now),
        ReportFormat::Json => {
            let mut list = json(&taps.workspaces, now);
            list["calls"] = taps.calls.map_or(Value::Null, |calls| calls_json(&calls, now));
            format!("{list:#}\n")
        }
    };
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// The state of a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TapState {
    Connected,
    Silent,
    Ended,
}

impl TapState {
    fn of(report: &TapReport, now: Timestamp) -> Self {
        let allowed = report.heartbeat * MISSING_HEARTBEATS + TOLERANCE;
        let silence = Duration::try_from(now.duration_since(report.heard)).unwrap_or_default();
        match report {
            TapReport { has_ended: true, .. } => Self::Ended,
            _ if silence > allowed => Self::Silent,
            _ => Self::Connected,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Silent => "silent",
            Self::Ended => "ended",
        }
    }
}

/// Returns how far a tap is behind; `None` if that is unknown or it has ended.
fn behind(report: &TapReport, now: Timestamp) -> Option<Duration> {
    let position = report.position.filter(|_| !report.has_ended)?;
    Some(Duration::try_from(now.duration_since(position)).unwrap_or_default())
}

fn is_tapped<'r>(taps: impl IntoIterator<Item = &'r TapReport>, now: Timestamp) -> bool {
    taps.into_iter().any(|tap| TapState::of(tap, now) == TapState::Connected)
}

fn json(reports: &TapReports, now: Timestamp) -> Value {
    let time = |time: Timestamp| format!("{time:.3}");
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let tap = |(name, report): (&String, &TapReport)| {
        json!({
            "tap": name,
            "state": TapState::of(report, now).name(),
            "last_heard": time(report.heard),
            "position": report.position.map(time),
            "behind_seconds": behind(report, now).map(|behind| behind.as_secs_f64()),
            "version": text(&report.version),
            "fingerprint": text(&report.fingerprint),
        })
    };
    let workspaces: Vec<_> = reports
        .iter()
        .map(|(workspace, taps)| {
            json!({
                "workspace_id": workspace,
                "is_tapped": is_tapped(taps.values(), now),
                "taps": taps.iter().map(tap).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"workspaces": workspaces})
}

const HEADINGS: [&str; 7] =
    ["WORKSPACE", "TAP", "STATE", "SINCE", "BEHIND", "VERSION", "FINGERPRINT"];

fn text(reports: &TapReports, now: Timestamp) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    let mut untapped = Vec::new();
    for (workspace, taps) in reports {
        if !is_tapped(taps.values(), now) {
            untapped.push(workspace);
        }
        for (name, report) in taps {
            let state = TapState::of(report, now);
            let since = (state != TapState::Connected).then(|| format!("{:.0}", report.heard));
            let behind = behind(report, now).map(|behind| format!("{} s", behind.as_secs()));
            rows.push([
                workspace.clone(),
                name.clone(),
                state.name().to_owned(),
                since.unwrap_or_default(),
                behind.unwrap_or_default(),
                report.version.clone(),
                report.fingerprint.clone(),
            ]);
        }
    }
    let mut text = if rows.len() > 1 { table(&rows) } else { String::new() };
    if reports.is_empty() {
        text.push_str("The stream has no events.\n");
    } else if untapped.is_empty() {
        let count = u64::try_from(reports.len()).unwrap_or(u64::MAX);
        let _ = writeln!(text, "{}, each tapped", counted(count, "workspace"));
    } else {
        let count = u64::try_from(untapped.len()).unwrap_or(u64::MAX);
        let _ = writeln!(text, "Nobody taps {}:", counted(count, "workspace"));
        for workspace in untapped {
            let _ = writeln!(text, "  {workspace}");
        }
    }
    text
}

/// Returns the rows with their cells aligned.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].len()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns the state of the owner of a call. It renews its lease while it observes the call.
fn owner_state(owner: &CallOwner, now: Timestamp) -> TapState {
    let silence = Duration::try_from(now.duration_since(owner.renewed)).unwrap_or_default();
    if silence > call_lease::TTL { TapState::Silent } else { TapState::Connected }
}

fn calls_json(calls: &[CallOwner], now: Timestamp) -> Value {
    let call = |owner: &CallOwner| {
        json!({
            "call_sid": owner.call_sid,
            "tap": owner.tap,
            "state": owner_state(owner, now).name(),
            "last_heard": format!("{:.3}", owner.renewed),
        })
    };
    calls.iter().map(call).collect()
}

/// Returns the table of the calls that are observed.
fn calls_text(taps: &TapList, now: Timestamp) -> String {
    let Some(calls) = &taps.calls else {
        return "The credentials do not allow to list observed calls.\n".to_owned();
    };
    if calls.is_empty() {
        return String::new();
    }
    let mut rows = vec![["CALL", "TAP", "STATE", "SINCE"].map(str::to_owned)];
    for owner in calls {
        let state = owner_state(owner, now);
        let since = (state != TapState::Connected).then(|| format!("{:.0}", owner.renewed));
        let (call, tap) = (owner.call_sid.clone(), owner.tap.clone());
        rows.push([call, tap, state.name().to_owned(), since.unwrap_or_default()]);
    }
    format!("\n{}", table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("a time")
    }

    fn report(heard: i64, has_ended: bool) -> TapReport {
        TapReport {
            heard: at(heard),
            heartbeat: Duration::from_secs(15),
            has_ended,
            position: Some(at(heard - 2)),
            version: "1.0.0".to_owned(),
            fingerprint: "00ff".to_owned(),
        }
    }

    #[test]
    fn a_tap_is_silent_after_missing_heartbeats_unless_it_has_ended() {
        for (silence, has_ended, expected) in [
            (46, false, TapState::Connected),
            (47, false, TapState::Silent),
            (47, true, TapState::Ended),
            (0, true, TapState::Ended),
            // The clock of the broker is ahead.
            (-5, false, TapState::Connected),
        ] {
            assert_eq!(TapState::of(&report(-silence, has_ended), at(0)), expected, "{silence}");
        }
    }

    #[test]
    fn the_list_names_taps_and_workspaces_without_one() {
        let taps = |taps: &[(&str, TapReport)]| {
            taps.iter().map(|(name, report)| ((*name).to_owned(), report.clone())).collect()
        };
        let reports = TapReports::from([
            ("a".to_owned(), taps(&[("east", report(-3, false)), ("west", report(-90, false))])),
            ("b".to_owned(), taps(&[("east", report(-90, true))])),
            ("c".to_owned(), taps(&[])),
        ]);
        let expected = "\
WORKSPACE  TAP   STATE      SINCE                 BEHIND  VERSION  FINGERPRINT
a          east  connected                        5 s     1.0.0    00ff
a          west  silent     2023-11-14T22:11:50Z  92 s    1.0.0    00ff
b          east  ended      2023-11-14T22:11:50Z          1.0.0    00ff
Nobody taps 2 workspaces:
  b
  c
";
        assert_eq!(text(&reports, at(0)), expected);
        let json = json(&reports, at(0));
        assert_eq!(json["workspaces"][0]["is_tapped"], true);
        let expected = json!({
            "tap": "west",
            "state": "silent",
            "last_heard": "2023-11-14T22:11:50.000Z",
            "position": "2023-11-14T22:11:48.000Z",
            "behind_seconds": 92.0,
            "version": "1.0.0",
            "fingerprint": "00ff",
        });
        assert_eq!(json["workspaces"][0]["taps"][1], expected);
        assert_eq!(
            json["workspaces"][2],
            json!({"workspace_id": "c", "is_tapped": false, "taps": []})
        );
    }
    #[test]
    fn the_list_names_the_owners_of_calls() {
        let owner = |call: &str, renewed| CallOwner {
            call_sid: call.to_owned(),
            tap: "east".to_owned(),
            renewed: at(renewed),
        };
        let calls = vec![owner("CA1", -3), owner("CA2", -11)];
        let list = |calls| TapList { calls, ..TapList::default() };
        let expected = "
CALL  TAP   STATE      SINCE
CA1   east  connected
CA2   east  silent     2023-11-14T22:13:09Z
";
        assert_eq!(calls_json(&calls, at(0))[1]["state"], "silent");
        assert_eq!(calls_text(&list(Some(calls)), at(0)), expected);
        assert_eq!(calls_text(&list(Some(Vec::new())), at(0)), "");
        assert!(calls_text(&list(None), at(0)).contains("do not allow"));
    }
}
