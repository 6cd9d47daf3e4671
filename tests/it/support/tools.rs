//! Programs that tests run besides evtap, and what happens where one is not installed.
//!
//! `cargo test` must pass on a machine that has only Rust, a C compiler and the basic commands of a
//! Unix system. A test that needs more starts with [`available`] and returns if that is false.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Makes missing programs failures if its value is `required`, as in CI.
const VARIABLE: &str = "EVTAP_TEST_TOOLS";

/// Returns the path of an executable file of that name in a directory of `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| {
        file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    })
}

/// Returns whether all these programs are installed, and reports each that is not on stderr.
///
/// # Panics
///
/// Panics if one is missing and `EVTAP_TEST_TOOLS` is `required`.
#[track_caller]
pub fn available(names: &[&str]) -> bool {
    none_missing(&names.iter().copied().filter(|name| find(name).is_none()).collect::<Vec<_>>())
}

/// Returns whether `python3` has a module, and reports it if not.
///
/// # Panics
///
/// Panics if it has not and `EVTAP_TEST_TOOLS` is `required`.
#[track_caller]
pub fn has_python_module(name: &str) -> bool {
    let import = std::process::Command::new("python3")
        .args(["-c", &format!("import {name}")])
        .stderr(std::process::Stdio::null())
        .status();
    let label = format!("the Python module {name}");
    let names = [label.as_str()];
    none_missing(if import.is_ok_and(|status| status.success()) { &[] } else { &names })
}

/// Returns whether the machine has a time zone database, and reports it if it has none.
///
/// # Panics
///
/// Panics if it has none and `EVTAP_TEST_TOOLS` is `required`.
#[track_caller]
pub fn time_zones() -> bool {
    let is_there = jiff::tz::db().available().next().is_some();
    none_missing(if is_there { &[] } else { &["a time zone database"] })
}

/// Returns whether cargo has built an example, and reports it if not: it does for all tests, but not
/// for those that are picked with `--test`.
///
/// # Panics
///
/// Panics if it has not and `EVTAP_TEST_TOOLS` is `required`.
#[track_caller]
pub fn is_built(example: &Path) -> bool {
    let name = format!("the example {}", example.display());
    let names = [name.as_str()];
    none_missing(if example.is_file() { &[] } else { &names })
}

/// Returns the directory with jq's own tests, and reports it if there is none.
///
/// # Panics
///
/// Panics if there is none and `EVTAP_TEST_TOOLS` is `required`.
#[track_caller]
pub fn jq_tests() -> Option<PathBuf> {
    let directory = std::env::var_os("EVTAP_JQ_TESTS").filter(|path| !path.is_empty());
    let directory = directory.map(PathBuf::from);
    let missing: &[_] =
        if directory.is_some() { &[] } else { &["jq's test suite (EVTAP_JQ_TESTS)"] };
    none_missing(missing);
    directory
}

#[track_caller]
fn none_missing(missing: &[&str]) -> bool {
    let is_required = std::env::var_os(VARIABLE).is_some_and(|value| value == "required");
    assert!(
        missing.is_empty() || !is_required,
        "{} not installed: {VARIABLE}=required makes this a failure; install what is missing, \
         or unset the variable to skip the test",
        missing.join(", ")
    );
    for name in missing {
        // The test runner captures what `print!` and `eprint!` write, but not this. One write keeps
        // the line whole beside those of other threads.
        let line = format!("skipped: {name} is not installed\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    missing.is_empty()
}

/// Returns whether the programs that a line of shell runs are [`available`].
#[track_caller]
pub fn available_for(line: &str) -> bool {
    let programs = programs(line);
    available(&programs.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Commands that are not separate programs: evtap itself and the builtins and keywords of bash.
const BUILT_IN: &[&str] = &[
    "evtap", "[", ":", "cd", "do", "done", "echo", "exit", "export", "false", "kill", "printf",
    "read", "set", "test", "true", "umask", "unset", "until", "wait",
];

/// Returns the programs that a line of shell runs: the first word of each command, without quoting.
/// It does not look into commands within quotes, such as `"$(date)"`.
fn programs(line: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let command = commands.last_mut().expect("there is always one");
        match (quote, character) {
            (None | Some('"'), '\\') => command.extend(characters.next()),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, '|' | '&' | ';' | '\n') => commands.push(String::new()),
            // White space in quotes does not end a word.
            (Some(_), _) if character.is_whitespace() => command.push('_'),
            _ => command.push(character),
        }
    }
    let is_assignment = |word: &&str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|part| part == '_' || part.is_ascii_alphanumeric())
        })
    };
    let mut programs: Vec<_> = commands
        .iter()
        .filter_map(|command| command.split_whitespace().find(|word| !is_assignment(word)))
        .filter(|word| !BUILT_IN.contains(word))
        .map(str::to_owned)
        .collect();
    programs.sort();
    programs.dedup();
    programs
}

#[test]
fn programs_of_a_line_are_found() {
    for (line, expected) in [
        ("evtap watch -n 9", &[][..]),
        ("evtap watch | jq -r '.a | .b' | sort | uniq -c | sort -rn", &["jq", "sort", "uniq"]),
        ("gzip -k day && evtap replay day.gz | cmp - day", &["cmp", "gzip"]),
        ("evtap audit day || echo \"status $?; exit\"", &[]),
        ("evtap replay -f '.a == \"b\" && c' -q \"\\\"; x\" > out; chmod 600 out", &["chmod"]),
        ("TZ=UTC LC_ALL=C date || [ $? = 7 ]", &["date"]),
    ] {
        assert_eq!(programs(line), expected, "{line}");
    }
}

/// Not a test by itself: the test below runs it.
#[test]
#[ignore = "it lacks a program, as the test below wants it to"]
fn child() {
    assert!(available(&["sh"]));
    assert!(!available(&["sh", "no-such-program"]));
}

#[test]
fn a_missing_program_skips_a_test_visibly_unless_programs_are_required() {
    let child = |value: Option<&str>| {
        let mut command =
            std::process::Command::new(std::env::current_exe().expect("this binary has a path"));
        command.args(["--ignored", "--exact", "support::tools::child"]).env_remove(VARIABLE);
        let ran = command.envs(value.map(|value| (VARIABLE, value))).output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.success(), text(&ran.stdout), text(&ran.stderr))
    };
    let (passed, stdout, stderr) = child(None);
    assert!(passed && stdout.contains("1 passed"), "{stdout}");
    assert_eq!(stderr, "skipped: no-such-program is not installed\n");
    let (passed, stdout, stderr) = child(Some("required"));
    assert!(!passed && stdout.contains("no-such-program not installed"), "{stdout}");
    assert!(!stderr.contains("skipped"), "{stderr}");
}
