//! The first file system of the board: a cpio archive of the form `newc`, which the kernel unpacks
//! into memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

#[derive(Clone, Default)]
pub struct Image {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

/// What an entry is, in the mode's upper bits.
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;

impl Image {
    /// A file of this machine, under another path.
    pub fn file(&mut self, path: &str, from: &Path, mode: u32) -> anyhow::Result<()> {
        let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.bytes(path, &content, mode);
        Ok(())
    }

    /// A file with this content, and the folders above it.
    pub fn bytes(&mut self, path: &str, content: &[u8], mode: u32) {
        for (end, _) in path.match_indices('/') {
            let folder = &path[..end];
            if self.folders.insert(folder.into()) {
                self.entry(folder, FOLDER | 0o755, &[]);
            }
        }
        self.entry(path, FILE | mode, content);
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let (size, name_size) = (content.len(), name.len() + 1);
        // Number, mode, owner, group, links, time, size, four device numbers, length of the name, checksum
        // (unused).
        let header = [self.entries, mode, 0, 0, 1, 0, size as u32, 0, 0, 0, 0, name_size as u32, 0];
        self.bytes.extend_from_slice(b"070701");
        self.bytes.extend(header.iter().flat_map(|field| format!("{field:08X}").into_bytes()));
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Everything begins at a multiple of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_what_cpio_makes_of_the_same_files() {
        let mut image = Image::default();
        image.bytes("a/b", b"hello", 0o755);
        let text = String::from_utf8(image.finish()).unwrap();
        let field = |entry: usize, index: usize| &text[entry + 6 + 8 * index..entry + 14 + 8 * index];
        // The folder: 110 bytes of header, `a` and a zero: 112.
        assert_eq!((field(0, 1), field(0, 11), &text[110..112]), ("000041ED", "00000002", "a\0"));
        // The file: 110 + `a/b` + zero, 114, padded to 116; then five bytes, padded to eight.
        assert_eq!((field(112, 1), field(112, 6)), ("000081ED", "00000005"));
        assert_eq!(&text[112 + 110..112 + 124], "a/b\0\0\0hello\0\0\0");
        assert_eq!(&text[236..242], "070701");
        assert!(text.contains("TRAILER!!!"));
    }
}
