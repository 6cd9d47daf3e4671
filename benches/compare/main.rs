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
mod data;
mod growth;
mod live;
mod machine;
mod measure;
mod options;
mod process;
mod rows;
mod table;
mod varied;

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use data::Data;
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
    // Another directory would change what a relative path means.
    let evtap = options.bin.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_evtap").into());
    let dir = Directory::create(&options);
    print(&(machine::describe() + "\n"));
    let failures = match options.mode {
        Mode::Growth => {
            print(&growth::table(&evtap, &dir.0, options.size, options.rounds));
            Vec::new()
        }
        Mode::Live => {
            print(&live::measured(&evtap, &dir.0, options.rounds));
            Vec::new()
        }
        Mode::Table | Mode::List => compare(&options, &evtap, &dir.0),
    };
    for failure in &failures {
        let _ = writeln!(std::io::stderr(), "{failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures each recording and prints its table. Returns what went wrong.
fn compare(options: &Options, evtap: &Path, dir: &Path) -> Vec<String> {
    let mut failures = Vec::new();
    for &kind in &options.kinds {
        let data = Data::generate(kind, options.size, evtap, dir);
        let measured = measure::measure(options, evtap, &data);
        let table = Table { measured: &measured };
        let mut text = String::new();
        let _ = writeln!(text, "\n### {}: {}\n\n{}", kind.name(), kind.about(), table.markdown());
        if options.kinds.last() == Some(&kind) {
            text += &table.commands();
        }
        print(&text);
        failures.extend(table.failures().iter().map(|text| format!("{}, {text}", kind.name())));
    }
    failures
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
