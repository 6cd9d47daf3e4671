//! The man pages: the sections that clap renders for each command, and those that it does not.

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::cli::args;
use crate::cli::args::manual::{GENERAL_TOPICS, examples, topics};
use crate::error::{Error, Exit, Result};
use crate::query::suggest::nearest;

/// The environment variables that do not set an option: the name, the effect, and the id of an
/// option that exactly the affected commands have.
const ENVIRONMENT: &[(&str, &str, &str)] = &[
    (
        "AMIGO_API_KEY",
        "The API key, or a JWT. --api-key-file and --api-key-command take precedence. \
         The key is never an argument.",
        "api_key_file",
    ),
    (
        "HTTPS_PROXY",
        "The proxy, unless --proxy is given; also HTTP_PROXY for plain http, and ALL_PROXY.",
        "proxy",
    ),
    (
        "NO_PROXY",
        "Hosts to reach without a proxy: names, addresses and networks, separated by commas.",
        "proxy",
    ),
    (
        "XDG_STATE_HOME",
        "The directory of evtap/screen.json, which the live screen remembers. Default: ~/.local/state.",
        "remember",
    ),
    ("XDG_CONFIG_HOME", "The directory of evtap/config.toml. Default: ~/.config.", "config"),
    (
        "XDG_CACHE_HOME",
        "The directory of evtap/times, which notes the times in recordings. Default: ~/.cache.",
        "before",
    ),
    ("EVTAP_...", "Any setting of evtap-config(1), as EVTAP_ and its name in capitals.", "config"),
    ("NO_COLOR", "Disables colours if it is set to anything but 0.", "color"),
    (
        "CLICOLOR_FORCE",
        "Enables colours even if stdout is not a terminal, if it is set to anything but 0.",
        "color",
    ),
    (
        "GITHUB_ACTIONS",
        "If it is `true`, each step that was not met is annotated for GitHub Actions.",
        "steps",
    ),
    ("TERM", "The type of the terminal; `dumb` has neither colours nor a live screen.", "color"),
    ("COLORTERM", "With `truecolor` or `24bit`, the live screen uses any colour.", "background"),
    (
        "DISPLAY",
        "Where the clipboard is; also WAYLAND_DISPLAY. Copied text goes to it and to the terminal.",
        "background",
    ),
    (
        "COLORFGBG",
        "Its last number is the colour of the background; without it, evtap asks the terminal.",
        "background",
    ),
];

/// The files that options name: the id of the option, and a description of the contents.
const FILES: &[(&str, &str)] = &[
    (
        "cursor",
        "The position to resume from: ids and hashes of open fields, no hidden values. \
         Mode 0600; replaced as a whole.",
    ),
    ("record", "The printed events as NDJSON, appended; redacted exactly as printed. Mode 0600."),
    ("api_key_file", "The API key on a line of its own. Must be private to its owner."),
    (
        "phi_key_file",
        "The key for the pseudonyms of --phi hash: at least 32 random bytes. Must be private.",
    ),
    ("config", "Settings in TOML; see evtap-config(1). Must be writable only by its owner."),
    ("ca_cert", "PEM certificates to trust in addition to those of the system."),
    ("steps", "Named steps in TOML: `expect` or `never`, `name`, `within` and `times`."),
    ("ready_file", "The base URL of the server, while it accepts connections."),
    ("filter_file", "A jq expression, kept out of the shell history."),
    ("fault_script", "TOML with an array `faults` of strings as for --fault."),
];

/// The definition of the apostrophe that the roff renderer writes before each part of a page.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Returns the file name and text of every page: evtap's own, and one per command.
pub(super) fn pages() -> Vec<(String, String)> {
    let root = args::definition();
    let mut pages = vec![("evtap.1".to_owned(), render(&root, &root))];
    pages.extend(
        commands(&root)
            .map(|command| (format!("evtap-{}.1", command.get_name()), render(&root, command))),
    );
    pages
}

/// Returns the page of one command, or evtap's own.
pub(super) fn page(command: Option<&str>) -> Result<String> {
    let root = args::definition();
    let Some(name) = command else { return Ok(render(&root, &root)) };
    let found = commands(&root).find(|command| command.get_name() == name);
    found.map(|command| render(&root, command)).ok_or_else(|| {
        let advice = match nearest(name, commands(&root).map(Command::get_name)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "`evtap --help` lists all commands".to_owned(),
        };
        Error::usage(format!("cannot print the man page of {name}"), "no such command", advice)
    })
}

fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn render(root: &Command, command: &Command) -> String {
    let is_root = command.get_name() == root.get_name();
    let mut page = Vec::new();
    // Writing to memory does not fail. There is no date, so that the same source gives the same
    // page.
    let _ = head(command, &mut page);
    if is_root {
        let _ = sections(commands(root), root, &mut page);
    } else {
        let _ = nested(command, &mut page);
    }
    let mut roff = Roff::new();
    for topic in GENERAL_TOPICS.iter().filter(|_| is_root) {
        section(&mut roff, topic.about);
        (topic.text)().split("\n\n").for_each(|paragraph| prose(&mut roff, paragraph));
    }
    for topic in topics(command.get_name()) {
        section(&mut roff, topic.title);
        topic.text.split("\n\n").for_each(|paragraph| prose(&mut roff, paragraph));
    }
    section(&mut roff, "Examples");
    for example in examples(command.get_name()) {
        roff.control("PP", []);
        roff.text([roman(example.does)]);
        preformatted(&mut roff, example.line);
    }
    section(&mut roff, "Exit status");
    for exit in Exit::ALL {
        item(&mut roff, bold((*exit as u8).to_string()), exit.when());
    }
    let all = all_arguments(root, command, is_root);
    environment(&mut roff, &all);
    files(&mut roff, &all);
    see_also(&mut roff, root, is_root);
    let _ = roff.to_writer(&mut page);
    // Each part repeats the definition of the apostrophe, but a page needs only one.
    let parts = String::from_utf8_lossy(&page).replace(APOSTROPHE, "");
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    format!(
        "{APOSTROPHE}.TH \"{name}\" \"1\" \"\" \"evtap {}\" \"evtap\"\n{parts}",
        env!("CARGO_PKG_VERSION")
    )
}

