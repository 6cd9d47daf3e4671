//! Completes a command line that somebody is typing.
//!
//! The scripts in `completions/` run the hidden command `__complete`, which lists the candidates.
//! Commands, options and fixed choices come from clap's definition; event types and fields come
//! from the model. The scripts hold none of this, so they stay short and are never out of date.
//!
//! Completion never fails: an unknown command line has no candidates. Users may type other words
//! than those offered.

mod candidate;
mod values;

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, ValueHint};

use crate::cli::args;
use candidate::{Candidate, choice_word, command_word, help};

/// What can come next on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// One of these words.
    Words(Vec<Candidate>),
    /// The path of a file, which the shell completes.
    Path,
}

/// The line that tells the scripts to complete a path.
const PATH: &str = ":path";

impl Expected {
    /// Returns the form that the scripts read: on each line a word, a tab and its description.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Path => format!("{PATH}\n"),
            Self::Words(words) => {
                words.iter().flat_map(|word| [&word.text, "\t", &word.help, "\n"]).collect()
            }
        }
    }
}

/// Returns the response to a completion script.
#[must_use]
pub fn next(options: &args::CompleteArgs) -> String {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let before: Vec<_> = options.before.iter().map(text).collect();
    complete(&args::definition(), &before, &text(&options.current)).text()
}

/// Returns what `current` can be completed to. `before` holds the words in front of it, without the
/// name of the program.
#[must_use]
pub fn complete(root: &Command, before: &[String], current: &str) -> Expected {
    let mut line = ParsedLine {
        root,
        command: root,
        given: Vec::new(),
        pending: None,
        positionals: 0,
        options: true,
    };
    for word in before {
        line.read(word);
    }
    line.next(current)
}

/// The state after the words that were read so far.
struct ParsedLine<'a> {
    root: &'a Command,
    command: &'a Command,
    /// The ids of the options that were given already.
    given: Vec<&'a str>,
    /// An option, and the number of values that it still needs.
    pending: Option<(&'a Arg, usize)>,
    positionals: usize,
    /// Whether options may still come, which is until `--`.
    options: bool,
}

impl<'a> ParsedLine<'a> {
    fn read(&mut self, word: &str) {
        if let Some((arg, left)) = self.pending.take() {
            self.pending = (left > 1).then(|| (arg, left - 1));
        } else if self.options && word == "--" {
            self.options = false;
        } else if let Some(long) = word.strip_prefix("--").filter(|_| self.options) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if let Some(arg) = self.long(name) {
                self.await_value(arg, value.is_none());
            }
        } else if word.len() > 1 && word.starts_with('-') && self.options {
            if let Some((arg, attached)) = self.cluster(word) {
                self.await_value(arg, attached.is_empty());
            }
        } else if let Some(command) =
            self.command.find_subcommand(word).filter(|_| self.positionals == 0)
        {
            (self.command, self.given) = (command, Vec::new());
        } else {
            self.positionals += 1;
        }
    }

    fn await_value(&mut self, arg: &'a Arg, has_no_value: bool) {
        self.given.push(arg.get_id().as_str());
        let wanted = arg.get_num_args().map_or(0, |range| range.min_values());
        self.pending = (wanted > 0 && has_no_value).then_some((arg, wanted));
    }

    fn next(&self, current: &str) -> Expected {
        if let Some((arg, _)) = self.pending {
            return self.value(arg, current, "");
        }
        if self.options && current.starts_with('-') {
            if let Some((name, value)) =
                current.strip_prefix("--").and_then(|long| long.split_once('='))
            {
                return self
                    .long(name)
                    .map_or_else(no_words, |arg| self.value(arg, value, &format!("--{name}=")));
            }
            return match self.cluster(current) {
                Some((arg, value)) if takes_value(arg) => {
                    self.value(arg, value, &current[..current.len() - value.len()])
                }
                _ => words(self.flags(), current),
            };
        }
        if let Some(arg) = self.positional() {
            return self.value(arg, current, "");
        }
        let commands: Vec<_> = self
            .command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(command_word)
            .collect();
        words(if commands.is_empty() { self.flags() } else { commands }, current)
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|arg| arg.get_long() == Some(name))
    }

    /// Returns the last option of a cluster of short options and the text attached to it, such as
    /// `-n` and `5` for `-rn5`. The first option that takes a value takes the rest of the word.
    fn cluster<'w>(&self, word: &'w str) -> Option<(&'a Arg, &'w str)> {
        let mut last = None;
        for (at, letter) in word.char_indices().skip(1) {
            let arg = self.command.get_arguments().find(|arg| arg.get_short() == Some(letter))?;
            last = Some((arg, &word[at + letter.len_utf8()..]));
            if takes_value(arg) {
                break;
            }
        }
        last
    }

    /// Returns the next positional argument. Only the last one may repeat.
    fn positional(&self) -> Option<&'a Arg> {
        let mut all: Vec<_> =
            self.command.get_positionals().filter(|arg| !arg.is_hide_set()).collect();
        match all.len() {
            0 => None,
            count if self.positionals < count => Some(all.swap_remove(self.positionals)),
            _ => all.pop().filter(|last| matches!(last.get_action(), ArgAction::Append)),
        }
    }

    /// Returns the options that may still be given.
    fn flags(&self) -> Vec<Candidate> {
        let may_come = |arg: &&Arg| {
            !arg.is_hide_set()
                && (!self.given.contains(&arg.get_id().as_str())
                    || matches!(arg.get_action(), ArgAction::Append | ArgAction::Count))
        };
        let word = |arg: &Arg| {
            Some(Candidate::new(format!("--{}", arg.get_long()?), help(arg.get_help())))
        };
        self.command.get_arguments().filter(may_come).filter_map(word).collect()
    }

    /// Completes the value of an argument. `lead` is the part of the word in front of the value,
    /// such as `--event=`. Of a list, only the last item is completed.
    fn value(&self, arg: &Arg, typed: &str, lead: &str) -> Expected {
        let end = if arg.get_value_delimiter() == Some(',') {
            typed.rfind(',').map_or(0, |comma| comma + 1)
        } else {
            0
        };
        let (kept, item) = typed.split_at(end);
        let choices: Vec<_> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(choice_word)
            .collect();
        let offered =
            if choices.is_empty() { values::candidates(self.root, arg, item) } else { choices };
        if offered.is_empty()
            && matches!(
                arg.get_value_hint(),
                ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
            )
        {
            return Expected::Path;
        }
        let already: Vec<_> = kept.split(',').collect();
        let fitting = offered
            .into_iter()
            .filter(|word| word.text.starts_with(item) && !already.contains(&word.text.as_str()));
        Expected::Words(
            fitting
                .map(|word| Candidate::new(format!("{lead}{kept}{}", word.text), word.help))
                .collect(),
        )
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.takes_values())
}

