//! Checks the connection to an origin step by step: proxy, DNS, TCP, tunnel, TLS and clock.
//!
//! The checks open connections of their own, so that each step can be reported separately. None of
//! them sends the key. Of a response, only the status and the date are read.

mod http;
mod proxy;

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Url;
use tokio::net::{TcpStream, lookup_host};

use super::report::{CheckResult, DoctorReport};
use super::tls;
use crate::error::{Exit, Result};
use crate::transport::client::Network;
use crate::transport::connect_error::cause;
use http::{request_date, tunnel};
use proxy::{default_port, proxy};

/// Timeout of each step.
const STEP: Duration = Duration::from_secs(10);

/// Tolerated difference between the clocks, in seconds. A `Date` header has no fractions of a
/// second.
const APART: f64 = 2.0;

/// A certificate that is valid for fewer days causes a warning.
const DAYS: i64 = 14;

/// Checks the connection to an origin, up to the first step that fails. The names of the checks
/// begin with `prefix`.
pub(super) async fn check_origin(
    prefix: &str,
    origin: &Url,
    network: &Network,
    report: &mut DoctorReport,
) -> Result<()> {
    let target = origin.host_str().unwrap_or_default();
    let port = origin.port_or_known_default().unwrap_or(443);
    let (proxy, finding) = proxy(prefix, origin, network);
    report.add(finding)?;
    let (host, hop) = match &proxy {
        Some(proxy) => (
            proxy.uri().host().unwrap_or_default(),
            proxy.uri().port_u16().unwrap_or_else(|| default_port(proxy)),
        ),
        None => (target, port),
    };
    let (socket, findings) = connect(prefix, host, hop).await;
    for finding in findings {
        report.add(finding)?;
    }
    let Some(mut socket) = socket else { return Ok(()) };
    if let Some(proxy) = &proxy {
        let scheme = proxy.uri().scheme_str().unwrap_or_default();
        if scheme != "http" || origin.scheme() != "https" {
            let found = format!("not checked through {scheme}; see the result of the stream");
            return report.add(CheckResult::skipped(format!("{prefix}TLS"), found)).map(drop);
        }
        let begun = Instant::now();
        let tunnel = within(tunnel(&mut socket, target, port, proxy)).await;
        if !report.add(tunnel_result(prefix, tunnel).with_duration(begun.elapsed()))? {
            return Ok(());
        }
    }
    let now = Timestamp::now();
    if origin.scheme() == "http" {
        report.add(CheckResult::skipped(format!("{prefix}TLS"), "not used: plain http"))?;
        return report
            .add(clock(prefix, within(request_date(&mut socket, target)).await, now))
            .map(drop);
    }
    let begun = Instant::now();
    let handshake = tls::handshake(target, network.ca_cert.as_deref(), socket);
    let Ok(handshake) = tokio::time::timeout(STEP, handshake).await else {
        let finding = CheckResult::failed(
            format!("{prefix}TLS"),
            Exit::Failure,
            "timed out",
            "check whether a firewall blocks the connection",
        );
        return report.add(finding.with_duration(begun.elapsed())).map(drop);
    };
    report.add(certificates(prefix, &handshake, now).with_duration(begun.elapsed()))?;
    match handshake.stream {
        Ok(mut stream) => report
            .add(clock(prefix, within(request_date(&mut stream, target)).await, now))
            .map(drop),
        Err(_) => Ok(()),
    }
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(STEP, step).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Resolves a host name and opens a TCP connection to it.
async fn connect(prefix: &str, host: &str, port: u16) -> (Option<TcpStream>, Vec<CheckResult>) {
    let mut findings = Vec::new();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let begun = Instant::now();
    let addresses: Vec<_> = match within(lookup_host((host, port))).await {
        Ok(addresses) => addresses.collect(),
        Err(_) => Vec::new(),
    };
    let check = format!("{prefix}DNS");
    findings.push(match addresses.len() {
        _ if host.parse::<IpAddr>().is_ok() => {
            CheckResult::skipped(check, "not needed: the host is an IP address")
        }
        0 => CheckResult::failed(
            check,
            Exit::Failure,
            format!("no such host: {host}"),
            "check the URL and the network",
        )
        .with_duration(begun.elapsed()),
        1 => CheckResult::ok(check, format!("{host} has 1 address")).with_duration(begun.elapsed()),
        count => CheckResult::ok(check, format!("{host} has {count} addresses"))
            .with_duration(begun.elapsed()),
    });
    if addresses.is_empty() {
        return (None, findings);
    }
    let begun = Instant::now();
    let socket = within(TcpStream::connect(&addresses[..])).await;
    let check = format!("{prefix}TCP");
    findings.push(
        match &socket {
            Ok(_) => CheckResult::ok(check, format!("connected to port {port}")),
            Err(error) => {
                let found = format!("port {port}: {}", cause(error));
                CheckResult::failed(
                    check,
                    Exit::Failure,
                    found,
                    "check the URL, the network and the firewall",
                )
            }
        }
        .with_duration(begun.elapsed()),
    );
    (socket.ok(), findings)
}

fn tunnel_result(prefix: &str, status: io::Result<u16>) -> CheckResult {
    let check = format!("{prefix}tunnel");
    let failed = |found: String, advice: &str| {
        CheckResult::failed(check.clone(), Exit::Failure, found, advice)
    };
    match status {
        Ok(200) => CheckResult::ok(check, "the proxy accepts the connection"),
        // A proxy should answer 407 (RFC 9110, section 15.5.8), but some answer 401 like a server.
        Ok(status @ (401 | 407)) => failed(
            format!("the proxy requires authentication ({status})"),
            "add the user name and password to the proxy URL",
        ),
        Ok(status) => failed(
            format!("the proxy responds with status {status}"),
            "ask the operator of the proxy to allow the host",
        ),
        Err(error) => failed(cause(&error), "check whether it is an HTTP proxy"),
    }
}

/// Reports whether the certificate chain is trusted, and when it expires.
fn certificates<S>(prefix: &str, handshake: &tls::Handshake<S>, now: Timestamp) -> CheckResult {
    let check = format!("{prefix}TLS");
    let first = handshake.expiries.iter().min();
    let days = |until: &Timestamp| (until.as_second() - now.as_second()).div_euclid(24 * 60 * 60);
    let date = |until: &Timestamp| until.strftime("%Y-%m-%d").to_string();
    if let Err(error) = &handshake.stream {
        let advice = "if the certificate authority is your own or your company's, give its certificate with --ca-cert";
        return match first.filter(|until| days(until) < 0) {
            Some(until) => CheckResult::failed(
                check,
                Exit::Failure,
                format!("a certificate expired on {}", date(until)),
                "tell the operator of the server",
            ),
            None => CheckResult::failed(check, Exit::Failure, cause(error), advice),
        };
    }
    let count = match handshake.expiries.len() {
        1 => "1 certificate".to_owned(),
        count => format!("a chain of {count} certificates"),
    };
    match first {
        None => CheckResult::ok(check, format!("{}, trusted", handshake.version())),
        Some(until) => {
            let found = format!(
                "{}, {count}, trusted, until {} ({} days)",
                handshake.version(),
                date(until),
                days(until)
            );
            if days(until) < DAYS {
                CheckResult::warning(
                    check,
                    found,
                    "tell the operator of the server that it will expire",
                )
            } else {
                CheckResult::ok(check, found)
            }
        }
    }
}

/// Compares the clock of this machine with the date that the server sent.
fn clock(prefix: &str, date: io::Result<Option<Timestamp>>, now: Timestamp) -> CheckResult {
    let check = format!("{prefix}clock");
    match date {
        Ok(Some(date)) => {
            let ahead = now.duration_since(date).as_secs_f64() - 0.5;
            if ahead.abs() <= APART {
                return CheckResult::ok(check, format!("within {APART} s of the server's"));
            }
            let found = format!(
                "{:.0} s {} the server's",
                ahead.abs(),
                if ahead > 0.0 { "ahead of" } else { "behind" }
            );
            CheckResult::warning(
                check,
                found,
                "set the clock: certificates, tokens and --since depend on it",
            )
        }
        Ok(None) => CheckResult::skipped(check, "the server sent no date"),
        Err(error) => CheckResult::skipped(check, format!("no response: {}", cause(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_held_against_each_other() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let server = || Ok(Some(at("2026-05-05T10:00:00Z")));
        for (now, expected) in [
            ("2026-05-05T10:00:00.9Z", "within 2 s of the server's"),
            ("2026-05-05T10:00:02.4Z", "within 2 s of the server's"),
            ("2026-05-05T10:01:00Z", "60 s ahead of the server's"),
            ("2026-05-05T09:59:00Z", "60 s behind the server's"),
        ] {
            let finding = format!("{:?}", clock("", server(), at(now)));
            assert!(finding.contains(expected), "{finding}");
            assert_eq!(finding.contains("Warning"), !expected.starts_with("within"), "{finding}");
        }
    }
}
