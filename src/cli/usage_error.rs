//! Errors of the command line, worded like all other errors: what failed, why, and what to do.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::error::Error;
use crate::model::{is_call_sid, is_uuid};
use crate::query::suggest;

/// Words the error that clap reports about `arguments`, of which the first names the program.
#[must_use]
pub fn explain(error: &clap::Error, arguments: &[OsString], root: &Command) -> Error {
    let arguments: Vec<_> =
        arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    UsageError { error, command: selected(root, &arguments), root, arguments: &arguments }.explain()
}

/// Returns whether clap reports help or the version. Without a command, help goes to stderr.
#[must_use]
pub fn is_help(error: &clap::Error) -> bool {
    let is_missing = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    is_missing || !error.use_stderr()
}

/// Returns the command that the arguments select, with its name as typed: `config set-profile`.
fn selected<'c>(root: &'c Command, arguments: &[String]) -> Selected<'c> {
    let mut selected = Selected { command: root, name: String::new() };
    for argument in arguments {
        if let Some(command) = selected.command.find_subcommand(argument) {
            selected.command = command;
            selected.name += if selected.name.is_empty() { "" } else { " " };
            selected.name += command.get_name();
        }
    }
    selected
}

struct Selected<'c> {
    command: &'c Command,
    name: String,
}

struct UsageError<'e> {
    error: &'e clap::Error,
    command: Selected<'e>,
    root: &'e Command,
    arguments: &'e [String],
}

