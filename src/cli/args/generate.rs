//! The arguments of `evtap generate`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `evtap generate`
#[derive(Debug, Subcommand)]
pub enum GenerateArgs {
    /// Print the completion script of one shell, or write the scripts of all shells
    Completions {
        /// Shell to complete in
        #[arg(value_enum)]
        shell: Option<Shell>,
        /// Write the scripts of all shells to this directory
        #[arg(long, value_name = "DIR", conflicts_with = "shell")]
        dir: Option<PathBuf>,
    },
    /// Print one man page, or write all of them
    Man {
        /// Command to document, such as `watch`
        ///
        /// Default: evtap itself.
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
