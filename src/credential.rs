//! The API key or JWT. It is never shown, not even by `Debug`, and only two places may read it: the `Authorization` header
//! and the WebSocket subprotocol.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Exit, Result};

/// The most characters that the platform takes as a subprotocol token.
pub const MAX_LENGTH: usize = 4096;

/// A bearer token that is also a legal subprotocol token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Checks a token: visible ASCII without the separators of RFC 6455, section 4.1 (by RFC 2616, section 2.2), at most
    /// [`MAX_LENGTH`] characters. White space around it, such as the line end of a file, is taken off.
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
            let why = format!("character {} is none that a token may have", position + 1);
            return Err(Error::new(Exit::Credential, what, why, advice));
        }
        Ok(Self(token.to_owned()))
    }

    /// Reads a token from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let from = path.display().to_string();
        let text = std::fs::read(path).map_err(|error| {
            Error::new(
                Exit::Credential,
                format!("cannot read the API key from {from}"),
                error.kind().to_string(),
                "check the path of --api-key-file",
            )
        })?;
        Self::new(&String::from_utf8_lossy(&text), &from)
    }

    /// The token itself, for the transport alone.
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

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'/' | b'[' | b']' | b'?' | b'=' | b'{' | b'}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_keys_and_jwts_and_no_separator() {
        assert!(Credential::new("sk_live-1.a~b\n", "a test").is_ok());
        assert!(Credential::new("eyJhbGciOi.eyJzdWIi.c2ln", "a test").is_ok());
        for bad in ["", " \n", "a b", "a,b", "a=", "a\u{e9}", "a\u{7f}", "(x)", &"x".repeat(MAX_LENGTH + 1)] {
            let error = Credential::new(bad, "a test").expect_err("illegal");
            assert_eq!(error.exit, Exit::Credential);
            assert!(bad.trim().len() < 2 || !error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let credential = Credential::new("canary-token", "a test").expect("legal");
        assert_eq!(format!("{credential:?}"), "Credential(hidden)");
    }
}
