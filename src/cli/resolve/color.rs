//! Whether output is coloured.

use std::io::IsTerminal;

use colored::control;

use crate::cli::args::ColorWhen;

/// Whether colours are on, by option, `NO_COLOR`, `CLICOLOR_FORCE` and the terminal, in this order.
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
