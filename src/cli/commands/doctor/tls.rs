//! A TLS handshake that records the server's certificate chain, even if the chain is not trusted.
//!
//! It trusts the same certificates as the connections of the client.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::der::Decode;

use crate::transport::tls::{self, ServerVerifier};

/// The result of a handshake.
pub(super) struct Handshake<S> {
    /// The connection, or the error that prevented it.
    pub(super) stream: io::Result<TlsStream<S>>,
    /// The expiry of each certificate in the chain, the server's own first. Certificates that
    /// cannot be decoded are left out; without a chain, the list is empty.
    pub(super) expiries: Vec<Timestamp>,
}

impl<S> Handshake<S> {
    /// Returns the negotiated version, or just `TLS` if it is unknown.
    pub(super) fn version(&self) -> &'static str {
        match self.stream.as_ref().ok().and_then(|stream| stream.get_ref().1.protocol_version()) {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        }
    }
}

/// Performs a handshake that trusts the system's authorities and the certificates in `ca_cert`.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    host: &str,
    ca_cert: Option<&Path>,
    transport: S,
) -> Handshake<S> {
    let verifier = match ServerVerifier::new(ca_cert) {
        Ok(verifier) => Arc::new(RecordingVerifier { verifier, chain: Mutex::default() }),
        Err(error) => {
            return Handshake { stream: Err(io::Error::other(error)), expiries: Vec::new() };
        }
    };
    let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned());
    let stream = match name {
        Err(_) => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        Ok(name) => {
            let verifier = Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>;
            let config = tls::client_config(verifier, &[b"http/1.1"]);
            TlsConnector::from(Arc::new(config)).connect(name, transport).await
        }
    };
    let chain = verifier.chain.lock().unwrap_or_else(PoisonError::into_inner);
    Handshake { stream, expiries: chain.iter().filter_map(expiry).collect() }
}

/// Returns when a certificate expires, or `None` if it cannot be decoded.
fn expiry(certificate: &CertificateDer<'static>) -> Option<Timestamp> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let until = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    Timestamp::from_second(i64::try_from(until.as_secs()).ok()?).ok()
}

/// The verifier of all connections, which also records the chain that it verifies.
#[derive(Debug)]
struct RecordingVerifier {
    verifier: ServerVerifier,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|certificate| certificate.clone().into_owned());
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = shown.collect();
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
