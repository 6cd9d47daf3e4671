//! The arguments of `evtap doctor`.

use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::output::{ColorWhen, ReportFormat};
use crate::error::Error;

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
