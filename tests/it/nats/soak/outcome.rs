//! What became of the events that the emulator published, by what is stored and by what
//! `evtap verify` says of it.

use std::collections::{BTreeMap, HashMap};

use evtap::emulator::{Ledger, LedgerEntry};
use jiff::Timestamp;
use serde_json::Value;

use super::super::server::Stored;

/// A period in milliseconds, which excludes its end.
type Period = (i64, i64);

/// What `evtap verify` says of one workspace.
#[derive(Debug, Default)]
struct VerifiedWorkspace {
    /// The periods that each tap covers, by its name.
    covered: HashMap<String, Vec<Period>>,
    /// What no tap covers, and why.
    gaps: Vec<(Period, String)>,
}

impl VerifiedWorkspace {
    fn new(report: &Value) -> Self {
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let period = |value: &Value| (millis(&value["from"]), millis(&value["to"]));
        let taps = list(&report["taps"]);
        let covered = taps.iter().map(|tap| {
            let name = tap["tap"].as_str().expect("a name").to_owned();
            (name, list(&tap["covered"]).iter().map(period).collect())
        });
        let gaps = list(&report["gaps"]);
        let gaps = gaps.iter().map(|gap| {
            let reasons: Vec<_> = list(&gap["reasons"])
                .iter()
                .map(|reason| reason.as_str().expect("a reason").to_owned())
                .collect();
            let why = if reasons.is_empty() { "no tap".to_owned() } else { reasons.join(", ") };
            (period(gap), why)
        });
        Self { covered: covered.collect(), gaps: gaps.collect() }
    }

    /// Returns whether a tap claims to have everything of this moment.
    fn covers(&self, tap: &str, id: i64) -> bool {
        self.covered.get(tap).is_some_and(|periods| periods.iter().any(|period| is_in(*period, id)))
    }

    /// Returns why no tap has this moment, if a gap says so.
    fn gap(&self, id: i64) -> Option<&str> {
        self.gaps.iter().find(|(period, _)| is_in(*period, id)).map(|(_, why)| &**why)
    }

    /// Returns the time between the first and the last moment that a tap covers.
    fn extent(&self) -> Period {
        let periods = || self.covered.values().flatten();
        let from = periods().map(|(from, _)| *from).min().unwrap_or(i64::MAX);
        (from, periods().map(|(_, to)| *to).max().unwrap_or(i64::MIN))
    }
}

fn is_in((from, to): Period, id: i64) -> bool {
    (from..to).contains(&id)
}

fn millis(time: &Value) -> i64 {
    let time = time.as_str().expect("a time").parse::<Timestamp>().expect("a time");
    time.as_millisecond()
}

/// The time from which each tap first claims to have everything of a workspace.
type Begins<'s> = HashMap<(&'s str, &'s str), i64>;

fn begins(stored: &[Stored]) -> Begins<'_> {
    let mut begins = Begins::new();
    let connected = stored.iter().map(|message| &message.body["data"]);
    for event in connected.filter(|event| event["event_type"] == "tap.connected") {
        let workspace = event["_tap"]["workspace_id"].as_str().expect("an id");
        let tap = event["tap"].as_str().expect("a name");
        begins.entry((workspace, tap)).or_insert_with(|| millis(&event["from"]));
    }
    begins
}

/// What became of the events.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Events that were published while at least one tap was there.
    pub published: usize,
    pub stored: usize,
    /// Gaps that remain by `evtap verify`.
    pub gaps: usize,
    /// Missing events that lie in such a gap, by its reasons.
    pub in_gaps: BTreeMap<String, usize>,
    /// Missing events that do not.
    pub lost: usize,
    pub repeated: usize,
    /// Events that one tap stored after later ones because the other had missed them.
    pub late: usize,
    /// How late they are at most, in events of all workspaces that were stored in between.
    pub latest: usize,
    /// Other events that are stored after later ones.
    pub reordered: usize,
    /// Events that are out of order with `--order time`.
    pub unsorted: usize,
    /// Descriptions of those that must not occur.
    pub examples: Vec<String>,
}