impl UsageError<'_> {
    fn explain(&self) -> Error {
        let argument = self.text(ContextKind::InvalidArg).unwrap_or_default();
        let value = self.text(ContextKind::InvalidValue).unwrap_or_default();
        match self.error.kind() {
            ErrorKind::InvalidValue if value.is_empty() => Error::usage(
                format!("cannot use {}", long_of(&argument)),
                "its value is missing",
                format!("write it like {}", argument.trim_end_matches("...")),
            ),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => self.value(&argument, &value),
            ErrorKind::UnknownArgument
                if argument.starts_with('-') && !self.is_after_end(&argument) =>
            {
                self.option(&argument)
            }
            ErrorKind::UnknownArgument => self.positional(&argument),
            ErrorKind::InvalidSubcommand => self.subcommand(),
            ErrorKind::MissingRequiredArgument => self.missing(&argument),
            ErrorKind::ArgumentConflict => {
                let other = self.text(ContextKind::PriorArg).unwrap_or_default();
                let what = format!("cannot use {} with {}", long_of(&argument), long_of(&other));
                Error::usage(what, "they exclude each other", "omit one of them")
            }
            ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => Error::usage(
                format!("cannot use {}", long_of(&argument)),
                "it has too few or too many values",
                format!("write it like {argument}"),
            ),
            _ => {
                let text = self.error.to_string();
                let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
                Error::usage("cannot read the command line", why, self.see_help())
            }
        }
    }

    /// A value that an option does not accept.
    fn value(&self, argument: &str, value: &str) -> Error {
        let what = format!("cannot use {} {value}", long_of(argument));
        if let Some(ContextValue::Strings(choices)) = self.error.get(ContextKind::ValidValue) {
            let advice = match suggest::nearest(value, choices.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("give one of {}", choices.join(", ")),
            };
            return Error::usage(what, "it accepts no such value", advice);
        }
        let source = std::error::Error::source(self.error);
        let source = source.map(ToString::to_string).unwrap_or_default();
        let is_negative = value.starts_with('-');
        match source.as_str() {
            "invalid digit found in string" if is_negative => {
                Error::usage(what, "the value must not be negative", "give a positive number")
            }
            "invalid digit found in string" => {
                Error::usage(what, "the value is not a whole number", "write it like 10")
            }
            "cannot parse integer from empty string" | "cannot parse float from empty string" => {
                Error::usage(what.trim_end(), "the value is empty", "write it like 10")
            }
            "number too large to fit in target type" => {
                Error::usage(what, "the number is too large", "give a smaller one")
            }
            "invalid float literal" => {
                Error::usage(what, "the value is not a number", "write it like 2.5")
            }
            "invalid socket address syntax" => Error::usage(
                what,
                "the value is not an address and a port",
                "write it like 127.0.0.1:8484",
            ),
            other => match other.split_once(" is not in ") {
                Some((_, range)) => {
                    let (from, to) = range.split_once("..=").unwrap_or((range, "…"));
                    let advice = format!("give a number from {from} to {to}");
                    Error::usage(what, "the number is out of range", advice)
                }
                // The parsers of evtap itself say what to give.
                None => Error::usage(what, "invalid value", other),
            },
        }
    }

    /// An option that the command does not have.
    fn option(&self, option: &str) -> Error {
        let mut before = None;
        for argument in self.arguments {
            // clap reports `-5` of `-5s`, as if it were a group of short options.
            if argument.starts_with(option)
                && option[1..].starts_with(|digit: char| digit.is_ascii_digit())
                && let Some(before) = before
            {
                return Error::usage(
                    format!("cannot use {before} {argument}"),
                    "the value must not be negative",
                    "give a positive one",
                );
            }
            before = argument.starts_with('-').then_some(argument);
        }
        let what = format!("cannot use {option}");
        let name = option.trim_start_matches('-');
        let why = if self.command.name.is_empty() {
            "evtap has no such option".to_owned()
        } else {
            format!("`evtap {}` has no such option", self.command.name)
        };
        let longs = options(self.command.command).filter_map(Arg::get_long);
        let nearest = suggest::nearest(name, longs);
        let has = |command: &&Command| {
            options(command).any(|option| option.get_long().is_some_and(|long| long == name))
        };
        let others: Vec<_> = self
            .root
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .filter(has)
            .map(Command::get_name)
            .collect();
        let advice = match (nearest, others.as_slice()) {
            (_, [last]) => format!("`evtap {last}` has it"),
            (_, [others @ .., last]) => format!("{} and {last} have it", others.join(", ")),
            (Some(meant), []) => format!("did you mean --{meant}?"),
            (None, []) => self.see_help(),
        };
        Error::usage(what, why, advice)
    }

    /// An argument where the command takes none, or no more.
    fn positional(&self, argument: &str) -> Error {
        let what = format!("cannot use the argument {argument}");
        let why = format!("`evtap {}` takes no such argument", self.command.name);
        let has = |name: &str| options(self.command.command).any(|option| option.get_id() == name);
        // The calls of `watch` are those of a broker.
        let is_read = |name: &str| has(name) && self.command.name != "watch";
        let first = argument.split(',').next().unwrap_or_default();
        let is_workspace = is_uuid(first) || first == "demo" || first.starts_with("demo:");
        let advice = if argument.starts_with('-') {
            "options go before `--`".to_owned()
        } else if is_read("call") && (is_call_sid(first) || first == "demo") {
            format!("did you mean --call {argument}?")
        } else if has("workspace") && is_workspace {
            format!("did you mean --workspace {argument}?")
        } else if has("filter") && argument.starts_with('.') {
            "an expression is the value of --filter, in quotes".to_owned()
        } else if Path::new(argument).is_file() {
            "recordings are read by replay, stats, timeline and audit".to_owned()
        } else {
            self.see_help()
        };
        Error::usage(what, why, advice)
    }

    fn subcommand(&self) -> Error {
        let typed = self.text(ContextKind::InvalidSubcommand).unwrap_or_default();
        let commands = self.command.command.get_subcommands();
        let names: Vec<_> =
            commands.filter(|command| !command.is_hide_set()).map(Command::get_name).collect();
        let advice = match suggest::nearest(&typed, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if Path::new(&typed).is_file() => format!("try `evtap replay {typed}`"),
            None => format!("the commands are {}", names.join(", ")),
        };
        Error::usage(format!("cannot run {typed}"), "there is no such command", advice)
    }

    fn missing(&self, first: &str) -> Error {
        let missing = match self.error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => missing.join(" and "),
            _ => first.to_owned(),
        };
        let missing = missing.replace("...", "");
        let what = format!("cannot run {}", self.command.name);
        let is_always_required = self.command.command.get_arguments().any(|argument| {
            argument.is_required_set()
                && argument.get_long().is_some_and(|long| missing.contains(&format!("--{long}")))
        });
        if missing.starts_with("--") && !is_always_required {
            let why = format!("an option that was given needs {missing}");
            return Error::usage(what, why, self.see_help());
        }
        let verb = if missing.contains(" and ") { "are" } else { "is" };
        Error::usage(what, format!("{missing} {verb} missing"), self.see_help())
    }

    /// Returns whether an argument follows `--`, after which no argument is an option.
    fn is_after_end(&self, argument: &str) -> bool {
        let mut rest = self.arguments.iter().skip_while(|typed| *typed != "--");
        rest.any(|typed| typed.starts_with(argument))
    }

    fn see_help(&self) -> String {
        if self.command.name.is_empty() {
            "`evtap help` lists the commands".to_owned()
        } else {
            format!("see `evtap help {}`", self.command.name)
        }
    }

    fn text(&self, kind: ContextKind) -> Option<String> {
        match self.error.get(kind)? {
            ContextValue::String(text) => Some(text.clone()),
            ContextValue::Strings(texts) => {
                texts.iter().find(|text| self.is_given(text)).or(texts.first()).cloned()
            }
            _ => None,
        }
    }

    /// Returns whether the command line has this option.
    fn is_given(&self, option: &str) -> bool {
        let long = long_of(option);
        let rest = self.arguments.iter().filter_map(|argument| argument.strip_prefix(long));
        rest.into_iter().any(|rest| rest.is_empty() || rest.starts_with('='))
    }
}

/// Returns the options of a command that are not hidden.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|option| !option.is_positional() && !option.is_hide_set())
}

