//! Connections through proxies, with and without a login, to a host with a certificate of a private
//! authority.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options};
use jiff::civil::{Date, date};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Evtap, KEY, RunOutput, emulator, events, evtap, fast, read_head};
use crate::traces::Traces;

/// A name that no resolver knows (RFC 2606), so that only the proxy can reach it.
pub const HOST: &str = "platform.invalid";

/// The password of the proxy. It must not occur in any output.
pub const PASSWORD: &str = "canary-word-55e1d0";

/// A day in the far future.
pub const LATE: Date = date(2120, 1, 1);

/// A certificate authority that is not trusted by default.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
                .expect("a certificate"),
        )
    }

    /// Returns its certificate, for `--ca-cert`.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Starts a TLS server whose certificate for [`HOST`] expires on that day, and which passes
    /// connections on to `behind` in plain text. Returns its port.
    pub async fn host(&self, behind: &str, until: Date) -> u16 {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let (month, day) = (until.month().unsigned_abs(), until.day().unsigned_abs());
        params.not_after = rcgen::date_time_ymd(i32::from(until.year()), month, day);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a pair")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let behind = behind.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let Ok(mut socket) = acceptor.accept(socket).await else { return };
                    let mut server = TcpStream::connect(behind).await.expect("a server");
                    let _ = copy_bidirectional(&mut socket, &mut server).await;
                });
            }
        });
        port
    }
}

