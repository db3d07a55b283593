//! Which names stand for which class.

use super::error::DatasetError;
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
/// Words that turn round what stands behind them.
const NOT: [&str; 5] = ["no", "not", "non", "without", "excluded"];

impl Classes {
    /// A class that no pair names has its own name, and with `numbers` also 0 or 1.
    ///
    /// # Errors
    /// A name that stands for both classes.
    pub fn new(pairs: &[ClassName], numbers: bool) -> Result<Self, DatasetError> {
        let given = |name: &ClassName| (name.name.to_lowercase(), name.positive);
        let own = Self::own(numbers).names.into_iter();
        let own = own.filter(|(_, positive)| !pairs.iter().any(|pair| pair.positive == *positive));
        let names: Vec<_> = pairs.iter().map(given).chain(own).collect();
        match names.iter().find(|(name, positive)| names.contains(&(name.clone(), !positive))) {
            Some((name, _)) => Err(DatasetError::BothClasses { name: name.clone() }),
            None => Ok(Self { names, given: !pairs.is_empty() }),
        }
    }

    /// Both under their own names.
    pub fn own(numbers: bool) -> Self {
        let all = [("normal", false), ("pneumonia", true), ("0", false), ("1", true)];
        let all = all.into_iter().take(if numbers { 4 } else { 2 });
        Self { names: all.map(|(name, positive)| (name.to_owned(), positive)).collect(), given: false }
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
        let has = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
        let turned = lower.split(|c: char| !c.is_alphanumeric()).any(|word| NOT.contains(&word));
        let ill = has(&lower, &ILL) || ["1", "1.0"].contains(&&*lower);
        let healthy = has(&lower.replace("abnormal", ""), &HEALTHY) || ["0", "0.0"].contains(&&*lower);
        match (ill, healthy) {
            (true, false) if !turned => Some(format!("PNEUMONIA={name}")),
            (false, true) => Some(format!("NORMAL={name}")),
            // What is not viral may be bacterial, and what is negative for one thing may be ill of another.
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
        all(pairs).unwrap()
    }

    fn all(pairs: &[&str]) -> Result<Classes, DatasetError> {
        Classes::new(&pairs.iter().map(|pair| pair.parse().unwrap()).collect::<Vec<_>>(), false)
    }

    #[test]
    fn a_name_of_both_classes_is_refused_by_name() {
        let both = [
            (&["NORMAL=Viral", "PNEUMONIA=viral"][..], "viral"),
            (&["NORMAL=a", "PNEUMONIA=b", "PNEUMONIA=A"], "a"),
            // The other class has its own name still.
            (&["NORMAL=Pneumonia"], "pneumonia"),
        ];
        for (pairs, name) in both {
            let error = all(pairs).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(&format!("\"{name}\" stands for NORMAL and for PNEUMONIA")), "{error}");
        }
        let one: [ClassName; 1] = ["NORMAL=1".parse().unwrap()];
        assert!(Classes::new(&one, true).is_err() && Classes::new(&one, false).is_ok());
        // Turned round on purpose, or said twice.
        let turned = given(&["NORMAL=pneumonia", "PNEUMONIA=normal", "NORMAL=Pneumonia"]);
        assert_eq!((turned.of("normal"), turned.of("pneumonia")), (Some(true), Some(false)));
    }

    #[test]
    fn capitals_do_not_matter_and_what_is_given_replaces_a_classes_own_name() {
        let plain = given(&[]);
        assert_eq!(
            (plain.of("Normal"), plain.of("pneumonia"), plain.of("1")),
            (Some(false), Some(true), None)
        );
        assert_eq!(Classes::own(true).of("1"), Some(true));
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
        assert_eq!(of(&["0.0", "1.0"]), "--classes \"NORMAL=0.0,PNEUMONIA=1.0\"");
        for doubtful in ["no_pneumonia", "non-viral", "pneumonia negative", "Not infected"] {
            assert_eq!(
                of(&[doubtful, "pneumonia"]),
                "--classes \"NORMAL=...,PNEUMONIA=pneumonia\"",
                "{doubtful}"
            );
        }
    }
}
