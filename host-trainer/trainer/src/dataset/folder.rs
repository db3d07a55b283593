//! Folders of pictures: which there are, whose they are, and their reading by the edge runtime's own
//! decoder. What is left out is counted, what cannot be read is refused, all of it at once.

use super::classes::Classes;
use super::error::{AllBad, Bad, DatasetError};
use super::findings::{Findings, LeftOut};
use super::layout::{self, Listed, Listing};
use super::likeness::{Fingerprint, Survey, compare, contradictory};
use super::options::DataOptions;
use super::prepared::{self, Prepared, Store};
use super::sample::{Dataset, Part, PictureSource, Sample, hash_of, squashed};
use super::walk::{Kind, Tree, id_of, is_validation, kind, no_picture, walk};
use super::{labels, patients};
use crate::progress;
use edge_core::Reason;
use edge_model::decode::{self, DecodeError, MAX_FILE_BYTES, Picture};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// From so many pictures on they are kept on disk rather than in memory.
const MANY: usize = 1000;

/// What the decoder calls content that may lie among pictures without being one.
const NO_PICTURES: [&str; 2] = ["unknown content", "PDF"];

/// Reads one part of the folder `path`, for a network input of `side` pixels.
pub(super) fn load(
    path: &Path,
    part: Part,
    side: u16,
    options: &DataOptions,
) -> Result<Dataset, DatasetError> {
    let (samples, notes, findings) = read(path, part, side, options, true, |sample| sample, Fingerprint::of)?;
    Ok(Dataset { samples, notes, findings })
}

/// What one part of a folder holds. No more than a fingerprint of each picture is kept in memory.
pub(super) fn survey(path: &Path, part: Part, options: &DataOptions) -> Result<Survey, DatasetError> {
    // The smallest input that is taken: none is used.
    let keep = |sample: Sample| Fingerprint::of(&sample);
    let (prints, notes, findings) = read(path, part, 32, options, false, keep, Fingerprint::clone)?;
    Ok(Survey { prints, notes, findings })
}

/// Reads each picture, keeps what `keep` makes of it, and compares these. `whole`: the pictures
/// themselves are kept, on disk where there are many.
fn read<T: Send + Sync>(
    path: &Path,
    part: Part,
    side: u16,
    options: &DataOptions,
    whole: bool,
    keep: impl Fn(Sample) -> T + Sync,
    print: impl Fn(&T) -> Fingerprint + Sync,
) -> Result<(Vec<T>, Vec<String>, Findings), DatasetError> {
    let mut listing = list(path, part, options)?;
    let mut findings = Findings::default();
    let note = patients::assign(&mut listing.pictures, &listing.other_part, path, options)?;
    listing.notes.extend(note);
    let Listing { pictures, other_part, mut left_out, mut bad, notes } = listing;
    let prepared = |error| DatasetError::Prepared {
        path: options.prepared.clone(),
        error,
        needed: (pictures.len() * prepared::record_bytes(side)) as u64,
    };
    let store = match whole && !options.in_memory && pictures.len() >= MANY {
        true => Some(Store::open(&options.prepared, side, pictures.len()).map_err(prepared)?),
        false => None,
    };
    // What no device answers teaches nothing that one says; it is measured, and counted as INVALID.
    let how = Reading { side, store: store.as_ref(), judged_alone: part == Part::Learning };
    let opened = open_each("reading pictures", &pictures, &how, &mut left_out, &mut bad, keep);
    if let Some(store) = store {
        store.finish().map_err(prepared)?;
    }
    if !bad.is_empty() {
        return Err(DatasetError::Pictures { path: path.to_path_buf(), bad: AllBad(bad) });
    }
    let read = pictures.iter().zip(&opened).filter(|(_, opened)| opened.is_some());
    count_patients(read.map(|(listed, _)| listed), &mut findings);
    let kept: Vec<T> = opened.into_iter().flatten().collect();
    let prints = progress::map("comparing pictures", &kept, print);
    findings.sha256 = hash_of(prints.iter().map(Fingerprint::hashed));
    findings.pneumonia = prints.iter().filter(|print| print.positive).count();
    findings.normal = prints.len() - findings.pneumonia;
    if findings.normal == 0 || findings.pneumonia == 0 {
        let left: Vec<String> =
            left_out.0.iter().map(|(why, names)| format!("; left out: {why}: {names}")).collect();
        let (normal, pneumonia) = (findings.normal, findings.pneumonia);
        return Err(DatasetError::Empty {
            path: path.to_path_buf(),
            normal,
            pneumonia,
            left_out: left.concat(),
        });
    }
    refuse_contradictions(path, &prints, options)?;
    // What cannot be read of the other part is that part's trouble, told when it is read itself.
    let of_other = |sample: Sample| Fingerprint::of(&sample);
    let others = open_each(
        "reading the part that is kept apart",
        &other_part,
        &Reading::of_all(side),
        &mut LeftOut::default(),
        &mut Vec::new(),
        of_other,
    );
    compare(&prints, &others.into_iter().flatten().collect::<Vec<_>>(), &mut findings);
    findings.left_out = left_out;
    Ok((kept, notes, findings))
}

