//! What makes a connection to a broker private: whose certificates are believed, and our own.

use crate::config::Mqtt;
use anyhow::{Context, Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

pub fn config(mqtt: &Mqtt) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (believed, _) = roots.add_parsable_certificates(certificates(&mqtt.ca)?);
    ensure!(believed > 0, "{}: expected certificates that can be believed, got none", mqtt.ca.display());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
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
