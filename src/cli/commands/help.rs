//! `evtap help`: shows the help of a command, or explains a topic.

use std::io::IsTerminal;

use clap::Command;
use colored::control::SHOULD_COLORIZE;

use crate::cli::args::manual::GENERAL_TOPICS;
use crate::cli::args::{self, ColorWhen, HelpArgs, groups};
use crate::cli::resolve;
use crate::cli::session::print;
use crate::error::{Error, Exit, Result};
use crate::query::suggest;

pub(super) fn run(args: &HelpArgs) -> Result<Exit> {
    resolve::apply_color(ColorWhen::Auto);
    let help = find(&args.words)?.render_long_help();
    let is_coloured = std::io::stdout().is_terminal() && SHOULD_COLORIZE.should_colorize();
    let text = if is_coloured { help.ansi().to_string() } else { help.to_string() };
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// Returns the command that these words name, or a command whose help is the text of a topic.
fn find(words: &[String]) -> Result<Command> {
    if words.is_empty() {
        return Ok(groups::with_groups(args::declaration()));
    }
    let mut command = args::definition();
    for (at, word) in words.iter().enumerate() {
        if let Some(topic) = GENERAL_TOPICS.iter().find(|topic| topic.name == word && at == 0) {
            // clap wraps the text like that of every other help.
            return Ok(Command::new("topic").about((topic.text)()).help_template("{about}"));
        }
        let known = command.get_subcommands().map(Command::get_name);
        let topics = GENERAL_TOPICS.iter().map(|topic| topic.name).filter(|_| at == 0);
        let likely = suggest::nearest(word, known.chain(topics)).map(str::to_owned);
        command = command.find_subcommand(word).cloned().ok_or_else(|| {
            let advice = likely.map_or_else(
                || "`evtap help` lists the commands and topics".to_owned(),
                |likely| format!("did you mean {likely}?"),
            );
            Error::usage(format!("cannot explain {word}"), "no such command or topic", advice)
        })?;
    }
    Ok(command)
}
