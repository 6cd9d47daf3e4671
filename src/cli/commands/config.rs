//! `evtap config`: shows the settings and where each comes from, and writes the configuration file.

use std::path::Path;

use crate::cli::args::{self, ColorWhen, ConfigAction, ConfigArgs, ConfigChoice, ReportFormat};
use crate::cli::config::{self, ResolvedConfig};
use crate::cli::resolve;
use crate::cli::session::print;
use crate::cli::settings;
use crate::error::{Error, Exit, Result};
use crate::output::status;
use crate::text::terminal;

pub(super) fn run(args: &ConfigArgs, choice: &ConfigChoice) -> Result<Exit> {
    let path = choice.config.clone().or_else(config::default_path).ok_or_else(|| {
        Error::usage(
            "cannot find the configuration",
            "no home directory",
            "set HOME or XDG_CONFIG_HOME, or give --config",
        )
    })?;
    match &args.action {
        None => show(args, choice),
        Some(ConfigAction::Path) => {
            let path = path.display().to_string();
            print(format!("{}\n", terminal::visible(&path)).as_bytes()).map(|_| Exit::Done)
        }
        Some(action) => write(action, &path),
    }
}

fn show(args: &ConfigArgs, choice: &ConfigChoice) -> Result<Exit> {
    resolve::apply_color(ColorWhen::Auto);
    let resolved = ResolvedConfig::resolve(&args.options, choice)?;
    let text = match args.output {
        ReportFormat::Text => resolved.text(),
        ReportFormat::Json => resolved.json(),
    };
    print(text.as_bytes()).map(|_| Exit::Done)
}

/// Creates the configuration file, or sets a profile in it.
fn write(action: &ConfigAction, path: &Path) -> Result<Exit> {
    let watch = &settings::declaring(&args::definition());
    match action {
        ConfigAction::Path => {}
        ConfigAction::Init => config::init(path, watch)?,
        ConfigAction::SetProfile(profile) => {
            config::set_profile(path, &profile.name, &profile.settings, watch)?;
        }
    }
    status::report(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}
