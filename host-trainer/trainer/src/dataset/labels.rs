//! Folders whose labels stand in a list (`--labels`): a line a picture.

use super::classes::{Classes, proposal};
use super::error::DatasetError;
use super::files::{Files, Found};
use super::findings::{Names, shown};
use super::layout::{Listed, Listing};
use super::options::DataOptions;
use super::sample::Part;
use super::table::{IMAGES, LABELS, PATIENTS, Table};
use super::walk::{Kind, Tree, id_of, is_test, kind, no_picture};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::path::Path;

/// Pictures of one part of the tree with the labels of a list; patients too, where it has them.
///
/// # Errors
/// A column that is not there, a name that several files have, a picture with labels of both classes or
/// of two patients, a label of which it is not known which class it is.
pub(super) fn arrange(mut tree: Tree, part: Part, options: &DataOptions) -> Result<Listing, DatasetError> {
    let path = options.labels.as_deref().unwrap_or(Path::new(""));
    let table = Table::read(path)?;
    let classes = Classes::new(&options.classes, true)?;
    let mut listing =
        Listing { left_out: take(&mut tree.left_out), bad: take(&mut tree.bad), ..Listing::default() };
    let (pictures, others): (Vec<_>, Vec<_>) = tree.files.iter().partition(|file| kind(file) != Kind::Other);
    others.iter().for_each(|file| listing.left_out.add(no_picture(file), id_of(file)));
    let files = Files::new(&tree.root, pictures.iter().map(|file| file.as_path()));
    let image = table.needed("--image-column", options.image_column.as_deref(), &IMAGES, &files)?;
    let label = table.needed("--label-column", options.label_column.as_deref(), &LABELS, &files)?;
    let patient = match &options.patient_column {
        Some(asked) => Some(table.needed("--patient-column", Some(asked), &[], &files)?),
        // Where patients have a picture each, a list may call the pictures by them.
        None => table.column(None, &PATIENTS).filter(|column| *column != image),
    };
    let files = files.of_list(table.rows.iter().map(|row| row[image].as_str()));
    listing.notes.extend(files.note(path));
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let (mut several, mut elsewhere) = (Names::default(), Names::default());
    for (number, row) in table.rows.iter().enumerate() {
        match files.find(&row[image]) {
            Found::One(index) => rows.entry(index).or_default().push(number),
            Found::Several => several.add(row[image].clone()),
            Found::Elsewhere => {
                elsewhere.add(row[image].clone());
                listing.left_out.add("lines of the list for another folder", row[image].clone())
            }
            Found::None => listing.left_out.add("lines of the list without a file", row[image].clone()),
        }
    }
    if several.count > 0 {
        return Err(table.wrong(format!(
            "names fit several files in several folders: {several}; write the folder in the list too"
        )));
    }
    let mut of: BTreeMap<usize, (bool, String)> = BTreeMap::new();
    let mut unknown = BTreeMap::<String, Names>::new();
    let (mut torn, mut shared, mut unclassed) = (Names::default(), Names::default(), BTreeSet::new());
    for (index, rows) in rows {
        let id = || id_of(pictures[index]);
        let where_and =
            |values: &[&str]| format!("{} in {}: {}", id(), table.lines_of(&rows), values.join(", "));
        // A line for each label is the same as all of them in one line.
        let labels = distinct(rows.iter().flat_map(|&row| table.rows[row][label].split('|')));
        let whose = rows.iter().filter_map(|&row| Some(table.cell(row, patient?)));
        let whose = distinct(whose.filter(|whose| !whose.is_empty()));
        if whose.len() > 1 {
            shared.add(where_and(&whose));
        }
        // A person who says that both may be takes pneumonia for what counts.
        let class = match class(&classes, &labels) {
            Class::Both if options.allow_contradictions => Class::One(true),
            class => class,
        };
        match class {
            Class::One(positive) => {
                let whose = whose.first().map(|whose| (*whose).to_owned()).unwrap_or_default();
                of.insert(index, (positive, whose));
            }
            Class::Both => torn.add(where_and(&labels)),
            Class::Unknown => {
                unknown.entry(labels.join("|")).or_default().add(id());
                unclassed.insert(index);
            }
        }
    }
    for (what, names, remedy) in [
        ("labels of both classes", torn, ", or add --allow-contradictions to take them for PNEUMONIA"),
        ("two patients", shared, ""),
    ] {
        if names.count > 0 {
            return Err(table.wrong(format!("pictures have {what}: {names}; correct the list{remedy}")));
        }
    }
    if of.is_empty() && unknown.is_empty() && elsewhere.count > 0 {
        return Err(table.wrong(format!(
            "no line names a picture below {}: {elsewhere} name other folders; write what lies below it",
            tree.root.display()
        )));
    }
    if !(unknown.is_empty() || classes.given) {
        return Err(unknown_labels(&table, label, &unknown));
    }
    for (value, names) in unknown {
        let why = format!("labelled {}, which --classes does not name", shown(&value));
        listing.left_out.0.insert(why, names);
    }
    let has_test = pictures.iter().any(|file| is_test(file));
    for (index, file) in pictures.iter().enumerate() {
        let id = id_of(file);
        let Some((positive, patient)) = of.remove(&index) else {
            // The others were counted under their label.
            if !unclassed.contains(&index) {
                listing.left_out.add("pictures without a line in the list", id);
            }
            continue;
        };
        let is_other = has_test && is_test(file) != (part == Part::Test);
        let listed = Listed { patient, ..Listed::new(tree.root.join(file), id, positive, kind(file)) };
        if is_other { listing.other_part.push(listed) } else { listing.pictures.push(listed) }
    }
    Ok(listing)
}

