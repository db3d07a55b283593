//! CSV files that say something of pictures: comma, semicolon or tab between columns, a header on top.

use super::classes::Classes;
use super::error::DatasetError;
use super::files::{Files, Found};
use super::findings::shown;
use super::walk::{Kind, Tree, kind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names of columns that are found without being named, in lower case without spaces and underscores.
pub(super) const IMAGES: [&str; 9] =
    ["image", "images", "filename", "file", "path", "imageindex", "imageid", "imagepath", "imagename"];
pub(super) const LABELS: [&str; 5] = ["label", "labels", "class", "target", "findinglabels"];
pub(super) const PATIENTS: [&str; 4] = ["patient", "patientid", "subjectid", "subject"];

/// What stands in lists for what is not known.
const UNKNOWN: [&str; 8] = ["na", "n/a", "nan", "none", "null", "unknown", "-", "?"];

/// Rows that a proposal looks at.
const LOOKED_AT: usize = 1000;

pub(super) struct Table {
    pub path: PathBuf,
    pub header: Vec<String>,
    /// As many fields as the header has.
    pub rows: Vec<Vec<String>>,
    /// Each row's line in the file, from 1.
    lines: Vec<usize>,
}

impl Table {
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let bytes =
            std::fs::read(path).map_err(|error| DatasetError::Io { path: path.to_path_buf(), error })?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            let reason = "expected a CSV file in UTF-8, got one in UTF-16; save it as \"CSV UTF-8\"".into();
            return Err(DatasetError::Table { path: path.to_path_buf(), reason });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let often = |delimiter: &u8| first.iter().filter(|byte| *byte == delimiter).count();
        let delimiter = *b",;\t".iter().rev().max_by_key(|d| often(d)).unwrap_or(&b',');
        let text = |record: &csv::ByteRecord| -> Vec<String> {
            record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect()
        };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
        let wrong = |e: csv::Error| DatasetError::Table {
            path: path.to_path_buf(),
            reason: format!("expected a CSV file with a header and as many fields in each line, {e}"),
        };
        let header = text(reader.byte_headers().map_err(wrong)?);
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        let (mut seen, mut line) = (0, 1);
        for record in reader.byte_records() {
            let record = record.map_err(wrong)?;
            // Where the one before ended, so that empty lines, and half of a line's end, come first.
            let from = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(seen);
            let empty = bytes.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            line += bytes[seen..from + empty].iter().filter(|byte| **byte == b'\n').count();
            seen = from + empty;
            rows.push(text(&record));
            lines.push(line);
        }
        let table = Self { path: path.to_path_buf(), header, rows, lines };
        match table.repeated() {
            Some(name) => Err(table.wrong(format!("two columns are called {}; rename one", shown(name)))),
            None => Ok(table),
        }
    }

    /// The first name that two columns have: which of them is meant nobody can tell.
    fn repeated(&self) -> Option<&String> {
        let of = |name: &String| self.header.iter().filter(|other| other.eq_ignore_ascii_case(name)).count();
        self.header.iter().find(|name| !name.is_empty() && of(name) > 1)
    }

    /// In which lines of the file these rows stand, in words.
    pub fn lines_of(&self, rows: &[usize]) -> String {
        let lines: Vec<String> = rows.iter().map(|&row| self.lines[row].to_string()).collect();
        let word = if lines.len() == 1 { "line" } else { "lines" };
        format!("{word} {}", lines.join(", "))
    }

    /// The column of the name `asked`, else the first of a known name.
    pub fn column(&self, asked: Option<&str>, known: &[&str]) -> Option<usize> {
        match asked {
            Some(asked) => self.header.iter().position(|name| name.eq_ignore_ascii_case(asked)),
            None => self.header.iter().position(|name| known.contains(&plain(name).as_str())),
        }
    }

    /// What a row says in a column; nothing where it says that it knows nothing.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let cell = self.rows[row][column].as_str();
        let unknown = UNKNOWN.iter().any(|unknown| cell.eq_ignore_ascii_case(unknown));
        if unknown { "" } else { cell }
    }

    pub fn wrong(&self, reason: impl Into<String>) -> DatasetError {
        DatasetError::Table { path: self.path.clone(), reason: reason.into() }
    }

    /// The column, or an error that proposes options.
    pub fn needed(
        &self,
        option: &str,
        asked: Option<&str>,
        known: &[&str],
        files: &Files,
    ) -> Result<usize, DatasetError> {
        let known_to = |name: &&String| asked.is_none() && known.contains(&plain(name).as_str());
        let several: Vec<String> = self.header.iter().filter(known_to).map(|name| shown(name)).collect();
        if several.len() > 1 {
            let several = several.join(" or ");
            return Err(self.wrong(format!(
                "expected one column for {option}, found {several}; say which with {option}"
            )));
        }
        self.column(asked, known).ok_or_else(|| {
            let found: Vec<String> = self.header.iter().map(|name| shown(name)).collect();
            self.wrong(format!(
                "found no column for {option} ({}); its columns are {}; give the names, for example {}",
                asked.unwrap_or("none was named"),
                found.join(", "),
                self.options(files)
            ))
        })
    }

    /// The options that would read this table, as far as its values tell.
    fn options(&self, files: &Files) -> String {
        let rows = || self.rows.iter().take(LOOKED_AT);
        let values = |column: usize| rows().map(move |row| row[column].as_str());
        let hits =
            |column: &usize| values(*column).filter(|v| matches!(files.find(v), Found::One(_))).count();
        let image = (0..self.header.len()).max_by_key(hits).filter(|column| hits(column) > 0);
        let classes = Classes::own(true);
        let labels = |column: &usize| {
            let found: BTreeSet<_> = values(*column).filter_map(|value| classes.of(value)).collect();
            (found.len(), values(*column).filter(|value| classes.of(value).is_some()).count())
        };
        let label = (0..self.header.len()).filter(|column| Some(*column) != image).max_by_key(labels);
        let label = label.filter(|column| labels(column).1 > 0).or(self.column(None, &LABELS));
        let name = |column: Option<usize>| column.map_or("...".to_owned(), |at| quoted(&self.header[at]));
        format!("--image-column {} --label-column {}", name(image), name(label))
    }
}

