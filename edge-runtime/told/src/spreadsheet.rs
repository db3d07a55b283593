//! Names in tables that people open in spreadsheets.

use std::borrow::Cow;

/// What stands in a cell for `text`, so that no spreadsheet takes it for a formula: names of files and of
/// patients come from outside. The quote before it makes it a text (OWASP, CSV
/// injection); whoever joins by it drops one quote, as [`text`] does. A text that begins with a quote gets one too.
///
/// ```
/// use told::spreadsheet::{cell, text};
///
/// assert_eq!(cell("=1+1.png"), "'=1+1.png");
/// assert_eq!(cell("film.png"), "film.png");
/// assert_eq!(text("'=1+1.png"), "=1+1.png");
/// ```
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// The text that stands in a cell.
pub fn text(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula_and_each_comes_back() {
        for name in ["=x", "+1", "-1", "@A1", "\tx", "\rx", "'=x", "''", "", "a=b", "x'"] {
            let written = cell(name);
            assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r']), "{written}");
            assert_eq!(text(&written), name);
        }
    }
}
