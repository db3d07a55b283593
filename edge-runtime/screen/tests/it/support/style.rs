//! As much of a style sheet as says how lamps are lit.

use std::collections::BTreeMap;

type Declarations = BTreeMap<String, String>;

/// Rules outside of `@` blocks, and what each animation sets from half of its time on.
pub struct Style {
    rules: Vec<(String, Declarations)>,
    halfway: BTreeMap<String, Declarations>,
}

/// Splits `prelude { body } rest` at the brace that closes.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let from = text.find('{')?;
    let mut depth = 0;
    let to = text[from..].char_indices().find(|(_, character)| {
        depth += i32::from(*character == '{') - i32::from(*character == '}');
        depth == 0
    });
    let to = from + to?.0;
    Some((text[..from].trim(), &text[from + 1..to], &text[to + 1..]))
}

fn declarations(body: &str) -> Declarations {
    let pairs = body.split(';').filter_map(|declaration| declaration.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

impl Style {
    pub fn parse(text: &str) -> Self {
        let parts = text.split("/*").enumerate();
        let text: String =
            parts.map(|(n, part)| if n == 0 { part } else { part.split_once("*/").unwrap().1 }).collect();
        let (mut style, mut rest) = (Self { rules: Vec::new(), halfway: BTreeMap::new() }, &text[..]);
        while let Some((prelude, body, after)) = block(rest) {
            rest = after;
            if let Some(name) = prelude.strip_prefix("@keyframes ") {
                if let Some(("50%", set, _)) = block(body) {
                    style.halfway.insert(name.to_owned(), declarations(set));
                }
            } else if !prelude.starts_with('@') {
                let selectors = prelude.split(',').map(|selector| selector.trim().to_owned());
                style.rules.extend(selectors.map(|selector| (selector, declarations(body))));
            }
        }
        assert!(!style.rules.is_empty() && !style.halfway.is_empty(), "{text}");
        style
    }

    /// What is declared for exactly this selector, by the last rule that does.
    fn value(&self, selector: &str, property: &str) -> Option<&str> {
        let own = self.rules.iter().rev().filter(|(of, _)| of == selector);
        own.filter_map(|(_, set)| set.get(property)).next().map(|value| self.resolved(value))
    }

    /// A variable's value for `var(--name)`.
    fn resolved<'s>(&'s self, value: &'s str) -> &'s str {
        let name = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')'));
        name.map_or(value, |name| self.value(":root", name).unwrap_or_else(|| panic!("{name}")))
    }

    /// How a lamp is painted in an answer of this class, so long after it came. An animation in steps
    /// of one holds what is declared for half of its time, and then what its keyframe sets.
    fn paint(&self, class: &str, lamp: &str, ms: u64) -> &str {
        let rule = format!(".{class} .lamps .{lamp}");
        let paint = self.value(&rule, "fill").unwrap_or(self.dark());
        let Some(animation) = self.value(&rule, "animation") else { return paint };
        let [name, period, "steps(1)", "infinite"] = animation.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{animation}");
        };
        let period: f64 = period.strip_suffix('s').unwrap().parse().unwrap();
        let second_half = (ms as f64 / 1000.0 / period).fract() >= 0.5;
        let set = self.halfway.get(name).and_then(|set| set.get("fill")).filter(|_| second_half);
        set.map_or(paint, |set| self.resolved(set))
    }

    /// A lamp that is not lit.
    fn dark(&self) -> &str {
        self.value(".lamps circle", "fill").unwrap()
    }

    pub fn lit(&self, class: &str, lamp: &str, ms: u64) -> bool {
        self.paint(class, lamp, ms) != self.dark()
    }

    /// The colour of a lamp: red, green, blue, of 255.
    pub fn light(&self, class: &str, lamp: &str, ms: u64) -> [f64; 3] {
        rgb(self.paint(class, lamp, ms))
    }

    /// Relative luminance by WCAG 2.2 of the first colour that a property has.
    pub fn luminance(&self, selector: &str, property: &str) -> f64 {
        let value = self.value(selector, property).unwrap_or_else(|| panic!("{selector} {property}"));
        let linear = |level: f64| {
            let level = level / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = rgb(value).map(linear);
        0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
    }
}

/// The first `#rrggbb` or `#rgb` of a value.
fn rgb(value: &str) -> [f64; 3] {
    let hex = value.split_once('#').unwrap_or_else(|| panic!("{value}")).1;
    let end = hex.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(hex.len());
    let level = |digits: &str| f64::from(u8::from_str_radix(digits, 16).unwrap());
    match end {
        3 => [0, 1, 2].map(|at| 17.0 * level(&hex[at..=at])),
        6 => [0, 2, 4].map(|at| level(&hex[at..at + 2])),
        _ => panic!("{value}"),
    }
}
