//! What 100 rules cost: in a replay, live, and in memory.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::DEMO_WORKSPACE;

use super::data::{Data, DataKind, Input};
use super::exports::Clinic;
use super::options::Options;
use super::workspaces::TICKS;
use super::{process, table};

/// The number of rules of each of the four forms.
const EACH: u32 = 25;

/// The number of keys.
const KEYS: u32 = 1_000_000;

/// Writes 100 rules, whose times and limits differ.
fn rules() -> String {
    let mut text = String::new();
    for number in 0..EACH {
        let _ = write!(
            text,
            r#"
[rule.joined-{number}]
per = ".call_sid"
after = '.event_type == "call.escalated"'
want = '.event_type == "operator.joined_call"'
unless = '.event_type == "call.ended"'
within = "{}s"

[rule.tool-{number}]
when = '.event_type == "tool_call_completed" and .succeeded == false'
per = ".tool_name"
count = {}
within = "5m"

[rule.audio-{number}]
when = '.event_type == "latency"'
value = ".e2e_ttfb_ms"
p95_over = {}
within = "10m"
min_count = 20

[rule.pipeline-{number}]
per = ".data_source_id"
after = '.event_type == "pipeline.sync_completed"'
silent_for = "{}m"
"#,
            60 + number,
            3 + number,
            1500 + number,
            15 + number
        );
    }
    text
}

/// Measures everything. Returns a table, and which goals were missed.
pub fn measured(options: &Options, evtap: &Path, dir: &Path) -> (String, Vec<String>) {
    let file = dir.join("rules.toml");
    fs::write(&file, rules()).expect("a file");
    let mut report = Report {
        text: "| measurement | without rules | with rules | goal | |\n| --- | --- | --- | --- | --- |\n"
            .to_owned(),
        missed: Vec::new(),
    };
    for &kind in options.kinds.iter().filter(|kind| **kind != DataKind::Wild) {
        let data = Data::generate(kind, options.size, evtap, dir);
        replay(options, evtap, &data, &file, &mut report);
    }
    live(options, evtap, dir, &file, &mut report);
    for memory in ["8MiB", "512MiB"] {
        keys(evtap, dir, memory, &mut report);
    }
    (report.text, report.missed)
}

struct Report {
    text: String,
    missed: Vec<String>,
}

impl Report {
    fn add(&mut self, name: &str, [without, with]: [String; 2], goal: &str, is_met: bool) {
        let verdict = if is_met { "met" } else { "**missed**" };
        let _ = writeln!(self.text, "| {name} | {without} | {with} | {goal} | {verdict} |");
        if !is_met {
            self.missed.push(format!("{name}: {with}, goal {goal}"));
        }
    }
}

/// Returns the processor time of all children that have ended, in ticks.
fn ticks_of_children() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(13).take(2);
    fields.map(|field| field.parse::<u64>().expect("ticks")).sum()
}

/// Runs a command again and again, and returns the seconds and the processor seconds of one run.
fn run(options: &Options, mut command: Command) -> [f64; 2] {
    let (began, before, mut runs) = (Instant::now(), ticks_of_children(), 0.0);
    while runs == 0.0 || began.elapsed() < options.at_least {
        assert!(command.status().expect("it runs").success(), "{command:?} fails");
        runs += 1.0;
    }
    let ticks = ticks_of_children() - before;
    [began.elapsed().as_secs_f64() / runs, ticks as f64 / TICKS / runs]
}

