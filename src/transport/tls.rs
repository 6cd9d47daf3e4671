//! TLS: which certificates of servers are trusted.
//!
//! The system's verifier decides, with the certificates of `--ca-cert` as additional authorities.
//! It refuses a certificate that is both an authority's and the server's own, which is what
//! `openssl req -x509` creates. If `--ca-cert` contains exactly the server's own certificate, no
//! chain is needed, so only the host name, the validity and the purpose are checked.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_cert::der::Decode;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use crate::error::{Error, Exit, Result};
use crate::transport::input_file;

/// The maximum size of the file of `--ca-cert`, in bytes. The authorities of a whole system fit.
const CERTIFICATES_LIMIT: u64 = 4 << 20;

/// The purpose of a server's certificate (RFC 5280, section 4.2.1.12).
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Creates the configuration of a client that verifies servers with `verifier` and offers these
/// protocols.
pub(crate) fn client_config(
    verifier: Arc<dyn ServerCertVerifier>,
    protocols: &[&[u8]],
) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Verifies the certificates of servers.
#[derive(Debug)]
pub struct ServerVerifier {
    system: Verifier,
    /// The certificates of `--ca-cert`.
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerVerifier {
    /// Creates a verifier that trusts the system's authorities and the certificates in `ca_cert`.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or is not PEM, or if there are no authorities at all.
    pub fn new(ca_cert: Option<&Path>) -> Result<Self> {
        let trusted = ca_cert.map(certificates).transpose()?.unwrap_or_default();
        let system =
            Verifier::new_with_extra_roots(trusted.clone(), provider()).map_err(
                |_| match ca_cert {
                    Some(path) => unusable(path, "a certificate in it is invalid"),
                    None => Error::new(
                        Exit::Failure,
                        "cannot set up TLS",
                        "the system has no CA certificates, or they cannot be read",
                        "install the system's CA certificates, or name a file with --ca-cert",
                    ),
                },
            )?;
        Ok(Self { system, trusted })
    }
}

/// Returns whether a certificate is valid now and may be used by a server.
fn is_valid_server(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok(certificate) = x509_cert::Certificate::from_der(certificate) else { return false };
    let certificate = certificate.tbs_certificate();
    let validity = certificate.validity();
    let [from, until] =
        [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
    let is_for_servers = match certificate.get_extension::<ExtendedKeyUsage>() {
        Ok(None) => true,
        Ok(Some((_, purposes))) => purposes.0.contains(&SERVER_AUTH),
        Err(_) => false,
    };
    (from..=until).contains(&now.as_secs()) && is_for_servers
}

/// Reads the certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = input_file::read(path, CERTIFICATES_LIMIT)
        .map_err(|error| unusable(path, &input_file::cause(&error)))?
        .bytes;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(unusable(path, "no certificate could be read from it")),
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::usage(
        format!("cannot use the certificates in {}", path.display()),
        why,
        "check the path of --ca-cert: it must be a PEM file",
    )
    .with_setting("--ca-cert")
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.system
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .or_else(|error| {
                if !self.trusted.contains(end_entity) {
                    return Err(error);
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                if is_valid_server(end_entity, now) {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(error)
                }
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rcgen::{
        BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    };
    use rustls::CertificateError;

    use super::*;

    /// Creates a certificate like that of `openssl req -x509`, and changes it.
    fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate")
    }

    fn verify(
        trusted: &Certificate,
        shown: &Certificate,
        host: &'static str,
    ) -> Result<(), rustls::Error> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(trusted.pem().as_bytes()).expect("written");
        let verifier = ServerVerifier::new(Some(file.path())).expect("a certificate");
        let name = ServerName::try_from(host).expect("a name");
        verifier.verify_server_cert(shown.der(), &[], &name, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn a_self_signed_authority_is_accepted_as_a_server_if_exactly_it_is_trusted() {
        let certificate = self_signed(|_| ());
        assert_eq!(verify(&certificate, &certificate, "a.example"), Ok(()));
        let plain = self_signed(|params| params.is_ca = IsCa::NoCa);
        assert_eq!(verify(&plain, &plain, "a.example"), Ok(()));
        let other = self_signed(|_| ());
        assert!(verify(&other, &certificate, "a.example").is_err(), "only its name is the same");
    }

    #[test]
    fn the_name_the_validity_and_the_purpose_of_a_trusted_certificate_are_checked() {
        let certificate = self_signed(|_| ());
        for host in ["b.example", "x.a.example", "127.0.0.1"] {
            assert!(verify(&certificate, &certificate, host).is_err(), "{host}");
        }
        let expired = self_signed(|params| {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        });
        let error = verify(&expired, &expired, "a.example").expect_err("expired");
        assert!(
            matches!(
                error,
                rustls::Error::InvalidCertificate(
                    CertificateError::Expired | CertificateError::ExpiredContext { .. }
                )
            ),
            "{error}"
        );
        let early = self_signed(|params| params.not_before = rcgen::date_time_ymd(2200, 1, 1));
        assert!(verify(&early, &early, "a.example").is_err());
        for (purpose, accepted) in [
            (ExtendedKeyUsagePurpose::ServerAuth, true),
            (ExtendedKeyUsagePurpose::ClientAuth, false),
        ] {
            let certificate = self_signed(|params| params.extended_key_usages = vec![purpose]);
            let verified = verify(&certificate, &certificate, "a.example");
            assert_eq!(verified.is_ok(), accepted, "{verified:?}");
        }
    }
}
