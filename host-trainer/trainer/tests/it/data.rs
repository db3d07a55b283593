//! Reading, splitting and changing data: forms of data sets, patients, duplicates, and errors that
//! say what to do.

use ::phantoms::{Label, draw};
use flate2::{Compression, write::DeflateEncoder};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use npyz::WriterBuilder;
use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use trainer::augment::batches::{Batch, Changes, shifted_picture};
use trainer::augment::{AugmentParams, augment};
use trainer::dataset::split::Split;
use trainer::dataset::{self, DatasetError, Part, Sample, patient_of, phantoms};
use trainer::random::{Purpose, SeededRng};

/// Of the first 40 phantoms, shifted.
const SHIFTED_PHANTOMS: &str = "?";

fn write(root: &Path, name: &str, seed: u64) {
    let picture = draw(Label::Normal, seed, 64);
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    PngEncoder::new(file).write_image(picture.bytes(), 64, 64, ExtendedColorType::L8).unwrap();
}

#[test]
fn patients_are_read_from_names() {
    assert_eq!(patient_of("person1199_bacteria_3149"), ("person1199".into(), "bacteria"));
    assert_eq!(patient_of("person8_virus_27"), ("person8".into(), "virus"));
    assert_eq!(patient_of("IM-0115-0001"), ("IM-0115".into(), ""));
    assert_eq!(patient_of("NORMAL2-IM-0402-0001"), ("NORMAL2-IM-0402".into(), ""));
    assert_eq!(patient_of("IM-0435-0001-0002"), ("IM-0435".into(), ""));
    assert_eq!(patient_of("anything"), ("anything".into(), ""));
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
    let learning = dataset::load(folder.path(), Part::Learning, 32).unwrap();
    assert_eq!(learning.samples.len(), 14, "train and val, not test");
    assert!(learning.notes.iter().any(|n| n.contains("val/ merged")), "{:?}", learning.notes);
    assert!(learning.samples.iter().all(|c| !c.id.contains("test")));
    let test = dataset::load(folder.path(), Part::Test, 32).unwrap();
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
    let learning = dataset::load(&path, Part::Learning, 32).unwrap();
    assert_eq!(learning.samples.len(), 10);
    assert!(learning.notes[0].contains("no patients"));
    assert_eq!(dataset::load(&path, Part::Test, 32).unwrap().samples.len(), 2);
}

#[test]
fn wrong_data_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let load = |part| dataset::load(folder.path(), part, 32);
    assert!(matches!(load(Part::Learning), Err(DatasetError::Layout { .. })));
    std::fs::create_dir_all(folder.path().join("train/NORMAL")).unwrap();
    std::fs::create_dir_all(folder.path().join("train/PNEUMONIA")).unwrap();
    assert!(matches!(load(Part::Learning), Err(DatasetError::Empty { normal: 0, pneumonia: 0, .. })));
    write(folder.path(), "train/NORMAL/a.png", 1);
    std::fs::write(folder.path().join("train/PNEUMONIA/b.png"), b"not a picture").unwrap();
    let error = load(Part::Learning).unwrap_err().to_string();
    assert!(error.contains("b.png") && error.contains("remove or replace"), "{error}");
    std::fs::write(folder.path().join("x.npz"), b"no archive").unwrap();
    assert!(dataset::load(&folder.path().join("x.npz"), Part::Learning, 32).is_err());
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
        let side = |side: &[usize]| -> (HashSet<String>, HashSet<[u8; 32]>) {
            (side.iter().map(|&i| samples[i].patient.clone()).collect(), side.iter().map(|&i| samples[i].content).collect())
        };
        let ((tp, tc), (vp, vc)) = (side(&train), side(&validation));
        prop_assert!(tp.is_disjoint(&vp) && tc.is_disjoint(&vc));
        prop_assert_eq!(split, Split::draw(&samples, 0.2, seed));
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
    // Planted: one grey value of one picture.
    let mut other = samples;
    other[7].working[100 * 224 + 100] ^= 16;
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
}
