//! The way to an origin, step by step: the proxy, the name, TCP, the tunnel, TLS, and the clock at the other end.
//!
//! The steps are made apart from the real connections, so that each can be told by itself; none of them carries the key. What
//! the other end writes is read for a status and a date, and not kept.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Url;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::report::{CheckResult, DoctorReport};
use super::tls;
use crate::error::{Exit, Result};
use crate::transport::client::{NO_PROXY, Network, is_loopback};
use crate::transport::connect_error::cause;

/// How long each step may take.
const STEP: Duration = Duration::from_secs(10);

/// The most of a head that is read.
const HEAD: usize = 16 << 10;

/// How far the clocks may be apart, in seconds. A `Date` has no fractions.
const APART: f64 = 2.0;

/// A certificate with fewer days left is worth a word.
const DAYS: i64 = 14;

/// Goes the way to an origin, as far as it leads. What the steps are called begins with `prefix`.
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
            let found = format!("not looked at, by way of {scheme}; see whether the stream opens");
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
        report.add(CheckResult::skipped(format!("{prefix}TLS"), "none: it is plain text"))?;
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
            "see whether a firewall is in the way",
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

/// By which proxy requests to an origin go: the same rules as those of the client.
fn proxy(prefix: &str, origin: &Url, network: &Network) -> (Option<Intercept>, CheckResult) {
    let check = format!("{prefix}proxy");
    let none = |why: &str| (None, CheckResult::ok(check.clone(), why));
    if is_loopback(origin) {
        return none("none: the host is this machine");
    }
    let exempt = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let matcher = match network.proxy.as_deref() {
        Some(NO_PROXY) => return none("none, as asked for"),
        Some(url) => Matcher::builder().all(url).no(exempt).build(),
        None => Matcher::from_system(),
    };
    let Ok(uri) = origin.as_str().parse::<Uri>() else { return none("none") };
    if let Some(proxy) = matcher.intercept(&uri) {
        let (scheme, host) =
            (proxy.uri().scheme_str().unwrap_or_default(), proxy.uri().host().unwrap_or_default());
        let port = proxy.uri().port_u16().unwrap_or_else(|| default_port(&proxy));
        let login = if proxy.basic_auth().is_some() || proxy.raw_auth().is_some() {
            ", with a login"
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
            let advice = "write it like http://proxy.example.com:3128, or unset it";
            (
                None,
                CheckResult::warning(
                    check,
                    format!("none: what {name} says can't be used"),
                    advice,
                ),
            )
        }
        None => none("none"),
    }
}

fn default_port(proxy: &Intercept) -> u16 {
    match proxy.uri().scheme_str() {
        Some("https") => 443,
        Some("http") | None => 80,
        Some(_) => 1080,
    }
}

/// Looks a name up, and opens a connection.
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
            CheckResult::skipped(check, "none: the host is an address")
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

/// Asks a proxy for a tunnel (RFC 9110, section 9.3.6). Gives the status of its answer.
async fn tunnel(
    socket: &mut TcpStream,
    host: &str,
    port: u16,
    proxy: &Intercept,
) -> io::Result<u16> {
    let mut request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(login) = proxy.basic_auth() {
        request.extend([b"Proxy-Authorization: ", login.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    socket.write_all(&request).await?;
    Ok(read_head(socket).await?.0)
}

fn tunnel_result(prefix: &str, status: io::Result<u16>) -> CheckResult {
    let check = format!("{prefix}tunnel");
    let failed = |found: String, advice: &str| {
        CheckResult::failed(check.clone(), Exit::Failure, found, advice)
    };
    match status {
        Ok(200) => CheckResult::ok(check, "the proxy lets it through"),
        // Some proxies say so as a server would.
        Ok(status @ (401 | 407)) => failed(
            format!("the proxy wants a login ({status})"),
            "put user name and password into the proxy's URL",
        ),
        Ok(status) => failed(
            format!("the proxy answers {status}"),
            "ask who runs the proxy to let the host through",
        ),
        Err(error) => failed(cause(&error), "check whether it is a proxy for http"),
    }
}

/// Asks a server for nothing in particular, without the key. Gives the `Date` of its answer.
async fn request_date<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
) -> io::Result<Option<Timestamp>> {
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: evtap/{version}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(read_head(stream).await?.1)
}

/// Reads the head of an answer: its status and its date.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u16, Option<Timestamp>)> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let (mut head, mut chunk) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if head.len() > HEAD => return Err(io::ErrorKind::InvalidData.into()),
            read => head.extend(&chunk[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let date = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| DATES.parse_timestamp(value.trim()).ok())?
    });
    status.map(|status| (status, date)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What the chain says, and whether it is trusted.
fn certificates<S>(prefix: &str, handshake: &tls::Handshake<S>, now: Timestamp) -> CheckResult {
    let check = format!("{prefix}TLS");
    let first = handshake.expiries.iter().min();
    let days = |until: &Timestamp| (until.as_second() - now.as_second()).div_euclid(24 * 60 * 60);
    let date = |until: &Timestamp| until.strftime("%Y-%m-%d").to_string();
    if let Err(error) = &handshake.stream {
        let advice =
            "if the authority is your company's or your own, give its certificate with --ca-cert";
        return match first.filter(|until| days(until) < 0) {
            Some(until) => CheckResult::failed(
                check,
                Exit::Failure,
                format!("a certificate has expired on {}", date(until)),
                "tell who runs the server",
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
                CheckResult::warning(check, found, "tell who runs the server that it will expire")
            } else {
                CheckResult::ok(check, found)
            }
        }
    }
}

/// How far this clock is from the server's.
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
                "set the clock: certificates, tokens and --since go by it",
            )
        }
        Ok(None) => CheckResult::skipped(check, "the server sends no date"),
        Err(error) => CheckResult::skipped(check, format!("no answer to go by: {}", cause(&error))),
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

    #[tokio::test]
    async fn of_a_head_a_status_and_a_date_are_read() {
        let head = async |mut text: &[u8]| read_head(&mut text).await.ok();
        let date = Some("2026-05-05T10:00:00Z".parse().expect("a time"));
        assert_eq!(
            head(b"HTTP/1.1 404 x\r\nDATE: Tue, 05 May 2026 10:00:00 GMT\r\n\r\n").await,
            Some((404, date))
        );
        assert_eq!(head(b"HTTP/1.0 200 x\r\nDate: canary\r\n\r\n").await, Some((200, None)));
        for junk in [
            "",
            "HTTP/1.1 200 x\r\n",
            "canary\r\n\r\n",
            "HTTP/1.1 \u{e9}\u{e9}x\r\n\r\n",
            &"x".repeat(HEAD * 2),
        ] {
            assert_eq!(head(junk.as_bytes()).await, None);
        }
    }
}
