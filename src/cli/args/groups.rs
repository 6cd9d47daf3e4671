//! The help of evtap itself: its commands, grouped by task, and the colours of all help.

use std::fmt::Write;

use clap::Command;
use clap::builder::styling::{AnsiColor, Styles};

/// The colours of the help.
pub const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The tasks, each with its commands.
const GROUPS: &[(&str, &[&str])] = &[
    ("Watch live events", &["watch", "observe", "frames"]),
    ("Read recordings", &["replay", "stats", "timeline", "diff", "audit", "verify"]),
    ("Check what happens", &["expect", "alert", "taps"]),
    ("Develop", &["schema", "serve", "distil", "mcp"]),
    ("Set up", &["config", "doctor", "generate", "help"]),
];

/// The title of the commands that have no group.
const OTHERS: &str = "Other commands";

/// Returns a heading of the help.
#[must_use]
pub fn heading(title: &str) -> String {
    let style = *STYLES.get_header();
    format!("{style}{title}:{style:#}")
}

/// Lists the commands by group in the help of `root`.
///
/// clap knows groups of options only, so the help is rendered without commands and with this list.
pub fn with_groups(root: Command) -> Command {
    let mut groups =
        GROUPS.iter().map(|(title, names)| (*title, names.to_vec())).collect::<Vec<_>>();
    let visible = || root.get_subcommands().filter(|command| !command.is_hide_set());
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    groups.push((
        OTHERS,
        visible().map(Command::get_name).filter(|name| !is_grouped(name)).collect(),
    ));
    let width = visible().map(|command| command.get_name().len()).max().unwrap_or_default();
    let literal = *STYLES.get_literal();
    let mut list = String::new();
    for (title, names) in groups {
        let commands: Vec<_> = names
            .iter()
            .filter_map(|name| visible().find(|command| command.get_name() == *name))
            .collect();
        if commands.is_empty() {
            continue;
        }
        let _ = writeln!(list, "{}", heading(title));
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            let _ = writeln!(list, "  {literal}{name:width$}{literal:#}  {about}");
        }
        list.push('\n');
    }
    let about = root.get_long_about().or_else(|| root.get_about()).cloned().unwrap_or_default();
    let help = root
        .clone()
        .about(about)
        .override_usage("evtap [OPTIONS] <COMMAND>")
        .mut_subcommands(|command| command.hide(true))
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}{{all-args}}{{after-help}}"
        ))
        .render_help();
    root.override_help(help)
}

#[cfg(test)]
mod tests {
    use super::with_groups;
    use crate::cli::args;

    #[test]
    fn every_command_is_listed_once_and_fits_the_terminal() {
        let help = with_groups(args::declaration()).render_help().to_string();
        let mut commands = help.lines().take_while(|line| *line != "Options:");
        assert!(commands.all(|line| line.chars().count() <= 80), "{help}");
        for command in
            args::declaration().get_subcommands().filter(|command| !command.is_hide_set())
        {
            let start = format!("  {} ", command.get_name());
            let listed = help.lines().filter(|line| line.starts_with(&start)).count();
            assert_eq!(listed, 1, "{start}: {help}");
        }
    }
}
