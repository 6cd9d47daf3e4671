//! What can go wrong, as people read it, and the exit status that it leads to.
//!
//! Every message reads *what failed: why; what to do*. None quotes what came over the wire or a credential: types, names of
//! the model, positions and counts are all that may stand in one.

use std::fmt;
use std::process::ExitCode;

/// Declares the exit status: what is said of each is its documentation, the table in README and a section of the man page.
macro_rules! exits {
    ($($(#[doc = $when:literal])+ $name:ident = $status:literal,)+) => {
        /// The exit status of the process.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Exit {
            $($(#[doc = $when])+ $name = $status,)+
        }

        impl Exit {
            /// All there are, by number.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// When it is so, in words.
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
    /// Done, the limit was reached, `--until` held, or the reader of the pipe went away.
    Done = 0,
    /// Something failed while running.
    Failure = 1,
    /// The command line, the configuration or an expression is wrong.
    Usage = 2,
    /// The API key is missing, illegal or refused.
    Credential = 3,
    /// There is no such workspace or call.
    NotFound = 4,
    /// As many reconnects failed as there may be (`--max-reconnects`).
    GaveUp = 5,
    /// The workspace has as many open streams as it may.
    TooManyStreams = 6,
    /// A condition that you set was not met (`--until`, `--fail-if`, `expect`), or `audit` found something.
    Verdict = 7,
    /// There was a gap, or the endpoint of `--forward` refused an event, with `--fail-on-gap`.
    Lost = 8,
    /// The terminal went away under the live screen (SIGHUP).
    HungUp = 129,
    /// Interrupted (SIGINT); the line in hand is finished first.
    Interrupted = 130,
    /// Terminated (SIGTERM); the line in hand is finished first.
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
    /// A failure from its three parts. None may hold text from the wire or a credential.
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

    /// The same with lines to be shown below the message, such as the place in an expression.
    #[must_use]
    pub fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Names the option that the failure is about, such as `--max-frame`. Its value may come from a
    /// configuration file; the command then reports the line that sets it.
    #[must_use]
    pub fn with_setting(self, option: &'static str) -> Self {
        Self { setting: Some(option), ..self }
    }

    /// What failed, why, and what to do.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str) {
        (&self.what, &self.why, &self.advice)
    }

    /// The lines below the message.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The option that the failure is about.
    #[must_use]
    pub const fn setting(&self) -> Option<&'static str> {
        self.setting
    }

    /// An option has a value that cannot be used.
    #[must_use]
    pub fn invalid_value(
        option: &'static str,
        value: impl fmt::Display,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::usage(format!("cannot use {option} {value}"), why, advice).with_setting(option)
    }

    /// Reports that the operating system refused to start a thread.
    #[must_use]
    pub fn thread_failed(error: &std::io::Error) -> Self {
        let why = error.kind().to_string();
        Self::new(Exit::Failure, "cannot start", why, "free some of the machine's memory")
    }

    /// A mistake on the command line or in the configuration.
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

/// The result of a stage.
pub type Result<T, E = Error> = std::result::Result<T, E>;
