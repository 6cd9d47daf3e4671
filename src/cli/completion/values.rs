//! Candidates for values whose choices clap does not know.
//!
//! The name of a value in `--help`, such as `EVENT`, decides which candidates it has.

use clap::{Arg, Command};

use super::candidate::{Candidate, command_word};
use crate::cli::args::manual::GENERAL_TOPICS;
use crate::cli::config;
use crate::cli::settings::SETTINGS;
use crate::model::{Class, EventSpec, FieldSpec, Kind, family};
use crate::output::FORMATS;

/// The parts of an event that `--fields` accepts in addition to the event's fields.
const PARTS: &[(&str, &str)] = &[
    ("event_type", "The type of the event."),
    ("payload", "All fields of the event, as one JSON object."),
    ("_tap.id", "The id of the event: milliseconds of Unix time."),
    ("_tap.time", "The id as a time, in UTC."),
    ("_tap.received_at", "The time of arrival."),
    ("_tap.stream", "The source stream: workspace or observer."),
    ("_tap.workspace_id", "The workspace of the source stream."),
    ("_tap.call_sid", "The call of the source observer."),
    ("_tap.redacted", "The hidden fields."),
    ("_tap.scrubbed", "The fields in which identifiers were masked."),
    ("_tap.drift", "Differences from the event model."),
];

/// The names of values that have no candidates, such as numbers, times, expressions and addresses.
/// An option whose value has another name declares this with `value_hint = ValueHint::Other`.
#[cfg(test)]
const FREE: &str = "ADDR COMMAND DURATION EXPR FAULT HEADER ID|TIME|AGE JSON LIMIT LIMITS N NAME OPTION PERCENT PREFIX PROGRAM REGEX SIZE STEP TIME URL UUID VALUE WORD";

/// Returns the candidates for the value of an argument, of which `typed` was typed already.
pub(super) fn candidates(root: &Command, arg: &Arg, typed: &str) -> Vec<Candidate> {
    let name = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
    match name {
        "GLOB" => families().into_iter().chain(types()).collect(),
        "EVENT" => types().collect(),
        "LIST" => fixed(PARTS).chain(names(|_| true)).collect(),
        "FORMAT" => {
            FORMATS.iter().map(|format| Candidate::new(format.completion(), format.help)).collect()
        }
        "FIELD" if ["redact", "allow"].contains(&arg.get_id().as_str()) => {
            fields(typed, |class| !class.is_hidden())
        }
        "FIELD" => std::iter::once(Candidate::new("all", "Every hidden field."))
            .chain(fields(typed, Class::is_hidden))
            .collect(),
        "PROFILE" => config::profiles().into_iter().map(|name| Candidate::new(name, "")).collect(),
        "KEY=VALUE" => SETTINGS
            .iter()
            .map(|setting| Candidate::new(format!("{}=", setting.name), ""))
            .collect(),
        "ZONE" => {
            jiff::tz::db().available().map(|zone| Candidate::new(zone.as_str(), "")).collect()
        }
        "ID" | "SID" | "CALL" => {
            vec![Candidate::new("demo", "The built-in clinic, without account or network.")]
        }
        "PAGE" => root
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(command_word)
            .collect(),
        "TOPIC" => root
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(command_word)
            .chain(GENERAL_TOPICS.iter().map(|topic| Candidate::new(topic.name, topic.about)))
            .collect(),
        "all" => vec![Candidate::new("all", "Raw frames can't be redacted.")],
        _ => Vec::new(),
    }
}

fn fixed(words: &'static [(&str, &str)]) -> impl Iterator<Item = Candidate> {
    words.iter().map(|(word, help)| Candidate::new(*word, *help))
}

fn specs() -> impl Iterator<Item = &'static EventSpec> {
    Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec())
}

fn types() -> impl Iterator<Item = Candidate> {
    specs().map(|spec| Candidate::new(spec.event_type, spec.doc))
}

/// Returns a glob for each family that has more than one event. The events of an observer have no
/// glob, because their names have no common prefix.
fn families() -> Vec<Candidate> {
    let mut families: Vec<&str> = specs()
        .map(|spec| family(spec.event_type))
        .filter(|family| *family != "observer")
        .collect();
    families.dedup();
    let count = |family: &str| specs().filter(|spec| spec.family() == family).count();
    let several = families.into_iter().filter(|family| count(family) > 1);
    several
        .map(|family| {
            Candidate::new(
                format!("{family}.*"),
                format!("All {} events of {family}.", count(family)),
            )
        })
        .collect()
}

/// Returns each field name once, with the description of the first field of that name.
fn names(fits: impl Fn(&FieldSpec) -> bool) -> Vec<Candidate> {
    let mut words: Vec<Candidate> = Vec::new();
    for field in specs().flat_map(|spec| spec.fields).filter(|field| fits(field)) {
        if words.iter().all(|word| word.text != field.name) {
            words.push(Candidate::new(field.name, field.doc));
        }
    }
    words
}

/// Returns fields by name, such as `caller_id`. Once something was typed, it also returns the
/// fields of each event, such as `call.started.caller_id`, which are too many for an empty word.
fn fields(typed: &str, fits: impl Fn(Class) -> bool) -> Vec<Candidate> {
    let mut words = names(|field| fits(field.class));
    if !typed.is_empty() {
        let of = |spec: &'static EventSpec| spec.fields.iter().map(move |field| (spec, field));
        let fields = specs().flat_map(of).filter(|(_, field)| fits(field.class));
        words.extend(fields.map(|(spec, field)| {
            Candidate::new(format!("{}.{}", spec.event_type, field.name), field.doc)
        }));
    }
    words
}

#[cfg(test)]
mod tests {
    use clap::ValueHint;

    use super::*;
    use crate::cli::args;

    /// Fails for a new kind of value that has no candidates and is not declared to have none.
    #[test]
    fn every_value_has_words_or_is_known_to_have_none() {
        fn check(root: &Command, command: &Command) {
            for arg in command
                .get_arguments()
                .filter(|arg| !arg.is_hide_set() && arg.get_action().takes_values())
            {
                let name =
                    arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
                // Profiles and time zones come from the machine that runs the test.
                let has_no_zones = || jiff::tz::db().available().next().is_none();
                if name == "PROFILE" || name == "ZONE" && has_no_zones() {
                    continue;
                }
                let words = arg.get_possible_values().len() + candidates(root, arg, "").len();
                let what = format!("{} --{}", command.get_name(), arg.get_id());
                let has_none = matches!(
                    arg.get_value_hint(),
                    ValueHint::AnyPath | ValueHint::DirPath | ValueHint::Other
                );
                assert_ne!(
                    words > 0,
                    has_none || FREE.split(' ').any(|free| free == name),
                    "{what} {name}: give its words in `candidates`, or declare ValueHint::Other"
                );
            }
            command
                .get_subcommands()
                .filter(|command| command.get_name() != "help")
                .for_each(|command| check(root, command));
        }
        let root = args::definition();
        check(&root, &root);
    }

    #[test]
    fn families_are_those_with_several_events() {
        let families: Vec<_> = families().into_iter().map(|word| word.text).collect();
        assert!(
            families.contains(&"call.*".to_owned()) && families.contains(&"tap.*".to_owned()),
            "{families:?}"
        );
        assert!(families.iter().all(|family| {
            specs().filter(|spec| format!("{}.*", spec.family()) == *family).count() > 1
        }));
    }
}
