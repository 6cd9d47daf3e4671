//! The settings: options of `watch`, and `--allow` of `audit`, that the configuration file and the
//! environment can also set.
//!
//! A setting has the name of its option. Its type, default and description come from the
//! declaration of the option, so the file accepts no value that the option does not accept.
//! Settings that would show more than the default are left out on purpose; see [`REFUSED`].

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::query::suggest;

/// An option that the configuration can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name in the configuration file: the long name of the option, with `_` instead of `-`.
    pub name: &'static str,
    /// The value in the example that `evtap config init` writes, as TOML.
    pub example: &'static str,
    /// How the layers are combined, and which part of the value is secret.
    pub role: Role,
    /// A value that the configuration must not set because it shows more than the default.
    pub refused: Option<&'static str>,
}

/// How the layers of a setting are combined, and which part of its value is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The highest layer that sets it takes precedence, and the value is not secret.
    Plain,
    /// A source of the API key. At most one is used, so their layers are compared as one setting.
    ApiKey,
    /// A list that combines the values of all layers.
    Cumulative,
    /// A URL, which is shown without its user name and password.
    Url,
    /// A URL that may contain a password. Variables such as `HTTPS_PROXY` can also set it.
    Proxy,
}

const fn setting(name: &'static str, example: &'static str) -> Setting {
    Setting { name, example, role: Role::Plain, refused: None }
}

impl Setting {
    const fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    const fn refusing(self, value: &'static str) -> Self {
        Self { refused: Some(value), ..self }
    }
}

/// The command whose options are the settings, but for those of [`ALSO`].
pub const COMMAND: &str = "watch";
/// The command whose options are settings if [`COMMAND`] does not have them.
const ALSO: &str = "audit";

/// All settings, in the order in which they are listed.
pub const SETTINGS: &[Setting] = &[
    setting("workspace", "\"1b4e28ba-2fa1-11d2-883f-0016d3cca427\""),
    setting("base_url", "\"https://api.platform.amigo.ai\"").with_role(Role::Url),
    setting("agent_base_url", "\"wss://agent.example.com\"").with_role(Role::Url),
    setting("api_key_file", "\"~/.config/evtap/staging.key\"").with_role(Role::ApiKey),
    setting("api_key_command", "\"pass show amigo/staging\"").with_role(Role::ApiKey),
    setting("proxy", "\"http://proxy.example.com:3128\"").with_role(Role::Proxy),
    setting("ca_cert", "\"company.pem\""),
    setting("insecure_http", "false"),
    #[cfg(feature = "nats")]
    setting("nats_creds", "\"~/.config/evtap/nats.creds\""),
    setting("read_timeout", "\"2m\""),
    setting("max_reconnects", "20"),
    setting("order", "\"time\""),
    setting("order_window", "\"1s\""),
    setting("max_frame", "\"1MiB\""),
    setting("fail_on_gap", "true"),
    setting("output", "\"pretty\""),
    setting("fields", "[\"call_sid\", \"direction\"]"),
    setting("timestamps", "\"utc\""),
    setting("tz", "\"Europe/Berlin\""),
    setting("color", "\"auto\""),
    setting("wrap", "true"),
    setting("buffer", "\"100000,64MiB\""),
    setting("theme", "\"auto\""),
    setting("remember", "true"),
    setting("status", "\"text\""),
    setting("phi", "\"hash\"").refusing("partial"),
    setting("phi_key_file", "\"~/.config/evtap/phi.key\""),
    setting("redact", "[\"call_sid\"]").with_role(Role::Cumulative),
    setting("scrub", "\"all\"").refusing("none"),
    setting("allow", "[\"from_address\"]"),
];

/// Returns a command that has every option that is a setting, from the declaration of all commands.
#[must_use]
pub fn declaring(commands: &Command) -> Command {
    let find_command =
        |name| commands.get_subcommands().find(|command| command.get_name() == name).cloned();
    let watch = find_command(COMMAND).unwrap_or_default();
    let also = find_command(ALSO).unwrap_or_default();
    let is_missing = |option: &&Arg| {
        let is_known = watch.get_arguments().any(|known| known.get_id() == option.get_id());
        !is_known && find(option.get_id().as_str()).is_some()
    };
    let missing: Vec<_> = also.get_arguments().filter(is_missing).cloned().collect();
    watch.args(missing)
}

/// Returns the setting of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Returns the settings of a role.
pub fn by_role(role: Role) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.role == role)
}

/// Names that are not settings on purpose, each with the reason and what to do instead.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "api_key",
        "an API key in a configuration file is easily shared by accident",
        "use api_key_file or api_key_command",
    ),
    (
        "reveal",
        "hidden fields can be revealed on the command line only",
        "give --reveal on the command line",
    ),
];

/// The reason why a setting or its value is refused, and what to do instead.
pub type SettingError = (String, String);

