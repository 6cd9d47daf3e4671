//! The results of the checks, printed as text one by one, or as one JSON object at the end.

use std::fmt::Write as _;
use std::time::Duration;

use colored::Colorize;
use serde_json::{Value, json};

use crate::cli::args::ReportFormat as Format;
use crate::cli::session::print;
use crate::error::{Error, Exit, Result};
use crate::text::terminal;
use crate::transport::connect_error::ConnectError;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckStatus {
    Ok,
    /// The check passed, but found something that is likely to cause trouble.
    Warning,
    /// The check failed; other commands would exit with this status.
    Failed(Exit),
    /// There was nothing to check, or no way to check it.
    Skipped,
}

/// A check and its result. It holds no secret, and of what a server sent only numbers and dates.
#[derive(Debug)]
pub(super) struct CheckResult {
    check: String,
    mark: CheckStatus,
    found: String,
    advice: Option<String>,
    took: Option<Duration>,
}

impl CheckResult {
    fn new(check: impl Into<String>, mark: CheckStatus, found: impl Into<String>) -> Self {
        Self { check: check.into(), mark, found: found.into(), advice: None, took: None }
    }

    pub(super) fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Ok, found)
    }

    pub(super) fn skipped(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Skipped, found)
    }

    pub(super) fn warning(
        check: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(check, CheckStatus::Warning, found) }
    }

    pub(super) fn failed(
        check: impl Into<String>,
        exit: Exit,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(check, CheckStatus::Failed(exit), found) }
    }

    pub(super) fn error(check: impl Into<String>, error: &Error) -> Self {
        let (what, why, advice) = error.parts();
        Self::failed(check, error.exit, format!("{what}: {why}"), advice)
    }

    pub(super) fn failure(check: impl Into<String>, failure: ConnectError) -> Self {
        let error = failure.into_error("");
        let (_, why, advice) = error.parts();
        Self::failed(check, error.exit, why, advice)
    }

    pub(super) fn with_duration(self, took: Duration) -> Self {
        Self { took: Some(took), ..self }
    }

    pub(super) const fn is_failure(&self) -> bool {
        matches!(self.mark, CheckStatus::Failed(_))
    }

    /// Returns one line for the result, and a second one if there is advice.
    fn text(&self) -> String {
        let mark = match self.mark {
            CheckStatus::Ok => "ok".green(),
            CheckStatus::Warning => "warning".yellow(),
            CheckStatus::Failed(_) => "failed".red(),
            CheckStatus::Skipped => "-".dimmed(),
        };
        let took = self
            .took
            .map(|took| format!("  {}", milliseconds(took)).dimmed().to_string())
            .unwrap_or_default();
        let mut text =
            format!("{mark:<7}  {:<16}  {}{took}\n", self.check, terminal::visible(&self.found));
        if let Some(advice) = &self.advice {
            let _ = writeln!(text, "{:27}{}", "", terminal::visible(advice));
        }
        text
    }

    fn json(&self) -> Value {
        let (result, exit) = match self.mark {
            CheckStatus::Ok => ("ok", None),
            CheckStatus::Warning => ("warning", None),
            CheckStatus::Failed(exit) => ("failed", Some(exit as u8)),
            CheckStatus::Skipped => ("skipped", None),
        };
        let ms = self.took.map(|took| (took.as_secs_f64() * 1e4).round() / 10.0);
        json!({"check": self.check, "result": result, "exit": exit, "ms": ms, "found": self.found, "advice": self.advice})
    }
}

/// Formats a duration in milliseconds, with a decimal below 10 ms.
pub(super) fn milliseconds(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Collects the results of the checks; in text format, prints each at once.
pub(super) struct DoctorReport {
    format: Format,
    findings: Vec<CheckResult>,
}

impl DoctorReport {
    pub(super) const fn new(format: Format) -> Self {
        Self { format, findings: Vec::new() }
    }

    /// Adds a result, and prints it in text format. Returns whether the check did not fail.
    pub(super) fn add(&mut self, finding: CheckResult) -> Result<bool> {
        if self.format == Format::Text {
            print(finding.text().as_bytes())?;
        }
        let passed = !finding.is_failure();
        self.findings.push(finding);
        Ok(passed)
    }

    /// Prints the totals or the JSON object, and returns the exit status of the first failure.
    pub(super) fn finish(self) -> Result<Exit> {
        let failed = |finding: &CheckResult| {
            if let CheckStatus::Failed(exit) = finding.mark { Some(exit) } else { None }
        };
        let failures = self.findings.iter().filter(|finding| finding.is_failure()).count();
        let warnings =
            self.findings.iter().filter(|finding| finding.mark == CheckStatus::Warning).count();
        let exit = self.findings.iter().find_map(failed).unwrap_or(Exit::Done);
        match self.format {
            Format::Text => {
                let count = |count: usize, one: &str| match count {
                    0 => None,
                    1 => Some(format!("1 {one}")),
                    _ => Some(format!("{count} {one}s")),
                };
                let counts: Vec<_> = [count(failures, "failure"), count(warnings, "warning")]
                    .into_iter()
                    .flatten()
                    .collect();
                let sum = if counts.is_empty() {
                    "no problems found".to_owned()
                } else {
                    counts.join(", ")
                };
                print(format!("\n{sum}\n").as_bytes())?;
            }
            Format::Json => {
                let checks: Vec<_> = self.findings.iter().map(CheckResult::json).collect();
                let object = json!({"exit": exit as u8, "failures": failures, "warnings": warnings, "checks": checks});
                let mut line = String::new();
                terminal::push_json(&object.to_string(), &mut line);
                print((line + "\n").as_bytes())?;
            }
        }
        Ok(exit)
    }
}
