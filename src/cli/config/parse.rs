//! The command line with the settings fill in.
//!
//! The command line is parsed twice. The first parse finds mistakes in it, and the file and profile
//! to use. What these and the environment say then becomes the default of the options, and the
//! second parse resolves all of it by the rule that options have anyway: what was typed takes
//! precedence over a default.
//!
//! Where a setting conflicts with an option, the option takes precedence; see [`ConfigDefaults`].

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::layers::Layers;
use crate::cli::args::{self, Cli, Command, ConfigDefaults};
use crate::cli::settings::{self, SETTINGS, Setting, is_explicit};
use crate::error::{Error, Result};

/// Commands that have options of these names, and mean something else by them.
const WITHOUT_SETTINGS: &[&str] = &["serve"];

/// Why there is no command line to go by.
#[derive(Debug)]
pub enum ParseError {
    /// It is wrong, or asks for help.
    CommandLine(clap::Error),
    /// The file or the environment is wrong.
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

/// Parses the command line, and resolves it.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Cli, Layers), ParseError> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let typed =
        args::declaration().try_get_matches_from(&arguments).map_err(args::without_hidden)?;
    let mut cli = Cli::from_arg_matches(&typed)?;
    if matches!(cli.command, Command::Config(_)) {
        return Ok((cli, Layers::default()));
    }
    match (resolve(&arguments, &typed), &mut cli.command) {
        (Ok((matches, layers)), _) => Ok((fill(&matches, &layers)?, layers)),
        // It is there to tell what is broken.
        (Err(ParseError::Configuration(error)), Command::Doctor(doctor)) => {
            doctor.broken = Some(error);
            Ok((cli, Layers::default()))
        }
        (Err(error), _) => Err(error),
    }
}

/// The command line as these matches have it, with what is no option.
fn fill(matches: &ArgMatches, layers: &Layers) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    if let Some(named) = cli.command.named_mut() {
        *named = layers
            .filters()
            .into_iter()
            .map(|(name, (expression, _))| (name, expression))
            .collect();
    }
    let arguments_of_command =
        matches.subcommand().map_or(matches, |(_, arguments_of_command)| arguments_of_command);
    let is_default = |setting: &&Setting| {
        layers.effective(setting, arguments_of_command).is_some()
            && !is_explicit(arguments_of_command, setting.name)
    };
    let defaults =
        ConfigDefaults(SETTINGS.iter().filter(is_default).map(|setting| setting.name).collect());
    if let Some(privacy) = cli.command.privacy_mut() {
        privacy.redact.extend(layers.redacted());
        privacy.config_defaults = defaults.clone();
    }
    if let Some(output) = cli.command.output_mut() {
        output.config_defaults = defaults;
    }
    Ok(cli)
}

/// Resolves a command line that has been parsed once.
pub fn resolve(
    arguments: &[OsString],
    typed: &ArgMatches,
) -> Result<(ArgMatches, Layers), ParseError> {
    let command = args::declaration();
    let watch =
        command.find_subcommand(settings::COMMAND).expect("there is such a command").clone();
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