impl Setting {
    /// Returns the setting of that name, or the reason why there is none.
    pub fn lookup(name: &str) -> Result<&'static Self, SettingError> {
        if let Some((_, why, advice)) = REFUSED.iter().find(|(refused, ..)| *refused == name) {
            return Err(((*why).to_owned(), (*advice).to_owned()));
        }
        find(name).ok_or_else(|| {
            let names = SETTINGS
                .iter()
                .map(|setting| setting.name)
                .chain(["profile", "profiles", "filters", "tui"]);
            let advice = suggest::nearest(name, names).map_or_else(
                || "`evtap config` lists the settings".to_owned(),
                |meant| format!("did you mean {meant}?"),
            );
            ("no such setting".to_owned(), advice)
        })
    }

    /// Returns the environment variable of the setting, or `None` if the option declares its own.
    #[must_use]
    pub fn variable(&self, option: &Arg) -> Option<String> {
        option.get_env().is_none().then(|| self.own_variable())
    }

    /// Returns the environment variable of a setting whose option declares none.
    #[must_use]
    pub fn own_variable(&self) -> String {
        format!("EVTAP_{}", self.name.to_ascii_uppercase())
    }

    /// Returns the option of a command that the setting sets.
    ///
    /// Returns `None` if its type differs from that in `declaring`; see [`declaring`].
    #[must_use]
    pub fn option<'c>(&self, command: &'c Command, declaring: &Command) -> Option<&'c Arg> {
        let find = |command: &'c Command| {
            command.get_arguments().find(|option| option.get_id() == self.name)
        };
        let theirs = declaring.get_arguments().find(|option| option.get_id() == self.name)?;
        find(command).filter(|option| {
            option.get_value_parser().type_id() == theirs.get_value_parser().type_id()
        })
    }

    /// Checks values with the parser of the option. Errors do not quote the values.
    pub fn check(&self, option: &Arg, values: &[String]) -> Result<(), SettingError> {
        if let Some(weaker) = self.refused
            && values.iter().any(|value| value == weaker)
        {
            let advice = format!("give --{} {weaker} on the command line", self.name);
            return Err((
                format!(
                    "{weaker} shows more than the default, which only the command line can allow"
                ),
                advice,
            ));
        }
        values.iter().try_for_each(|value| parse(option.get_value_parser().clone(), value))
    }
}

/// Checks a value with the parser of an option.
fn parse(parser: ValueParser, value: &str) -> Result<(), SettingError> {
    let alone = Command::new("setting")
        .no_binary_name(true)
        .arg(Arg::new("value").value_parser(parser).allow_hyphen_values(true));
    let Err(error) = alone.try_get_matches_from([value]) else { return Ok(()) };
    let why = "invalid value".to_owned();
    let choices = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(choices)) if !choices.is_empty() => choices,
        _ => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let quotes = source.as_ref().is_some_and(|text| text.contains(value));
            let advice = source.filter(|_| error.kind() == ErrorKind::ValueValidation && !quotes);
            return Err((why, advice.unwrap_or_else(|| "see `evtap watch --help`".to_owned())));
        }
    };
    let advice = match suggest::nearest(value, choices.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("give one of {}", choices.join(", ")),
    };
    Err((why, advice))
}

/// Returns whether an option is either on or off.
#[must_use]
pub fn is_flag(option: &Arg) -> bool {
    option.get_value_parser().type_id() == clap::builder::ValueParser::bool().type_id()
}

/// Returns whether an option accepts several values.
#[must_use]
pub fn is_list(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Append)
}

/// Returns whether the value of an option is a path.
#[must_use]
pub fn is_path(option: &Arg) -> bool {
    option.get_value_parser().type_id() == clap::value_parser!(PathBuf).type_id()
}

/// Returns whether the command line or the variable that the option declares sets the option.
#[must_use]
pub fn is_explicit(matches: &ArgMatches, name: &str) -> bool {
    // In debug builds, `value_source` panics if the command does not define the option.
    matches.try_contains_id(name).is_ok()
        && matches!(
            matches.value_source(name),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::args;
    use crate::cli::config::example;
    use crate::cli::config::file::File;

    #[test]
    fn each_setting_is_an_option_and_its_example_can_be_used() {
        let watch = &declaring(&args::declaration());
        for setting in SETTINGS {
            let option = setting
                .option(watch, watch)
                .unwrap_or_else(|| panic!("{} is no option", setting.name));
            assert_eq!(
                option.get_long().map(|long| long.replace('-', "_")).as_deref(),
                Some(setting.name)
            );
            let line = format!("{} = {}\n", setting.name, setting.example);
            let file = File::parse(Path::new("x"), &line, true, watch)
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(file.top.settings.contains_key(setting.name));
        }
        let example = example(watch);
        assert!(example.lines().all(|line| line.is_empty() || line.starts_with("# ")), "{example}");
        assert_eq!(
            File::parse(Path::new("x"), &example, true, watch)
                .expect("comments")
                .top
                .settings
                .len(),
            0
        );
        // Only one source of the API key and one theme can be set, so leave the others out.
        let used: String = example
            .lines()
            .filter(|line| !line.starts_with("# api_key_command") && *line != "# theme = \"auto\"")
            .fold(String::new(), |text, line| {
                let is_line = |line: &str| {
                    line.starts_with('[')
                        || line.split_once(" = ").is_some_and(|(name, _)| !name.contains(' '))
                };
                text + line.strip_prefix("# ").filter(|line| is_line(line)).unwrap_or_default()
                    + "\n"
            });
        let file = File::parse(Path::new("x"), &used, true, watch)
            .unwrap_or_else(|error| panic!("{error} in {used}"));
        assert_eq!(
            (file.top.settings.len(), file.top.filters.len(), file.profiles.len()),
            (SETTINGS.len() - 1, 1, 1)
        );
    }
}
