//! The key is sent only to the host that the user named: not to one with an expired, mismatched or
//! self-signed certificate, and not over a broken version of TLS.
//!
//! The certificates in `tests/it/tls` were made for this with openssl, and the key of their
//! authority was deleted.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE};
use evtap::transport::client::{Client, Endpoints, Network};
use evtap::transport::credential::Credential;
use evtap::transport::key_ring::KeyRing;
use evtap::transport::sse::{self, Start};
use evtap::transport::{self, SourceConfig, observer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::KEY;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

/// Starts a server with that certificate. Returns its base URL, and what its first client sends it
/// inside TLS.
fn server(name: &'static str) -> (String, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let received = std::thread::spawn(move || {
        let certificate = CertificateDer::from_pem_file(file(name)).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(file(name)).expect("its key");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        let mut tls =
            rustls::ServerConnection::new(Arc::new(config.expect("a pair"))).expect("a server");
        let (mut socket, _) = listener.accept().expect("a connection");
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        let mut received = vec![0; 4096];
        let read = stream.read(&mut received).unwrap_or(0);
        received.truncate(read);
        let _ = stream.write_all(b"HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n");
        received
    });
    (base, received)
}

/// Connects to that origin, trusting a certificate, and returns the error.
async fn errors(base: &str, trusted: &str, live: bool) -> String {
    let network = Network { ca_cert: Some(file(trusted)), ..Network::default() };
    let client = Client::new(Endpoints::resolve(base, None, false).expect("an origin"), &network)
        .expect("a client");
    let keys = KeyRing::new(Credential::new(KEY, "a test").expect("legal"), None);
    let (limits, (tx, _rx)) = (SourceConfig::default(), transport::channel(1));
    let error = if live {
        observer::run(&client, DEMO_WORKSPACE, DEMO_CALL, &keys, &limits, &tx).await
    } else {
        sse::run(&client, DEMO_WORKSPACE, &keys, Start::default(), &limits, &tx).await
    };
    error.expect_err("no stream").to_string()
}

#[tokio::test]
async fn the_key_is_sent_only_to_a_host_with_a_valid_certificate() {
    for live in [false, true] {
        let (base, received) = server("good.pem");
        assert!(
            errors(&base, "ca.pem", live).await.contains("(401)"),
            "the TLS connection was accepted, and the server has answered"
        );
        let received = String::from_utf8_lossy(&received.join().expect("a server")).into_owned();
        assert!(received.contains(KEY), "{received}");
        for name in ["expired.pem", "other.pem", "self.pem"] {
            let (base, received) = server(name);
            let error = errors(&base, "ca.pem", live).await;
            assert!(error.contains("certificate"), "{name}: {error}");
            assert!(!error.contains(KEY));
            assert_eq!(received.join().expect("a server"), b"", "{name}");
        }
    }
}

/// `self.pem` is an authority (CA:TRUE), as `openssl req -x509` creates it.
#[tokio::test]
async fn a_self_signed_certificate_is_accepted_if_exactly_it_is_trusted() {
    for live in [false, true] {
        let (base, received) = server("self.pem");
        let error = errors(&base, "self.pem", live).await;
        assert!(error.contains("(401)"), "the server has answered: {error}");
        let received = String::from_utf8_lossy(&received.join().expect("a server")).into_owned();
        assert!(received.contains(KEY), "{received}");
        for name in ["good.pem", "expired.pem"] {
            let (base, received) = server(name);
            let error = errors(&base, "self.pem", live).await;
            assert!(error.contains("certificate"), "{name}: {error}");
            assert_eq!(received.join().expect("a server"), b"", "{name}");
        }
        let (base, received) = server("expired.pem");
        let error = errors(&base, "expired.pem", live).await;
        assert!(error.contains("expired"), "{error}");
        assert_eq!(received.join().expect("a server"), b"");
    }
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    for version in [[3, 0], [3, 1], [3, 2]] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let received = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a connection");
            let mut hello = [0; 4096];
            let _ = socket.read(&mut hello);
            // A ServerHello of that version: random bytes, no session,
            // TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
            let hello = [&[2, 0, 0, 38][..], &version, &[7; 32], &[0, 0, 0x2f, 0]].concat();
            let record = [&[22][..], &version, &[0, 42], &hello].concat();
            let _ = socket.write_all(&record);
            let mut rest = Vec::new();
            let _ = socket.read_to_end(&mut rest);
            rest
        });
        let error = errors(&base, "ca.pem", false).await;
        assert!(!error.contains(KEY) && error.contains("TLS"), "{error}");
        let rest = received.join().expect("a server");
        assert!(!String::from_utf8_lossy(&rest).contains(KEY));
        assert_eq!(rest.first().copied().unwrap_or(21), 21, "nothing but an alert follows");
    }
}
