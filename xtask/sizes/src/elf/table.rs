//! `firmware/calls.toml`: what a disassembly cannot say, with the reason for each entry.
//!
//! Names are those of functions as one reads them, with `*` for any text. An entry that nothing
//! needs is an error, so that the file says no more than what is relied on.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    pub call: Vec<Calls>,
    /// Functions whose stack depends on a number that only the running program has.
    #[serde(default)]
    pub frame: Vec<Frame>,
    /// Functions that come back to themselves.
    #[serde(default)]
    pub recursion: Vec<Recursion>,
    #[serde(skip)]
    used: RefCell<BTreeSet<String>>,
}

/// Whom a function calls through pointers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    pub from: String,
    pub to: Vec<String>,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    pub function: String,
    /// The greatest stack of its own.
    pub bytes: u32,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recursion {
    /// A function that every round passes.
    pub function: String,
    /// How often it is on the stack at most.
    pub times: u32,
    #[serde(rename = "why")]
    _why: String,
}

impl Table {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Whom the function of these names calls through pointers; none where nothing is said of it.
    pub fn calls(&self, names: &[String]) -> Option<Vec<&str>> {
        let mut found = None;
        for entry in self.call.iter().filter(|entry| any(&entry.from, names)) {
            self.using(format!("call from {}", entry.from));
            found.get_or_insert_with(Vec::new).extend(entry.to.iter().map(String::as_str));
        }
        found
    }

    /// Notes that a pattern of a call's `to` named a function.
    pub fn reached(&self, pattern: &str) {
        self.using(format!("call to {pattern}"));
    }

    pub fn frame(&self, names: &[String]) -> Option<u32> {
        let entry = self.frame.iter().find(|entry| any(&entry.function, names))?;
        self.using(format!("frame of {}", entry.function));
        Some(entry.bytes)
    }

    /// How often the function of these names is on the stack at most.
    pub fn times(&self, names: &[String]) -> Option<u32> {
        let entry = self.recursion.iter().find(|entry| any(&entry.function, names))?;
        self.using(format!("recursion of {}", entry.function));
        Some(entry.times)
    }

    fn using(&self, what: String) {
        self.used.borrow_mut().insert(what);
    }

    /// The entries that no program needed so far.
    pub fn unused(&self) -> Vec<String> {
        let calls = self.call.iter().flat_map(|entry| {
            let from = format!("call from {}", entry.from);
            std::iter::once(from).chain(entry.to.iter().map(|to| format!("call to {to}")))
        });
        let frames = self.frame.iter().map(|entry| format!("frame of {}", entry.function));
        let recursions = self.recursion.iter().map(|entry| format!("recursion of {}", entry.function));
        let used = self.used.borrow();
        calls.chain(frames).chain(recursions).filter(|entry| !used.contains(entry)).collect()
    }
}

/// Whether one of the names fits the pattern.
pub fn any(pattern: &str, names: &[String]) -> bool {
    names.iter().any(|name| fits(pattern, name))
}

/// Whether all of `name` fits the pattern, in which `*` stands for any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, expected) in [
            ("a::b", "a::b", true),
            ("a::b", "a::bc", false),
            ("a::*", "a::bc", true),
            ("*::c", "a::b::c", true),
            ("*::c", "a::b::cd", false),
            ("<a as *>::f*", "<a as b>::fmt", true),
            ("<a as *>::f*t", "<a as b>::f", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn an_entry_that_nothing_needs_is_named_and_one_without_a_reason_refused() {
        let text = "[[frame]]\nfunction = \"a\"\nbytes = 8\nwhy = \"b\"\n[[call]]\nfrom = \"c\"\nto = [\"d\"]\nwhy = \"e\"";
        let table: Table = toml::from_str(text).unwrap();
        assert_eq!(table.unused(), ["call from c", "call to d", "frame of a"]);
        assert_eq!(table.frame(&["a".into()]), Some(8));
        assert_eq!(table.frame(&["b".into()]), None);
        assert_eq!(table.unused(), ["call from c", "call to d"]);
        assert!(toml::from_str::<Table>("[[frame]]\nfunction = \"a\"\nbytes = 8").is_err());
    }
}
