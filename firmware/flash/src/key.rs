//! Key files. A model is signed with a key's private half; each board knows the public half and
//! runs nothing else.
//!
//! A key file is text: lines that begin with `#` are comments, the one other line is the private
//! half, an ed25519 seed as 64 hexadecimal digits. Whoever has the file can make models that a
//! board takes, so a new one is readable by its owner alone.

use anyhow::{Context, ensure};
use ed25519_dalek::SigningKey;
use edge_model::files;
use firmware::bundle::key_file;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const DEVELOPMENT: &str = include_str!("../../boards/keys/development.key");

pub fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read the key {name}; `cargo xtask sign --new-key {name}` makes one")
    })?;
    parse(&text).with_context(|| format!("{name}"))
}

/// The file of the public half beside a key's: what a device with Linux keeps.
pub fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

/// Makes a key and writes its file and that of its public half, of which none may be there yet;
/// returns the public half.
pub fn create(path: &Path) -> anyhow::Result<[u8; 32]> {
    let public_file = public_path(path);
    ensure!(public_file != path, "{} is the public half's name: give the key another ending", path.display());
    // Before the private half is there, without which it would be of no use.
    ensure!(!public_file.exists(), "{}", already_there(&public_file));
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random numbers")?;
    let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let mut options = OpenOptions::new();
    // Never over another key: the boards that know it would take no model any more.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow::Error::msg(already_there(path)),
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
    let text = format!(
        "# Public key of models for Pneumoscope (ed25519). On a device with Linux: /etc/pneumoscope/keys/NAME.pub\n\
         {public_hex}\n"
    );
    files::write(&public_file, text.as_bytes())?;
    Ok(public)
}

fn already_there(path: &Path) -> String {
    format!("{} is there already; a key is never written over: name another file", path.display())
}

/// Whether everybody has the private half of this key.
pub fn is_development(public: &[u8; 32]) -> bool {
    parse(DEVELOPMENT).is_ok_and(|key| key.verifying_key().as_bytes() == public)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(text: &str) -> anyhow::Result<SigningKey> {
    // What is wrong is said without what stands there, which may be a secret.
    Ok(SigningKey::from_bytes(&key_file::parse(text)?))
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
        let text = std::fs::read_to_string(public_path(&path)).unwrap();
        assert_eq!(key_file::parse_public(&text), Ok(public));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let before = std::fs::read(&path).unwrap();
        let error = create(&path).unwrap_err().to_string();
        assert!(error.contains("never written over"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // Neither is the public half's file, which another key may have.
        let error = create(&folder.path().join("a.other")).unwrap_err().to_string();
        assert!(error.contains("a.pub is there already"), "{error}");
        assert!(!folder.path().join("a.other").exists());
        assert!(create(&folder.path().join("b.pub")).is_err());
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
