//! What a data folder held: what was read, what was left out and why, whose pictures they are, and
//! which of them occur more than once. Kept in a run as `data.json`, shown by the report.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The file of a run that holds the [`Findings`].
pub const FINDINGS: &str = "data.json";

/// Most groups of pictures that are listed; all are counted.
const MOST_LISTED: usize = 200;

/// Names of one kind: how many, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    pub count: usize,
    pub first: Vec<String>,
}

impl Names {
    /// Most names that are kept.
    const MOST: usize = 5;

    pub(super) fn add(&mut self, name: String) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(name);
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.first.iter().map(|name| shown(name)).collect();
        let more = if self.count > names.len() { ", ..." } else { "" };
        write!(f, "{} ({}{more})", self.count, names.join(", "))
    }
}

/// A file's name as a message may print it: without line breaks and other control characters.
pub(super) fn shown(name: &str) -> String {
    let one = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    name.chars().map(one).collect()
}

/// Files that were not read, by the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut(pub BTreeMap<String, Names>);

impl LeftOut {
    pub(super) fn add(&mut self, why: impl Into<String>, name: String) {
        self.0.entry(why.into()).or_default().add(name);
    }

    pub fn count(&self) -> usize {
        self.0.values().map(|names| names.count).sum()
    }
}

/// Groups of pictures that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    pub count: usize,
    /// In all groups together.
    pub pictures: usize,
    /// The first groups, by the pictures' names.
    pub listed: Vec<Vec<String>>,
}

impl Groups {
    pub(super) fn add(&mut self, names: Vec<String>) {
        self.count += 1;
        self.pictures += names.len();
        if self.listed.len() < MOST_LISTED {
            self.listed.push(names);
        }
    }

    /// The names in the first few groups.
    pub(super) fn first(&self, groups: usize) -> String {
        let group = |names: &Vec<String>| names.iter().map(|n| shown(n)).collect::<Vec<_>>().join(" = ");
        let first: Vec<String> = self.listed.iter().take(groups).map(group).collect();
        let more = if self.count > first.len() { "; ..." } else { "" };
        format!("{}{more}", first.join("; "))
    }
}

/// What a data folder held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Names the data: SHA-256 over names, labels and contents ([`super::content_hash`]).
    pub sha256: String,
    /// Pictures that were read, of each class.
    pub normal: usize,
    pub pneumonia: usize,
    pub patients: usize,
    /// How patients are known, with the number of pictures.
    pub patients_by: BTreeMap<String, usize>,
    /// Pictures of whom nothing tells whose they are; each counts as a patient of its own.
    pub patients_unknown: usize,
    pub left_out: LeftOut,
    /// The same file more than once.
    pub identical: Groups,
    /// Not the same file, but the same picture as far as a perceptual hash tells.
    pub alike: Groups,
    /// Groups of either kind with both labels.
    pub contradictory: Groups,
    /// Groups of either kind of which a part may be learned from and another part is for `evaluate`.
    pub in_training_and_test: Groups,
}

impl Findings {
    pub fn pictures(&self) -> usize {
        self.normal + self.pneumonia
    }

    /// One sentence on how far patients are known.
    pub fn patients_in_words(&self) -> String {
        let by: Vec<String> = self.patients_by.iter().map(|(by, count)| format!("{count} by {by}")).collect();
        let known = match by.is_empty() {
            true => String::new(),
            false => format!("{} patients, of pictures told apart: {}. ", self.patients, by.join(", ")),
        };
        match self.patients_unknown {
            0 => known.trim_end().to_owned(),
            unknown => format!(
                "{known}Of {unknown} of {} pictures nothing tells whose they are: each counts as a patient of its own, so \
                 pictures of one patient may train and validate, and figures may be flattered; name the patients with \
                 --patients FILE",
                self.pictures()
            ),
        }
    }

    /// What the pictures' likeness means, a sentence a kind; empty where there is none.
    pub fn likeness_in_words(&self) -> Vec<(String, &Groups)> {
        let kinds = [
            (&self.identical, "occur more than once, byte for byte; each group trains or validates as one"),
            (&self.alike, "look alike without being the same file (perceptual hash)"),
            (&self.contradictory, "are labelled NORMAL in one place and PNEUMONIA in another"),
            (
                &self.in_training_and_test,
                "are in test/ and in what may be learned from: figures on test/ are flattered by them",
            ),
        ];
        let there = kinds.into_iter().filter(|(groups, _)| groups.count > 0);
        there
            .map(|(groups, what)| {
                (format!("{} groups of {} pictures {what}", groups.count, groups.pictures), groups)
            })
            .collect()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "read:   {} pictures, {} NORMAL and {} PNEUMONIA; SHA-256 {}",
            self.pictures(),
            self.normal,
            self.pneumonia,
            self.sha256
        )?;
        write!(f, "\npatients: {}", self.patients_in_words())?;
        for (why, names) in &self.left_out.0 {
            write!(f, "\nleft out: {why}: {names}")?;
        }
        for (what, groups) in self.likeness_in_words() {
            write!(f, "\nnote: {what}: {}", groups.first(3))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_named() {
        let mut left_out = LeftOut::default();
        (0..9).for_each(|i| left_out.add("masks", format!("m{i}\n.png")));
        assert_eq!(left_out.count(), 9);
        assert_eq!(
            left_out.0["masks"].to_string(),
            "9 (m0\\n.png, m1\\n.png, m2\\n.png, m3\\n.png, m4\\n.png, ...)"
        );
        let mut groups = Groups::default();
        (0..MOST_LISTED + 5).for_each(|i| groups.add(vec![format!("a{i}"), format!("b{i}")]));
        assert_eq!((groups.count, groups.pictures, groups.listed.len()), (205, 410, MOST_LISTED));
        assert_eq!(groups.first(2), "a0 = b0; a1 = b1; ...");
    }

    #[test]
    fn nothing_is_said_of_patients_that_is_not_known() {
        let by = |names: &[(&str, usize)]| names.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect();
        let known =
            Findings { normal: 3, patients: 2, patients_by: by(&[("names", 3)]), ..Findings::default() };
        assert_eq!(known.patients_in_words(), "2 patients, of pictures told apart: 3 by names.");
        let unknown = Findings { patients_unknown: 2, ..known };
        let words = unknown.patients_in_words();
        assert!(words.contains("Of 2 of 3 pictures nothing tells whose they are"), "{words}");
        assert!(words.contains("--patients FILE"), "{words}");
    }
}
