//! Error messages as people read them, and the exit status that each error leads to.
//!
//! Every message reads *what failed: why; what to do*. A message may contain types, names from the
//! model, positions and counts. It never quotes a credential or anything that came over the wire.

use std::fmt;
use std::process::ExitCode;

/// Declares the exit statuses. The text of each is its documentation, its row in
/// docs/exit-status.md and its entry in the man page.
macro_rules! exits {
    ($($(#[doc = $when:literal])+ $name:ident = $status:literal,)+) => {
        /// The exit status of the process.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Exit {
            $($(#[doc = $when])+ $name = $status,)+
        }

        impl Exit {
            /// All exit statuses, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the sentence that says when the process exits with this status.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($when),+).trim_ascii(),)+
                }
            }
        }
    };
}

exits! {
    /// Finished, the limit was reached, or the reader of the pipe closed it; with `--until`, only if
    /// an event matched.
    Done = 0,
    /// Something failed while running.
    Failure = 1,
    /// The command line, the configuration or an expression is invalid.
    Usage = 2,
    /// The API key is missing, malformed or refused, or the broker of `--publish` refused the
    /// credentials.
    Credential = 3,
    /// No such workspace, call or stream.
    NotFound = 4,
    /// The number of failed reconnects reached `--max-reconnects`.
    GaveUp = 5,
    /// The workspace already has its maximum number of open streams.
    TooManyStreams = 6,
    /// A condition was not met (`--until`, `--fail-if`, `expect`), `audit` found something, or
    /// something became slower (`diff --fail-slower`).
    Verdict = 7,
    /// `verify` found a gap. With `--fail-on-gap`: there was a gap, the endpoint of `--forward` or the
    /// broker of `--publish` refused an event, the collector of `--otlp` did not get a span, or the
    /// command of `--exec` failed.
    Lost = 8,
    /// The terminal was closed (SIGHUP); the current line is finished first.
    HungUp = 129,
    /// Interrupted (SIGINT); the current line is finished first.
    Interrupted = 130,
    /// Terminated (SIGTERM); the current line is finished first.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure that ends the command: *what failed: why; what to do*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The status to exit with.
    pub exit: Exit,
    what: String,
    why: String,
    advice: String,
    detail: Option<String>,
    setting: Option<&'static str>,
}

impl Error {
    /// Creates an error from its three parts. None may contain a credential or text from the wire.
    #[must_use]
    pub fn new(
        exit: Exit,
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            exit,
            what: what.into(),
            why: why.into(),
            advice: advice.into(),
            detail: None,
            setting: None,
        }
    }

    /// Adds lines to show below the message, such as the position in an expression.
    #[must_use]
    pub fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Names the option that the error is about, such as `--max-frame`. Its value may come from a
    /// configuration file; the command then reports the line that sets it.
    #[must_use]
    pub fn with_setting(self, option: &'static str) -> Self {
        Self { setting: Some(option), ..self }
    }

    /// Returns what failed, why, and what to do.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str) {
        (&self.what, &self.why, &self.advice)
    }

    /// Returns the lines to show below the message.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns the option that the error is about.
    #[must_use]
    pub const fn setting(&self) -> Option<&'static str> {
        self.setting
    }

    /// Creates an error about an unusable value of an option.
    #[must_use]
    pub fn invalid_value(
        option: &'static str,
        value: impl fmt::Display,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::usage(format!("cannot use {option} {value}"), why, advice).with_setting(option)
    }

    /// Creates the error for a thread that the operating system did not start.
    #[must_use]
    pub fn thread_failed(error: &std::io::Error) -> Self {
        let why = error.kind().to_string();
        Self::new(Exit::Failure, "cannot start", why, "free some of the machine's memory")
    }

    /// Creates an error about the command line or the configuration.
    #[must_use]
    pub fn usage(
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Exit::Usage, what, why, advice)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.advice)
    }
}

impl std::error::Error for Error {}

/// A result whose error ends the command.
pub type Result<T, E = Error> = std::result::Result<T, E>;
