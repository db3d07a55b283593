//! Prepared pictures on disk: the same bytes as in memory, made once, and believed only while they are
//! what they were.

#[cfg(target_os = "linux")]
use crate::support::most_memory;
use image::GrayImage;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tch::Device;
use trainer::dataset::{self, DataOptions, Dataset, Part, Pixels};
use trainer::train::validation::Validation;

/// As many as are kept on disk.
const COUNT: u32 = 1000;

fn pictures(folder: &Path, count: u32) {
    for number in 0..count {
        let class = if number % 2 == 0 { "NORMAL" } else { "PNEUMONIA" };
        let folder = folder.join(class);
        fs::create_dir_all(&folder).unwrap();
        let (across, down, both) = (number % 13 + 1, number / 13, number / (13 * 256));
        let grey = |x: u32, y: u32| (x * across + y * down + x * y * both + number) as u8;
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

/// The program, which reads all pictures for a run that is there already, and ends with saying so.
fn reading(data: &Path, store: &Path, run: &Path) -> Child {
    fs::create_dir_all(run).unwrap();
    fs::write(run.join("run.json"), "{}").unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args(["train", "--side", "32"]);
    program.args(["--data".as_ref(), data, "--prepared".as_ref(), store, "--run".as_ref(), run]);
    program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The store's file of this ending, once it is there.
fn file(store: &Path, ending: &str) -> Option<PathBuf> {
    let mut files = fs::read_dir(store).ok()?.map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|e| e == ending))
}

const RECORD: u64 = 224 * 224 + 32 * 32;

#[test]
fn two_processes_make_a_store_once_and_a_killed_one_leaves_nothing_that_counts() {
    let root = tempfile::tempdir().unwrap();
    let (data, shared, cut) =
        (root.path().join("data"), root.path().join("shared"), root.path().join("disk/cut"));
    pictures(&data, COUNT);
    let in_memory = load(&data, &DataOptions { in_memory: true, ..DataOptions::default() });
    let both = ["a", "b"].map(|name| reading(&data, &shared, &root.path().join(name)));
    for child in both {
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("holds a run already"), "it read all: {error}");
    }
    let bytes = |store: &Path| fs::metadata(file(store, "pixels").unwrap()).unwrap().len();
    assert_eq!(bytes(&shared), u64::from(COUNT) * RECORD, "the second took what the first had made");
    let on_disk =
        |store: &Path| load(&data, &DataOptions { prepared: store.into(), ..DataOptions::default() });
    assert!(same(&on_disk(&shared), &in_memory));

    let mut child = reading(&data, &cut, &root.path().join("c"));
    while file(&cut, "pixels").is_none_or(|pixels| fs::metadata(pixels).unwrap().len() == 0) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(file(&cut, "index").is_none(), "it was killed while it wrote");
    // Its lock went with it, and none of its records is believed.
    let after = on_disk(&cut);
    assert!(same(&after, &in_memory) && after.samples.iter().all(|sample| sample.working.is_mapped()));
    assert_eq!(bytes(&cut), 2 * u64::from(COUNT) * RECORD);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cut), 0o700, "pictures of patients");
        assert_ne!(mode(&root.path().join("disk")), 0o700, "what else may lie there is not its own");
        assert!(["pixels", "index"].iter().all(|end| mode(&file(&cut, end).unwrap()) == 0o600));
    }
}

#[test]
fn pictures_on_disk_are_those_in_memory_and_what_a_disk_has_lost_is_made_anew() {
    let root = tempfile::tempdir().unwrap();
    let (data, store) = (root.path().join("data"), root.path().join("prepared"));
    pictures(&data, COUNT);
    let in_memory = load(&data, &DataOptions { in_memory: true, ..DataOptions::default() });
    assert!(in_memory.samples.iter().all(|sample| !sample.working.is_mapped()));
    assert!(!store.exists());
    let on_disk = DataOptions { prepared: store.clone(), ..DataOptions::default() };
    let first = load(&data, &on_disk);
    assert!(first.samples.iter().all(|s| s.working.is_mapped() && s.input.bytes.is_mapped()));
    assert!(same(&first, &in_memory));
    let file = |end: &str| file(&store, end).unwrap();
    let bytes = || fs::metadata(file("pixels")).unwrap().len();
    assert_eq!(bytes(), u64::from(COUNT) * RECORD);
    // The second time none is written.
    assert!(same(&load(&data, &on_disk), &in_memory));
    assert_eq!(bytes(), u64::from(COUNT) * RECORD);

    // Planted: each record is another picture's, as a disk may have it. Every one is made anew, and the
    // pictures that are in use, of the first load, were not written over.
    let mut rotten = fs::read(file("pixels")).unwrap();
    rotten.rotate_left(usize::try_from(RECORD).unwrap());
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

#[test]
fn validation_pictures_lie_on_disk_where_the_samples_do_and_are_the_same() {
    let root = tempfile::tempdir().unwrap();
    let (data, run) = (root.path().join("data"), root.path().join("run"));
    pictures(&data, COUNT);
    fs::create_dir(&run).unwrap();
    let on_disk =
        load(&data, &DataOptions { prepared: root.path().join("prepared"), ..DataOptions::default() });
    let in_memory = load(&data, &DataOptions { in_memory: true, ..DataOptions::default() });
    let indices: Vec<usize> = (0..300).map(|i| 3 * i).collect();
    let of = |data: &Dataset| Validation::new(&data.samples, &indices, 32, &run, Device::Cpu).unwrap();
    let (on_disk, in_memory) = (of(&on_disk), of(&in_memory));
    assert!(on_disk.pictures.iter().all(|of| of.iter().all(Pixels::is_mapped) && of.len() == 300));
    assert!(!in_memory.pictures.iter().flatten().any(Pixels::is_mapped));
    assert!(on_disk.pictures == in_memory.pictures && on_disk.labels == in_memory.labels);
    let [plain, shifted, film] = &on_disk.pictures;
    assert!(plain != shifted && plain != film && shifted != film);
    // Pictures of patients: nobody finds them by a name.
    assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
}

/// Most memory, without that of mapped files, by which a training on [`MANY`] pictures may exceed one on
/// [`COUNT`], in kB: what libtorch's allocator keeps grows by some 70 MB with the first hundred steps,
/// and then no more. The pictures would take 200 MB.
#[cfg(target_os = "linux")]
const MORE_KB: u64 = 120_000;
#[cfg(target_os = "linux")]
const MANY: u32 = 4 * COUNT;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_training_takes_as_much_memory_for_four_times_the_pictures() {
    let root = tempfile::tempdir().unwrap();
    let training = |name: &str, count: u32, more: &[&str]| {
        let [data, store, run] = ["data", "store", "run"].map(|what| root.path().join(what).join(name));
        pictures(&data, count);
        let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
        program.args(["train", "--epochs", "1"]).args(more);
        program.args(["--data".as_ref(), &*data, "--prepared".as_ref(), &*store, "--run".as_ref(), &*run]);
        let (most, output) = most_memory(&mut program, "RssAnon");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains("float   1"), "{said}");
        println!("{name}: {most} kB");
        most
    };
    let few = training("few", COUNT, &[]);
    let many = training("many", MANY, &[]);
    assert!(many < few + MORE_KB, "{few} kB for {COUNT} pictures, {many} kB for {MANY}");
    // Planted: pictures that stay in memory are seen.
    let in_memory = training("in memory", MANY, &["--in-memory"]);
    assert!(in_memory > many + MORE_KB, "{many} kB on disk, {in_memory} kB in memory");
}
