//! Decides whether output is coloured.

use std::io::IsTerminal;

use colored::control;

use crate::cli::args::ColorWhen;

/// Turns colours on or off for the process.
///
/// The option takes precedence over `NO_COLOR`, `NO_COLOR` over `CLICOLOR_FORCE`, and
/// `CLICOLOR_FORCE` over whether stdout is a terminal that supports colours.
pub fn apply_color(choice: ColorWhen) {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    control::set_override(match choice {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set("NO_COLOR") => false,
        ColorWhen::Auto if set("CLICOLOR_FORCE") => true,
        ColorWhen::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    });
}
