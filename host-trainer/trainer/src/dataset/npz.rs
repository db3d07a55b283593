//! MedMNIST's `.npz` files: `{train,val,test}_images` of u8 with 28 to 224 pixels a side,
//! `{train,val,test}_labels` of 0 and 1.
//!
//! They carry no patients: each picture counts as a patient of its own, and a note says so. Sides
//! below the frame's minimum are doubled pixel by pixel, which changes nothing about the area
//! means.

use super::error::DatasetError;
use super::findings::Findings;
use super::folder::refuse_contradictions;
use super::likeness::{Fingerprint, compare};
use super::options::DataOptions;
use super::sample::{Dataset, Part, Sample, content_hash, sample_of};
use crate::{archive, progress};
use edge_core::{Geometry, PixelFormat, frame};
use edge_model::decode::Picture;
use npyz::NpyFile;
use rawzip::{FileReader, ZipArchive};
use rayon::prelude::*;
use std::fs::File;
use std::path::Path;

/// Reads one part; `Learning` is train and val together.
pub(super) fn load(
    path: &Path,
    part: Part,
    side: u16,
    options: &DataOptions,
) -> Result<Dataset, DatasetError> {
    let wrong = |reason: String| DatasetError::Npz { path: path.to_path_buf(), reason };
    refuse_lists(options).map_err(wrong)?;
    let file = File::open(path).map_err(|error| DatasetError::Io { path: path.to_path_buf(), error })?;
    let archive = archive::open(file).map_err(wrong)?;
    let names: &[&str] = if part == Part::Learning { &["train", "val"] } else { &["test"] };
    let mut samples = Vec::new();
    for name in names {
        let (shape, pixels) = array(&archive, &format!("{name}_images")).map_err(wrong)?;
        let (_, labels) = array(&archive, &format!("{name}_labels")).map_err(wrong)?;
        let (count, height, width, channels) = match shape[..] {
            [n, h, w] => (n, h, w, 1),
            [n, h, w, c @ (1 | 3)] => (n, h, w, c),
            _ => return Err(wrong(format!("expected {name}_images of shape N x H x W, got {shape:?}"))),
        };
        if labels.len() != count || labels.iter().any(|&l| l > 1) {
            let got = labels.len();
            return Err(wrong(format!("expected {count} labels of 0 or 1 in {name}_labels, got {got}")));
        }
        let bytes = height * width * channels;
        let (all, got) = (count * bytes, pixels.len());
        if bytes == 0 || got != all {
            return Err(wrong(format!("expected {all} bytes in {name}_images, got {got}")));
        }
        let made: Result<Vec<Sample>, String> = pixels
            .par_chunks_exact(bytes)
            .zip(&labels)
            .enumerate()
            .map(|(i, (pixels, &label))| {
                let picture = picture(pixels, width, height, channels)?;
                let sample =
                    sample_of(format!("{name}/{i:05}"), picture, side).ok_or("a picture cannot be scaled")?;
                Ok(Sample { positive: label == 1, ..sample })
            })
            .collect();
        samples.extend(made.map_err(wrong)?);
    }
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    let prints = progress::map("comparing pictures", &samples, Fingerprint::of);
    refuse_contradictions(path, &prints, options)?;
    let pneumonia = prints.iter().filter(|print| print.positive).count();
    let (normal, count) = (prints.len() - pneumonia, prints.len());
    if normal == 0 || pneumonia == 0 {
        let left_out = String::new();
        return Err(DatasetError::Empty { path: path.to_path_buf(), normal, pneumonia, left_out });
    }
    let sha256 = content_hash(&samples);
    let mut findings = Findings {
        sha256,
        normal,
        pneumonia,
        patients: count,
        patients_unknown: count,
        ..Findings::default()
    };
    compare(&prints, &[], &mut findings);
    let notes = vec!["no patients in this file: each picture counts as a patient of its own".into()];
    Ok(Dataset { samples, notes, findings })
}

/// Refuses what is said of labels and patients, rather than learn as if it had not been said.
fn refuse_lists(options: &DataOptions) -> Result<(), String> {
    let given = [
        ("--classes", !options.classes.is_empty()),
        ("--labels", options.labels.is_some()),
        ("--image-column", options.image_column.is_some()),
        ("--patient-column", options.patient_column.is_some()),
        ("--patients", options.patients.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(format!(
            "expected no {option}: an .npz file has labels of its own, and nothing tells its patients; leave {option} out, \
             or unpack the pictures into a folder"
        )),
        None => Ok(()),
    }
}

/// An array of bytes and its shape: the archive's member `name.npy`, stored or deflated, as numpy
/// writes it.
fn array(archive: &ZipArchive<FileReader>, name: &str) -> Result<(Vec<usize>, Vec<u8>), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let member = format!("{name}.npy");
    let reader = archive::member(archive, |found| found == member.as_bytes()).map_err(|e| wrong(&e))?;
    let reader = reader.ok_or_else(|| format!("expected an array {name}, found none"))?;
    let array = NpyFile::new(reader).map_err(|e| wrong(&e))?;
    let shape = array.shape().iter().map(|&n| n as usize).collect();
    if array.order() != npyz::Order::C {
        return Err(format!("{name}: expected C order"));
    }
    let values = array.into_vec::<u8>().map_err(|e| format!("{name}: expected bytes (u8), {e}"))?;
    Ok((shape, values))
}

fn picture(pixels: &[u8], width: usize, height: usize, channels: usize) -> Result<Picture, String> {
    let times = if width.min(height) < usize::from(frame::MIN_SIDE) { 2 } else { 1 };
    let format = if channels == 3 { PixelFormat::Rgb8 } else { PixelFormat::Gray8 };
    let geometry =
        Geometry::new((width * times) as u32, (height * times) as u32, format).map_err(|e| e.to_string())?;
    let mut bytes = Vec::with_capacity(pixels.len() * times * times);
    for row in pixels.chunks_exact(width * channels) {
        let wide: Vec<u8> = row.chunks_exact(channels).flat_map(|p| p.repeat(times)).collect();
        (0..times).for_each(|_| bytes.extend_from_slice(&wide));
    }
    Picture::new(geometry, bytes).map_err(|e| e.to_string())
}
