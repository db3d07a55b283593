//! Folders as people have them, by names alone: nothing is opened.

use super::*;
use crate::dataset::walk::walk;

/// Lists a folder with these files. A name that ends in `/` is an empty folder.
fn list(names: &[&str], part: Part, classes: &[&str]) -> Result<Listing, DatasetError> {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        let folder = if name.ends_with('/') { &path } else { path.parent().unwrap() };
        std::fs::create_dir_all(folder).unwrap();
        if !name.ends_with('/') {
            std::fs::write(&path, "x").unwrap();
        }
    }
    let classes: Vec<_> = classes.iter().map(|pair| pair.parse().unwrap()).collect();
    arrange(walk(root.path())?, part, &Classes::new(&classes, false)?)
}

fn learning(names: &[&str]) -> Listing {
    list(names, Part::Learning, &[]).unwrap()
}

fn ids(pictures: &[Listed]) -> Vec<&str> {
    pictures.iter().map(|picture| picture.id.as_str()).collect()
}

#[test]
fn wrappers_and_what_a_mac_leaves_are_seen_through() {
    let listing = learning(&[
        "chest_xray/chest_xray/train/NORMAL/a.jpg",
        "chest_xray/chest_xray/train/PNEUMONIA/b.jpg",
        "chest_xray/__MACOSX/train/NORMAL/._a.jpg",
    ]);
    assert_eq!(ids(&listing.pictures), ["train/NORMAL/a.jpg", "train/PNEUMONIA/b.jpg"]);
    assert_eq!(listing.left_out.0["files of an operating system"].count, 1);
    let listing = learning(&["train/set/normal/a.jpg", "train/set/pneumonia/b.jpg"]);
    assert_eq!(listing.pictures.iter().map(|p| p.positive).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn parts_go_where_they_belong() {
    let names = ["train/NORMAL/a.jpg", "train/PNEUMONIA/b.jpg", "valid/NORMAL/c.jpg", "test/NORMAL/d.jpg"];
    let listing = learning(&names);
    assert_eq!(ids(&listing.pictures), ["train/NORMAL/a.jpg", "train/PNEUMONIA/b.jpg", "valid/NORMAL/c.jpg"]);
    assert_eq!(ids(&listing.other_part), ["test/NORMAL/d.jpg"]);
    assert!(listing.notes[0].starts_with("valid/ merged into training"), "{:?}", listing.notes);
    assert!(listing.notes[1].contains("test/ has 1 pictures"), "{:?}", listing.notes);
    let test = list(&names, Part::Test, &[]).unwrap();
    assert_eq!((ids(&test.pictures), test.other_part.len()), (vec!["test/NORMAL/d.jpg"], 3));
    // The copy that Kaggle's archive has beside its parts.
    let with_copy = [&names[..], &["chest_xray/train/NORMAL/a.jpg"]].concat();
    let listing = learning(&with_copy);
    assert_eq!(listing.pictures.len(), 3);
    assert_eq!(listing.left_out.count(), 1, "{:?}", listing.left_out);
}

#[test]
fn subfolders_of_a_kind_are_read_and_masks_are_not() {
    let listing = learning(&[
        "NORMAL/images/a.jpg",
        "NORMAL/masks/a.jpg",
        "PNEUMONIA/BACTERIA/b.jpg",
        "PNEUMONIA/viral/c.jpg",
        "PNEUMONIA/d.jpg",
        "PNEUMONIA/d_mask.png",
        "PNEUMONIA/notes.txt",
        "readme",
    ]);
    let found: Vec<_> = listing.pictures.iter().map(|p| (p.id.as_str(), p.subgroup)).collect();
    let expected = [
        ("NORMAL/images/a.jpg", ""),
        ("PNEUMONIA/BACTERIA/b.jpg", "bacteria"),
        ("PNEUMONIA/d.jpg", ""),
        ("PNEUMONIA/viral/c.jpg", "virus"),
    ];
    assert_eq!(found, expected);
    let left: Vec<_> = listing.left_out.0.iter().map(|(why, n)| (why.as_str(), n.count)).collect();
    let expected = [
        ("in no folder of a class", 1),
        ("masks, no pictures of chests", 2),
        ("no picture by its ending .txt", 1),
    ];
    assert_eq!(left, expected);
}

#[test]
fn more_classes_than_two_are_a_question_with_its_answer() {
    let names = ["Normal/images/a.jpg", "Viral Pneumonia/images/b.jpg", "COVID/images/c.jpg"];
    let refused =
        |classes: &[&str]| list(&names, Part::Learning, classes).map(|_| ()).unwrap_err().to_string();
    let error = refused(&[]);
    assert!(error.contains("Normal, COVID (1), Viral Pneumonia (1)"), "{error}");
    assert!(error.contains("--classes \"NORMAL=Normal,PNEUMONIA=Viral Pneumonia\""), "{error}");
    // That very answer is taken, and what it leaves out is said.
    let listing = list(&names, Part::Learning, &["NORMAL=Normal", "PNEUMONIA=Viral Pneumonia"]).unwrap();
    assert_eq!((listing.pictures.len(), listing.left_out.count()), (2, 1));
    assert_eq!(listing.pictures[1].subgroup, "virus");
    let all = list(&names, Part::Learning, &["PNEUMONIA=Viral Pneumonia", "PNEUMONIA=covid"]).unwrap();
    assert_eq!((all.pictures.len(), all.left_out.count()), (3, 0));
    let error = refused(&["PNEUMONIA=Viral Pneumonia", "PNEUMONIA=covid19"]);
    assert!(error.contains("but none of the name covid19"), "{error}");
}

#[test]
fn no_class_is_refused_with_what_would_help() {
    let hint = |names: &[&str], part| list(names, part, &[]).map(|_| ()).unwrap_err().to_string();
    assert!(hint(&["images/a.jpg", "images/b.jpg", "x.csv"], Part::Learning).contains("--labels"));
    assert!(hint(&["a.jpg"], Part::Learning).contains("1 pictures lie in no folder of a class"));
    assert!(hint(&["test/NORMAL/a.jpg"], Part::Learning).contains("Only test/ is there."));
    let error = hint(&["train/NORMAL/a.jpg", "train/PNEUMONIA/b.jpg"], Part::Test);
    assert!(error.contains("There is no test/") && error.contains("train"), "{error}");
    assert!(hint(&["notes.txt"], Part::Learning).contains("No picture is in it"));
    assert!(hint(&["healthy/a.jpg", "ill/b.jpg"], Part::Learning).contains("NORMAL=healthy,PNEUMONIA=..."));
}

#[test]
fn a_folder_that_is_named_as_a_picture_is_said() {
    let listing = learning(&["NORMAL/a.jpg", "NORMAL/scan.jpg/", "PNEUMONIA/b.jpg"]);
    assert_eq!(listing.left_out.0["folders that are named as pictures"].first, ["NORMAL/scan.jpg"]);
}
