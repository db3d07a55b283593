//! Keys as files: text, in which lines that begin with `#` are comments and the one other line is
//! 32 bytes as 64 hexadecimal digits. A device's public key is such a file, the private half that
//! signs is another.

use core::fmt;
use ed25519_dalek::VerifyingKey;

/// Digits of a key.
const DIGITS: usize = 64;

/// The 32 bytes of a key file's text.
///
/// # Errors
/// [`KeyFileError`], without what stands there: it may be a secret.
///
/// ```
/// let text = "# The clinic's\nd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n";
/// assert_eq!(bundle::key_file::parse(text).unwrap()[0], 0xd7);
/// assert!(bundle::key_file::parse("d75a").is_err());
/// ```
pub fn parse(text: &str) -> Result<[u8; 32], KeyFileError> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(KeyFileError::Lines);
    };
    let mut key = [0; 32];
    let mut digits = line.bytes().map(|byte| char::from(byte).to_digit(16));
    for byte in &mut key {
        let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
            return Err(KeyFileError::Digits { got: line.len() });
        };
        *byte = (high << 4 | low) as u8;
    }
    if digits.next().is_some() { Err(KeyFileError::Digits { got: line.len() }) } else { Ok(key) }
}

/// The public key of a key file's text.
///
/// # Errors
/// [`KeyFileError`]: no such file, or no point of the curve.
pub fn parse_public(text: &str) -> Result<[u8; 32], KeyFileError> {
    let key = parse(text)?;
    VerifyingKey::from_bytes(&key).map(|_| key).map_err(|_| KeyFileError::Point)
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// None or several lines that are no comments.
    Lines,
    /// The one line is something else.
    Digits {
        /// Its bytes.
        got: usize,
    },
    /// No public key of ed25519, such as the private half by mistake.
    Point,
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines => {
                write!(f, "expected a key file: comments and one line of {DIGITS} hexadecimal digits")
            }
            Self::Digits { got } => {
                write!(f, "expected {DIGITS} hexadecimal digits as the key, got a line of {got} bytes")
            }
            Self::Point => {
                write!(f, "expected the public half of an ed25519 key, got other digits; ")?;
                write!(f, "take the file ending in .pub that `sign --new-key` wrote")
            }
        }
    }
}

impl core::error::Error for KeyFileError {}
