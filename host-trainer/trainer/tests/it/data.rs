//! Reading, splitting and changing data: forms of data sets, patients, duplicates, and errors that
//! say what to do.

use ::phantoms::{Label, draw};
use flate2::{Compression, write::DeflateEncoder};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use npyz::WriterBuilder;
use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::path::Path;
use trainer::augment::batches::{Batch, Changes, shifted_picture};
use trainer::augment::{AugmentParams, augment};
use trainer::dataset::split::{Fold, Split, SplitError, SplitKind};
use trainer::dataset::{self, DataOptions, DatasetError, Part, Sample, phantoms};
use trainer::random::{Purpose, SeededRng};

/// Of the first 40 phantoms, shifted.
const SHIFTED_PHANTOMS: &str = "bbbf580868106f4bb3b87344cc8720a59b50dce6964c087eca8fa2b847c4d15c";

fn write(root: &Path, name: &str, seed: u64) {
    let picture = draw(Label::Normal, seed, 64);
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    PngEncoder::new(file).write_image(picture.bytes(), 64, 64, ExtendedColorType::L8).unwrap();
}

#[test]
fn a_kaggle_folder_is_read_and_its_val_merged() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..6 {
        write(folder.path(), &format!("train/NORMAL/IM-{i:04}-0001.png"), i);
        write(folder.path(), &format!("train/PNEUMONIA/person{i}_virus_{i}.png"), 50 + i);
    }
    write(folder.path(), "val/NORMAL/IM-0100-0001.png", 90);
    write(folder.path(), "val/PNEUMONIA/person100_bacteria_1.png", 91);
    write(folder.path(), "test/NORMAL/IM-0200-0001.png", 92);
    write(folder.path(), "test/PNEUMONIA/person200_bacteria_1.png", 93);
    let learning = dataset::load(folder.path(), Part::Learning, 32, &DataOptions::default()).unwrap();
    assert_eq!(learning.samples.len(), 14, "train and val, not test");
    assert!(learning.notes.iter().any(|n| n.contains("val/ merged")), "{:?}", learning.notes);
    assert!(learning.samples.iter().all(|c| !c.id.contains("test")));
    let test = dataset::load(folder.path(), Part::Test, 32, &DataOptions::default()).unwrap();
    assert_eq!(test.samples.len(), 2);
}

#[test]
fn medmnist_files_are_read_at_28_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pneumoniamnist.npz");
    let mut npz = ZipArchiveWriter::new(std::fs::File::create(&path).unwrap());
    let mut put = |name: &str, shape: &[u64], values: Vec<u8>| {
        let mut bytes = Vec::new();
        let array = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes);
        let mut array = array.begin_nd().unwrap();
        array.extend(values).unwrap();
        array.finish().unwrap();
        // As numpy.savez does, and savez_compressed.
        let deflated = name.ends_with("images");
        let method = if deflated { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
        let member = npz.new_file(format!("{name}.npy")).compression_method(method).start();
        let (mut entry, config) = member.unwrap();
        let descriptor = if deflated {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
            writer.write_all(&bytes).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(&bytes).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    };
    for (part, n) in [("train", 6u64), ("val", 4), ("test", 2)] {
        put(&format!("{part}_images"), &[n, 28, 28], (0..n * 784).map(|i| (i * 7 % 251) as u8).collect());
        put(&format!("{part}_labels"), &[n, 1], (0..n).map(|i| (i % 2) as u8).collect());
    }
    npz.finish().unwrap();
    let learning = dataset::load(&path, Part::Learning, 32, &DataOptions::default()).unwrap();
    assert_eq!(learning.samples.len(), 10);
    assert!(learning.notes[0].contains("no patients"));
    assert_eq!(dataset::load(&path, Part::Test, 32, &DataOptions::default()).unwrap().samples.len(), 2);
    let options = DataOptions { patients: Some("patients.csv".into()), ..DataOptions::default() };
    let error = dataset::load(&path, Part::Learning, 32, &options).unwrap_err().to_string();
    assert!(error.contains("expected no --patients"), "patients that are not looked at: {error}");
}

#[test]
fn wrong_data_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let load = |part| dataset::load(folder.path(), part, 32, &DataOptions::default());
    assert!(matches!(load(Part::Learning), Err(DatasetError::Layout { .. })));
    std::fs::create_dir_all(folder.path().join("train/NORMAL")).unwrap();
    std::fs::create_dir_all(folder.path().join("train/PNEUMONIA")).unwrap();
    assert!(matches!(load(Part::Learning), Err(DatasetError::Empty { normal: 0, pneumonia: 0, .. })));
    write(folder.path(), "train/NORMAL/a.png", 1);
    std::fs::write(folder.path().join("train/PNEUMONIA/b.png"), b"not a picture").unwrap();
    let error = load(Part::Learning).unwrap_err().to_string();
    assert!(error.contains("b.png") && error.contains("remove or replace"), "{error}");
    std::fs::write(folder.path().join("x.npz"), b"no archive").unwrap();
    assert!(
        dataset::load(&folder.path().join("x.npz"), Part::Learning, 32, &DataOptions::default()).is_err()
    );
}

