//! The arguments of `evtap doctor`.

use std::path::PathBuf;

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::list::trimmed;
use super::output::{ColorWhen, ReportFormat};
use crate::error::Error;

/// `evtap doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Open the stream of this workspace: its id, or `demo`
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ',', value_parser = trimmed
    )]
    pub workspace: Vec<String>,
    /// Also open the observer of this call: its SID, or `demo`
    #[arg(short, long, value_name = "SID")]
    pub call: Option<String>,
    /// Check this cursor file
    #[arg(long, value_name = "FILE")]
    pub cursor: Option<PathBuf>,
    /// Check this record file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Check this pseudonym key file
    #[arg(long, value_name = "FILE")]
    pub phi_key_file: Option<PathBuf>,
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorWhen,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// The reason why the configuration cannot be used.
    #[arg(skip)]
    pub broken: Option<Error>,
}
