//! What the options say of forwarding.

use std::path::Path;

use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, TE,
    TRANSFER_ENCODING, UPGRADE,
};

use super::value::positive_duration;
use crate::cli::args::{ForwardArgs, ForwardFormat};
use crate::delivery::{Endpoint, ForwardBody};
use crate::error::{Error, Result};
use crate::output::status;
use crate::transport::client::{ClientPurpose, Network, address, build, secret};
use crate::transport::{SourceConfig, private_file};

/// What evtap and HTTP see to.
const RESERVED: &[HeaderName] =
    &[CONTENT_TYPE, CONTENT_LENGTH, HOST, CONNECTION, TRANSFER_ENCODING, TE, UPGRADE, EXPECT];

/// Where events are posted, if that was asked for, by the same ways as the platform is reached.
pub fn endpoint(
    options: &ForwardArgs,
    network: &Network,
    status: status::StatusFormat,
) -> Result<Option<Endpoint>> {
    const EXAMPLE: &str = "http://127.0.0.1:9000/events";
    let Some(text) = &options.url else { return Ok(None) };
    let what = "the URL of --forward";
    let url = address(what, text, EXAMPLE, "the events", network.insecure_http)
        .map_err(|error| error.with_setting("--forward"))?;
    if text.trim_start().get(..2).is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws")) {
        return Err(Error::usage(
            format!("{what} can't be used"),
            "a WebSocket takes no posts",
            format!("give one such as {EXAMPLE}"),
        ));
    }
    let client = build(&url, network, ClientPurpose::Post)?;
    let mut headers = HeaderMap::new();
    for (index, header) in options.headers.iter().enumerate() {
        match header.0.strip_prefix('@') {
            None => {
                add(&mut headers, &header.0, &format!("--forward-header number {}", index + 1))?;
            }
            Some(path) => {
                let bytes = private_file::read_secret("--forward-header", Path::new(path))?;
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
    let body = match options.format {
        ForwardFormat::Ndjson => ForwardBody::Json,
        ForwardFormat::Cloudevents => ForwardBody::CloudEvent,
    };
    let timeout = positive_duration("--forward-timeout", &options.timeout)?;
    Ok(Some(Endpoint {
        client,
        url,
        headers,
        body,
        timeout,
        retries: options.retries,
        status,
        random: SourceConfig::default().random,
    }))
}

/// Adds `Name: value`. It may be a secret, so an error tells its place alone.
fn add(headers: &mut HeaderMap, text: &str, place: &str) -> Result<()> {
    let wrong =
        |why: &str| Error::usage(format!("cannot use {place}"), why, "write it like 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("it has no colon"))?;
    let name = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| wrong("its name is none that a header may have"))?;
    if RESERVED.contains(&name) {
        return Err(wrong("evtap sees to that header itself"));
    }
    let value = value.trim();
    if !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(wrong("its value has characters that a header can't have"));
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
