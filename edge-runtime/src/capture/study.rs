//! Which pictures belong to one study, by the names of their files, where nothing better is known.
//!
//! Two names are of one study where they are the same but for endings of this table, of which a
//! name may have one of each kind, behind `_`, `-`, `.` or a space; a number may stand in brackets:
//!
//! | ending | is | the same study | frontal |
//! | --- | --- | --- | --- |
//! | `pa`, `ap`, `front`, `frontal` | a view | yes | yes |
//! | `lat`, `lateral`, `ll`, `rl`, `obl`, `oblique` | a view | yes | no |
//! | 1 to 99, as in `A1234-2`, `Mary Banda (2)` | a picture's number | yes, where a name stands before it | as far as is known |
//! | 1 to 99 behind general words or a date, as in `scan-2`, `IMG_20261129-2` | a running number of different patients | no | as far as is known |
//! | anything else, as in `IM-0001-0002`, `film2` | | no | as far as is known |
//!
//! Capitals are no difference, nor is the kind of file. Views that are surnames too (`Rao`, `Side`) are
//! none of the table. In doubt pictures stay apart: an answer
//! that is the worst of several children's would hide whose it is.

/// Words for a view, and whether it is a frontal one.
const VIEWS: [(&str, bool); 10] = [
    ("pa", true),
    ("ap", true),
    ("front", true),
    ("frontal", true),
    ("lat", false),
    ("lateral", false),
    ("ll", false),
    ("rl", false),
    ("obl", false),
    ("oblique", false),
];

/// Words that name no patient: a number behind them counts pictures or patients.
const GENERAL: [&str; 36] = [
    "scan", "scanned", "image", "images", "img", "im", "film", "films", "picture", "pic", "photo", "foto",
    "x", "ray", "xray", "rx", "cr", "dx", "cxr", "chest", "thorax", "untitled", "new", "document", "doc",
    "dsc", "dscn", "file", "page", "series", "export", "patient", "person", "child", "case", "no",
];

/// What a file's name says of its study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyName {
    /// The name without view, number and kind of file.
    pub base: String,
    /// Whether it names itself a frontal view; none where it says nothing.
    pub frontal: Option<bool>,
}

impl StudyName {
    /// Reads a file's name, with or without the folders before it.
    pub fn of(file: &str) -> Self {
        let name = file.rsplit('/').next().unwrap_or(file);
        // A dot may end a name too, as in `A1234.pa`: a kind of file has a letter and is no view.
        let stem = match name.rsplit_once('.') {
            Some((stem, kind)) if !stem.is_empty() && is_kind(kind) => stem,
            _ => name,
        };
        let (mut base, mut frontal, mut numbered) = (stem, None, false);
        loop {
            if let (None, Some((rest, view))) = (frontal, without_view(base)) {
                (base, frontal) = (rest, Some(view));
            } else if let (false, Some(rest)) = (numbered, without_number(base)) {
                (base, numbered) = (rest, true);
            } else {
                return Self { base: base.to_owned(), frontal };
            }
        }
    }

    /// What two names of one study have in common.
    pub fn key(&self) -> String {
        self.base.to_lowercase()
    }
}

fn is_kind(kind: &str) -> bool {
    let known = VIEWS.iter().any(|(view, _)| kind.eq_ignore_ascii_case(view));
    !known && kind.len() <= 5 && kind.chars().any(char::is_alphabetic)
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | ' ')
}

/// The part before the last separator and the word behind it; both say something.
fn last_word(name: &str) -> Option<(&str, &str)> {
    let (rest, word) = name.rsplit_once(is_separator)?;
    let rest = rest.trim_end_matches(is_separator);
    (!rest.is_empty() && !word.is_empty()).then_some((rest, word))
}

fn without_view(name: &str) -> Option<(&str, bool)> {
    let (rest, word) = last_word(name)?;
    let (_, frontal) = VIEWS.iter().find(|(view, _)| word.eq_ignore_ascii_case(view))?;
    Some((rest, *frontal))
}