/// Returns the long name in clap's description of an option, such as `--limit <N>`, or the name of
/// an argument, such as `[FILE]...`.
fn long_of(argument: &str) -> &str {
    let name = argument.trim_start_matches(['[', '<']);
    name.split([' ', '=', '[', ']', '>']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    fn explained(line: &str) -> String {
        let arguments: Vec<OsString> =
            std::iter::once("evtap").chain(line.split(' ')).map(Into::into).collect();
        let error = args::declaration().try_get_matches_from(&arguments).expect_err(line);
        explain(&error, &arguments, &args::definition()).to_string()
    }

    #[test]
    fn errors_name_the_option_and_say_what_to_do() {
        for (line, message) in [
            (
                "watch -n x",
                "cannot use --limit x: the value is not a whole number; write it like 10",
            ),
            (
                "watch -n -5",
                "cannot use --limit -5: the value must not be negative; give a positive number",
            ),
            (
                "watch --duration -5s",
                "cannot use --duration -5s: the value must not be negative; give a positive one",
            ),
            (
                "watch --limit=99999999999999999999",
                "cannot use --limit 99999999999999999999: the number is too large; give a smaller \
                 one",
            ),
            ("watch -n", "cannot use --limit: its value is missing; write it like --limit <N>"),
            (
                "replay --threads 100 x",
                "cannot use --threads 100: the number is out of range; give a number from 1 to 64",
            ),
            (
                "serve --listen x",
                "cannot use --listen x: the value is not an address and a port; write it like \
                 127.0.0.1:8484",
            ),
            (
                "watch --demo-rate x",
                "cannot use --demo-rate x: the value is not a number; write it like 2.5",
            ),
            (
                "watch --color blue",
                "cannot use --color blue: it accepts no such value; give one of auto, always, never",
            ),
            (
                "watch -o jsn",
                "cannot use --output jsn: invalid value; give pretty, ndjson, json, cloudevents, \
                 csv, tsv or template=TEXT",
            ),
            (
                "watch --tail 5",
                "cannot use --tail: `evtap watch` has no such option; see `evtap help watch`",
            ),
            (
                "watch --limt 5",
                "cannot use --limt: `evtap watch` has no such option; did you mean --limit?",
            ),
            (
                "replay --cursor x",
                "cannot use --cursor: `evtap replay` has no such option; watch, alert and \
                 doctor have it",
            ),
            (
                "watch demo",
                "cannot use the argument demo: `evtap watch` takes no such argument; did you mean \
                 --workspace demo?",
            ),
            (
                "observe CAd3300000000000000000000000000001",
                "cannot use the argument CAd3300000000000000000000000000001: `evtap observe` takes \
                 no such argument; did you mean --call CAd3300000000000000000000000000001?",
            ),
            (
                "watch --arg a",
                "cannot use --arg: it has too few or too many values; write it like --arg <NAME> \
                 <VALUE>",
            ),
            (
                "watch --wrap=x",
                "cannot use --wrap x: it accepts no such value; give one of true, false",
            ),
            (
                "watch -- -n 1",
                "cannot use the argument -n: `evtap watch` takes no such argument; options go \
                 before `--`",
            ),
            (
                "watch --buffer 5",
                "cannot run watch: an option that was given needs --tui; see `evtap help watch`",
            ),
            (
                "observe demo",
                "cannot use the argument demo: `evtap observe` takes no such argument; did you \
                 mean --call demo?",
            ),
            ("reply x", "cannot run reply: there is no such command; did you mean replay?"),
            ("replay", "cannot run replay: <FILE> is missing; see `evtap help replay`"),
            (
                "watch --api-key-file a --api-key-command b",
                "cannot use --api-key-file with --api-key-command: they exclude each other; omit \
                 one of them",
            ),
        ] {
            assert_eq!(explained(line), message, "{line}");
        }
    }

    #[test]
    fn an_argument_that_excludes_an_option_is_named() {
        let error = explained("verify x --from nats://127.0.0.1/evtap");
        let expected = "cannot use FILE with --from: they exclude each other; omit one of them";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_conflict_with_one_of_several_arguments_names_the_one_that_was_given() {
        for (line, message) in [
            (
                "stats day.ndjson --metrics-listen 127.0.0.1:0",
                "cannot use --metrics-listen with FILE: they exclude each other; omit one of them",
            ),
            (
                "timeline --metrics-listen=127.0.0.1:0 --from=nats://a/b",
                "cannot use --metrics-listen with --from: they exclude each other; omit one of them",
            ),
            (
                "expect a --replay day.ndjson --metrics-listen 127.0.0.1:0",
                "cannot use --metrics-listen with --replay: they exclude each other; omit one of \
                 them",
            ),
        ] {
            assert_eq!(explained(line), message, "{line}");
        }
    }

    #[test]
    fn no_hidden_command_is_suggested() {
        assert!(!explained("__complet").contains("did you mean"));
    }
}
