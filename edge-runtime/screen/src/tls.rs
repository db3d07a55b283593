//! The certificate that the screen makes itself, and what a browser is to compare it by.

use crate::kept;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Names of the files in `access.folder`.
const CERTIFICATE: &str = "certificate.der";
const KEY: &str = "key.der";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {source}; check that access.folder is there and belongs to this program's user", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate: {0}; server.names may hold something that is no name")]
    Make(#[from] rcgen::Error),
    #[error("the certificate in {} cannot be used: {source}; remove both files there, and new ones are made", .folder.display())]
    Use { folder: PathBuf, source: tokio_rustls::rustls::Error },
}

/// A certificate with its key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    folder: PathBuf,
}

impl Identity {
    /// Reads the certificate in `folder`, or makes one for `names` (host names and addresses) and
    /// keeps it there.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn load(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::Io { path, source }
        };
        // The certificate is written last: where it is, its key is.
        if !certificate.try_exists().map_err(failed(&certificate))? {
            let (made, made_key) = make(names)?;
            kept::put(&key, &made_key).map_err(failed(&key))?;
            kept::put(&certificate, &made).map_err(failed(&certificate))?;
        }
        Ok(Self {
            certificate: fs::read(&certificate).map_err(failed(&certificate))?.into(),
            key: fs::read(&key).map_err(failed(&key))?.into(),
            folder: folder.to_owned(),
        })
    }

    /// SHA-256 of the certificate, as browsers show it: pairs of digits with colons.
    pub fn fingerprint(&self) -> String {
        let pairs =
            Sha256::digest(&self.certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        pairs.join(":")
    }

    /// What takes connections with it: TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// Key and certificate are none, or not of each other.
    pub fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let failed = |source| TlsError::Use { folder: self.folder.clone(), source };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let mut config = config
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn make(names: &[String]) -> Result<(Vec<u8>, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Pneumoscope");
    // A device's clock may be years off; the fingerprint is what is compared.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().to_vec(), key.serialize_der()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_certificate_is_made_once_and_a_foreign_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["192.0.2.1".to_owned(), "ward.example".to_owned()];
        let load = || Identity::load(folder.path(), &names).unwrap();
        let fingerprint = load().fingerprint();
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
        assert_eq!(load().fingerprint(), fingerprint);
        assert!(load().acceptor().is_ok());
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.path().join(KEY), make(&names).unwrap().1).unwrap();
        assert!(load().acceptor().is_err(), "a key of another certificate");
        fs::write(folder.path().join(CERTIFICATE), b"nothing").unwrap();
        let error = load().acceptor().err().unwrap().to_string();
        assert!(error.contains("remove both files"), "{error}");
    }
}