fn replay(options: &Options, evtap: &Path, data: &Data, rules: &Path, report: &mut Report) {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(evtap);
        command.args(arguments).arg(data.path(Input::Whole)).args(["-o", "ndjson"]);
        command.stdout(File::create(data.out()).expect("a file")).stderr(Stdio::null());
        command
    };
    let rules = rules.to_str().expect("a plain path");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        without.push(run(options, command(&["replay"])));
        with.push(run(options, command(&["alert", "--rules", rules])));
    }
    let kind = data.kind.name();
    for (at, what) in ["time", "processor time"].into_iter().enumerate() {
        let [before, after] = [&without, &with]
            .map(|runs| table::median(&runs.iter().map(|run| run[at]).collect::<Vec<_>>()));
        let ratios: Vec<_> = without.iter().zip(&with).map(|(a, b)| b[at] / a[at]).collect();
        let ratio = table::median(&ratios);
        let values = [format!("{before:.3} s"), format!("{after:.3} s, {ratio:.1} ×")];
        let name = format!("Replay of the {kind} recording, {what}");
        report.add(&name, values, "≤ 3 ×", ratio <= 3.0);
    }
}

fn live(options: &Options, evtap: &Path, dir: &Path, rules: &Path, report: &mut Report) {
    let clinic = Clinic::start(evtap, dir);
    let rules = rules.to_str().expect("a plain path");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds.min(3) {
        without.push(clinic.share(&[], |_| {}));
        with.push(clinic.share(&["--rules", rules], |_| {}));
    }
    let more: Vec<_> = without.iter().zip(&with).map(|(a, b)| b - a).collect();
    let more = table::median(&more);
    let [before, after] = [&without, &with].map(|shares| format!("{:.1} %", table::median(shares)));
    let with = format!("{after}, {more:+.1} %");
    let name = "5,000 live events per second, share of a core";
    report.add(name, [before, with], "< 20 % more", more < 20.0);
}

/// Applies one rule to events with a million keys.
fn keys(evtap: &Path, dir: &Path, memory: &str, report: &mut Report) {
    let input = dir.join("keys.ndjson");
    let mut lines = BufWriter::new(File::create(&input).expect("a file"));
    for number in 0..KEYS {
        let (second, milli) = (number / 1000, number % 1000);
        writeln!(
            lines,
            "{{\"event_type\":\"call.escalated\",\"call_sid\":\"CA{number:032}\",\"trigger\":\"caller\",\
             \"_tap\":{{\"time\":\"2026-05-05T10:{:02}:{:02}.{milli:03}Z\",\"stream\":\"workspace\",\
             \"workspace_id\":\"{DEMO_WORKSPACE}\"}}}}",
            second / 60,
            second % 60,
        )
        .expect("space");
    }
    lines.flush().expect("space");
    let peak = |memory: &str| {
        let rules = dir.join("keys.toml");
        let text = format!(
            "memory = \"{memory}\"\n[rule.joined]\nper = \".call_sid\"\n\
             after = '.event_type == \"call.escalated\"'\n\
             want = '.event_type == \"operator.joined_call\"'\nwithin = \"2h\"\n"
        );
        fs::write(&rules, text).expect("a file");
        let mut command = Command::new(evtap);
        command.arg("alert").arg("--rules").arg(&rules).arg(&input);
        // A cursor would keep the waits; without one, they are pending in the end.
        command.args(["-o", "ndjson", "-f", ".state == \"raised\"", "--threads", "1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("evtap runs");
        let mut most = 0;
        while child.try_wait().expect("a child").is_none() {
            most = most.max(process::memory(child.id()));
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    };
    let (least, most) = (peak("4KiB"), peak(memory));
    let limit: u64 = memory.trim_end_matches("MiB").parse().expect("a number");
    let [least_mib, most_mib] = [least, most].map(|kib| kib as f64 / 1024.0);
    let values = [
        format!("{least_mib:.1} MiB (`memory = \"4KiB\"`)"),
        format!("{most_mib:.1} MiB, {:+.1} MiB", most_mib - least_mib),
    ];
    let name = format!("A million keys of a rule, `memory = \"{memory}\"`");
    let goal = format!("≤ {limit} MiB more");
    report.add(&name, values, &goal, most.saturating_sub(least) <= limit * 1024);
    fs::remove_file(&input).expect("it is ours");
}
