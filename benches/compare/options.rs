//! The command line of the benchmark.

use std::path::PathBuf;
use std::time::Duration;

use super::data::DataKind;

/// Describes the command line.
pub const USAGE: &str = "\
cargo bench --bench compare -- [MODE] [OPTIONS]

Modes:
  table         Every job on every kind of data (default)
  growth        Time and memory as recordings, filters and events grow
  live          Live events per second and latency, next to curl
  alerts        What 100 rules cost: replays, live events, memory
  exports       What metrics and traces cost at 5,000 live events per second
  workspaces    One process that watches 1,000 workspaces
  broker        Publishing to a NATS server, next to a client that only publishes
  broker-read   Reading from a NATS server, next to a client that only counts
  instructions  Instructions of each job by callgrind, compared with the baseline of this compiler

Options:
  --size MB        Size of the recordings; in growth, the largest. Default: 100; growth: 1000
  --rounds N       Number of measurements of each job. Default: 5
  --seconds N      Minimum duration of a measurement; jobs are repeated. Default: 1
  --data LIST      Kinds of data: regular, varied, wild. Default: all
  --rows LIST      Only rows whose name contains one of these words, and what they refer to
  --list           List the rows
  --no-peers       Measure only evtap, and the copies that goals refer to
  --bin PATH       Measure this evtap instead of the one that was just built
  --against PATH   Also measure this evtap, in turn with the other, and compare what they print
  --save           With instructions, write the baseline
  --dir PATH       Directory for the data. Default: /dev/shm, or the temporary directory
  --update-docs    Also write the results to docs/benchmarks.md and README.md; with broker-read, to
                   docs/scale.md
";

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Table,
    Growth,
    Live,
    Alerts,
    Exports,
    Workspaces,
    #[cfg(feature = "nats")]
    Broker,
    #[cfg(feature = "nats")]
    BrokerRead,
    Instructions,
    List,
}

/// The options of the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub mode: Mode,
    /// The size of the recordings in bytes.
    pub size: usize,
    pub rounds: usize,
    /// The minimum duration of one measurement.
    pub at_least: Duration,
    pub kinds: Vec<DataKind>,
    /// Words, of which the name of a row must contain one; empty for all rows.
    pub rows: Vec<String>,
    pub with_peers: bool,
    /// The evtap to measure; `None` for the one that was built with the benchmark.
    pub bin: Option<PathBuf>,
    pub against: Option<PathBuf>,
    /// Whether to write the baseline of instructions.
    pub saves: bool,
    pub updates_docs: bool,
    pub dir: Option<PathBuf>,
}

impl Options {
    /// Parses the arguments that follow the name of the program.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            mode: Mode::Table,
            size: 0,
            rounds: 5,
            at_least: Duration::from_secs(1),
            kinds: DataKind::ALL.to_vec(),
            rows: Vec::new(),
            with_peers: true,
            bin: None,
            against: None,
            saves: false,
            updates_docs: false,
            dir: None,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "table" => options.mode = Mode::Table,
                "growth" => options.mode = Mode::Growth,
                "live" => options.mode = Mode::Live,
                "alerts" => options.mode = Mode::Alerts,
                "exports" => options.mode = Mode::Exports,
                "workspaces" => options.mode = Mode::Workspaces,
                #[cfg(feature = "nats")]
                "broker" => options.mode = Mode::Broker,
                #[cfg(feature = "nats")]
                "broker-read" => options.mode = Mode::BrokerRead,
                "instructions" => options.mode = Mode::Instructions,
                "--list" => options.mode = Mode::List,
                "--size" => options.size = number::<usize>(&value()?)? * 1_000_000,
                "--rounds" => options.rounds = number::<usize>(&value()?)?.max(1),
                "--seconds" => {
                    options.at_least = Duration::try_from_secs_f64(number(&value()?)?)
                        .map_err(|error| error.to_string())?;
                }
                "--data" => {
                    let kinds = list(&value()?).into_iter().map(|name| {
                        let mut kinds = DataKind::ALL.iter().copied();
                        kinds.find(|kind| kind.name() == name).ok_or(format!("no data: {name}"))
                    });
                    options.kinds = kinds.collect::<Result<_, _>>()?;
                }
                "--rows" => options.rows = list(&value()?),
                "--no-peers" => options.with_peers = false,
                "--bin" => options.bin = Some(value()?.into()),
                "--against" => options.against = Some(value()?.into()),
                "--save" => options.saves = true,
                "--update-docs" => options.updates_docs = true,
                "--dir" => options.dir = Some(value()?.into()),
                // `cargo bench` adds it.
                "--bench" => {}
                _ => return Err(format!("unknown argument: {arg}")),
            }
        }
        if options.size == 0 {
            options.size = if options.mode == Mode::Growth { 1_000_000_000 } else { 100_000_000 };
        }
        Ok(options)
    }

    /// Whether the filter of rows accepts a name.
    pub fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|word| row.contains(word.as_str()))
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}
