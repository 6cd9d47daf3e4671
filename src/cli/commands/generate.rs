//! `evtap generate`: prints or writes the completion scripts and the man pages.
//!
//! The man pages are derived from clap's definition of the command line.

mod man;

use std::path::Path;

use clap::ValueEnum as _;

use crate::cli::args::{GenerateArgs, Shell};
use crate::cli::session::print;
use crate::error::{Error, Exit, Result};

pub(super) fn run(args: &GenerateArgs) -> Result<Exit> {
    print(text(args)?.as_bytes()).map(|_| Exit::Done)
}

/// Returns the text to print, which is empty if files were written.
fn text(args: &GenerateArgs) -> Result<String> {
    match args {
        GenerateArgs::Completions { dir: Some(dir), .. } => write_files(
            dir,
            Shell::value_variants()
                .iter()
                .map(|shell| (file_name(*shell).to_owned(), script(*shell).to_owned())),
        ),
        GenerateArgs::Completions { shell: Some(shell), .. } => Ok(script(*shell).to_owned()),
        GenerateArgs::Completions { .. } => Err(Error::usage(
            "cannot generate completions",
            "no shell is named",
            "name one, or give --dir for all",
        )),
        GenerateArgs::Man { dir: Some(dir), .. } => write_files(dir, man::pages()),
        GenerateArgs::Man { command, .. } => man::page(command.as_deref()),
    }
}

fn write_files(dir: &Path, files: impl IntoIterator<Item = (String, String)>) -> Result<String> {
    let failed = |error: std::io::Error| {
        let what = format!("cannot write to {}", dir.display());
        Error::new(Exit::Failure, what, error.kind().to_string(), "give a writable directory")
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    for (name, text) in files {
        std::fs::write(dir.join(name), text).map_err(failed)?;
    }
    Ok(String::new())
}

/// Returns the file name of a shell's script. Zsh loads only files whose name begins with `_`.
const fn file_name(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "evtap.bash",
        Shell::Elvish => "evtap.elv",
        Shell::Fish => "evtap.fish",
        Shell::Nushell => "evtap.nu",
        Shell::Powershell => "evtap.ps1",
        Shell::Zsh => "_evtap",
    }
}

/// Returns a shell's script. The script asks evtap for the candidates: see
/// [`completion`](crate::cli::completion).
const fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../../completions/evtap.bash"),
        Shell::Elvish => include_str!("../../../completions/evtap.elv"),
        Shell::Fish => include_str!("../../../completions/evtap.fish"),
        Shell::Nushell => include_str!("../../../completions/evtap.nu"),
        Shell::Powershell => include_str!("../../../completions/evtap.ps1"),
        Shell::Zsh => include_str!("../../../completions/_evtap"),
    }
}
