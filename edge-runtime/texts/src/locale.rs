//! A language's file, read once, and a text of it with its variables put in.

use crate::{Language, number};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::sync::LazyLock;

pub(crate) type Locale = FluentBundle<FluentResource>;

/// The file as it was built in.
pub(crate) const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../locales/en.ftl"),
        Language::French => include_str!("../locales/fr.ftl"),
        Language::Spanish => include_str!("../locales/es.ftl"),
        Language::Portuguese => include_str!("../locales/pt.ftl"),
        Language::Swahili => include_str!("../locales/sw.ftl"),
    }
}

/// The texts of a language; its file is read when it is asked for first.
pub(crate) fn of(language: Language) -> &'static Locale {
    static ENGLISH: LazyLock<Locale> = LazyLock::new(|| read(Language::English));
    static FRENCH: LazyLock<Locale> = LazyLock::new(|| read(Language::French));
    static SPANISH: LazyLock<Locale> = LazyLock::new(|| read(Language::Spanish));
    static PORTUGUESE: LazyLock<Locale> = LazyLock::new(|| read(Language::Portuguese));
    static SWAHILI: LazyLock<Locale> = LazyLock::new(|| read(Language::Swahili));
    match language {
        Language::English => &ENGLISH,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
        Language::Portuguese => &PORTUGUESE,
        Language::Swahili => &SWAHILI,
    }
}

fn read(language: Language) -> Locale {
    from(language, source(language))
}

/// What of `source` can be read; a test knows that it is all of each file.
pub(crate) fn from(language: Language, source: &str) -> Locale {
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(source.to_owned());
    let mut locale = Locale::new_concurrent(vec![language.code().parse().unwrap_or_default()]);
    // Marks around each variable, for scripts that run both ways: none of these languages has one.
    locale.set_use_isolating(false);
    locale.set_formatter(Some(number::formatter(language)));
    // What comes twice keeps its first text; a test finds it.
    let _ = locale.add_resource(resource);
    locale
}

/// The text `message` or `message.attribute`; none where it is missing or lacks a variable.
pub(crate) fn format(locale: &Locale, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
    let pattern = match id.split_once('.') {
        None => locale.get_message(id)?.value()?,
        Some((id, attribute)) => locale.get_message(id)?.get_attribute(attribute)?.value(),
    };
    let mut faults = Vec::new();
    let text = locale.format_pattern(pattern, Some(arguments), &mut faults);
    faults.is_empty().then(|| text.into_owned())
}

/// The same of the first locale that has it.
pub(crate) fn first(locales: [&Locale; 2], id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
    locales.into_iter().find_map(|locale| format(locale, id, arguments))
}
