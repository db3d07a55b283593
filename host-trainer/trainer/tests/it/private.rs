//! What shows or names patients: for its owner's eyes, and never a formula to a spreadsheet.

use crate::support::{evaluate, phantoms};
use trainer::evaluate::LabelledPicture;
use trainer::evaluate::prediction::{PREDICTIONS, from_csv};
use trainer::folds::{OutOfFold, read, write};

/// Names as they come from outside.
const NAMES: [&str; 6] = ["=HYPERLINK(1).png", "+1.png", "-1.png", "@A1.png", "'=x.png", "plain.png"];

fn cells(table: &[u8], column: &str) -> Vec<String> {
    let mut table = csv::Reader::from_reader(table);
    let at = table.headers().unwrap().iter().position(|name| name == column).unwrap();
    table.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

fn no_formulas(table: &[u8]) {
    for column in ["id", "patient"] {
        let cells = cells(table, column);
        assert_eq!(cells[..2], ["'=HYPERLINK(1).png", "'+1.png"], "{column}");
        assert_eq!(cells[5], "plain.png");
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{cells:?}");
    }
}

#[test]
fn no_name_in_a_table_of_predictions_is_a_formula_and_each_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let named = |(item, name): (LabelledPicture, &&str)| LabelledPicture {
        id: (*name).into(),
        patient: (*name).into(),
        ..item
    };
    let items: Vec<_> = phantoms(6).into_iter().zip(&NAMES).map(named).collect();
    evaluate(&items, folder.path(), 0).unwrap();
    let table = std::fs::read(folder.path().join(PREDICTIONS)).unwrap();
    no_formulas(&table);
    let back: Vec<_> = from_csv(&table).unwrap().into_iter().map(|row| (row.id, row.patient)).collect();
    assert_eq!(back, NAMES.map(|name| (name.to_owned(), name.to_owned())));

    let row = |name: &&str| OutOfFold {
        id: (*name).into(),
        patient: (*name).into(),
        label: 0,
        fold: 1,
        plain: -0.5,
        shifted: 0.0,
        film: 0.5,
    };
    let rows: Vec<OutOfFold> = NAMES.iter().map(row).collect();
    let path = folder.path().join("folds.csv");
    write(&path, &rows).unwrap();
    no_formulas(&std::fs::read(&path).unwrap());
    assert_eq!(read(&path).unwrap(), rows);
    assert_eq!(cells(&std::fs::read(&path).unwrap(), "plain")[0], "-0.5", "a number is no text");
}

#[cfg(unix)]
#[test]
fn what_shows_or_names_patients_is_its_owners_alone() {
    use crate::support::drawn;
    use std::os::unix::fs::PermissionsExt;
    use trainer::dataset::content_hash;
    use trainer::report::{self, PageOptions};
    use trainer::run::{Recipe, Run};

    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    let data = &drawn(32)[..40];
    let about = ("films".to_owned(), content_hash(data));
    Run::start(folder.path(), Recipe { side: 32, ..Recipe::default() }, about, vec![], data, false).unwrap();
    evaluate(&phantoms(20), &folder.path().join("validation"), 0).unwrap();
    write(&folder.path().join("folds.csv"), &[]).unwrap();
    let page = |name: &str, no_pictures| {
        report::run(folder.path(), &folder.path().join(name), &PageOptions { no_pictures, open: None })
            .unwrap();
        mode(name)
    };
    assert_eq!(page("report.html", false), 0o600);
    for name in ["run.json", "folds.csv", "validation/predictions.csv", "validation/metrics.json"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    // Neither pictures nor names are in it.
    assert_ne!(page("public.html", true) & 0o044, 0);
}
