//! What can be wrong with a language's file, found by tests: English is what the others are held
//! to, and the programs' sources are what English is held to.

use crate::locale::{self, source};
use crate::{EACH_REASON, Language, reason};
use edge_core::State;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser::parse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The variables of every text, by `message` or `message.attribute`.
type Variables = BTreeMap<String, BTreeSet<String>>;

/// All texts of a file; an error names what is no text, or is there twice.
fn variables(source: &str) -> Result<Variables, String> {
    let resource = parse(source).map_err(|(_, errors)| format!("not read: {errors:?}"))?;
    let mut found = Variables::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name;
        let values = message.value.iter().map(|value| (id.to_owned(), value));
        let attributes = message.attributes.iter().map(|a| (format!("{id}.{}", a.id.name), &a.value));
        for (id, pattern) in values.chain(attributes) {
            let mut names = BTreeSet::new();
            of_pattern(pattern, &mut names);
            if found.insert(id.clone(), names).is_some() {
                return Err(format!("{id} is there twice"));
            }
        }
    }
    Ok(found)
}

fn of_pattern(pattern: &Pattern<&str>, names: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            of_expression(expression, names);
        }
    }
}

fn of_expression(expression: &Expression<&str>, names: &mut BTreeSet<String>) {
    let inline = match expression {
        Expression::Inline(inline) => inline,
        Expression::Select { selector, variants } => {
            variants.iter().for_each(|variant| of_pattern(&variant.value, names));
            selector
        }
    };
    match inline {
        InlineExpression::VariableReference { id } => {
            names.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => of_expression(expression, names),
        _ => {}
    }
}

/// What is wrong with `told`, a translation of `english`, each in words.
fn faults(english: &str, language: Language, told: &str) -> Vec<String> {
    let (english_variables, variables) = match (variables(english), variables(told)) {
        (Ok(english), Ok(variables)) => (english, variables),
        (Err(error), _) | (_, Err(error)) => return vec![error],
    };
    let mut faults = Vec::new();
    for id in variables.keys().filter(|id| !english_variables.contains_key(*id)) {
        faults.push(format!("{id} is not in English"));
    }
    let (english, told) = (locale::from(Language::English, english), locale::from(language, told));
    for (id, expected) in &english_variables {
        let Some(names) = variables.get(id) else {
            faults.push(format!("{id} is missing"));
            continue;
        };
        if names != expected {
            faults.push(format!("{id} has the variables {names:?}, in English {expected:?}"));
        }
        // 1 and 7 choose the plurals of all these languages.
        for number in [1, 7] {
            let arguments = names.iter().map(|name| (&name[..], crate::Value::from(number))).collect();
            let text = locale::format(&told, id, &arguments);
            let Some(text) = text else {
                faults.push(format!("{id} cannot be told"));
                continue;
            };
            if text.contains(['\u{2068}', '\u{2069}']) || text.trim() != text || text.is_empty() {
                faults.push(format!("{id} is empty, has blanks around it or marks in it: {text:?}"));
            }
            if language != Language::English
                && text.len() > 24
                && locale::format(&english, id, &arguments).as_ref() == Some(&text)
            {
                faults.push(format!("{id} is not translated"));
            }
        }
    }
    faults
}

#[test]
fn every_language_tells_every_text() {
    for language in Language::ALL {
        let found = faults(source(Language::English), language, source(language));
        assert!(found.is_empty(), "{language}.ftl:\n{}", found.join("\n"));
    }
}

#[test]
fn a_planted_fault_of_a_file_is_found() {
    let english = "a = One\n    .remedy = Two\nb = { $count ->\n    [one] It is one thing\n   *[other] There are { $count } things\n }\n";
    let french = english.replace("One", "Un").replace("It is", "C’est").replace("There are", "Il y a");
    let found = |from: &str, to: &str| {
        assert!(french.contains(from), "{from}");
        faults(english, Language::French, &french.replace(from, to)).join("; ")
    };
    assert_eq!(found("Un", "Un"), "");
    for (from, to, fault) in [
        ("    .remedy = Two\n", "", "a.remedy is missing"),
        ("a = Un\n    .remedy = Two\n", "", "a is missing; a.remedy is missing"),
        ("a = Un", "c = Trois\na = Un", "c is not in English"),
        ("a = Un", "b = Trois\na = Un", "b is there twice"),
        ("$count", "$number", "b has the variables {\"number\"}, in English {\"count\"}"),
        ("Un", "{ c }", "a cannot be told; a cannot be told"),
        ("Un", "{ \"\" }", "a is empty, has blanks around it or marks in it: \"\""),
    ] {
        assert!(found(from, to).contains(fault), "{from} -> {to}: {}", found(from, to));
    }
    let long = english.replace("things", "things that nobody translated");
    assert_eq!(faults(&long, Language::French, &long), ["b is not translated"]);
    assert!(found("*[other]", "[other]").starts_with("not read"), "{}", found("*[other]", "[other]"));
}

#[test]
fn what_a_language_lacks_is_told_in_english() {
    let english = locale::from(Language::English, "a = One\n    .remedy = Two\nb = { $count }");
    let lacking = locale::from(Language::French, "a = Un\nb = { $number }");
    let one = [("count", crate::Value::from(1))].into_iter().collect();
    let told = |id| locale::first([&lacking, &english], id, &one);
    assert_eq!(told("a").as_deref(), Some("Un"));
    assert_eq!(told("a.remedy").as_deref(), Some("Two"));
    assert_eq!(told("b").as_deref(), Some("1"), "a variable that nobody gives is no text");
    assert_eq!(told("c"), None);
    assert_eq!(Language::French.text("no-such-text"), "no-such-text");
}

#[test]
fn states_can_be_told_apart_in_every_language() {
    for language in Language::ALL {
        let mut words: Vec<String> = State::ALL.into_iter().map(|state| language.state(state)).collect();
        words.push(language.text("state-ready"));
        for word in &words {
            assert!(word.chars().count() <= 10, "{language}: {word} is too long for a small screen");
            assert_eq!(word.to_uppercase(), *word, "{language}");
        }
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 6, "{language}: {words:?}");
    }
    for state in State::ALL {
        assert_eq!(Language::English.state(state), state.name(), "the screen says what the log says");
    }
}

