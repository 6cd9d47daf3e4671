//! The API key or JWT, and the sources that it is read from.
//!
//! The credential is never shown, not even by `Debug`. Only two places may read it: the
//! `Authorization` header and the WebSocket subprotocol.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::error::{Error, Exit, Result};
use crate::transport::input_file;

/// The maximum length of a subprotocol token that the platform accepts, in characters.
pub const MAX_LENGTH: usize = 4096;

/// The maximum size of a file with a key, in bytes.
const FILE_LIMIT: u64 = 64 << 10;

/// A bearer token that is also a legal subprotocol token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Creates a credential from a token, without surrounding white space such as a line end.
    /// `from` names the source in error messages.
    ///
    /// # Errors
    ///
    /// Fails unless the token consists of at most [`MAX_LENGTH`] visible ASCII characters other
    /// than the separators of RFC 2616, section 2.2 (required by RFC 6455, section 4.1).
    pub fn new(text: &str, from: &str) -> Result<Self> {
        let token = text.trim();
        let what = format!("the API key from {from} can't be used");
        let advice = "copy it again from the platform's settings";
        if token.is_empty() {
            return Err(Error::new(Exit::Credential, what, "it is empty", advice));
        }
        if token.len() > MAX_LENGTH {
            return Err(Error::new(
                Exit::Credential,
                what,
                format!("it has {} characters, more than {MAX_LENGTH}", token.len()),
                advice,
            ));
        }
        if let Some(position) = token.bytes().position(|byte| !is_token(byte)) {
            let why = format!("character {} is not allowed in a token", position + 1);
            return Err(Error::new(Exit::Credential, what, why, advice));
        }
        Ok(Self(token.to_owned()))
    }

    /// The credential of a ring without a key, which no server accepts.
    pub(super) const fn missing() -> Self {
        Self(String::new())
    }

    /// Reads a credential from a file or a pipe.
    pub fn read(path: &Path) -> Result<Self> {
        let from = path.display().to_string();
        let file = input_file::read(path, FILE_LIMIT).map_err(|error| {
            Error::new(
                Exit::Credential,
                format!("cannot read the API key from {from}"),
                input_file::cause(&error),
                "check the path of --api-key-file",
            )
        })?;
        Self::new(&String::from_utf8_lossy(&file.bytes), &from)
    }

    /// Returns the token. Only for the transport.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(hidden)")
    }
}

/// The environment variable that holds the API key.
pub const API_KEY_VARIABLE: &str = "AMIGO_API_KEY";

/// The variables that may hold a secret. A command that evtap runs does not get them, because
/// it does not need them, and a program that it starts might show its environment.
pub const SECRET_VARIABLES: [&str; 3] = [API_KEY_VARIABLE, "EVTAP_API_KEY_COMMAND", "EVTAP_PROXY"];

/// How long a command may take to print a key. The user may have to unlock a password store first.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a key is read from, and can be read again.
///
/// It has no `Debug`, because the text of a command may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable [`API_KEY_VARIABLE`].
    Environment,
    /// A file.
    File(PathBuf),
    /// The output of a shell command.
    Command(String),
    /// The output of a program, which no shell starts: its path or name, and its arguments.
    Program(Vec<String>),
}

impl KeySource {
    /// Returns whether the source can be read again. A pipe cannot.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::File(path) => std::fs::metadata(path).is_ok_and(|meta| meta.is_file()),
            Self::Environment | Self::Command(_) | Self::Program(_) => true,
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    ///
    /// Fails if the source has no valid key. The error never quotes what a command writes.
    pub async fn read(&self) -> Result<Credential> {
        match self {
            Self::Environment => match std::env::var(API_KEY_VARIABLE) {
                Ok(key) => Credential::new(&key, API_KEY_VARIABLE),
                Err(_) => Credential::new("", API_KEY_VARIABLE),
            },
            Self::File(path) => {
                let path = path.clone();
                // The writer of a pipe may take a while.
                tokio::task::spawn_blocking(move || Credential::read(&path)).await.unwrap_or_else(
                    |_| {
                        let what = "cannot read the API key";
                        Err(Error::new(Exit::Failure, what, "the run is ending", "try again"))
                    },
                )
            }
            Self::Command(command) => {
                let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
                printed_key(shell, &[option.to_owned(), command.clone()], "--api-key-command").await
            }
            Self::Program(words) => {
                let (program, arguments) =
                    words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                printed_key(program, arguments, "api_key_command").await
            }
        }
    }
}