/// What the labels of a picture say together.
enum Class {
    /// True for PNEUMONIA.
    One(bool),
    Both,
    Unknown,
}

/// PNEUMONIA where one is and none is NORMAL, whatever else is found; NORMAL where all are.
fn class(classes: &Classes, labels: &[&str]) -> Class {
    let any = |class| labels.iter().any(|label| classes.of(label) == class);
    match (any(Some(true)), any(Some(false)), any(None)) {
        (true, true, _) => Class::Both,
        (true, false, _) => Class::One(true),
        (false, true, false) => Class::One(false),
        _ => Class::Unknown,
    }
}

/// Each value once, in the order in which they come.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for value in values.map(str::trim) {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

fn unknown_labels(table: &Table, label: usize, unknown: &BTreeMap<String, Names>) -> DatasetError {
    let all: BTreeSet<&str> =
        table.rows.iter().flat_map(|row| row[label].split('|')).map(str::trim).collect();
    let found: Vec<String> = unknown.iter().take(20).map(|(v, n)| format!("{:?} ({})", v, n.count)).collect();
    let line = proposal(all.into_iter().take(100));
    let found = format!("the labels {}", found.join(", "));
    DatasetError::Classes { path: table.path.clone(), found, line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::walk::walk;

    fn arranged(files: &[&str], list: &str, change: impl Fn(&mut DataOptions)) -> Result<Listing, String> {
        let root = tempfile::tempdir().unwrap();
        for name in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let csv = root.path().join("list.csv");
        std::fs::write(&csv, list).unwrap();
        let mut options = DataOptions { labels: Some(csv), ..DataOptions::default() };
        change(&mut options);
        arrange(walk(root.path()).unwrap(), Part::Learning, &options).map_err(|error| error.to_string())
    }

    const FILES: [&str; 3] = ["images/a.jpg", "images/b.jpg", "images/c.jpg"];

    #[test]
    fn a_list_gives_labels_and_patients_and_says_what_it_leaves_out() {
        let list = "image,label,patient_id\na.jpg,0,7\nb.jpg,Pneumonia,7\nd.jpg,1,8\na.jpg,0,7\n";
        let listing = arranged(&FILES, list, |_| ()).unwrap();
        let found: Vec<_> =
            listing.pictures.iter().map(|p| (p.id.as_str(), p.positive, p.patient.as_str())).collect();
        assert_eq!(found, [("images/a.jpg", false, "7"), ("images/b.jpg", true, "7")]);
        let left: Vec<_> = listing.left_out.0.iter().map(|(why, n)| (why.as_str(), n.count)).collect();
        let expected = [
            ("lines of the list without a file", 1),
            ("no picture by its ending .csv", 1),
            ("pictures without a line in the list", 1),
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn the_names_of_columns_and_classes_can_be_given() {
        let list = "patientId;Findings\na;No Finding\nb;Pneumonia|Effusion\nc;Effusion\n";
        let error = arranged(&FILES, list, |_| ()).map(|_| ()).unwrap_err();
        assert!(error.contains("--image-column patientId"), "{error}");
        let columns = |options: &mut DataOptions| {
            options.image_column = Some("patientid".into());
            options.label_column = Some("Findings".into());
        };
        let error = arranged(&FILES, list, columns).map(|_| ()).unwrap_err();
        assert!(error.contains("NORMAL=No Finding,PNEUMONIA=Pneumonia"), "{error}");
        let listing = arranged(&FILES, list, |options| {
            columns(options);
            options.classes = vec!["NORMAL=no finding".parse().unwrap()];
        });
        let listing = listing.unwrap();
        assert_eq!(listing.pictures.iter().map(|p| p.positive).collect::<Vec<_>>(), [false, true]);
        let left: Vec<_> = listing.left_out.0.keys().map(String::as_str).collect();
        assert_eq!(
            left,
            ["labelled Effusion, which --classes does not name", "no picture by its ending .csv"]
        );
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let both = arranged(&FILES, "image,label\na,0\na,1\nb,1\n", |_| ()).map(|_| ()).unwrap_err();
        assert!(both.contains("labels of both classes: 1 (images/a.jpg in lines 2, 3: 0, 1)"), "{both}");
        let list = "image,label,patient\na,0,7\nb,1,7\na,0,8\nb,1,7\n";
        let shared = arranged(&FILES, list, |_| ()).map(|_| ()).unwrap_err();
        assert!(shared.contains("two patients: 1 (images/a.jpg in lines 2, 4: 7, 8)"), "{shared}");
        let two = arranged(&FILES, "image,label,class\na,0,1\nb,1,0\n", |_| ()).map(|_| ()).unwrap_err();
        assert!(two.contains("found label or class; say which with --label-column"), "{two}");
        let files = ["x/a.jpg", "y/a.jpg"];
        let several = arranged(&files, "image,label\na.jpg,0\n", |_| ()).map(|_| ()).unwrap_err();
        assert!(several.contains("fit several files") && several.contains("a.jpg"), "{several}");
        let clear = arranged(&files, "image,label\nx/a.jpg,0\ny/a.jpg,1\n", |_| ()).unwrap();
        assert_eq!(clear.pictures.len(), 2);
    }

    #[test]
    fn a_line_a_label_means_what_one_line_with_all_means() {
        let named = |options: &mut DataOptions| {
            options.classes =
                ["NORMAL=No Finding", "PNEUMONIA=Pneumonia"].map(|pair| pair.parse().unwrap()).into();
        };
        let arranged = |lines: &str| arranged(&FILES, &format!("image,label\nc,No Finding\n{lines}"), named);
        for lines in [
            "a,No Finding|Effusion\nb,Effusion|Pneumonia\n",
            "a,No Finding\nb,Effusion\na,Effusion\nb,Pneumonia\n",
        ] {
            let listing = arranged(lines).unwrap();
            let found: Vec<_> = listing.pictures.iter().map(|p| (p.id.as_str(), p.positive)).collect();
            assert_eq!(found, [("images/b.jpg", true), ("images/c.jpg", false)], "{lines}");
            assert!(
                listing
                    .left_out
                    .0
                    .contains_key("labelled No Finding|Effusion, which --classes does not name")
            );
        }
        for lines in ["a,Pneumonia|No Finding\n", "a,Pneumonia\na,No Finding\n"] {
            let error = arranged(lines).map(|_| ()).unwrap_err();
            assert!(
                error.contains("labels of both classes") && error.contains("Pneumonia, No Finding"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_line_for_another_folder_labels_nothing() {
        let list = "image,label\nhospitalA/1.png,0\nhospitalB/1.png,1\n";
        let listing = arranged(&["hospitalA/1.png"], list, |_| ()).unwrap();
        assert_eq!(listing.pictures.iter().map(|p| p.positive).collect::<Vec<_>>(), [false]);
        assert_eq!(listing.left_out.0["lines of the list without a file"].first, ["hospitalB/1.png"]);
        let listing =
            arranged(&["1.png", "2.png"], "image,label\nhospitalB/1.png,1\n2.png,0\n", |_| ()).unwrap();
        assert_eq!(listing.pictures.len(), 1);
        assert_eq!(listing.left_out.0["lines of the list for another folder"].first, ["hospitalB/1.png"]);
    }

    #[test]
    fn pictures_for_testing_are_kept_apart() {
        let files = ["train/a.jpg", "test/b.jpg"];
        let listing = arranged(&files, "image,label\na,0\nb,1\n", |_| ()).unwrap();
        assert_eq!((listing.pictures.len(), listing.other_part.len()), (1, 1));
    }
}
