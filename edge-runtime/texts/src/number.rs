//! Numbers as a language writes them.

use crate::Language;
use fluent_bundle::FluentValue;
use fluent_bundle::types::{FluentNumber, FluentNumberOptions};

/// A number with so many digits after its point, for [`Language::text_with`].
pub fn fixed(value: f64, digits: usize) -> FluentValue<'static> {
    let options = FluentNumberOptions {
        minimum_fraction_digits: Some(digits),
        maximum_fraction_digits: Some(digits),
        ..FluentNumberOptions::default()
    };
    FluentValue::Number(FluentNumber::new(value, options))
}

/// What stands before the digits after the point, and what groups those before it by three.
struct Marks {
    point: char,
    group: char,
}

const fn marks(language: Language) -> Marks {
    match language {
        Language::English | Language::Swahili => Marks { point: '.', group: ',' },
        // A space that no line breaks at, as the SI brochure and these languages' academies have it.
        Language::French | Language::Spanish | Language::Portuguese => Marks { point: ',', group: '\u{a0}' },
    }
}

impl Language {
    /// `value` with so many digits after its point, as this language writes it.
    ///
    /// ```
    /// assert_eq!(texts::Language::English.number(-12345.678, 1), "-12,345.7");
    /// assert_eq!(texts::Language::Portuguese.number(0.5, 2), "0,50");
    /// ```
    pub fn number(self, value: f64, digits: usize) -> String {
        let Marks { point, group } = marks(self);
        let plain = format!("{value:.digits$}");
        let (sign, plain) = plain.strip_prefix('-').map_or(("", &plain[..]), |rest| ("-", rest));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        // Four digits are read as one: 1500.
        let grouped = whole.len() > 4 && whole.bytes().all(|digit| digit.is_ascii_digit());
        let mut text = sign.to_owned();
        for (at, digit) in whole.char_indices() {
            if grouped && at > 0 && (whole.len() - at).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }
}

/// Writes the numbers among a text's variables, or none of them for another kind.
pub(crate) type Formatter<M> = fn(&FluentValue<'_>, &M) -> Option<String>;

pub(crate) fn formatter<M>(language: Language) -> Formatter<M> {
    match language {
        Language::English => |value, _| write(Language::English, value),
        Language::French => |value, _| write(Language::French, value),
        Language::Spanish => |value, _| write(Language::Spanish, value),
        Language::Portuguese => |value, _| write(Language::Portuguese, value),
        Language::Swahili => |value, _| write(Language::Swahili, value),
    }
}

fn write(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) => {
            let digits = number.options.minimum_fraction_digits.unwrap_or(0);
            Some(language.number(number.value, digits))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_marks() {
        let told = |value, digits| Language::ALL.map(|language| language.number(value, digits));
        let french = "1\u{a0}234\u{a0}567,9";
        assert_eq!(told(1_234_567.89, 1), ["1,234,567.9", french, french, french, "1,234,567.9"]);
        assert_eq!(told(1500.0, 0), ["1500"; 5]);
        assert_eq!(told(-0.25, 2), ["-0.25", "-0,25", "-0,25", "-0,25", "-0.25"]);
        assert_eq!(told(f64::NEG_INFINITY, 1), ["-inf"; 5]);
        assert_eq!(told(f64::NAN, 3), ["NaN"; 5]);
    }
}