const fn no_words() -> Expected {
    Expected::Words(Vec::new())
}

fn words(all: Vec<Candidate>, current: &str) -> Expected {
    Expected::Words(all.into_iter().filter(|word| word.text.starts_with(current)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the words offered for a line, of which the text after the last blank is completed.
    fn offered(line: &str) -> Vec<String> {
        let (before, current) = line.rsplit_once(' ').unwrap_or(("", line));
        let before: Vec<_> = before.split_whitespace().map(str::to_owned).collect();
        match complete(&args::definition(), &before, current) {
            Expected::Words(words) => words.into_iter().map(|word| word.text).collect(),
            Expected::Path => vec![PATH.to_owned()],
        }
    }

    #[test]
    fn commands_and_options() {
        assert_eq!(offered("wat"), ["watch"]);
        assert_eq!(offered("help sche"), ["schema"]);
        assert!(!offered("").contains(&"__complete".to_owned()), "it is hidden");
        assert_eq!(offered("watch --max-f"), ["--max-frame"]);
        assert!(
            offered("watch ").contains(&"--workspace".to_owned()),
            "there is nothing else to type"
        );
        assert!(
            offered("watch -n 3 --").iter().all(|word| word != "--limit"),
            "it can't be given twice"
        );
        assert!(offered("watch -e x --").contains(&"--event".to_owned()), "it may repeat");
        assert_eq!(offered("nonsense --eve"), [""; 0]);
    }

    #[test]
    fn values() {
        assert_eq!(offered("watch --event call.st"), ["call.started"]);
        assert_eq!(offered("watch --event=call.st"), ["--event=call.started"]);
        assert_eq!(offered("watch -ecall.st"), ["-ecall.started"]);
        assert_eq!(
            offered("watch -E call."),
            ["call.*", "call.ended", "call.escalated", "call.started"].map(str::to_owned)
        );
        assert_eq!(offered("schema call.st"), ["call.started"]);
        assert_eq!(offered("watch --phi h"), ["hash"]);
        assert_eq!(offered("watch -w d"), ["demo"]);
        assert_eq!(offered("watch --arg name value -n 3 --gre"), ["--grep"]);
        assert_eq!(offered("watch --arg name value -n "), [""; 0]);
        assert_eq!(offered("frames --reveal "), ["all"]);
    }

    #[test]
    fn fields() {
        assert_eq!(offered("watch --reveal caller"), ["caller_id"]);
        assert_eq!(offered("watch --reveal call.started."), ["call.started.caller_id"]);
        assert_eq!(offered("watch --redact call.started.dir"), ["call.started.direction"]);
        assert!(
            !offered("watch --redact caller").contains(&"caller_id".to_owned()),
            "it is hidden already"
        );
        assert_eq!(offered("watch --fields call_sid,_tap.ti"), ["call_sid,_tap.time"]);
        assert!(
            offered("watch --fields call_sid,call_s")
                .iter()
                .all(|word| word != "call_sid,call_sid")
        );
    }

    #[test]
    fn paths_are_left_to_the_shell() {
        for line in [
            "replay ",
            "replay a.ndjson ",
            "watch --record ",
            "watch --cursor=x",
            "watch --api-key-file ./k",
        ] {
            assert_eq!(offered(line), [PATH], "{line}");
        }
    }
}