fn count_patients<'a>(pictures: impl Iterator<Item = &'a Listed>, findings: &mut Findings) {
    let mut patients = HashSet::new();
    for picture in pictures {
        patients.insert(picture.patient.as_str());
        match &picture.patient_by {
            Some(by) => *findings.patients_by.entry(by.clone()).or_default() += 1,
            None => findings.patients_unknown += 1,
        }
    }
    findings.patients = patients.len();
}

/// An error where the same file has both labels, unless that is allowed.
pub(super) fn refuse_contradictions(
    path: &Path,
    prints: &[Fingerprint],
    options: &DataOptions,
) -> Result<(), DatasetError> {
    let groups = contradictory(prints);
    match groups.count == 0 || options.allow_contradictions {
        true => Ok(()),
        false => Err(DatasetError::Contradictory { path: path.to_path_buf(), groups }),
    }
}

/// The pictures of a part by their names, sorted by id, each id once.
fn list(path: &Path, part: Part, options: &DataOptions) -> Result<Listing, DatasetError> {
    let tree = walk(path)?;
    let mut listing = match &options.labels {
        Some(_) => labels::arrange(tree, part, options)?,
        None => layout::arrange(tree, part, &Classes::new(&options.classes, false)?)?,
    };
    listing.pictures.sort_by(|a, b| a.id.cmp(&b.id));
    for pair in listing.pictures.windows(2).filter(|pair| pair[0].id == pair[1].id) {
        let reason = "another file's name reads the same; rename one".to_owned();
        listing.bad.push(Bad { name: pair[0].id.clone(), reason });
    }
    for note in validation_counts(&listing.pictures) {
        listing.notes.push(note);
    }
    Ok(listing)
}

/// How many pictures of each class a folder of validation pictures brings.
fn validation_counts(pictures: &[Listed]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for picture in pictures {
        let mut folders = picture.id.split('/');
        if let (Some(part), Some(class)) = (folders.next(), folders.next())
            && is_validation(part)
        {
            *counts.entry(format!("{part}/{class}")).or_insert(0) += 1;
        }
    }
    counts.into_iter().map(|(folder, count)| format!("{folder} has {count} pictures")).collect()
}

/// All pictures below `path`, in its folders too, sorted by name: without labels, for whoever wants
/// to know what a model makes of them. Whose they are is known by names and DICOM files; where these
/// do not tell, each is a patient's by its id. The second value says what was left out.
///
/// # Errors
/// What cannot be read, and a folder without pictures.
pub fn unlabelled(path: &Path, side: u16) -> Result<(Vec<Sample>, LeftOut), DatasetError> {
    let Tree { files, mut left_out, mut bad, .. } = walk(path)?;
    let mut pictures = Vec::new();
    for file in files {
        let (id, kind) = (id_of(&file), kind(&file));
        match kind {
            Kind::Other => left_out.add(no_picture(&file), id),
            _ => pictures.push(Listed::new(path.join(&file), id, false, kind)),
        }
    }
    pictures.sort_by(|a, b| a.id.cmp(&b.id));
    patients::by_names(&mut pictures, None);
    let how = Reading::of_all(side);
    let opened =
        open_each("reading other pictures", &pictures, &how, &mut left_out, &mut bad, |sample| sample);
    if !bad.is_empty() {
        return Err(DatasetError::Pictures { path: path.to_path_buf(), bad: AllBad(bad) });
    }
    let samples: Vec<Sample> = opened.into_iter().flatten().collect();
    if samples.is_empty() {
        let hint = "No picture is in it.".into();
        return Err(DatasetError::Layout { path: path.to_path_buf(), hint });
    }
    Ok((samples, left_out))
}

/// How pictures are read.
struct Reading<'a> {
    /// Of the network's input.
    side: u16,
    /// Where many are kept.
    store: Option<&'a Store>,
    /// Whether those are left out that no device would judge, by what their own file says: an age, a view
    /// or a part of the body that the model is not for.
    judged_alone: bool,
}

impl Reading<'_> {
    fn of_all(side: u16) -> Self {
        Self { side, store: None, judged_alone: false }
    }
}

/// Why a file is no picture to work with.
#[derive(Debug)]
enum Unread {
    Unreadable(DecodeError),
    /// Its pixels, as they stand in the file, show nothing.
    ShowsNothing(Reason),
    /// No device would judge it, by what its file says.
    NotJudged(Reason),
}

impl From<DecodeError> for Unread {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable(error)
    }
}

