//! The arguments of `evtap expect`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
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
