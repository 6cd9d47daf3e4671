//! Headers that users add to requests, such as credentials.

use std::path::Path;

use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, TE,
    TRANSFER_ENCODING, UPGRADE,
};

use crate::cli::secret_text::SecretText;
use crate::delivery::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};
use crate::error::{Error, Result};
use crate::transport::client::secret;
use crate::transport::private_file;

/// Headers that evtap or the HTTP client sets, so that users cannot.
static RESERVED: [HeaderName; 11] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    HOST,
    CONNECTION,
    TRANSFER_ENCODING,
    TE,
    UPGRADE,
    EXPECT,
    WEBHOOK_ID,
    WEBHOOK_TIMESTAMP,
    WEBHOOK_SIGNATURE,
];

/// Parses the values of a header option: `Name: value`, or `@FILE` for a private file with one per
/// line.
pub fn parse_headers(option: &str, values: &[SecretText]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (index, header) in values.iter().enumerate() {
        match header.0.strip_prefix('@') {
            None => add(&mut headers, &header.0, &format!("{option} number {}", index + 1))?,
            Some(path) => {
                let bytes = private_file::read_secret(option, Path::new(path))?;
                for (line, text) in String::from_utf8_lossy(&bytes)
                    .lines()
                    .enumerate()
                    .filter(|(_, text)| !text.trim().is_empty())
                {
                    add(&mut headers, text, &format!("line {} of {path}", line + 1))?;
                }
            }
        }
    }
    Ok(headers)
}

/// Adds a header written as `Name: value`.
///
/// Errors name only its place, because the text may contain a secret.
fn add(headers: &mut HeaderMap, text: &str, place: &str) -> Result<()> {
    let wrong =
        |why: &str| Error::usage(format!("cannot use {place}"), why, "write it like 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("no colon"))?;
    let name =
        HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong("invalid header name"))?;
    if RESERVED.contains(&name) {
        return Err(wrong("evtap sets this header itself"));
    }
    let value = value.trim();
    if !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(wrong("its value has invalid characters"));
    }
    headers.append(name, secret(value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_never_quoted() {
        let mut headers = HeaderMap::new();
        add(&mut headers, "X-Team:  front desk ", "-").expect("a header");
        add(&mut headers, "authorization: Bearer canary", "-").expect("a header");
        assert_eq!(headers["x-team"], "front desk");
        assert!(
            headers["authorization"].is_sensitive() && !format!("{headers:?}").contains("canary")
        );
        for bad in [
            "canary",
            ": canary",
            "x y: canary",
            "x: canary\u{7}",
            "x: canary\u{e9}",
            "Host: canary",
            "Content-Type: canary",
        ] {
            let error = add(&mut headers, bad, "-").expect_err(bad);
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
