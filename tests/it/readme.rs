//! README.md and the pages in docs/ are correct: their commands run and print what the pages show.
//!
//! Each page runs in its own home directory, its commands in order. A command and its output, both
//! stdout and stderr, stand in a `console` block. Output is compared after the times and ids that
//! derive from the clock are masked. A `console varies` block holds output that differs from run to
//! run: its commands must succeed and print something.
//!
//! `UPDATE_DOCS=1 cargo test --test it readme` writes the current output into the pages.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use evtap::internals::cli::args::{self, manual};
use regex::Regex;

use crate::support::{bash, tools};

/// The largest number of words in the README, code included.
const README_WORDS: usize = 1800;

/// Values that derive from the clock, and what they are compared as.
static VOLATILE: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let date = r"\b\d{4}-\d{2}-\d{2}";
    let time = r"\d{2}:\d{2}:\d{2}(\.\d+)?";
    [
        (regex(&format!("({date}[T ])?{time}Z?")), "<time>"),
        (regex(date), "<date>"),
        (regex(r"\b1\d{12}\b"), "<id>"),
    ]
});

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("a valid regular expression")
}

/// A Markdown file whose commands are tested.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("the page is readable");
        Self { path, text }
    }

    fn name(&self) -> String {
        self.path.strip_prefix(root()).expect("the page is in the repository").display().to_string()
    }

    /// Returns the lines of the `sh` blocks, which show commands without output.
    fn script_lines(&self) -> impl Iterator<Item = &str> {
        let blocks = self.text.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
        blocks.flat_map(str::lines).filter(|line| !line.is_empty() && !line.starts_with("# "))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the README and every page in docs/.
fn pages() -> Vec<Page> {
    let entries = std::fs::read_dir(root().join("docs")).expect("docs/ is a directory");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.insert(0, root().join("README.md"));
    paths.into_iter().map(Page::read).collect()
}

/// Another test runs the examples of the manual, so a line that is one of them works.
#[test]
fn script_lines_are_examples_of_the_manual_or_builds() {
    let root = args::definition();
    let commands = root.get_subcommands().map(clap::Command::get_name).chain(["evtap"]);
    let examples: Vec<_> =
        commands.flat_map(manual::examples).map(|example| example.line).collect();
    let pages = pages();
    let mut count = 0;
    for page in &pages {
        for line in page.script_lines() {
            let is_build = line.starts_with("cargo ") || line.starts_with("rustup ");
            assert!(
                is_build || examples.contains(&line),
                "{}: neither an example in src/cli/args/manual.rs nor a build command: {line}",
                page.name()
            );
            count += 1;
        }
    }
    assert!(count > 20, "the sh blocks are not found");
}

#[test]
fn commands_print_what_the_pages_show() {
    let pages = pages();
    let outcomes = std::thread::scope(|scope| {
        let runs: Vec<_> = pages.iter().map(|page| scope.spawn(|| run_page(page))).collect();
        runs.into_iter().map(|run| run.join().expect("the thread ends")).collect::<Vec<_>>()
    });
    let count: usize = outcomes.iter().map(|outcome| outcome.commands).sum();
    assert!(count > 40, "the console blocks are not found");
    let mut problems = String::new();
    for (page, outcome) in pages.iter().zip(outcomes) {
        if std::env::var_os("UPDATE_DOCS").is_some() && page.text != outcome.updated {
            std::fs::write(&page.path, outcome.updated).expect("the page is writable");
        }
        problems += &outcome.problems;
    }
    assert!(
        problems.is_empty(),
        "{problems}\nIf the new output is right, write it into the pages with\n\
         UPDATE_DOCS=1 cargo test --test it readme"
    );
}

/// The result of running a page's commands.
#[derive(Default)]
struct Outcome {
    commands: usize,
    /// Describes commands that failed or printed something else.
    problems: String,
    /// The page with the output that its commands print now.
    updated: String,
}

fn run_page(page: &Page) -> Outcome {
    let home = tempfile::tempdir().expect("a home directory");
    let mut outcome = Outcome::default();
    let mut lines = page.text.lines().peekable();
    // Inside a console block: whether its output varies.
    let mut block = None;
    while let Some(line) = lines.next() {
        let _ = writeln!(outcome.updated, "{line}");
        match line {
            "```console" => block = Some(false),
            "```console varies" => block = Some(true),
            _ if line.starts_with("```") => block = None,
            _ => {}
        }
        let (Some(varies), Some(command)) = (block, line.strip_prefix("$ ")) else { continue };
        let mut command = command.to_owned();
        while command.ends_with('\\') {
            let rest = lines.next().expect("the command goes on");
            let _ = writeln!(outcome.updated, "{rest}");
            let _ = write!(command, "\n{rest}");
        }
        let mut shown = String::new();
        while let Some(line) =
            lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```"))
        {
            let _ = writeln!(shown, "{line}");
        }
        outcome.commands += 1;
        if !tools::available_for(&command) {
            outcome.updated += &shown;
            continue;
        }
        let (printed, succeeded) = run(&command, home.path());
        let is_same = if varies {
            printed.is_empty() == shown.is_empty()
        } else {
            without_volatile(&printed) == without_volatile(&shown)
        };
        if !succeeded || !is_same {
            let what = if succeeded { "prints something else" } else { "fails" };
            let _ = writeln!(
                outcome.problems,
                "{}: `{command}` {what}\n--- shown\n{shown}--- printed\n{printed}",
                page.name()
            );
        }
        outcome.updated += if is_same { &shown } else { &printed };
    }
    outcome
}

/// Runs a command and returns its output, stdout and stderr together, and whether it succeeded.
fn run(command: &str, home: &Path) -> (String, bool) {
    let output = bash(home, &format!("exec 2>&1\n{command}")).output().expect("bash runs");
    let printed = String::from_utf8(output.stdout).expect("the output is UTF-8");
    let home = home.to_str().expect("the path is UTF-8");
    (printed.replace(home, "/home/me"), output.status.success())
}

fn without_volatile(text: &str) -> String {
    VOLATILE.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
        pattern.replace_all(&text, *replacement).into_owned()
    })
}

#[test]
fn links_lead_to_files_that_exist() {
    let link = regex(r"\]\(([^)#:]+)(#[^)]*)?\)");
    let others = ["SECURITY.md", "CHANGELOG.md"].map(|name| Page::read(root().join(name)));
    for page in pages().iter().chain(&others) {
        let directory = page.path.parent().expect("a directory");
        for target in link.captures_iter(&page.text) {
            assert!(directory.join(&target[1]).exists(), "{}: {}", page.name(), &target[1]);
        }
    }
}

#[test]
fn every_page_can_be_found_and_the_readme_is_short() {
    let contributing = Page::read(root().join("CONTRIBUTING.md"));
    let pages = pages();
    let (readme, others) = pages.split_first().expect("the README");
    for page in others {
        let link = format!("({})", page.name());
        assert!(
            readme.text.contains(&link) || contributing.text.contains(&link),
            "neither README.md nor CONTRIBUTING.md links to {}",
            page.name()
        );
    }
    let words = readme.text.split_whitespace().count();
    assert!(words <= README_WORDS, "the README has {words} words; move some to docs/");
}
