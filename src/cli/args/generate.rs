//! The arguments of `evtap generate`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

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