#[test]
fn every_reason_has_sentences_and_all_but_waiting_a_remedy() {
    for language in Language::ALL {
        for each in EACH_REASON {
            let told = language.reason(each);
            assert!(told.ends_with('.'), "{language}: {each:?}: {told}");
            assert_ne!(told, reason::id(each), "{language}");
            let remedy = language.remedy(each);
            assert_eq!(remedy.is_none(), *each == edge_core::Reason::Starting, "{language}: {each:?}");
            let ends = remedy.is_none_or(|remedy| remedy.ends_with('.'));
            assert!(ends, "{language}: {each:?}");
        }
    }
}

/// The ids of `text("...")` and `text_with("...")` in a source.
fn asked(source: &str) -> impl Iterator<Item = &str> {
    [".text(\"", ".text_with(\""].into_iter().flat_map(move |call| {
        source.split(call).skip(1).filter_map(|rest| rest.split_once('"').map(|(id, _)| id))
    })
}

#[test]
fn every_text_that_a_program_asks_for_is_there() {
    let english = variables(source(Language::English)).unwrap();
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut count = 0;
    for folder in ["src", "screen/src", "deliver/src", "texts/src"] {
        for file in walkdir::WalkDir::new(programs.join(folder)).into_iter().flatten() {
            if file.path().extension().is_none_or(|kind| kind != "rs") || file.path().ends_with("faults.rs") {
                continue;
            }
            let text = std::fs::read_to_string(file.path()).unwrap();
            for id in asked(&text) {
                assert!(english.contains_key(id), "{}: {id} is no text", file.path().display());
                count += 1;
            }
        }
    }
    assert!(count > 2, "{count} found");
    assert_eq!(asked("a.text(\"x\") b.text_with(\"y.z\", &[])").collect::<Vec<_>>(), ["x", "y.z"]);
}