/// A name without capitals, spaces and underscores.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

fn quoted(name: &str) -> String {
    if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() }
}

/// The options that would read the first list of labels in a tree whose names fit its pictures.
pub(super) fn proposal(tree: &Tree) -> Option<String> {
    let is_list = |file: &&PathBuf| file.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let pictures: Vec<&PathBuf> = tree.files.iter().filter(|file| kind(file) != Kind::Other).collect();
    let files = Files::new(&tree.root, pictures.iter().map(|file| file.as_path()));
    tree.files.iter().filter(is_list).find_map(|file| {
        let table = Table::read(&tree.root.join(file)).ok()?;
        let options = table.options(&files);
        (!options.contains("--image-column ..."))
            .then(|| format!("--labels {} {options}", quoted(&tree.root.join(file).display().to_string())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> Result<Table, DatasetError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        Table::read(file.path())
    }

    #[test]
    fn commas_semicolons_tabs_and_a_mark_of_the_order_of_bytes_are_read() {
        for text in ["a,b\n1,2\n", "a;b\r\n1;2\r\n", "a\tb\n1\t2", "\u{feff}a,b\n\"1\",2\n"] {
            let table = table(text.as_bytes()).unwrap();
            assert_eq!(
                (table.header, table.rows),
                (vec!["a".into(), "b".into()], vec![vec!["1".to_owned(), "2".into()]])
            );
        }
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "1,\"two\nlines\"", "", "3,4", "5,6"].join(end);
            let table = table(text.as_bytes()).unwrap();
            assert_eq!(
                (table.lines_of(&[0]), table.lines_of(&[1, 2])),
                ("line 2".into(), "lines 5, 6".into())
            );
        }
        let refused = |text: &[u8]| table(text).map(|_| ()).unwrap_err().to_string();
        assert!(refused(b"a,b\n1\n").contains("as many fields"));
        assert!(refused(b"a,Label,label\n1,0,1\n").contains("two columns are called Label"));
        assert!(refused(b"\xff\xfea\0,\0b\0\n\0").contains("UTF-16"));
    }

    #[test]
    fn columns_are_found_by_names_that_are_in_use() {
        let table = table(b"Image Index,Finding Labels,Patient ID\n").unwrap();
        assert_eq!(table.column(None, &IMAGES), Some(0));
        assert_eq!(table.column(None, &LABELS), Some(1));
        assert_eq!(table.column(None, &PATIENTS), Some(2));
        assert_eq!(table.column(Some("patient id"), &[]), Some(2));
        assert_eq!(table.column(Some("none"), &IMAGES), None);
    }

    #[test]
    fn a_missing_column_is_answered_with_the_options_that_fit() {
        let table = table(b"patientId,x,Target\nN0,120,0\nP1,50,1\n").unwrap();
        let files = Files::new(Path::new(""), ["images/N0.jpg", "images/P1.jpg"].map(Path::new).into_iter());
        let error = table.needed("--image-column", None, &IMAGES, &files).unwrap_err().to_string();
        assert!(error.contains("--image-column patientId --label-column Target"), "{error}");
        assert!(error.contains("patientId, x, Target"), "{error}");
    }
}
