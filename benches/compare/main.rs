//! Measures what evtap does, next to tools that do the same: `cat`, jq, jaq, gojq, `DuckDB`, `rg`,
//! `zcat`, `zstd` and `curl`, as far as they are installed.
//!
//! It generates recordings from a seed, checks that the tools give the same answers, and runs them
//! in turn, so that noise affects all of them. `cargo bench --bench compare -- --help` describes the
//! options.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod agreement;
mod alerts;
#[cfg(feature = "nats")]
mod broker;
mod data;
mod exports;
mod growth;
mod instructions;
mod live;
mod machine;
mod measure;
mod options;
mod pages;
mod process;
mod rows;
mod table;
mod varied;
mod workspaces;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use data::{Data, DataKind};
use options::{Mode, Options};
use table::Table;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help") {
        print(options::USAGE);
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    if options.mode == Mode::List {
        let rows = rows::rows();
        let lines = rows.iter().map(|row| format!("{:18} {}\n", row.name, row.command_line()));
        print(&lines.collect::<String>());
        return ExitCode::SUCCESS;
    }
    let evtap = options.bin.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_evtap").into());
    let dir = Directory::create(&options);
    let result = run(&options, &evtap, &dir.0);
    drop(dir);
    let failures = result.unwrap_or_else(|error| vec![error]);
    for failure in &failures {
        let _ = writeln!(std::io::stderr(), "{failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures, prints the results, and returns what went wrong.
fn run(options: &Options, evtap: &Path, dir: &Path) -> Result<Vec<String>, String> {
    let show = |name: &str, text: &str| {
        print(&format!("{text}\n"));
        if options.updates_docs { pages::update("docs/benchmarks.md", name, text) } else { Ok(()) }
    };
    match options.mode {
        Mode::Instructions => {}
        // Its table is on another page.
        #[cfg(feature = "nats")]
        Mode::BrokerRead => print(&format!("{}\n", machine::describe())),
        _ => show("machine", &machine::describe())?,
    }
    match options.mode {
        Mode::Growth => {
            show("growth", &growth::table(evtap, dir, options.size, options.rounds))?;
        }
        Mode::Live => show("live", &live::measured(evtap, dir, options.rounds))?,
        Mode::Alerts => {
            let (text, failures) = alerts::measured(options, evtap, dir);
            show("alerts", &text)?;
            return Ok(failures);
        }
        Mode::Exports => show("exports", &exports::measured(options, evtap, dir))?,
        Mode::Workspaces => {
            let (text, failures) = workspaces::measured(evtap, workspaces::PAUSE, &[]);
            show("workspaces", &text)?;
            return Ok(failures);
        }
        #[cfg(feature = "nats")]
        Mode::Broker => {
            let (text, failures) = broker::measured(evtap, dir, options.rounds);
            print(&text);
            return Ok(failures);
        }
        #[cfg(feature = "nats")]
        Mode::BrokerRead => {
            let (text, failures) = broker::read(evtap, dir, options.rounds);
            print(&text);
            if options.updates_docs && failures.is_empty() {
                pages::update("docs/scale.md", "broker-read", &text)?;
            }
            return Ok(failures);
        }
        Mode::Instructions => {
            let (text, failures) = instructions::report(options.bin.as_deref(), dir, options.saves);
            print(&text);
            return Ok(failures);
        }
        Mode::Table | Mode::List => return compare(options, evtap, dir, show),
    }
    Ok(Vec::new())
}

/// Measures each recording and shows its table. Returns what went wrong.
fn compare(
    options: &Options,
    evtap: &Path,
    dir: &Path,
    show: impl Fn(&str, &str) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let mut failures = Vec::new();
    for &kind in &options.kinds {
        let data = Data::generate(kind, options.size, evtap, dir);
        let measured = measure::measure(options, evtap, &data);
        let table = Table { measured: &measured };
        print(&format!("### {}: {}\n\n", kind.name(), kind.about()));
        show(kind.name(), &table.markdown())?;
        failures.extend(table.failures().iter().map(|text| format!("{}, {text}", kind.name())));
        if options.kinds.last() == Some(&kind) {
            show("commands", &table.commands())?;
        }
        if kind == DataKind::Varied && options.updates_docs {
            pages::update("README.md", "speed", &table.summary())?;
        }
    }
    Ok(failures)
}

/// A directory for the recordings, removed in the end.
struct Directory(PathBuf);

impl Directory {
    /// Largest recording that is kept in memory, in bytes. Larger ones go to the disk.
    const IN_MEMORY: usize = 2_000_000_000;

    fn create(options: &Options) -> Self {
        let memory = Some(PathBuf::from("/dev/shm"))
            .filter(|path| path.is_dir() && options.size <= Self::IN_MEMORY);
        let base = options.dir.clone().or(memory).unwrap_or_else(std::env::temp_dir);
        let dir = base.join(format!("evtap-compare-{}", std::process::id()));
        fs::create_dir(&dir).expect("a directory");
        Self(dir)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn print(text: &str) {
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).expect("somebody reads");
}