/// Runs a program and returns the key that it prints. `from` names the setting in errors.
async fn printed_key(program: &str, arguments: &[String], from: &str) -> Result<Credential> {
    let printed = command_output(program, arguments).await.map_err(|why| {
        let advice = "run the command by itself to see its error";
        Error::new(Exit::Credential, format!("cannot get the API key from {from}"), why, advice)
    })?;
    Credential::new(&printed, from)
}

/// Runs a program and returns its output, or why it failed.
///
/// The command gets no stdin, which may be a recording. Its stderr is discarded, because it may
/// contain a secret.
async fn command_output(program: &str, arguments: &[String]) -> Result<String, String> {
    let mut command = Command::new(program);
    for variable in SECRET_VARIABLES {
        command.env_remove(variable);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run it: {}", error.kind()))?;
    let mut stdout = child.stdout.take().expect("it is piped").take(MAX_LENGTH as u64 * 2);
    let mut printed = Vec::new();
    let ended = async {
        stdout.read_to_end(&mut printed).await?;
        // A command that prints without end gets a broken pipe.
        drop(stdout);
        child.wait().await
    };
    let status = match tokio::time::timeout(COMMAND_TIMEOUT, ended).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(error.kind().to_string()),
        Err(_) => return Err(format!("it took longer than {} s", COMMAND_TIMEOUT.as_secs())),
    };
    match status.code() {
        // The length is the error to report here, whatever the broken pipe made of the status.
        _ if printed.len() > MAX_LENGTH => Ok(String::from_utf8_lossy(&printed).into_owned()),
        Some(0) => Ok(String::from_utf8_lossy(&printed).into_owned()),
        Some(127) => Err("it exited with status 127: command not found".to_owned()),
        Some(code) => Err(format!("it exited with status {code}")),
        None => Err("it was ended by a signal".to_owned()),
    }
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
                | b'{'
                | b'}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_keys_and_jwts_and_refuses_separators() {
        assert!(Credential::new("sk_live-1.a~b\n", "a test").is_ok());
        assert!(Credential::new("eyJhbGciOi.eyJzdWIi.c2ln", "a test").is_ok());
        for bad in [
            "",
            " \n",
            "a b",
            "a,b",
            "a=",
            "a\u{e9}",
            "a\u{7f}",
            "(x)",
            &"x".repeat(MAX_LENGTH + 1),
        ] {
            let error = Credential::new(bad, "a test").expect_err("illegal");
            assert_eq!(error.exit, Exit::Credential);
            assert!(bad.trim().len() < 2 || !error.to_string().contains(bad), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_yields_a_key_and_its_failure_quotes_nothing() {
        let read = async |command: &str| KeySource::Command(command.to_owned()).read().await;
        assert_eq!(read("echo ' sk-1 '; echo canary >&2").await, Credential::new("sk-1", "a test"));
        for (command, why) in [
            (
                "echo canary-1; echo canary-2 >&2; exit 3",
                "it exited with status 3; run the command by itself",
            ),
            ("echo canary; kill -9 $$", "it was ended by a signal"),
            ("no-such-command-canary", "it exited with status 127: command not found"),
            ("true", "it is empty"),
            ("echo canary one", "character 7 is not allowed in a token"),
            ("yes canary", "more than 4096"),
        ] {
            let error = read(command).await.expect_err(command);
            assert_eq!(error.exit, Exit::Credential);
            assert!(
                error.to_string().contains(why) && !error.to_string().contains("canary"),
                "{error}"
            );
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn no_shell_reads_the_words_of_a_program() {
        let read = async |words: &[&str]| {
            KeySource::Program(words.iter().map(|word| (*word).to_owned()).collect()).read().await
        };
        assert_eq!(read(&["echo", "sk-$HOME"]).await, Credential::new("sk-$HOME", "a test"));
        for (words, why) in [
            (&["no-such-program-canary"][..], "cannot run it: entity not found"),
            (&["sh", "-c", "echo canary >&2; exit 3"], "it exited with status 3"),
            (&[], "cannot run it"),
        ] {
            let error = read(words).await.expect_err("a failure").to_string();
            assert!(error.starts_with("cannot get the API key from api_key_command: "), "{error}");
            assert!(error.contains(why) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let credential = Credential::new("canary-token", "a test").expect("legal");
        assert_eq!(format!("{credential:?}"), "Credential(hidden)");
    }
}