/// Opens each picture and keeps what `keep` makes of it; none where that cannot be done. Such a file
/// is bad, but left out where neither name nor content says picture, or where no device would judge it.
/// None, too, once the store has failed: no picture is to blame, and the store says so when it is
/// finished.
fn open_each<T: Send>(
    what: &str,
    pictures: &[Listed],
    how: &Reading,
    left_out: &mut LeftOut,
    bad: &mut Vec<Bad>,
    keep: impl Fn(Sample) -> T + Sync,
) -> Vec<Option<T>> {
    let results = progress::map(what, pictures, |listed| open(listed, how).map(|sample| sample.map(&keep)));
    let mut judge = |(listed, result): (&Listed, Result<Option<T>, Unread>)| match result {
        Ok(value) => value,
        Err(Unread::NotJudged(reason)) => {
            left_out.add(why(reason), listed.id.clone());
            None
        }
        Err(Unread::Unreadable(DecodeError::Format { got }))
            if listed.kind == Kind::Unknown && NO_PICTURES.contains(&got) =>
        {
            left_out.add(format!("no picture by its content ({got})"), listed.id.clone());
            None
        }
        Err(Unread::Unreadable(error)) => {
            bad.push(Bad { name: listed.id.clone(), reason: error.to_string() });
            None
        }
        Err(Unread::ShowsNothing(reason)) => {
            bad.push(Bad { name: listed.id.clone(), reason: reason.to_string() });
            None
        }
    };
    pictures.iter().zip(results).map(&mut judge).collect()
}

/// Why no device would judge a picture; without its own numbers, since pictures are counted by it.
fn why(reason: Reason) -> String {
    let said = match reason {
        Reason::OtherAge(got, limit) => {
            let side = if got < limit { "younger" } else { "older" };
            format!("the file says: a patient {side} than {limit} months")
        }
        other => other.to_string().split(';').next().unwrap_or_default().to_owned(),
    };
    format!("no device would judge it: {said}")
}

/// The picture; none where the store has failed.
fn open(listed: &Listed, how: &Reading) -> Result<Option<Sample>, Unread> {
    if how.store.is_some_and(Store::has_failed) {
        return Ok(None);
    }
    let bytes = bytes_of(&listed.file)?;
    let content = Sha256::digest(&bytes).into();
    let kept = match how.store.and_then(|store| store.get(&content)) {
        Some(known) => Some(known),
        None => {
            let picture = decode::decode(&bytes)?;
            let made = make(&picture, how.side)?;
            match (picture.refused(), how.store) {
                // Whatever it is read for, and however it was meant: whoever has it can write it anew.
                (Some(reason @ (Reason::UnusedBits(..) | Reason::Transparent)), _) => {
                    return Err(Unread::ShowsNothing(reason));
                }
                (Some(reason), _) if how.judged_alone => return Err(Unread::NotJudged(reason)),
                // What is in the store may be learned from.
                (None, Some(store)) => store.put(&content, made),
                _ => Some(made),
            }
        }
    };
    Ok(kept.map(|Prepared { size, working, input }| Sample {
        id: listed.id.clone(),
        original: PictureSource::File(listed.file.clone()),
        patient: listed.patient.clone(),
        positive: listed.positive,
        subgroup: listed.subgroup,
        content,
        size,
        working,
        input,
    }))
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_FILE_BYTES {
        true => Err(DecodeError::TooLong),
        false => Ok(bytes),
    }
}

fn make(picture: &Picture, side: u16) -> Result<Prepared, DecodeError> {
    let (width, height) = (picture.geometry().width(), picture.geometry().height());
    let (working, input) = squashed(picture, side).ok_or_else(|| {
        DecodeError::Read(std::io::Error::other(format!("{width} x {height} pixels cannot be scaled")))
    })?;
    Ok(Prepared { size: (width, height), working, input })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Writers that fail as a full disk does, from the first record or from a later one.
    #[test]
    fn a_full_disk_is_the_stores_error_and_blames_no_picture() {
        let root = tempfile::tempdir().unwrap();
        let listed = |number: u8| {
            let file = root.path().join(format!("{number}.png"));
            image::GrayImage::from_fn(40, 40, |x, y| image::Luma([(x * 3 + y) as u8 ^ number]))
                .save(&file)
                .unwrap();
            Listed::new(file, format!("{number}.png"), false, Kind::Picture)
        };
        let pictures: Vec<Listed> = (0..40).map(listed).collect();
        for whole in [0, 3] {
            let (folder, written) = (root.path().join(format!("store-{whole}")), AtomicUsize::new(0));
            let store =
                Store::open(&folder, 32, pictures.len()).unwrap().with_writer(Box::new(move |_, _, _| {
                    match written.fetch_add(1, Ordering::Relaxed) < whole {
                        true => Ok(()),
                        false => Err(io::ErrorKind::StorageFull.into()),
                    }
                }));
            let (mut left_out, mut bad) = (LeftOut::default(), Vec::new());
            let how = Reading { side: 32, store: Some(&store), judged_alone: true };
            let opened = open_each("", &pictures, &how, &mut left_out, &mut bad, |sample| sample);
            assert!(bad.is_empty() && left_out.count() == 0, "{bad:?}");
            assert!(opened.iter().flatten().count() <= whole);
            let error = store.finish().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            // What it took is given back, or the next try would lack it.
            let left: u64 =
                std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
            assert_eq!(left, 0);
            let needed = (pictures.len() * prepared::record_bytes(32)) as u64;
            let error = DatasetError::Prepared { path: "disk/prepared".into(), error, needed }.to_string();
            assert!(
                error.starts_with("prepared pictures in disk/prepared: ") && error.contains("3 MB"),
                "{error}"
            );
        }
    }
}
