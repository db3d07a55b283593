//! docs/PERFORMANCE.md: text for people, with tables that are written by the program between
//! markers.

use std::fs;

use anyhow::{Context, ensure};
use toolbox::root;

const FILE: &str = "docs/PERFORMANCE.md";

/// Puts `text` between the document's lines `<!-- bench NAME -->` and `<!-- end of bench NAME -->`.
pub fn replace(name: &str, text: &str) -> anyhow::Result<()> {
    let path = root().join(FILE);
    let write = || {
        let after = replaced(&fs::read_to_string(&path)?, name, text)?;
        // Whole or not at all.
        let making = path.with_extension("md.tmp");
        fs::write(&making, after)?;
        anyhow::Ok(fs::rename(&making, &path)?)
    };
    write().with_context(|| format!("cannot update {}", path.display()))?;
    eprintln!("==> {FILE}: {name} is new");
    Ok(())
}

fn replaced(document: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let (begin, end) = (format!("<!-- bench {name} -->\n"), format!("<!-- end of bench {name} -->\n"));
    let expected = || format!("expected the lines {:?} and {:?}", begin.trim_end(), end.trim_end());
    let (head, rest) = document.split_once(&begin).with_context(expected)?;
    let (_, tail) = rest.split_once(&end).with_context(expected)?;
    ensure!(!tail.contains(&begin), "{begin:?} is there twice");
    Ok(format!("{head}{begin}\n{}\n\n{end}{tail}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Title\n\n<!-- bench a -->\nold\n<!-- end of bench a -->\n\nLast.\n";

    #[test]
    fn only_what_is_between_the_markers_changes_and_twice_is_once() {
        let once = replaced(DOCUMENT, "a", "new\n").unwrap();
        assert_eq!(once, "# Title\n\n<!-- bench a -->\n\nnew\n\n<!-- end of bench a -->\n\nLast.\n");
        assert_eq!(replaced(&once, "a", "new").unwrap(), once);
    }

    #[test]
    fn a_missing_marker_is_named() {
        let error = replaced(DOCUMENT, "b", "new").unwrap_err();
        assert!(error.to_string().contains("<!-- bench b -->"), "{error}");
        assert!(replaced(&DOCUMENT.replace("end of ", ""), "a", "new").is_err());
    }

    #[test]
    fn the_committed_document_has_every_section() {
        let text = fs::read_to_string(root().join(FILE)).unwrap();
        for name in ["x86_64", "aarch64-instructions", "cortex-m4f-instructions", "microcontrollers"] {
            replaced(&text, name, "new").unwrap();
        }
    }
}
