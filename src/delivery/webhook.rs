//! Signatures of posts by Standard Webhooks (<https://www.standardwebhooks.com>, version 1.0.0).
//!
//! A signature is HMAC-SHA-256 over the id of the message, the time of the attempt and the body,
//! joined by full stops. Neither an id nor a time contains one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a symmetric secret begins with.
const PREFIX: &str = "whsec_";

/// The lengths that a secret may have, in bytes before base64.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The most secrets that sign one post. A receiver needs two while a secret is replaced.
const MAX_SECRETS: usize = 4;

/// The secrets that posts are signed with. Its `Debug` output does not contain them.
#[derive(Clone)]
pub struct WebhookKeys(Vec<Hmac<Sha256>>);

impl WebhookKeys {
    /// Reads secrets, one per line: `whsec_` and 24 to 64 bytes in base64.
    ///
    /// # Errors
    ///
    /// Fails with the reason, which does not quote the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(parse_secret).collect::<Result<Vec<_>, _>>()?;
        match keys.len() {
            0 => Err("it is empty"),
            1..=MAX_SECRETS => Ok(Self(keys)),
            _ => Err("it has more than four lines"),
        }
    }

    /// Returns the value of `webhook-signature`. `timestamp` is the time of the attempt, in seconds
    /// of Unix time.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signature = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
                mac.update(part);
            }
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(signature).collect::<Vec<_>>().join(" ")
    }
}

fn parse_secret(line: &str) -> Result<Hmac<Sha256>, &'static str> {
    let secret = line.strip_prefix(PREFIX).ok_or("a line does not begin with whsec_")?;
    let secret = STANDARD.decode(secret).map_err(|_| "a secret is not base64")?;
    if !LENGTHS.contains(&secret.len()) {
        return Err("a secret does not have 24 to 64 bytes");
    }
    Hmac::new_from_slice(&secret).map_err(|_| "a secret has a length that cannot be used")
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKeys(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the specification and of the tests of its libraries.
    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let keys = WebhookKeys::parse(SECRET).expect("a secret");
        let signature =
            keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_of_a_file_signs() {
        let other = format!("whsec_{}", STANDARD.encode([7; 24]));
        let both = WebhookKeys::parse(&format!("\n {SECRET}\r\n\n{other}\n")).expect("two secrets");
        let [first, second] = [SECRET, &other]
            .map(|secret| WebhookKeys::parse(secret).expect("a secret").sign("a", 1, b"b"));
        assert_eq!(both.sign("a", 1, b"b"), format!("{first} {second}"));
    }

    #[test]
    fn an_error_or_debug_output_shows_nothing_of_a_secret() {
        let whsec = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (text, why) in [
            ("", "it is empty"),
            ("\n \n", "it is empty"),
            ("canary", "a line does not begin with whsec_"),
            ("whsec_can ary", "a secret is not base64"),
            (&whsec(23), "a secret does not have 24 to 64 bytes"),
            (&whsec(65), "a secret does not have 24 to 64 bytes"),
            (&[&*whsec(24); 5].join("\n"), "it has more than four lines"),
        ] {
            assert_eq!(WebhookKeys::parse(text).map(|_| ()), Err(why), "{text}");
        }
        let keys = WebhookKeys::parse(SECRET).expect("a secret");
        assert_eq!(format!("{keys:?}"), "WebhookKeys(hidden)");
    }
}