/// Cases with given patients and contents, of the built-in drawings.
fn samples(patients_and_contents: &[(u8, u8)]) -> Vec<Sample> {
    let first = phantoms::load(2, 32).samples;
    let make = |(i, &(patient, content)): (usize, &(u8, u8))| Sample {
        id: format!("{i:04}"),
        patient: format!("p{patient}"),
        content: [content; 32],
        positive: patient % 3 == 0,
        ..first[0].clone()
    };
    patients_and_contents.iter().enumerate().map(make).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No patient and no content on both sides, nothing lost, the same split again for the same
    /// seed.
    #[test]
    fn a_split_keeps_patients_and_duplicates_together(pairs in prop::collection::vec((0u8..30, 0u8..200), 2..120), seed: u64) {
        let samples = samples(&pairs);
        let split = Split::draw(&samples, 0.2, seed);
        let (train, validation) = split.indices(&samples).unwrap();
        prop_assert_eq!(train.len() + validation.len(), samples.len());
        prop_assert_eq!(split.torn(&samples), None);
        let side = |side: &[usize]| -> (HashSet<String>, HashSet<[u8; 32]>) {
            (side.iter().map(|&i| samples[i].patient.clone()).collect(), side.iter().map(|&i| samples[i].content).collect())
        };
        let ((tp, tc), (vp, vc)) = (side(&train), side(&validation));
        prop_assert!(tp.is_disjoint(&vp) && tc.is_disjoint(&vc));
        // So are the halves of validation, of which one is fitted on and one reported.
        let (fitted, reported) = split.halves(&samples).unwrap();
        let mut both = [&fitted[..], &reported[..]].concat();
        both.sort_by_key(|&i| &samples[i].id);
        prop_assert_eq!(both, validation);
        let ((fp, fc), (rp, rc)) = (side(&fitted), side(&reported));
        prop_assert!(fp.is_disjoint(&rp) && fc.is_disjoint(&rc));
        prop_assert_eq!(split, Split::draw(&samples, 0.2, seed));
    }

    /// Every picture validates in exactly one fold, no patient and no content is on both sides of any,
    /// and folds of a class are of about one size.
    #[test]
    fn patient_folds_deal_every_picture_once(pairs in prop::collection::vec((0u8..30, 0u8..200), 2..120), seed: u64) {
        let samples = samples(&pairs);
        let mut dealt = vec![0; samples.len()];
        for number in 1..=4 {
            let kind = SplitKind::PatientFold(Fold { number, of: 4 });
            let split = Split::of_kind(kind, &samples, 0.2, seed).unwrap();
            let (train, validation) = split.indices(&samples).unwrap();
            prop_assert_eq!(train.len() + validation.len(), samples.len());
            let patients = |side: &[usize]| side.iter().map(|&i| samples[i].patient.clone()).collect::<HashSet<_>>();
            let contents = |side: &[usize]| side.iter().map(|&i| samples[i].content).collect::<HashSet<_>>();
            prop_assert!(patients(&train).is_disjoint(&patients(&validation)));
            prop_assert!(contents(&train).is_disjoint(&contents(&validation)));
            validation.iter().for_each(|&i| dealt[i] += 1);
        }
        prop_assert!(dealt.iter().all(|&times| times == 1), "{:?}", dealt);
    }

    /// Any picture, any seed: a picture of an allowed size, the same for the same key.
    #[test]
    fn augmentation_is_total_and_keyed(seed: u64, index in 0u64..1000, fill: u8) {
        let source = vec![fill; 224 * 224];
        let make = || augment(&source, &AugmentParams::TRAINING, &mut SeededRng::new(seed, Purpose::Augment, 0, index));
        let picture = make();
        prop_assert!((96..=224).contains(&picture.side));
        prop_assert_eq!(picture.pixels.len(), (picture.side * picture.side) as usize);
        prop_assert_eq!(picture, make());
    }
}

