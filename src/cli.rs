//! The command line as people type it. Nothing is resolved here: see [`config`](crate::config).

mod delivery;
mod privacy;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use delivery::{Delivery, Liveness, Order, Resume};

use crate::emulator;
use crate::status;
pub use privacy::{Audit, Phi, Report, Scrub};

/// Tap and inspect the typed events of a healthcare AI platform. Protected health information is hidden unless you ask for it
/// by name.
#[derive(Debug, Parser)]
#[command(name = "evtap", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// How this command tells its news.
    #[must_use]
    pub const fn status(&self) -> status::Format {
        match &self.command {
            Command::Watch(Watch { show, .. })
            | Command::Observe(Observe { show, .. })
            | Command::Replay(Replay { show, .. }) => show.status,
            Command::Expect(Expect { status, .. }) => *status,
            Command::Serve(_) | Command::Schema(_) | Command::Audit(_) | Command::Frames(_) => status::Format::Text,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the event stream of a workspace
    Watch(Watch),
    /// Observe one live call
    Observe(Observe),
    /// Replay a recording
    Replay(Replay),
    /// Check that certain events come, in order and in time
    Expect(Expect),
    /// Serve a synthetic clinic on the platform's two endpoints
    Serve(Serve),
    /// Describe the events, their fields and what is hidden
    Schema(Schema),
    /// Check whether a recording can be shared: what in it is not hidden, by counts and places
    Audit(Audit),
    /// Print the raw transport frames of any SSE or WebSocket URL, nothing interpreted and nothing hidden
    Frames(Frames),
}

/// `evtap watch`
#[derive(Debug, Args)]
#[command(after_long_help = PREDICATES)]
pub struct Watch {
    /// The workspace's id, or `demo` for the built-in clinic; may repeat
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true, value_delimiter = ',')]
    pub workspace: Vec<String>,
    /// Open the observer of each call that starts, at most N at a time, and merge its events
    #[arg(long, value_name = "N")]
    pub auto_observe: Option<usize>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: Pick,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: Show,
    /// The live screen.
    #[command(flatten)]
    pub screen: Screen,
    /// When to stop.
    #[command(flatten)]
    pub until: Until,
    /// Where to begin.
    #[command(flatten)]
    pub resume: Resume,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: Delivery,
    /// How connections are kept.
    #[command(flatten)]
    pub liveness: Liveness,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: Connection,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: Demo,
}

/// `evtap observe`
#[derive(Debug, Args)]
#[command(after_long_help = PREDICATES)]
pub struct Observe {
    /// The call's SID, or `demo` for a call of the built-in clinic; may repeat
    #[arg(short, long, value_name = "SID", required = true, value_delimiter = ',')]
    pub call: Vec<String>,
    /// The id of the calls' workspace
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: Pick,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: Show,
    /// The live screen.
    #[command(flatten)]
    pub screen: Screen,
    /// When to stop.
    #[command(flatten)]
    pub until: Until,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: Delivery,
    /// How connections are kept.
    #[command(flatten)]
    pub liveness: Liveness,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: Connection,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: Demo,
}

/// `evtap replay`
#[derive(Debug, Args)]
#[command(after_long_help = PREDICATES)]
pub struct Replay {
    /// NDJSON (evtap's own or bare events) or a raw SSE capture; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: Pick,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: Show,
    /// The live screen.
    #[command(flatten)]
    pub screen: Screen,
    /// When to stop.
    #[command(flatten)]
    pub until: Until,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: Delivery,
}

/// `evtap expect`
#[derive(Debug, Args)]
pub struct Expect {
    /// A file of steps, one a line: `[within TIME] EXPR`
    #[arg(value_name = "FILE", required_unless_present = "then", conflicts_with = "then")]
    pub file: Option<PathBuf>,
    /// A step, such as `within 30s .event_type == "call.ended"`; may repeat
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
    pub status: status::Format,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: Connection,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: Demo,
}

/// `evtap serve`
#[derive(Debug, Args)]
pub struct Serve {
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
    #[arg(long, value_name = "ID")]
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
pub struct Schema {
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
    pub color: Color,
}

/// `evtap frames`
#[derive(Debug, Args)]
pub struct Frames {
    /// An `http`, `https`, `ws` or `wss` URL
    pub url: String,
    /// Must be `all`: raw frames can't be redacted
    #[arg(long, value_name = "all")]
    pub reveal: Option<String>,
    /// Stop after that many frames
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// A file with the API key, sent as a bearer or as the subprotocol `auth`
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Send the key in the clear to hosts other than this one
    #[arg(long)]
    pub insecure_http: bool,
}

/// What is shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Show {
    /// How events are written: `pretty`, `ndjson`, `csv`, `tsv`, or `template=TEXT` in the language of Jinja; `pretty` on a
    /// terminal and `ndjson` elsewhere, if not given
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<Output>,
    /// Show these parts of each event alone: names of fields, `event_type`, `_tap.time`
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Print what a jq program makes of each event, a line for each output
    #[arg(short = 'q', long, value_name = "PROGRAM", conflicts_with_all = ["output", "fields"])]
    pub jq: Option<String>,
    /// With --jq, print strings without their quotes
    #[arg(short, long, requires = "jq")]
    pub raw_strings: bool,
    /// Stop after that many events
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded too
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Don't cut lines at the terminal's edge
    #[arg(long)]
    pub wrap: bool,
    /// What takes the place of what is hidden
    #[arg(long, value_enum, value_name = "MODE", default_value_t, help_heading = "Protected health information")]
    pub phi: Phi,
    /// Show a hidden field: `caller_id`, `call.started.caller_id`, or `all`; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',', help_heading = "Protected health information")]
    pub reveal: Vec<String>,
    /// Hide a field that is shown otherwise; goes before --reveal; may repeat
    #[arg(long, value_name = "FIELD", value_delimiter = ',', help_heading = "Protected health information")]
    pub redact: Vec<String>,
    /// With `--phi hash`, a file of at least 32 random bytes, mode 0600; a key is drawn for this run otherwise
    #[arg(long, value_name = "FILE", help_heading = "Protected health information")]
    pub phi_key_file: Option<PathBuf>,
    /// Which text is searched for telephone numbers, email addresses and the like, to be masked
    #[arg(long, value_enum, value_name = "TEXT", default_value_t, help_heading = "Protected health information")]
    pub scrub: Scrub,
    /// How news of the connection is told on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::Format,
}

