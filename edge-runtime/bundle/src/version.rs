//! A model's version as one number that grows with it, so that a device can refuse to go back.

use core::fmt;

/// `major.minor.patch` as `major << 20 | minor << 10 | patch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32);

/// Bits of minor and patch each.
const BITS: u32 = 10;
/// Greatest minor and patch.
const MOST: u32 = (1 << BITS) - 1;

impl Version {
    /// The version of a text such as `1.2.3`, as it stands in a model's metadata: three numbers in
    /// digits alone, major at most 4095, minor and patch at most 1023. None for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = |most: u32| -> Option<u32> {
            let digits = parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse().ok().filter(|number| *number <= most)
        };
        let (major, minor, patch) = (next(u32::MAX >> (2 * BITS))?, next(MOST)?, next(MOST)?);
        parts.next().is_none().then_some(Self(major << (2 * BITS) | minor << BITS | patch))
    }

    /// Major, minor, patch.
    pub const fn parts(self) -> [u32; 3] {
        [self.0 >> (2 * BITS), self.0 >> BITS & MOST, self.0 & MOST]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.parts();
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn versions_grow_as_their_numbers_do_and_come_back_as_text() {
        let rising = ["0.0.0", "0.0.1", "0.0.1023", "0.1.0", "1.0.0", "1.2.3", "1.10.0", "4095.1023.1023"];
        let versions = rising.map(|text| Version::parse(text).unwrap());
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert_eq!(versions.map(|version| version.to_string()), rising);
        assert_eq!(versions[5], Version(1 << 20 | 2 << 10 | 3));
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.",
            "1.2.3-rc1",
            "+1.2.3",
            "1.2.1024",
            "1.1024.0",
            "4096.0.0",
            " 1.2.3",
        ] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