/// Figures on the shifted validation set are compared over years: whatever becomes faster, its bytes
/// stay. (The platform's logarithm and cosine are in them.)
#[test]
fn the_shifted_validation_set_is_what_it_always_was() {
    let samples = phantoms::load(40, 32).samples;
    let hash = |samples: &[Sample]| {
        let mut hash = Sha256::new();
        for sample in samples {
            hash.update(shifted_picture(sample).unwrap().bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(hash(&samples), SHIFTED_PHANTOMS);
    // Planted: one picture, a little brighter.
    let mut other = samples;
    other[7].working = other[7].working.iter().map(|grey| grey.saturating_add(4)).collect::<Vec<u8>>().into();
    assert_ne!(hash(&other), SHIFTED_PHANTOMS);
}

#[test]
fn batches_are_the_same_on_any_number_of_threads() {
    let samples = phantoms::load(30, 32).samples;
    let indices: Vec<usize> = (0..30).rev().collect();
    let on = |threads: usize, draw: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let batch = pool.install(|| Batch::make(&samples, &indices, Changes::shared(draw), &[32, 64]));
        assert_eq!((batch.indices, batch.pictures.len()), (indices.clone(), 2));
        batch.pictures
    };
    let one = on(1, 0);
    assert!(one[0].iter().all(|p| p.len() == 32 * 32) && one[1].iter().all(|p| p.len() == 64 * 64));
    assert!(one == on(2, 0) && one == on(5, 0));
    assert!(one != on(2, 1), "another draw gives other pictures");
}

#[test]
fn each_class_gives_its_share_to_validation() {
    // 50 patients of one picture each, every third with the disease: 17 and 33.
    let samples = samples(&(0..50).map(|i| (i, i)).collect::<Vec<_>>());
    for (share, expected) in [(0.0, [0, 0]), (0.2, [4, 7]), (0.5, [9, 17]), (1.0, [17, 33])] {
        let (_, validation) = Split::draw(&samples, share, 1).indices(&samples).unwrap();
        let positives = validation.iter().filter(|&&i| samples[i].positive).count();
        assert_eq!([positives, validation.len() - positives], expected, "a share of {share}");
    }
    // Of 9 and 17 the halves have 5 and 9, 4 and 8.
    let halves = Split::draw(&samples, 0.5, 1).halves(&samples).unwrap();
    let counts = |half: &[usize]| {
        let positives = half.iter().filter(|&&i| samples[i].positive).count();
        [positives, half.len() - positives]
    };
    assert_eq!([counts(&halves.0), counts(&halves.1)], [[5, 9], [4, 8]]);
}

#[test]
fn a_side_with_few_pictures_or_of_one_class_is_an_error_that_says_what_to_do() {
    let many = samples(&(0..200).map(|i| (i, i)).collect::<Vec<_>>());
    let split = |samples: &[Sample]| Split::draw(samples, 0.2, 1);
    split(&many).check(&many, 20, "").unwrap();
    let few = &many[..60];
    let error = split(few).check(few, 20, ", or --few-pictures").unwrap_err().to_string();
    assert!(error.contains("to validate") && error.ends_with(", or --few-pictures"), "{error}");
    split(few).check(few, 1, "").unwrap();
    // All taken for one patient's: training is empty, whatever is allowed.
    let one = samples(&(0..100).map(|i| (3, i)).collect::<Vec<_>>());
    let error = split(&one).check(&one, 1, "").unwrap_err().to_string();
    assert!(
        error.contains("to train") && error.contains("100 pictures are taken for one patient's"),
        "{error}"
    );
    assert!(error.contains("--patients FILE"), "{error}");
    // One picture of a class cannot be on both sides: an option that would be refused too is not named, and
    // patients of one picture each are no reason.
    let mut single = samples(&(0..40).map(|i| (i, i)).collect::<Vec<_>>());
    single.iter_mut().enumerate().for_each(|(i, sample)| sample.positive = i == 0);
    let error = split(&single).check(&single, 1, ", or --few-pictures").unwrap_err().to_string();
    assert!(error.ends_with("add pictures"), "{error}");
}

#[test]
fn a_split_that_ignores_patients_would_be_found() {
    // The planted fault: every sample as a patient of its own tears patients apart, which the
    // property above forbids.
    let pairs: Vec<(u8, u8)> = (0..100).map(|i| (i / 5, i)).collect();
    let samples = samples(&pairs);
    let mut torn = samples.clone();
    torn.iter_mut().for_each(|c| c.patient = c.id.clone());
    let (train, validation) = Split::draw(&torn, 0.2, 1).indices(&torn).unwrap();
    let of = |side: &[usize]| side.iter().map(|&i| samples[i].patient.clone()).collect::<HashSet<_>>();
    assert!(!of(&train).is_disjoint(&of(&validation)));
    assert!(Split::draw(&torn, 0.2, 1).torn(&samples).is_some());
}

/// Drawings of two machines: the second one's are noisy and have a white frame. Patients have two
/// pictures; `mixed` ones have one of each machine.
fn two_machines(patients: u64, mixed: bool) -> Vec<Sample> {
    let drawn = phantoms::load(usize::try_from(2 * patients).unwrap(), 32).samples;
    let mut samples = Vec::new();
    for (i, sample) in drawn.into_iter().enumerate() {
        let patient = i / 2;
        let second = if mixed { i % 2 == 1 } else { patient % 4 > 1 };
        let mut rng = SeededRng::new(1, Purpose::Sample, 0, i as u64);
        let mut working = sample.working.to_vec();
        if second {
            working
                .iter_mut()
                .for_each(|v| *v = (f32::from(*v) + 25.0 * rng.normal()).clamp(0.0, 255.0) as u8);
            working[..224 * 8].fill(255);
        }
        let id = format!("{}{i:04}", if second { "second" } else { "first" });
        let positive = patient % 2 == 0;
        samples.push(Sample {
            id,
            patient: format!("p{patient}"),
            positive,
            working: working.into(),
            ..sample
        });
    }
    samples
}

/// The sets of machines that validate, a set a cluster.
fn machines_held_out(samples: &[Sample], of: usize) -> Vec<BTreeSet<String>> {
    let kind = |number| SplitKind::HeldOutCluster(Fold { number, of });
    let count = Split::of_kind(kind(1), samples, 0.2, 1).unwrap().clusters.len();
    let one = |number| {
        let split = Split::of_kind(kind(number), samples, 0.2, 1).unwrap();
        split.validation.iter().map(|id| id.trim_end_matches(char::is_numeric).to_owned()).collect()
    };
    (1..=count).map(one).collect()
}

#[test]
fn a_held_out_cluster_is_a_machine_that_training_never_saw() {
    let samples = two_machines(80, false);
    let mut held_out = machines_held_out(&samples, 2);
    held_out.sort();
    let machine = |name: &str| BTreeSet::from([name.to_owned()]);
    assert_eq!(held_out, [machine("first"), machine("second")]);
    let kind = |number| SplitKind::HeldOutCluster(Fold { number, of: 2 });
    let split = Split::of_kind(kind(1), &samples, 0.2, 1).unwrap();
    let facts = &split.clusters[0];
    assert_eq!((facts.pictures, facts.patients, facts.positives, facts.negatives), (80, 40, 40, 40));
    // What sets the machines apart is what their clusters are described by.
    let planted = ["noise", "detail", "border", "lettering", "white"];
    let described =
        |traits: &str| traits.split(", ").filter(|t| planted.iter().any(|p| t.contains(p))).count();
    assert!(split.clusters.iter().all(|cluster| described(&cluster.traits) >= 3), "{:?}", split.clusters);
    // Labels play no part: exchanged, they leave the clusters as they are.
    let mut exchanged = samples.clone();
    exchanged.iter_mut().enumerate().for_each(|(i, sample)| sample.positive = i / 2 % 2 == 1);
    assert_eq!(Split::of_kind(kind(1), &exchanged, 0.2, 1).unwrap().validation, split.validation);
}

#[test]
fn a_patient_of_two_machines_is_in_one_cluster() {
    // Every patient has a picture of each machine: whatever the clusters are, no patient is torn.
    let samples = two_machines(80, true);
    let kind = SplitKind::HeldOutCluster(Fold { number: 1, of: 2 });
    match Split::of_kind(kind, &samples, 0.2, 1) {
        Err(SplitError::OneCluster) => {}
        Ok(split) => {
            let (train, validation) = split.indices(&samples).unwrap();
            let of = |side: &[usize]| side.iter().map(|&i| &samples[i].patient).collect::<HashSet<_>>();
            assert!(of(&train).is_disjoint(&of(&validation)));
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_cluster_with_few_pictures_of_a_class_is_joined_with_its_nearest() {
    // 9 of 40 patients of the second machine are ill: 18 pictures, two too few.
    let mut samples = two_machines(80, false);
    let second = |sample: &Sample| sample.id.starts_with("second");
    let ill = samples.iter_mut().filter(|s| second(s) && s.positive).skip(18);
    ill.for_each(|sample| sample.positive = false);
    let kind = |number| SplitKind::HeldOutCluster(Fold { number, of: 2 });
    assert!(matches!(Split::of_kind(kind(1), &samples, 0.2, 1), Err(SplitError::OneCluster)));
    // One patient more and they stand apart.
    let healthy = samples.iter_mut().filter(|s| second(s) && !s.positive).take(2);
    healthy.for_each(|sample| sample.positive = true);
    assert_eq!(Split::of_kind(kind(1), &samples, 0.2, 1).unwrap().clusters.len(), 2);
}

#[test]
fn folds_are_written_as_k_of_n() {
    assert_eq!("2/5".parse(), Ok(Fold { number: 2, of: 5 }));
    for wrong in ["", "5", "0/5", "6/5", "1/1", "1/101", "a/b", "-1/5", "1/5/2"] {
        assert!(wrong.parse::<Fold>().is_err(), "{wrong}");
    }
}