/// The live screen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live screen")]
pub struct Screen {
    /// Show a live screen instead of lines; ? in it tells the keys
    #[arg(long, conflicts_with_all = ["output", "fields", "jq"])]
    pub tui: bool,
    /// How much the live screen keeps: events, a size such as 64MiB, or both, with a comma between
    #[arg(long, value_name = "LIMIT", requires = "tui", default_value = "100000,64MiB")]
    pub buffer: String,
}

/// Predicates that people need.
const PREDICATES: &str = r#"Predicates are jq. Some that people need:
  -f '.event_type == "call.ended" and .duration_seconds > 60'
  -f '.event_type == "call.ended" and (.completion_reason | IN("error", "timeout"))'
  -f '.call_sid == $sid'
  -f '.event_type == "tool_call_completed" and (.succeeded | not)'
  -f '(.reason // "") | ascii_downcase | test("refill")'

They see what is shown: of what is hidden, the mask. Before anything connects, each is held against the model of events."#;

/// Which events are kept.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub struct Pick {
    /// Keep the events for which a jq expression is true; may repeat, all must hold
    #[arg(short, long = "filter", value_name = "EXPR")]
    pub filters: Vec<String>,
    /// The same from a file, out of the shell's history
    #[arg(long, value_name = "FILE")]
    pub filter_file: Option<PathBuf>,
    /// Keep the events whose type matches, such as `call.*` or `surface.{created,submitted}`; may repeat, one must match
    #[arg(short = 'e', long = "event", value_name = "GLOB")]
    pub events: Vec<String>,
    /// Drop the events whose type matches; may repeat
    #[arg(short = 'E', long = "exclude", value_name = "GLOB")]
    pub excludes: Vec<String>,
    /// Keep the events in which a string that is seen matches; capitals matter if there are any
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Let expressions use a string as $NAME; may repeat
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Let expressions use a JSON value as $NAME; may repeat
    #[arg(long = "argjson", num_args = 2, value_names = ["NAME", "JSON"])]
    pub json_args: Vec<String>,
    /// Don't hold expressions against the model of events
    #[arg(long)]
    pub no_check: bool,
}

/// When to stop before the stream does.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stopping")]
pub struct Until {
    /// Stop once a jq expression is true of an event; status 7 if it never is
    #[arg(long, value_name = "EXPR")]
    pub until: Option<String>,
    /// Stop with status 7 once a jq expression is true of an event
    #[arg(long, value_name = "EXPR")]
    pub fail_if: Option<String>,
    /// Stop after that long, such as 30s, 5m or 1h30m
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Stop once no event has come for that long
    #[arg(long, value_name = "TIME")]
    pub idle_timeout: Option<String>,
}

/// Where the platform is, and the key to it. The key itself is never an option: `AMIGO_API_KEY` or a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The platform's origin
    #[arg(
        long,
        value_name = "URL",
        env = "AMIGO_BASE_URL",
        hide_env_values = true,
        default_value = "https://api.platform.amigo.ai"
    )]
    pub base_url: String,
    /// The origin of the observer WebSocket, if it is another
    #[arg(long, value_name = "URL", env = "AMIGO_AGENT_BASE_URL", hide_env_values = true)]
    pub agent_base_url: Option<String>,
    /// A file with the API key; `AMIGO_API_KEY` otherwise
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Send the key in the clear to hosts other than this one
    #[arg(long)]
    pub insecure_http: bool,
}

/// The built-in clinic.
#[derive(Debug, Args)]
#[command(next_help_heading = "Demo")]
pub struct Demo {
    /// The seed of the demo's day
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub demo_seed: u64,
    /// Events per second of the demo, on average
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub demo_rate: f64,
}

/// The formats of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A line for people.
    Pretty,
    /// A JSON object a line.
    Ndjson,
    /// A table between commas.
    Csv,
    /// A table between tabs.
    Tsv,
    /// A line by a template.
    Template(String),
}

impl std::str::FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            _ => text
                .strip_prefix("template=")
                .map(|source| Self::Template(source.to_owned()))
                .ok_or("give pretty, ndjson, csv, tsv or template=TEXT"),
        }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that has them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
