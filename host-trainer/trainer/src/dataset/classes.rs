//! Which names stand for which class.

use super::options::ClassName;

/// The names of both classes.
pub(super) struct Classes {
    /// In lower case, with true for PNEUMONIA.
    names: Vec<(String, bool)>,
    /// Whether the user said so; what is not named is then left out on purpose.
    pub given: bool,
}

/// What names of ill and of healthy ones contain, for a proposal: in lower case, the ill first, as
/// `abnormal` contains `normal`.
const ILL: [&str; 8] =
    ["pneumonia", "opacity", "viral", "virus", "bacteria", "abnormal", "positive", "infect"];
const HEALTHY: [&str; 5] = ["normal", "healthy", "no finding", "no_finding", "negative"];

impl Classes {
    /// A class that no pair names has its own name, and with `numbers` also 0 or 1.
    pub fn new(pairs: &[ClassName], numbers: bool) -> Self {
        let mut names: Vec<_> = pairs.iter().map(|pair| (pair.name.to_lowercase(), pair.positive)).collect();
        for (positive, word, number) in [(false, "normal", "0"), (true, "pneumonia", "1")] {
            if !pairs.iter().any(|pair| pair.positive == positive) {
                names.push((word.to_owned(), positive));
                if numbers {
                    names.push((number.to_owned(), positive));
                }
            }
        }
        Self { names, given: !pairs.is_empty() }
    }

    /// True for PNEUMONIA, false for NORMAL, none for any other name.
    pub fn of(&self, name: &str) -> Option<bool> {
        let name = name.trim().to_lowercase();
        self.names.iter().find(|(known, _)| *known == name).map(|(_, positive)| *positive)
    }

    /// The names that none of `found` is: mistyped ones, where the user gave them.
    pub fn unused<'a>(&'a self, found: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let found: Vec<String> = found.map(|name| name.trim().to_lowercase()).collect();
        let unused = self.names.iter().filter(|(name, _)| !found.contains(name));
        unused.map(|(name, _)| name.as_str()).collect()
    }
}

/// The option that would read folders or values of these names, as far as the names tell; what they
/// do not tell, a person must say.
pub(super) fn proposal<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let pair = |name: &str| {
        let lower = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        match (has(&ILL) || lower == "1", has(&HEALTHY) || lower == "0") {
            (true, _) => Some(format!("PNEUMONIA={name}")),
            (_, true) => Some(format!("NORMAL={name}")),
            _ => None,
        }
    };
    let mut pairs: Vec<String> = names.filter_map(pair).collect();
    for class in ["NORMAL", "PNEUMONIA"] {
        if !pairs.iter().any(|pair| pair.starts_with(class)) {
            pairs.push(format!("{class}=..."));
        }
    }
    pairs.sort();
    format!("--classes \"{}\"", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[&str]) -> Classes {
        Classes::new(&pairs.iter().map(|pair| pair.parse().unwrap()).collect::<Vec<_>>(), false)
    }

    #[test]
    fn capitals_do_not_matter_and_what_is_given_replaces_a_classes_own_name() {
        let plain = given(&[]);
        assert_eq!(
            (plain.of("Normal"), plain.of("pneumonia"), plain.of("1")),
            (Some(false), Some(true), None)
        );
        assert_eq!(Classes::new(&[], true).of("1"), Some(true));
        let other = given(&["PNEUMONIA=Viral Pneumonia", "pneumonia=COVID"]);
        assert_eq!((other.of("viral pneumonia"), other.of("covid")), (Some(true), Some(true)));
        assert_eq!((other.of("normal"), other.of("pneumonia")), (Some(false), None));
        assert_eq!(other.unused(["Normal", "COVID"].into_iter()), ["viral pneumonia"]);
        for wrong in ["NORMAL", "NORMAL=", "SICK=a", "=a"] {
            assert!(wrong.parse::<ClassName>().unwrap_err().contains("expected NORMAL=NAME"), "{wrong}");
        }
    }

    #[test]
    fn a_proposal_says_what_names_tell_and_no_more() {
        let of = |names: &[&str]| proposal(names.iter().copied());
        assert_eq!(
            of(&["Normal", "Viral Pneumonia", "COVID"]),
            "--classes \"NORMAL=Normal,PNEUMONIA=Viral Pneumonia\""
        );
        assert_eq!(of(&["abnormal", "a"]), "--classes \"NORMAL=...,PNEUMONIA=abnormal\"");
        assert_eq!(of(&["0", "1"]), "--classes \"NORMAL=0,PNEUMONIA=1\"");
    }
}