fn without_number(name: &str) -> Option<&str> {
    let bracketed = name.strip_suffix(')').and_then(|name| name.rsplit_once('('));
    let (rest, number) = match bracketed {
        Some((rest, number)) => (rest.trim_end_matches(is_separator), number),
        None => last_word(name)?,
    };
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let counts = digits && number.bytes().any(|byte| byte != b'0');
    (counts && !is_general(rest)).then_some(rest)
}

/// Whether a name holds general words and dates only, so that a number behind it tells patients
/// apart.
fn is_general(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let mut words = words.map(str::to_lowercase);
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    // A day, with minutes or seconds of it or without.
    let is_date = matches!(digits.len(), 8 | 12 | 14) && ["19", "20"].iter().any(|c| digits.starts_with(c));
    words.all(|word| GENERAL.contains(&word.as_str())) && (digits.is_empty() || is_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> (String, Option<bool>) {
        let StudyName { base, frontal } = StudyName::of(name);
        (base, frontal)
    }

    #[test]
    fn the_table_is_kept() {
        let (front, side) = (Some(true), Some(false));
        let cases = [
            ("A1234_pa.png", "A1234", front),
            ("A1234-AP.JPG", "A1234", front),
            ("A1234 lateral.dcm", "A1234", side),
            ("A1234.lat.png", "A1234", side),
            ("A1234.lat", "A1234", side),
            ("A1234-2.png", "A1234", None),
            ("A1234 (2).png", "A1234", None),
            ("A1234(12).png", "A1234", None),
            ("Mary Banda (2).jpeg", "Mary Banda", None),
            ("Mary Banda_02.jpeg", "Mary Banda", None),
            ("person17_virus_3.jpeg", "person17_virus", None),
            ("day1/A1234_pa_2.png", "A1234", front),
            ("A1234-1_lat", "A1234", side),
            ("0001-1.png", "0001", None),
            // One of each kind at the most.
            ("A1234_pa_lat.png", "A1234_pa", side),
            ("A1234-1-2.png", "A1234-1", None),
            // Numbers that tell patients apart.
            ("scan-2.png", "scan-2", None),
            ("IMG_20261129-2.png", "IMG_20261129-2", None),
            ("2026-11-29 14.05 (3).png", "2026-11-29 14.05 (3)", None),
            ("X-ray 7.png", "X-ray 7", None),
            ("patient_12.png", "patient_12", None),
            ("Untitled (1).png", "Untitled (1)", None),
            // No number of a picture, and no view.
            ("IM-0001-0002.dcm", "IM-0001-0002", None),
            ("A1234-0.png", "A1234-0", None),
            ("A1234-100.png", "A1234-100", None),
            ("A1234-+2.png", "A1234-+2", None),
            ("film2.png", "film2", None),
            ("A1234pa.png", "A1234pa", None),
            ("Priya Rao.png", "Priya Rao", None),
            ("pa.png", "pa", None),
            ("-2.png", "-2", None),
            ("IM000001", "IM000001", None),
            ("", "", None),
        ];
        for (name, base, frontal) in cases {
            assert_eq!(of(name), (base.to_owned(), frontal), "{name}");
        }
    }

    #[test]
    fn capitals_and_the_kind_of_file_are_no_difference() {
        let key = |name| StudyName::of(name).key();
        assert_eq!(key("DOE_PA.png"), key("doe_lat.DCM"));
        assert_ne!(key("DOE2.png"), key("DOE3.png"));
    }

    proptest::proptest! {
        #[test]
        fn any_name_has_a_study_that_is_part_of_it(name in ".{0,40}") {
            let study = StudyName::of(&name);
            proptest::prop_assert!(name.contains(&study.base));
            proptest::prop_assert!(!study.base.is_empty() || name.is_empty() || name.ends_with('/'));
        }
    }
}