/// Compares the messages of the stream with the events that the emulator published. `verified` is
/// the report of `evtap verify`.
pub fn compare(stored: &[Stored], events: &[LedgerEntry], verified: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let reports = verified["workspaces"].as_array().expect("a list");
    let workspaces: HashMap<_, _> = reports
        .iter()
        .map(|report| {
            (report["workspace_id"].as_str().expect("an id"), VerifiedWorkspace::new(report))
        })
        .collect();
    outcome.gaps = workspaces.values().map(|workspace| workspace.gaps.len()).sum();
    let workspace = |entry: &LedgerEntry| &workspaces[&*entry.workspace];
    let id = |entry: &LedgerEntry| i64::try_from(entry.id).expect("a time");
    let is_counted = |entry: &LedgerEntry| is_in(workspace(entry).extent(), id(entry));
    outcome.published = events.iter().filter(|entry| is_counted(entry)).count();
    let begins = begins(stored);
    let mut times = vec![0; events.len()];
    let mut last: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, message) in stored.iter().enumerate() {
        let number = message.body["data"][Ledger::FIELD].as_str().and_then(Ledger::number);
        let Some(number) = number.filter(|number| *number < events.len()) else { continue };
        let (entry, by) = (&events[number], message.header("Evtap-Tap"));
        times[number] += 1;
        if times[number] > 1 {
            outcome.repeated += 1;
            let id = message.header("Nats-Msg-Id");
            outcome.examples.push(format!("repeated: {number} {id} by {by}"));
            continue;
        }
        outcome.stored += usize::from(is_counted(entry));
        let (highest, highest_at) = *last.entry(&entry.workspace).or_insert((number, at));
        if number > highest {
            last.insert(&entry.workspace, (number, at));
        } else if number < highest {
            // A tap can later receive what came before it began, if more is replayed than it asks for.
            let has_all = |other: &String| {
                let begin = begins.get(&(&*entry.workspace, other.as_str()));
                workspace(entry).covers(other, id(entry))
                    && begin.is_some_and(|begin| *begin <= id(entry))
            };
            let mut others = workspace(entry).covered.keys().filter(|name| *name != by);
            if others.all(has_all) {
                outcome.reordered += 1;
                let LedgerEntry { id, workspace } = entry;
                outcome.examples.push(format!(
                    "out of order: {number} after {highest} {workspace} {id} by {by}"
                ));
            } else {
                outcome.late += 1;
                outcome.latest = outcome.latest.max(at - highest_at);
            }
        }
    }
    let missing = events.iter().enumerate().filter(|(number, _)| times[*number] == 0);
    for (number, entry) in missing.filter(|(_, entry)| is_counted(entry)) {
        if let Some(why) = workspace(entry).gap(id(entry)) {
            *outcome.in_gaps.entry(why.to_owned()).or_default() += 1;
        } else {
            outcome.lost += 1;
            outcome.examples.push(format!("lost: {number} {} {}", entry.workspace, entry.id));
        }
    }
    outcome
}

/// Counts the events that are not in order by time within their workspace.
pub fn unsorted(events: &[Value]) -> usize {
    let mut last: HashMap<&str, u64> = HashMap::new();
    let mut unsorted = 0;
    for event in events {
        let tap = &event["_tap"];
        let id: Option<u64> = tap["id"].as_str().and_then(|id| id.parse().ok());
        let Some((id, workspace)) = id.zip(tap["workspace_id"].as_str()) else { continue };
        let last = last.entry(workspace).or_default();
        unsorted += usize::from(id < *last);
        *last = id.max(*last);
    }
    unsorted
}

impl Outcome {
    /// Returns the rows of the table in docs/scale.md.
    pub fn table(&self, [broken, tap_kills, broker_kills]: [usize; 3]) -> String {
        let Self { published, stored, gaps, in_gaps, lost, repeated, .. } = self;
        let Self { late, reordered, unsorted, latest, .. } = self;
        let missing: usize = in_gaps.values().sum();
        format!(
            "| Events that the platform published | {published} |\n\
             | Connections that broke | {broken} |\n\
             | `kill -9` of a tap | {tap_kills} |\n\
             | `kill -9` of the broker | {broker_kills} |\n\
             | Events that are stored | {stored} |\n\
             | Gaps that remain in `evtap verify` | {gaps} |\n\
             | Missing, within such a gap | {missing} |\n\
             | **Missing without a gap** | {lost} |\n\
             | **Stored twice** | {repeated} |\n\
             | Stored late, in a gap of the other tap | {late} |\n\
             | **Otherwise out of order** | {reordered} |\n\
             | **Out of order with `--order time`** | {unsorted} |\n\
             \n\
             Missing events by reason: {in_gaps:?}\n\
             The latest came {latest} stored events after a later one.\n"
        )
    }
}
