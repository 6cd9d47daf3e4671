//! The README tells the truth: the commands in its `console` blocks run, here and in this order, and those whose output
//! never changes print what it shows.

use evtap::cli::args::{self, manual};

use crate::support::bash;

/// The lines of its `sh` blocks, which say what to do and show no output.
fn lines(readme: &str) -> Vec<&str> {
    let blocks =
        readme.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("a block"));
    blocks.flat_map(str::lines).collect()
}

/// They are examples of the help, which another test runs; but for those that install or build.
#[test]
fn its_lines_are_examples() {
    let readme = include_str!("../../README.md");
    let root = args::definition();
    let commands = root.get_subcommands().map(clap::Command::get_name).chain(["evtap"]);
    let examples: Vec<_> =
        commands.flat_map(manual::examples).map(|example| example.line).collect();
    let lines = lines(readme);
    assert!(lines.len() > 8, "the blocks are not found");
    for line in lines {
        let builds = line.starts_with("cargo ") || line.starts_with("rustup ");
        assert!(
            builds || examples.contains(&line),
            "neither an example in src/cli/manual.rs nor a build: {line}"
        );
    }
}

/// Commands with the output shown below each.
fn commands(readme: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().expect("a block");
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push((command.to_owned(), String::new()));
            } else {
                let (_, output) = commands.last_mut().expect("a command before its output");
                output.push_str(line);
                output.push('\n');
            }
        }
    }
    commands
}

#[test]
fn its_commands_succeed() {
    let readme = include_str!("../../README.md");
    let home = tempfile::tempdir().expect("a home");
    let commands = commands(readme);
    assert!(commands.len() > 8, "the blocks are not found");
    for (command, shown) in commands {
        let run = bash(home.path(), &command).output().expect("bash runs");
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{command}: {stderr}");
        assert_eq!(
            run.stdout.is_empty(),
            shown.is_empty(),
            "{command} shows something else: {stderr}"
        );
        if command.starts_with("evtap schema") || command.starts_with("evtap replay capture") {
            let stdout = String::from_utf8_lossy(&run.stdout);
            let expected: Vec<_> =
                shown.lines().filter(|line| !line.starts_with("evtap: ")).collect();
            assert_eq!(stdout.lines().collect::<Vec<_>>(), expected, "{command}");
            assert!(
                shown
                    .lines()
                    .filter(|line| line.starts_with("evtap: "))
                    .all(|line| stderr.contains(line)),
                "{command}: {stderr}"
            );
        }
    }
}
