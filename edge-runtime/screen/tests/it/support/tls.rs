//! TLS as a browser has it whose user has compared the fingerprint: one certificate is trusted.

use crate::support::Site;
use sha2::{Digest, Sha256};
use std::net::TcpStream;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

/// Whom a client trusts.
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The certificate that a started screen of `site` has made.
    pub fn of(site: &Site) -> Self {
        let certificate = std::fs::read(site.path("access").join("certificate.der")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate)).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }

    /// Encryption over a connection; the handshake comes with the first bytes.
    pub fn over(&self, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.0), name).unwrap(), stream)
    }
}

/// SHA-256 of a certificate's bytes, as browsers show it.
pub fn fingerprint(certificate: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(certificate) {
        if !text.is_empty() {
            text.push(':');
        }
        text += &format!("{byte:02X}");
    }
    text
}