/// Renders clap's sections: name, synopsis, description and options.
fn head(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let man = man(command);
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}

/// Returns clap's renderer with the short usage of help, because a command can have forty options.
fn man(command: &Command) -> Man {
    let usage = command.clone().render_usage().to_string();
    let command = command.clone().override_usage(usage.trim_start_matches("Usage: ").to_owned());
    Man::new(command)
}

/// Renders the list of commands with the names of their pages.
fn sections<'a>(
    commands: impl Iterator<Item = &'a Command>,
    root: &Command,
    page: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut roff = Roff::new();
    section(&mut roff, "Commands");
    for command in commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        item(&mut roff, bold(format!("{}-{}(1)", root.get_name(), command.get_name())), &about);
    }
    roff.to_writer(page)
}

/// Renders subcommands, which have no pages, as sections with usage and options.
fn nested(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    for command in commands(command) {
        let mut roff = Roff::new();
        section(&mut roff, command.get_bin_name().unwrap_or_else(|| command.get_name()));
        roff.to_writer(page)?;
        let mut options = Vec::new();
        let man = man(command);
        man.render_synopsis_section(&mut options)?;
        man.render_description_section(&mut options)?;
        man.render_options_section(&mut options)?;
        // These sections belong below the heading of the subcommand, so make them subsections.
        page.extend_from_slice(
            String::from_utf8_lossy(&options).replace(".SH ", ".SS ").as_bytes(),
        );
    }
    Ok(())
}

fn section(roff: &mut Roff, title: &str) {
    roff.control("SH", [title.to_uppercase().as_str()]);
}

fn item(roff: &mut Roff, term: Inline, text: &str) {
    roff.control("TP", []);
    roff.text([term]);
    roff.text([roman(text)]);
}

/// Renders a paragraph, which is preformatted if it begins with two spaces.
fn prose(roff: &mut Roff, paragraph: &str) {
    if paragraph.starts_with("  ") {
        preformatted(roff, paragraph);
    } else {
        roff.control("PP", []);
        roff.text([roman(paragraph)]);
    }
}

fn preformatted(roff: &mut Roff, lines: &str) {
    roff.control("RS", ["4"]);
    roff.control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff.control("RE", []);
}

/// Returns the arguments of a command and its subcommands; for evtap itself, those of all commands.
fn all_arguments<'a>(root: &'a Command, command: &'a Command, is_root: bool) -> Vec<&'a Arg> {
    let mut all: Vec<&Arg> = command.get_arguments().collect();
    for nested in commands(if is_root { root } else { command }) {
        for arg in all_arguments(root, nested, false) {
            if all.iter().all(|other| other.get_id() != arg.get_id()) {
                all.push(arg);
            }
        }
    }
    all
}

fn environment(roff: &mut Roff, args: &[&Arg]) {
    let has = |id: &str| args.iter().any(|arg| arg.get_id() == id);
    let same_as_option = args.iter().filter_map(|arg| {
        Some((
            arg.get_env()?.to_str()?,
            format!("Sets --{}; the option takes precedence.", arg.get_long()?),
        ))
    });
    let further = ENVIRONMENT
        .iter()
        .filter(|(.., id)| has(id))
        .map(|(name, does, _)| (*name, (*does).to_owned()));
    let all: Vec<_> = further.chain(same_as_option).collect();
    if !all.is_empty() {
        section(roff, "Environment");
    }
    for (name, does) in all {
        item(roff, bold(name), &does);
    }
}

fn files(roff: &mut Roff, args: &[&Arg]) {
    let named = |id: &str| args.iter().find(|arg| arg.get_id() == id)?.get_long();
    let all: Vec<_> = FILES.iter().filter_map(|(id, is)| Some((named(id)?, *is))).collect();
    if !all.is_empty() {
        section(roff, "Files");
    }
    for (option, is) in all {
        item(roff, italic(format!("--{option} FILE")), is);
    }
}

fn see_also(roff: &mut Roff, root: &Command, is_root: bool) {
    section(roff, "See also");
    let names = if is_root { commands(root).map(Command::get_name).collect() } else { vec![""] };
    let pages = names.iter().map(|name| {
        if name.is_empty() { "evtap(1)".to_owned() } else { format!("evtap-{name}(1)") }
    });
    let pages: Vec<_> = pages.chain(["jq(1)".to_owned(), "curl(1)".to_owned()]).collect();
    roff.text([roman(pages.join(", "))]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_name_existing_options() {
        let root = args::definition();
        let options = all_arguments(&root, &root, true);
        let named = ENVIRONMENT
            .iter()
            .map(|(.., option)| *option)
            .chain(FILES.iter().map(|(option, _)| *option));
        for name in named {
            assert!(
                options.iter().any(|option| option.get_id() == name),
                "{name} is not an option"
            );
        }
    }
}
