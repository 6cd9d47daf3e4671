//! The traces that a secret leaves: whole, in pieces of six characters, backwards, in base64 and in hexadecimal digits.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::Regex;

/// How long a piece is.
const PIECE: usize = 6;

/// Finds any trace of any of these secrets.
pub struct Traces(Regex);

impl Traces {
    pub fn of(secrets: &[&str]) -> Self {
        let mut traces = Vec::new();
        for secret in secrets {
            assert!(secret.is_ascii() && secret.len() >= PIECE, "{secret}");
            let backwards: String = secret.chars().rev().collect();
            for text in [*secret, &backwards] {
                traces.extend((0..=text.len() - PIECE).map(|at| text[at..at + PIECE].to_owned()));
            }
            // A piece of nine bytes can stand at any of three places in base64: what is the same wherever it ends is looked for.
            for piece in secret.as_bytes().windows(9.min(secret.len())).step_by(3) {
                for before in 0..3 {
                    for engine in [&STANDARD, &URL_SAFE] {
                        let whole = engine.encode([&vec![0; before], piece].concat());
                        traces.push(
                            whole[(before * 4).div_ceil(3)..(before + piece.len()) * 4 / 3]
                                .to_owned(),
                        );
                    }
                }
            }
            let hex = secret
                .bytes()
                .take(PIECE)
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

    /// The first line in which there is a trace, and the trace.
    pub fn find<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        text.lines().find_map(|line| self.0.find(line).map(|found| (found.as_str(), line)))
    }
}

#[test]
fn finds_a_secret_in_every_encoding() {
    let secret = "CanaryQzvxkwjh";
    let traces = Traces::of(&[secret]);
    let encoded = |before: &str| STANDARD.encode(format!("{before}{secret} and more"));
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
