//! The options that select rules.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// The rules that are applied to events.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
#[command(group = ArgGroup::new("applied").multiple(true))]
#[command(group = ArgGroup::new("rung").multiple(true))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct RulesArgs {
    /// Apply the rules in this TOML file, and add a `tap.alert` event for each change
    ///
    /// The rules see all events, also those that the filters leave out. They are checked against the
    /// event model before anything connects. `evtap help rules` describes them.
    #[arg(long, value_name = "FILE", groups = ["applied", "rung"])]
    pub rules: Option<PathBuf>,
    /// Apply the built-in rules
    ///
    /// They report an escalated call that nobody joins, a tool that keeps failing, a call that is
    /// silent, a pipeline that is late by its own rhythm, no available operator, and a gap. A rule of
    /// the same name in --rules takes the place of a built-in one.
    #[arg(long, groups = ["applied", "rung"])]
    pub builtin: bool,
    /// Run this command for each alert, with the `tap.alert` event on its stdin
    ///
    /// The text is split into words as by a shell, but no shell runs it. At most four commands run
    /// at a time; one that runs longer than --exec-timeout is killed, with all that it has started.
    /// Failures are reported and counted, and the run goes on. Its output is discarded, and it does
    /// not get the API key. Example: `notify-send 'An alert'`
    #[arg(long, value_name = "COMMAND", requires = "applied")]
    pub exec: Option<String>,
    /// Maximum duration of the command of --exec
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "exec")]
    pub exec_timeout: String,
    /// Ring the bell of the terminal when an alert is raised
    ///
    /// Only if stderr is a terminal. With --tui, for all that newly needs attention, together with a
    /// notification of the terminal (OSC 9), which contains the name of the rule and counts only;
    /// `:notify` on the live screen switches that on and off.
    #[arg(long, requires = "rung")]
    pub bell: bool,
    /// Whether only alerts are shown.
    #[arg(skip)]
    pub is_only: bool,
    /// Whether the built-in rules are also applied for the live screen alone.
    #[arg(skip)]
    pub for_screen: bool,
}

impl RulesArgs {
    /// Returns whether rules are applied, which see all events.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.rules.is_some() || self.builtin || self.for_screen
    }
}
