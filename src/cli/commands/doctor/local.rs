//! Checks that need no network: the modes of files, and the capabilities of the terminal.

use std::io::IsTerminal;
use std::path::Path;

use super::report::CheckResult;
use crate::error::Exit;
use crate::transport::input_file;
use crate::transport::private_file::{check_owner, is_private, permissions};

/// Checks that only the owner of a file can read and write it. evtap reads the file, which may be a
/// pipe instead, or `is_written`.
pub(super) fn private(check: &str, path: &Path, is_written: bool) -> CheckResult {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return CheckResult::skipped(check, format!("{} does not exist yet", path.display()));
        }
        Err(error) => {
            return CheckResult::failed(
                check,
                Exit::Failure,
                format!("{}: {}", path.display(), error.kind()),
                "check the path",
            );
        }
    };
    let found = format!("{} has mode {:04o}", path.display(), permissions(&meta));
    if input_file::is_pipe(&meta) && !is_written {
        CheckResult::ok(check, format!("{} is a pipe", path.display()))
    } else if let Err(error) = check_owner(&meta)
        && is_written
    {
        let found = format!("{}: {}", path.display(), input_file::cause(&error));
        CheckResult::failed(check, Exit::Failure, found, "name another file")
    } else if !meta.is_file() {
        CheckResult::failed(
            check,
            Exit::Usage,
            format!("{} is not a regular file", path.display()),
            "give another path",
        )
    } else if is_private(&meta) {
        CheckResult::ok(check, found)
    } else {
        CheckResult::warning(
            check,
            found,
            format!("other users can read or write it: run chmod 600 {}", path.display()),
        )
    }
}

/// Checks the terminal by its size and by the environment variables that describe it.
pub(super) fn terminal() -> CheckResult {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if !std::io::stdout().is_terminal() {
        return CheckResult::skipped("terminal", "stdout is not a terminal");
    }
    let size = crossterm::terminal::size()
        .map(|(width, height)| format!("{width}x{height}"))
        .unwrap_or_default();
    let colours = colours(&variable("TERM"), &variable("COLORTERM"));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .map(variable)
        .into_iter()
        .find(|locale| !locale.is_empty())
        .unwrap_or_default();
    let off = if std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) {
        ", disabled by NO_COLOR"
    } else {
        ""
    };
    if variable("TERM") == "dumb" {
        let advice =
            "the live screen (--tui) needs another type; set TERM to the type of your terminal";
        return CheckResult::warning("terminal", "TERM=dumb: the cursor cannot be moved", advice);
    }
    if !is_unicode(&locale) {
        let found = format!("{size}, {colours}{off}, and the locale is not UTF-8");
        return CheckResult::warning(
            "terminal",
            found,
            "set LANG=C.UTF-8, or lines and symbols may be garbled",
        );
    }
    CheckResult::ok("terminal", format!("{size}, {colours}{off}, UTF-8"))
}

fn colours(term: &str, colorterm: &str) -> &'static str {
    match (colorterm, term) {
        ("truecolor" | "24bit", _) => "16 million colours",
        (_, term) if term.contains("256color") => "256 colours",
        (_, term) if term.contains("direct") => "16 million colours",
        (_, "" | "dumb") => "no colours",
        _ => "16 colours",
    }
}

fn is_unicode(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_say_what_they_can_do() {
        for (term, colorterm, expected) in [
            ("xterm-256color", "", "256 colours"),
            ("xterm", "truecolor", "16 million colours"),
            ("xterm-direct", "", "16 million colours"),
            ("linux", "", "16 colours"),
            ("", "", "no colours"),
        ] {
            assert_eq!(colours(term, colorterm), expected, "{term} {colorterm}");
        }
        assert!(
            is_unicode("de_DE.UTF-8")
                && is_unicode("C.utf8")
                && !is_unicode("C")
                && !is_unicode("")
        );
    }
}
