//! Key files. A model is signed with a key's private half; each board knows the public half and
//! runs nothing else.
//!
//! A key file is text: lines that begin with `#` are comments, the one other line is the private
//! half, an ed25519 seed as 64 hexadecimal digits. Whoever has the file can make models that a
//! board takes, so a new one is readable by its owner alone.

use anyhow::{Context, bail};
use ed25519_dalek::SigningKey;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

const DEVELOPMENT: &str = include_str!("../../boards/keys/development.key");

pub fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read the key {name}; `cargo xtask sign --new-key {name}` makes one")
    })?;
    parse(&text).with_context(|| format!("{name}"))
}

/// Makes a key and writes its file, which must not be there yet; returns the public half.
pub fn create(path: &Path) -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random numbers")?;
    let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let mut options = OpenOptions::new();
    // Never over another key: the boards that know it would take no model any more.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!(
                "{} is there already; a key is never written over: name another file",
                path.display()
            )
        }
        _ => anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
    })?;
    let public_hex = hex(&public);
    let text = format!(
        "# Private key that signs models for Pneumoscope's boards (ed25519 seed). Keep it secret and keep a copy.\n\
         # Its public half, for board.toml: public_key = \"{public_hex}\"\n{}\n",
        hex(&seed)
    );
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(public)
}

/// Whether everybody has the private half of this key.
pub fn is_development(public: &[u8; 32]) -> bool {
    parse(DEVELOPMENT).is_ok_and(|key| key.verifying_key().as_bytes() == public)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(text: &str) -> anyhow::Result<SigningKey> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(digits), None) = (lines.next(), lines.next()) else {
        bail!("expected a key file: comments and one line of 64 hexadecimal digits");
    };
    // What is wrong is said without what stands there, which may be a secret.
    let digits = digits.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        bail!("expected 64 hexadecimal digits as the key, got a line of {} bytes", digits.len());
    }
    let mut seed = [0; 32];
    for (byte, pair) in seed.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_read_again_and_belongs_to_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let public = create(&path).unwrap();
        assert_eq!(read(&path).unwrap().verifying_key().as_bytes(), &public);
        assert!(!is_development(&public));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let before = std::fs::read(&path).unwrap();
        let error = create(&path).unwrap_err().to_string();
        assert!(error.contains("never written over"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn the_public_half_is_that_of_the_standard() {
        // RFC 8032, 7.1, TEST 1.
        let key =
            parse("# TEST 1\n9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n").unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(hex(key.verifying_key().as_bytes()), public);
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let (short, not_hex) = (&seed[1..], seed.replace('9', "x"));
        for text in ["", "# only\n", short, &not_hex, &format!("{seed}\n{seed}"), &seed.replace('6', "é")] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal digits") && !error.contains("61b1"), "{text}: {error}");
        }
    }

    #[test]
    fn the_development_key_is_known_as_such() {
        let key = parse(DEVELOPMENT).unwrap();
        assert!(is_development(key.verifying_key().as_bytes()));
        assert!(DEVELOPMENT.contains(&hex(key.verifying_key().as_bytes())), "its file names the public half");
    }
}
