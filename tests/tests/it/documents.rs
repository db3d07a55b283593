//! The documents speak of the shipped model: each hash in them is one of its own.

use conformance::root;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// Fewest hexadecimal digits by which a model is named.
const DIGITS: usize = 12;

/// Words of hexadecimal digits alone, as long as a short hash or longer.
fn hashes(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        word.len() >= DIGITS && word.bytes().all(hex) && word.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// Hashes in a document that begin none of the model's own.
fn foreign<'t>(text: &'t str, own: &[String]) -> BTreeSet<&'t str> {
    hashes(text).filter(|hash| !own.iter().any(|own| own.starts_with(hash))).collect()
}

/// The model's hashes: of its file, of what it says, of its packed form, of its training data.
fn own_hashes() -> Vec<String> {
    let (model, ..) = crate::shipped();
    let file = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("the shipped file");
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let path = conformance::shipped_model();
    let data = model.metadata().training_data_sha256.to_string();
    vec![file(path.clone()), file(path.with_extension("packed")), model.sha256().to_owned(), data]
}

#[test]
fn every_hash_in_a_document_is_of_the_shipped_model() {
    let listed = Command::new("git").args(["ls-files", "*.md"]).current_dir(root()).output();
    let listed = String::from_utf8(listed.expect("git lists the documents").stdout).expect("UTF-8");
    let documents: Vec<&str> = listed.lines().filter(|path| !path.ends_with("CHANGELOG.md")).collect();
    assert!(documents.len() >= 8, "{documents:?}");
    let own = own_hashes();
    let mut found = BTreeSet::new();
    for path in documents {
        let text = std::fs::read_to_string(root().join(path)).expect("a document");
        found.extend(foreign(&text, &own).into_iter().map(|hash| (path.to_owned(), hash.to_owned())));
    }
    assert_eq!(found, BTreeSet::new(), "measure again, and name the shipped model");
}

#[test]
fn a_planted_hash_of_another_model_is_found() {
    let own = ["8cff722358d7".repeat(4)];
    assert_eq!(foreign("model 8cff722358d7 of 2026, 144,104 bytes, deadbeef", &own), BTreeSet::new());
    assert_eq!(foreign("model `8cff722358d8`.", &own), BTreeSet::from(["8cff722358d8"]));
}
