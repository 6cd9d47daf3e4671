//! The commands beside those that stream: what is typed after each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{AuthArgs, ColorWhen, ConnectionArgs, DemoArgs, ReportFormat};
use crate::emulator;
use crate::error::Error;
use crate::output::status;

/// `evtap expect`
#[derive(Debug, Args)]
pub struct ExpectArgs {
    /// A file of steps, one a line: `[within TIME] EXPR`
    #[arg(value_name = "FILE", required_unless_present = "then", conflicts_with = "then")]
    pub file: Option<PathBuf>,
    /// A step, such as `within 30s .event_type == "call.ended"`, or with the name of a filter, `within 30s @NAME`; may repeat
    #[arg(long, value_name = "STEP")]
    pub then: Vec<String>,
    /// The id of the workspace whose stream is checked, or `demo`
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// The SID of the call that is checked, or `demo`
    #[arg(short, long, value_name = "SID", conflicts_with = "replay")]
    pub call: Option<String>,
    /// A recording that is checked; `-` is stdin; may repeat
    #[arg(long, value_name = "FILE")]
    pub replay: Vec<PathBuf>,
    /// Show a hidden field to the expressions; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub reveal: Vec<String>,
    /// Let expressions use a string as $NAME; may repeat
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Don't hold expressions against the model of events
    #[arg(long)]
    pub no_check: bool,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// The expressions that have names, from the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}

/// `evtap serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8484")]
    pub listen: std::net::SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// The seed of the clinic's day; the same seed gives the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Events per second on the workspace stream, on average
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub rate: f64,
    /// Play one round in which every event appears, then end
    #[arg(long)]
    pub once: bool,
    /// The only workspace there is; any id otherwise
    #[arg(long, value_name = "UUID")]
    pub workspace: Option<String>,
    /// A file with the only API key that is accepted; any key otherwise
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// How many streams may be open at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub max_streams: usize,
    /// What goes wrong, connection by connection: `status=503`, `status=429:retry-after=2`, `error=stream_error`, `cut=N`,
    /// `end=N` (after N bytes), `close=CODE`, `none`; may repeat
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<emulator::Fault>,
    /// A TOML file of faults, in an array `faults` of strings as for --fault; they come after those
    #[arg(long, value_name = "FILE")]
    pub fault_script: Option<PathBuf>,
}

/// `evtap schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// One event, such as `call.ended`; all of them otherwise
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// List what is hidden, and why
    #[arg(long, conflicts_with = "json_schema")]
    pub phi: bool,
    /// One JSON object, for machines
    #[arg(long, conflicts_with = "json_schema")]
    pub json: bool,
    /// A JSON Schema of the lines that evtap writes
    #[arg(long)]
    pub json_schema: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
}

/// `evtap frames`
#[derive(Debug, Args)]
pub struct FramesArgs {
    /// An `http`, `https`, `ws` or `wss` URL
    pub url: String,
    /// Must be `all`: raw frames can't be redacted
    #[arg(long, value_name = "all")]
    pub reveal: Option<String>,
    /// Stop after that many frames
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// The key, sent as a bearer or as the subprotocol `auth`, if there is one; and the way.
    #[command(flatten)]
    pub access: AuthArgs,
}

/// `evtap doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The id of the workspace whose stream is opened, or `demo`
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub workspace: Vec<String>,
    /// The SID of a call whose observer is opened too, or `demo`
    #[arg(short, long, value_name = "SID")]
    pub call: Option<String>,
    /// A cursor file that is looked at
    #[arg(long, value_name = "FILE")]
    pub cursor: Option<PathBuf>,
    /// A record that is looked at
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The key for pseudonyms that is looked at
    #[arg(long, value_name = "FILE")]
    pub phi_key_file: Option<PathBuf>,
    /// How the findings are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Why the configuration can't be used.
    #[arg(skip)]
    pub broken: Option<Error>,
}

/// `evtap generate`
#[derive(Debug, Subcommand)]
pub enum GenerateArgs {
    /// Print a shell's completion script, or write those of all shells
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Option<Shell>,
        /// Write the scripts of all shells to this directory
        #[arg(long, value_name = "DIR", conflicts_with = "shell")]
        dir: Option<PathBuf>,
    },
    /// Print the man page of evtap or of one command, or write all of them
    Man {
        /// One command, such as `watch`; evtap itself otherwise
        #[arg(value_name = "PAGE")]
        command: Option<String>,
        /// Write all pages to this directory
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        dir: Option<PathBuf>,
    },
}

/// The shells that have a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash 4 or later
    Bash,
    /// Elvish
    Elvish,
    /// fish
    Fish,
    /// Nushell 0.108 or later
    Nushell,
    /// PowerShell
    Powershell,
    /// zsh
    Zsh,
}

/// `evtap __complete`, which completion scripts ask.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// What has been typed of the word that is completed
    #[arg(long, value_name = "WORD", default_value = "", allow_hyphen_values = true)]
    pub current: OsString,
    /// The words before it, without the program's name
    #[arg(value_name = "WORD", last = true)]
    pub before: Vec<OsString>,
}
