//! What makes a connection to a broker private: whose certificates are believed, and our own.

use crate::board::Place;
use crate::config::Mqtt;
use anyhow::{Context, Result, ensure};
use base::certificate;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// For one connection; `place` is told when the certificates end that the broker shows.
pub fn config(mqtt: &Mqtt, place: &Place) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (believed, _) = roots.add_parsable_certificates(certificates(&mqtt.ca)?);
    ensure!(believed > 0, "{}: expected certificates that can be believed, got none", mqtt.ca.display());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let believes =
        WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build()?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Noting { believes, place: place.clone() }));
    let config = match (&mqtt.certificate, &mqtt.key) {
        (Some(certificate), Some(key)) => {
            let reading = || format!("the key {}: expected one in PEM", key.display());
            let secret = PrivateKeyDer::from_pem_file(key).with_context(reading)?;
            let ours = certificates(certificate)?;
            builder
                .with_client_auth_cert(ours, secret)
                .with_context(|| format!("{} and {}", certificate.display(), key.display()))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let reading = || format!("{}: expected certificates in PEM", path.display());
    let all = CertificateDer::pem_file_iter(path).with_context(reading)?;
    let all = all.collect::<Result<Vec<_>, _>>().with_context(reading)?;
    ensure!(!all.is_empty(), "{}, got none", reading());
    Ok(all)
}

/// Believes exactly what rustls does by itself, and notes when the broker's certificates end, the first
/// of them.
#[derive(Debug)]
struct Noting {
    believes: Arc<WebPkiServerVerifier>,
    place: Place,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        theirs: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let believed = self.believes.verify_server_cert(theirs, between, name, ocsp, now)?;
        let ends = [theirs].into_iter().chain(between).filter_map(|one| certificate::end(one)).min();
        self.place.set(|place| place.certificate_ends = ends.map(Into::into));
        Ok(believed)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.believes.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.believes.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.believes.supported_verify_schemes()
    }
}