/// A proxy that accepts [`PASSWORD`] and connects every client to the same port.
pub struct ConnectProxy {
    pub port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&heads);
        let login = format!(
            "proxy-authorization: Basic {}\r\n",
            STANDARD.encode(format!("tap:{PASSWORD}"))
        );
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let mut socket = BufReader::new(socket);
                let head = read_head(&mut socket).await;
                let is_authorised = head.to_ascii_lowercase().contains(&login.to_ascii_lowercase());
                recorded.lock().expect("no test has failed with it").push(head);
                if !is_authorised {
                    let _ = socket
                        .write_all(b"HTTP/1.1 407 Canary\r\nProxy-Authenticate: Basic\r\n\r\n")
                        .await;
                    continue;
                }
                tokio::spawn(async move {
                    let mut server =
                        TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
                    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("the client reads");
                    let _ = copy_bidirectional(&mut socket, &mut server).await;
                });
            }
        });
        Self { port: own, heads }
    }

    pub fn url(&self) -> String {
        format!("http://tap:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Takes the heads of the requests since the last call.
    pub fn heads(&self) -> Vec<String> {
        std::mem::take(&mut *self.heads.lock().expect("no test has failed with it"))
    }
}

/// Prepares both streams from [`HOST`].
fn both(rest: &str, ca: &str) -> [Evtap; 2] {
    let watch = format!("watch --workspace {DEMO_WORKSPACE} -n 5 --max-reconnects 0 {rest}");
    let observe = format!(
        "observe --workspace {DEMO_WORKSPACE} --call {DEMO_CALL} -n 5 --max-reconnects 0 {rest}"
    );
    [watch, observe].map(|line| evtap(&line).at(&format!("https://{HOST}")).file("ca.pem", ca))
}

/// Asserts that neither the key nor the password was printed.
#[track_caller]
fn assert_no_secrets(ran: &RunOutput) {
    assert_eq!(Traces::new(&[KEY, PASSWORD]).find(&ran.all()), None);
}

#[tokio::test]
async fn both_streams_work_through_a_proxy_with_a_login_and_a_private_authority() {
    let authority = Authority::new();
    let proxy = ConnectProxy::to(
        authority.host(&emulator(Options { rate: 200.0, ..fast() }).await, LATE).await,
    )
    .await;
    let named = format!("--proxy {}", proxy.url());
    let ways: [(&str, &[&str]); 5] = [
        (&named, &[]),
        ("", &["HTTPS_PROXY"]),
        ("", &["https_proxy"]),
        ("", &["ALL_PROXY"]),
        (&named, &["NO_PROXY=other.invalid"]),
    ];
    for (option, variables) in ways {
        for run in both(&format!("{option} --ca-cert ca.pem"), &authority.pem()) {
            let run = variables.iter().fold(run, |run, variable| match variable.split_once('=') {
                Some((name, value)) => run.env(name, value),
                None => run.env(variable, &proxy.url()),
            });
            let ran = run.run().await;
            assert_eq!(events(&ran.ended(0)).len(), 5, "{option} {variables:?}");
            assert_no_secrets(&ran);
            let heads = proxy.heads();
            assert!(!heads.is_empty(), "{option} {variables:?}");
            for head in heads {
                assert!(head.starts_with(&format!("CONNECT {HOST}:443 ")), "{head}");
                assert_eq!(Traces::new(&[KEY]).find(&head), None, "the proxy received the key");
            }
        }
    }
}

#[tokio::test]
async fn connection_problems_are_reported_without_the_password() {
    let authority = Authority::new();
    let port = authority.host(&emulator(fast()).await, LATE).await;
    let proxy = ConnectProxy::to(port).await;
    let closed = "http://127.0.0.1:1";
    let wrong = format!("http://tap:{PASSWORD}x@127.0.0.1:{}", proxy.port);
    let right = proxy.url();
    for (options, variable, why) in [
        (
            format!("--ca-cert ca.pem --proxy {wrong}"),
            None,
            "the proxy requires authentication (407)",
        ),
        (format!("--ca-cert ca.pem --proxy {closed}"), None, "connection refused"),
        (format!("--proxy {right}"), None, "TLS: certificate not trusted"),
        (
            format!("--ca-cert ca.pem --proxy {right}"),
            Some(("NO_PROXY", ".invalid")),
            "no such host",
        ),
        (
            "--ca-cert ca.pem --proxy none".to_owned(),
            Some(("HTTPS_PROXY", right.as_str())),
            "no such host",
        ),
        (
            "--ca-cert ca.pem".to_owned(),
            Some(("HTTPS_PROXY", wrong.as_str())),
            "the proxy requires authentication (407)",
        ),
    ] {
        for run in both(&options, &authority.pem()) {
            let ran = variable
                .into_iter()
                .fold(run, |run, (name, value)| run.env(name, value))
                .run()
                .await;
            assert_eq!(ran.ended(1), "", "{options}");
            assert!(ran.stderr().contains(why), "{options}: {}", ran.stderr());
            assert_no_secrets(&ran);
        }
    }
    for (options, why) in [
        (
            format!("--proxy ftp://tap:{PASSWORD}@127.0.0.1:1"),
            "the proxy can't be used: its scheme is not http, https, ",
        ),
        (format!("--proxy {PASSWORD}"), "the proxy can't be used: it is not a URL; give one"),
        ("--ca-cert none.pem".to_owned(), "cannot use the certificates in none.pem: "),
    ] {
        for run in both(&options, "no PEM") {
            let ran = run.run().await;
            assert_eq!(ran.ended(2), "");
            assert!(ran.stderr().contains(why), "{options}: {}", ran.stderr());
            assert_no_secrets(&ran);
        }
    }
}

#[tokio::test]
async fn an_expired_certificate_of_a_private_authority_is_refused() {
    let authority = Authority::new();
    let proxy =
        ConnectProxy::to(authority.host(&emulator(fast()).await, date(2021, 1, 1)).await).await;
    for run in both(&format!("--ca-cert ca.pem --proxy {}", proxy.url()), &authority.pem()) {
        let ran = run.run().await;
        assert_eq!(ran.ended(1), "");
        assert!(ran.stderr().contains("TLS: the certificate has expired"), "{}", ran.stderr());
        assert_no_secrets(&ran);
    }
}

#[tokio::test]
async fn no_proxy_is_used_for_this_machine() {
    let proxy = ConnectProxy::to(1).await;
    let base = emulator(fast()).await;
    for option in ["", "--proxy"] {
        let run = crate::support::watch(&base, "-n 1");
        let run = if option.is_empty() { run } else { run.arg(option).arg(&proxy.url()) };
        let ran = run.env("HTTP_PROXY", &proxy.url()).env("ALL_PROXY", &proxy.url()).run().await;
        assert_eq!(events(&ran.ended(0)).len(), 1);
        assert!(proxy.heads().is_empty());
    }
}

/// Uses a SOCKS5 proxy without a login that resolves names itself.
#[tokio::test]
async fn both_streams_work_through_a_socks_proxy() {
    let authority = Authority::new();
    let port = authority.host(&emulator(Options { rate: 200.0, ..fast() }).await, LATE).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("socks5h://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut greeting = [0; 3];
                socket.read_exact(&mut greeting).await.expect("a greeting");
                socket.write_all(&[5, 0]).await.expect("no login");
                let mut request = vec![0; 5];
                socket.read_exact(&mut request).await.expect("a request");
                assert_eq!(request[..4], [5, 1, 0, 3], "CONNECT to a name");
                let mut name = vec![0; usize::from(request[4]) + 2];
                socket.read_exact(&mut name).await.expect("a name");
                assert!(name.starts_with(HOST.as_bytes()));
                socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.expect("it reads");
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
                let _ = copy_bidirectional(&mut socket, &mut server).await;
            });
        }
    });
    for run in both(&format!("--ca-cert ca.pem --proxy {url}"), &authority.pem()) {
        assert_eq!(events(&run.run().await.ended(0)).len(), 5);
    }
}
