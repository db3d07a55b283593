//! Prepared pictures on disk: the same bytes as in memory, made once, and believed only while they are
//! what they were.

use image::GrayImage;
use std::fs;
use std::path::Path;
use trainer::dataset::{self, DataOptions, Dataset, Part};

/// As many as are kept on disk.
const COUNT: u32 = 1000;

fn pictures(folder: &Path) {
    for number in 0..COUNT {
        let class = if number % 2 == 0 { "NORMAL" } else { "PNEUMONIA" };
        let folder = folder.join(class);
        fs::create_dir_all(&folder).unwrap();
        let grey = |x: u32, y: u32| (x * (number % 13 + 1) + y * (number / 13) + number) as u8;
        let picture = GrayImage::from_fn(40, 36, |x, y| image::Luma([grey(x, y)]));
        picture.save(folder.join(format!("person{number}_bacteria_1.png"))).unwrap();
    }
}

fn load(folder: &Path, options: &DataOptions) -> Dataset {
    dataset::load(folder, Part::Learning, 32, options).unwrap()
}

fn same(a: &Dataset, b: &Dataset) -> bool {
    a.findings.sha256 == b.findings.sha256
        && a.samples
            .iter()
            .zip(&b.samples)
            .all(|(a, b)| (&a.id, &a.working, &a.input, a.size) == (&b.id, &b.working, &b.input, b.size))
}

#[test]
fn pictures_on_disk_are_those_in_memory_and_what_a_disk_has_lost_is_made_anew() {
    let root = tempfile::tempdir().unwrap();
    let (data, store) = (root.path().join("data"), root.path().join("prepared"));
    pictures(&data);
    let in_memory = load(&data, &DataOptions { in_memory: true, ..DataOptions::default() });
    assert!(in_memory.samples.iter().all(|sample| !sample.working.is_mapped()));
    assert!(!store.exists());
    let on_disk = DataOptions { prepared: store.clone(), ..DataOptions::default() };
    let first = load(&data, &on_disk);
    assert!(first.samples.iter().all(|s| s.working.is_mapped() && s.input.bytes.is_mapped()));
    assert!(same(&first, &in_memory));
    let file = |end: &str| {
        let mut files = fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|e| e == end)).unwrap()
    };
    let record = 224 * 224 + 32 * 32;
    let bytes = || fs::metadata(file("pixels")).unwrap().len();
    assert_eq!(bytes(), u64::from(COUNT) * record);
    // The second time none is written.
    assert!(same(&load(&data, &on_disk), &in_memory));
    assert_eq!(bytes(), u64::from(COUNT) * record);

    // Planted: each record is another picture's, as a disk may have it. Every one is made anew, and the
    // pictures that are in use, of the first load, were not written over.
    let mut rotten = fs::read(file("pixels")).unwrap();
    rotten.rotate_left(usize::try_from(record).unwrap());
    fs::remove_file(file("pixels")).unwrap();
    fs::write(file("index").with_extension("pixels"), rotten).unwrap();
    assert!(same(&load(&data, &on_disk), &in_memory));
    assert!(same(&first, &in_memory));

    // Planted: an index that a run of another decoder wrote. What it says is not believed.
    let lines = fs::read_to_string(file("index")).unwrap();
    let mut entries: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [records, checks] = ["record", "check"].map(|key| {
        let mut values: Vec<_> = entries.iter().map(|entry| entry[key].clone()).collect();
        values.rotate_left(1);
        values
    });
    for (entry, (record, check)) in entries.iter_mut().zip(records.into_iter().zip(checks)) {
        (entry["record"], entry["check"]) = (record, check);
    }
    let lines: Vec<String> = entries.iter().map(ToString::to_string).collect();
    fs::write(file("index"), lines.join("\n")).unwrap();
    assert!(same(&load(&data, &on_disk), &in_memory));

    // What was cut off counts for nothing: records without an index.
    fs::remove_file(file("index")).unwrap();
    assert!(same(&load(&data, &on_disk), &in_memory));
}
