//! Parses the command line and fills in the settings.
//!
//! The command line is parsed twice. The first parse reports mistakes in it and finds the file and
//! the profile to use. The values of the environment, the profile and the file then become the
//! defaults of the options. In the second parse, an option on the command line takes precedence
//! over its default.
//!
//! Where a setting conflicts with an option, the option takes precedence; see [`ConfigDefaults`].

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, ValueEnum as _};

use super::layers::Layers;
use crate::cli::args::{self, Cli, Command, ConfigDefaults};
use crate::cli::settings::{self, SETTINGS, Setting, is_explicit};
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;

/// Commands whose options share names with settings but have other meanings.
const WITHOUT_SETTINGS: &[&str] = &["serve"];

/// The reason why the command line was not resolved.
#[derive(Debug)]
pub enum ParseError {
    /// The command line is invalid, or asks for help.
    CommandLine(clap::Error),
    /// The configuration file or the environment is invalid.
    Configuration(Error),
}

impl From<clap::Error> for ParseError {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

impl From<Error> for ParseError {
    fn from(error: Error) -> Self {
        Self::Configuration(error)
    }
}

/// Returns the format of status messages as far as it is known before the command line is parsed:
/// by the option or the environment. An error of the parser is written in this format.
#[must_use]
pub fn early_status_format(arguments: &[OsString]) -> StatusFormat {
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    // Declaring the options a second time takes longer than replaying a short recording.
    if !words.iter().any(|word| word.starts_with("--status"))
        && settings::find("status")
            .is_none_or(|status| std::env::var_os(status.own_variable()).is_none())
    {
        return StatusFormat::Text;
    }
    let declared = args::declaration();
    let command = words.iter().find_map(|word| declared.find_subcommand(&**word));
    let option = command
        .and_then(|command| command.get_arguments().find(|option| option.get_id() == "status"));
    let Some(option) = option else { return StatusFormat::Text };
    let options = words.iter().take_while(|word| **word != "--").enumerate();
    let given = options.filter_map(|(at, word)| match word.strip_prefix("--status")? {
        "" => words.get(at + 1).map(ToString::to_string),
        value => value.strip_prefix('=').map(str::to_owned),
    });
    let variable = || settings::find("status")?.variable(option);
    let value = given.last().or_else(|| std::env::var(variable()?).ok());
    value.and_then(|value| StatusFormat::from_str(&value, false).ok()).unwrap_or_default()
}

/// Parses the command line and fills in the settings.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Cli, Layers), ParseError> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let typed = args::matches(&arguments)?;
    let mut cli = command_line(&typed)?;
    if matches!(cli.command, Command::Config(_)) {
        return Ok((cli, Layers::default()));
    }
    match (resolve(&arguments, &typed), &mut cli.command) {
        (Ok((matches, layers)), _) => Ok((fill(&matches, &layers)?, layers)),
        // `doctor` runs with a broken configuration, because it reports what is broken.
        (Err(ParseError::Configuration(error)), Command::Doctor(doctor)) => {
            doctor.broken = Some(error);
            Ok((cli, Layers::default()))
        }
        (Err(error), _) => Err(error),
    }
}

/// Builds the command line from the matches.
fn command_line(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    let options = matches.subcommand().map_or(matches, |(_, options)| options);
    cli.config_choice.typed = ["config", "profile"]
        .into_iter()
        .filter(|name| options.value_source(name) == Some(ValueSource::CommandLine))
        .collect();
    drop_default_workspace(&mut cli.command, options);
    Ok(cli)
}

/// Drops a workspace that only the environment or the configuration names, where the command line
/// says what to read in another way.
fn drop_default_workspace(command: &mut Command, options: &ArgMatches) {
    let is_typed = |name| options.value_source(name) == Some(ValueSource::CommandLine);
    match command {
        Command::Watch(args)
            if (args.workspaces_file.is_some() || args.follow.from.is_some())
                && !is_typed("workspace") =>
        {
            args.workspace.clear();
        }
        Command::Stats(args) if args.source.from.is_some() && !is_typed("workspace") => {
            args.workspace.clear();
        }
        Command::Expect(args) if args.source.from.is_some() && !is_typed("workspace") => {
            args.workspace = None;
        }
        Command::Timeline(args) if args.source.from.is_some() && !is_typed("workspace") => {
            args.workspace = None;
        }
        _ => {}
    }
}

/// Builds the command line from the matches, and adds named filters and other values that are not
/// options.
fn fill(matches: &ArgMatches, layers: &Layers) -> Result<Cli, clap::Error> {
    let mut cli = command_line(matches)?;
    if let Some(named) = cli.command.named_mut() {
        *named = layers
            .filters()
            .into_iter()
            .map(|(name, (expression, _))| (name, expression))
            .collect();
    }
    if let Some(screen) = cli.command.screen_mut() {
        screen.appearance = layers.appearance();
    }
    let arguments_of_command =
        matches.subcommand().map_or(matches, |(_, arguments_of_command)| arguments_of_command);
    let is_default = |setting: &&Setting| {
        layers.effective(setting, arguments_of_command).is_some()
            && !is_explicit(arguments_of_command, setting.name)
    };
    let defaults =
        ConfigDefaults(SETTINGS.iter().filter(is_default).map(|setting| setting.name).collect());
    if let Some(redact) = cli.command.redact_mut() {
        redact.extend(layers.redacted());
    }
    if let Some(privacy) = cli.command.privacy_mut() {
        privacy.config_defaults = defaults.clone();
    }
    if let Some(output) = cli.command.output_mut() {
        output.config_defaults = defaults;
    }
    Ok(cli)
}

/// Runs the second parse, in which the settings are the defaults of the options.
///
/// `typed` is the result of the first parse.
pub fn resolve(
    arguments: &[OsString],
    typed: &ArgMatches,
) -> Result<(ArgMatches, Layers), ParseError> {
    let command = args::declaration();
    let watch = settings::declaring(&command);
    let Some((name, arguments_of_command)) = typed.subcommand() else {
        return Ok((typed.clone(), Layers::default()));
    };
    let subcommand = command.find_subcommand(name).filter(|_| !WITHOUT_SETTINGS.contains(&name));
    let is_option = |setting: &&Setting| {
        subcommand.is_some_and(|command| setting.option(command, &watch).is_some())
    };
    let options: Vec<_> = SETTINGS.iter().filter(is_option).collect();
    if options.is_empty() {
        for choice in ["config", "profile"] {
            if arguments_of_command.value_source(choice) == Some(ValueSource::CommandLine) {
                let what = format!("cannot use --{choice}");
                return Err(Error::usage(
                    what,
                    format!("{name} does not use the configuration"),
                    "leave it out",
                )
                .into());
            }
        }
        return Ok((typed.clone(), Layers::default()));
    }
    let layers = Layers::read(arguments_of_command, &watch)?;
    let command = command.mut_subcommand(name, |subcommand| {
        options.iter().fold(subcommand, |subcommand, setting| {
            match layers.effective(setting, arguments_of_command) {
                Some((_, values)) => {
                    subcommand.mut_arg(setting.name, |option| option.default_values(values.clone()))
                }
                None => subcommand,
            }
        })
    });
    Ok((command.try_get_matches_from(arguments)?, layers))
}
