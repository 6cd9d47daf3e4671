//! Finds the proxy that requests to an origin go through.

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;

use crate::cli::commands::doctor::report::CheckResult;
use crate::transport::client::{NO_PROXY, Network, is_loopback};

/// Returns the proxy for requests to an origin, by the rules that the client applies.
pub(super) fn proxy(
    prefix: &str,
    origin: &Url,
    network: &Network,
) -> (Option<Intercept>, CheckResult) {
    let check = format!("{prefix}proxy");
    let none = |why: &str| (None, CheckResult::ok(check.clone(), why));
    if is_loopback(origin) {
        return none("not used: the host is this machine");
    }
    let exempt = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let matcher = match network.proxy.as_deref() {
        Some(NO_PROXY) => return none("not used: --proxy none"),
        Some(url) => Matcher::builder().all(url).no(exempt).build(),
        None => Matcher::from_system(),
    };
    let Ok(uri) = origin.as_str().parse::<Uri>() else { return none("none") };
    if let Some(proxy) = matcher.intercept(&uri) {
        let (scheme, host) =
            (proxy.uri().scheme_str().unwrap_or_default(), proxy.uri().host().unwrap_or_default());
        let port = proxy.uri().port_u16().unwrap_or_else(|| default_port(&proxy));
        let login = if proxy.basic_auth().is_some() || proxy.raw_auth().is_some() {
            ", with a user name and password"
        } else {
            ""
        };
        return (
            Some(proxy.clone()),
            CheckResult::ok(check, format!("{scheme}://{host}:{port}{login}")),
        );
    }
    let set = |name: &&&str| {
        std::env::var(name).is_ok_and(|url| {
            !url.is_empty() && Matcher::builder().all(url).build().intercept(&uri).is_none()
        })
    };
    let names: &[&str] = if origin.scheme() == "https" {
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy"]
    };
    match names.iter().find(set).filter(|_| network.proxy.is_none()) {
        Some(name) => {
            let advice = "set it to a URL such as http://proxy.example.com:3128, or unset it";
            (
                None,
                CheckResult::warning(
                    check,
                    format!("not used: the value of {name} is invalid"),
                    advice,
                ),
            )
        }
        None => none("none"),
    }
}

pub(super) fn default_port(proxy: &Intercept) -> u16 {
    match proxy.uri().scheme_str() {
        Some("https") => 443,
        Some("http") | None => 80,
        Some(_) => 1080,
    }
}
