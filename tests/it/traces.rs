//! Finds the traces of a secret in text: all of it or six characters in a row, forwards or
//! backwards, in plain text, base64 or hexadecimal digits.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::Regex;

/// Length of the shortest trace, in characters.
const TRACE_LENGTH: usize = 6;

/// Searches for any trace of any of the given secrets.
pub struct Traces(Regex);

impl Traces {
    pub fn new(secrets: &[&str]) -> Self {
        let mut traces = Vec::new();
        for secret in secrets {
            assert!(secret.is_ascii() && secret.len() >= TRACE_LENGTH, "{secret}");
            let backwards: String = secret.chars().rev().collect();
            for text in [*secret, &backwards] {
                traces.extend(
                    (0..=text.len() - TRACE_LENGTH)
                        .map(|at| text[at..at + TRACE_LENGTH].to_owned()),
                );
            }
            // Nine bytes can start at three different offsets of a base64 group. Only the
            // characters that do not depend on the neighbouring bytes are compared.
            for window in secret.as_bytes().windows(9.min(secret.len())).step_by(3) {
                for skipped in 0..3 {
                    for engine in [&STANDARD, &URL_SAFE] {
                        let whole = engine.encode([&vec![0; skipped], window].concat());
                        traces.push(
                            whole[(skipped * 4).div_ceil(3)..(skipped + window.len()) * 4 / 3]
                                .to_owned(),
                        );
                    }
                }
            }
            let hex = secret
                .bytes()
                .take(TRACE_LENGTH)
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .concat();
            traces.extend([hex.to_uppercase(), hex]);
        }
        traces.sort();
        traces.dedup();
        let any: Vec<_> = traces.iter().map(|trace| regex::escape(trace)).collect();
        Self(Regex::new(&any.join("|")).expect("a regular expression"))
    }

    /// Returns the first trace and the line that contains it.
    pub fn find<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        text.lines().find_map(|line| self.0.find(line).map(|found| (found.as_str(), line)))
    }
}

#[test]
fn finds_a_secret_in_every_encoding() {
    let secret = "CanaryQzvxkwjh";
    let traces = Traces::new(&[secret]);
    let encoded = |skipped: &str| STANDARD.encode(format!("{skipped}{secret} and more"));
    for text in [
        secret,
        "xxCanaryQ",
        "Qzvxkw",
        "yranaC",
        "hjwkxvzQ",
        &encoded(""),
        &encoded("a"),
        &encoded("ab"),
        &encoded("abc"),
        "43616e617279517a",
        "43616E617279",
    ] {
        assert!(traces.find(&format!("one\n<{text}>")).is_some(), "{text}");
    }
    for text in ["Canar", "Cana ryQz", "canary", "anaryq"] {
        assert!(traces.find(text).is_none(), "{text}");
    }
}
