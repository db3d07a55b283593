//! Whose picture a file is, as far as a list, its name or, of a DICOM file, its Patient ID tells.

use super::error::DatasetError;
use super::files::{Files, Found};
use super::findings::Names;
use super::layout::Listed;
use super::options::DataOptions;
use super::table::{IMAGES, PATIENTS, Table};
use super::walk::{Kind, id_of};
use edge_model::decode;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How a collection names its files.
struct Scheme {
    /// Whose files are named so, as reports say it.
    name: &'static str,
    /// Whether the name tells the patient, and not only the study.
    tells: bool,
    /// Patient (or study) of a file, by its path below the data folder; none for other names.
    of: fn(&Path) -> Option<String>,
}

const SCHEMES: [Scheme; 6] = [
    Scheme { name: "names as in Kermany et al. (personN_...)", tells: true, of: kermany_ill },
    Scheme { name: IM, tells: true, of: kermany_healthy },
    Scheme { name: "names as in NIH ChestX-ray14", tells: true, of: nih },
    Scheme { name: "names as in CheXpert", tells: true, of: chexpert },
    Scheme { name: "folders as in MIMIC-CXR", tells: true, of: mimic },
    Scheme { name: "names as in PadChest, which tell the study only", tells: false, of: padchest },
];

/// Kermany's healthy children, or the export of a viewer (OsiriX, Horos), where the number is the
/// series: see [`assign`].
const IM: &str = "names as in Kermany et al. (IM-N-...)";

/// A number at the beginning, of `digits` digits at least, and what follows.
fn number(text: &str, digits: usize) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end >= digits).then(|| text.split_at(end))
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

/// `person1199_bacteria_3149`.
fn kermany_ill(path: &Path) -> Option<String> {
    let stem = stem(path)?;
    let (_, rest) = number(stem.strip_prefix("person")?, 1)?;
    let kind = rest.strip_prefix('_')?;
    let is_kind = kind.starts_with("bacteria_") || kind.starts_with("virus_");
    is_kind.then(|| stem[..stem.len() - rest.len()].to_owned())
}

/// `IM-0115-0001`, `NORMAL2-IM-0402-0001`; a suffix as in `IM-0435-0001-0002` is another picture of
/// the same patient.
fn kermany_healthy(path: &Path) -> Option<String> {
    let stem = stem(path)?;
    let (_, rest) = number(stem.strip_prefix("NORMAL2-").unwrap_or(stem).strip_prefix("IM-")?, 1)?;
    rest.starts_with('-').then(|| stem[..stem.len() - rest.len()].to_owned())
}

/// `00000013_005`: patient and follow-up.
fn nih(path: &Path) -> Option<String> {
    let (patient, rest) = number(stem(path)?, 8)?;
    let (follow_up, rest) = number(rest.strip_prefix('_')?, 3)?;
    (patient.len() == 8 && follow_up.len() == 3 && rest.is_empty()).then(|| patient.to_owned())
}

/// `patient00042/study1/view1_frontal.jpg`, also with `_` for `/`.
fn chexpert(path: &Path) -> Option<String> {
    let of = |part: &str| {
        let (_, rest) = number(part.strip_prefix("patient")?, 5)?;
        (rest.is_empty() || rest.starts_with("_study")).then(|| part[..part.len() - rest.len()].to_owned())
    };
    path.iter().find_map(|part| of(part.to_str()?))
}

/// `p10/p10000032/s50414267/....jpg`.
fn mimic(path: &Path) -> Option<String> {
    let is = |part: &&str, letter, digits| {
        number(part.strip_prefix(letter).unwrap_or_default(), digits).is_some_and(|(_, rest)| rest.is_empty())
    };
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let pair = parts.windows(2).find(|pair| is(&pair[0], 'p', 8) && is(&pair[1], 's', 8))?;
    Some(pair[0].to_owned())
}

/// `20536686640136348236148679891455886468_k6ga29`: the study's number and the picture's own.
fn padchest(path: &Path) -> Option<String> {
    let (study, rest) = number(stem(path)?, 30)?;
    rest.starts_with('_').then(|| study.to_owned())
}

/// `bacteria` or `virus` where the name tells, as Kermany et al. have it.
fn subgroup(path: &Path) -> &'static str {
    match kermany_ill(path).and_then(|person| stem(path)?.get(person.len() + 1..)) {
        Some(kind) if kind.starts_with("bacteria") => "bacteria",
        Some(_) => "virus",
        None => "",
    }
}

fn scheme_of(id: &str) -> Option<(&'static Scheme, String)> {
    SCHEMES.iter().find_map(|scheme| Some((scheme, (scheme.of)(Path::new(id))?)))
}

/// Sets patient and subgroup of each picture, and notes how they are known. A list comes before
/// names, names before what DICOM files say; a picture of which nothing tells is a patient of its own.
///
/// `IM-0001-0001` names a patient in Kermany's data, where ill ones have other names, and a series in
/// a viewer's export: it is taken for a patient's only where half of the ill are named as Kermany's.
///
/// `others` below the same `root` are of the other part: a list may name them, and they get no patient.
/// Returns what is to be said of how the list was read.
///
/// # Errors
/// A list that cannot be read, lacks pictures, or says two things of one.
pub(super) fn assign(
    pictures: &mut [Listed],
    others: &[Listed],
    root: &Path,
    options: &DataOptions,
) -> Result<Option<String>, DatasetError> {
    let note = match &options.patients {
        Some(path) => by_list(pictures, others, root, path, options)?,
        None => None,
    };
    let listed = options.patients.as_deref().or(options.labels.as_deref());
    let list = listed.and_then(Path::file_name).map(|name| format!("the list {}", name.to_string_lossy()));
    by_names(pictures, list.as_deref());
    Ok(note)
}

/// The same by names and DICOM files, and by the patients that are set already where these come from a
/// `list`.
pub(super) fn by_names(pictures: &mut [Listed], list: Option<&str>) {
    let ill = || pictures.iter().filter(|picture| picture.positive).map(|picture| Path::new(&picture.id));
    let is_kermany = ill().filter(|id| kermany_ill(id).is_some()).count() * 2 >= ill().count().max(1);
    let named = |id: &str| scheme_of(id).filter(|(scheme, _)| scheme.name != IM || is_kermany);
    let told = |picture: &Listed| {
        let known = list.is_some() && !picture.patient.is_empty();
        known || named(&picture.id).is_some_and(|(scheme, _)| scheme.tells)
    };
    let said = said_by_dicom(pictures, told);
    for (picture, said) in pictures.iter_mut().zip(said) {
        if picture.subgroup.is_empty() {
            picture.subgroup = subgroup(Path::new(&picture.id));
        }
        let named = named(&picture.id);
        (picture.patient_by, picture.patient) = match (list, named) {
            (Some(list), _) if !picture.patient.is_empty() => {
                (Some(list.to_owned()), picture.patient.clone())
            }
            (_, Some((scheme, patient))) if scheme.tells => (Some(scheme.name.to_owned()), patient),
            _ if said.is_some() => (Some(PATIENT_ID.to_owned()), said.unwrap_or_default()),
            (_, Some((_, study))) => (None, study),
            (_, None) => (None, picture.id.clone()),
        };
    }
}

/// How reports call what DICOM files say.
const PATIENT_ID: &str = "Patient ID in DICOM files";

/// Whose pictures DICOM files say those are of which nothing is told: the first picture's id stands for
/// the patient, whose number is not kept. The same in all of several files, as where somebody took the
/// patients out, it tells nothing.
fn said_by_dicom(pictures: &[Listed], told: impl Fn(&Listed) -> bool) -> Vec<Option<String>> {
    let say = |picture: &Listed| if told(picture) { None } else { decode::patient(&picture.file) };
    let said: Vec<_> = pictures.iter().map(say).collect();
    let mut first: HashMap<[u8; 32], &str> = HashMap::new();
    for (picture, patient) in pictures.iter().zip(&said) {
        patient.map(|patient| *first.entry(patient).or_insert(&picture.id));
    }
    let tells = first.len() > 1 || said.iter().flatten().count() < 2;
    let name = |patient: Option<[u8; 32]>| first.get(&patient.filter(|_| tells)?).map(|id| (*id).to_owned());
    said.into_iter().map(name).collect()
}

/// The patient of each picture, of which path below the data folder and label are given, by names
/// alone.
pub fn patients_of(pictures: &[(String, bool)]) -> Vec<String> {
    let listed =
        |(id, positive): &(String, bool)| Listed::new(PathBuf::new(), id.clone(), *positive, Kind::Picture);
    let mut listed: Vec<Listed> = pictures.iter().map(listed).collect();
    by_names(&mut listed, None);
    listed.into_iter().map(|listed| listed.patient).collect()
}

fn by_list(
    pictures: &mut [Listed],
    others: &[Listed],
    root: &Path,
    path: &Path,
    options: &DataOptions,
) -> Result<Option<String>, DatasetError> {
    let table = Table::read(path)?;
    let below = |picture: &'_ Listed| picture.file.strip_prefix(root).unwrap_or(&picture.file).to_path_buf();
    let known: Vec<PathBuf> = pictures.iter().chain(others).map(below).collect();
    let files = Files::new(root, known.iter().map(PathBuf::as_path));
    let asked = |asked: &Option<String>, known: &[&str]| {
        asked.as_deref().and_then(|asked| table.column(Some(asked), &[])).or(table.column(None, known))
    };
    let columns = (asked(&options.image_column, &IMAGES), asked(&options.patient_column, &PATIENTS));
    let (Some(image), Some(patient)) = columns else {
        return Err(table.wrong(format!(
            "expected a column with pictures' names and one with patients, as in image,patient; found {}; give the names \
             with --image-column and --patient-column",
            table.header.join(", ")
        )));
    };
    let files = files.of_list(table.rows.iter().map(|row| row[image].as_str()));
    let mut said: HashMap<usize, usize> = HashMap::new();
    let (mut torn, mut elsewhere) = (Names::default(), Names::default());
    let says = |(number, _): &(usize, _)| !table.cell(*number, patient).is_empty();
    for (number, row) in table.rows.iter().enumerate().filter(says) {
        match files.find(&row[image]) {
            Found::One(index) => {
                let first = *said.entry(index).or_insert(number);
                if table.rows[first][patient] != row[patient] {
                    let lines = table.lines_of(&[first, number]);
                    let whose = format!("{} and {}", table.rows[first][patient], row[patient]);
                    torn.add(format!("{} in {lines}: {whose}", id_of(&known[index])));
                }
            }
            Found::Several => {
                return Err(table.wrong(format!(
                    "{} fits several files in several folders; write the folder in the list too",
                    row[image]
                )));
            }
            Found::Elsewhere => elsewhere.add(row[image].clone()),
            // A list may be of a larger collection.
            Found::None => {}
        }
    }
    if torn.count > 0 {
        return Err(table.wrong(format!("pictures have two patients: {torn}; correct the list")));
    }
    for (index, row) in said {
        // What is not there is of the other part.
        if let Some(picture) = pictures.get_mut(index) {
            picture.patient.clone_from(&table.rows[row][patient]);
        }
    }
    let mut missing = Names::default();
    for picture in pictures.iter().filter(|picture| picture.patient.is_empty()) {
        missing.add(picture.id.clone());
    }
    if missing.count > 0 {
        let other = match elsewhere.count {
            0 => String::new(),
            _ => format!(
                "; passed over, because they name another folder than {}: {elsewhere}; write there what lies below it",
                root.display()
            ),
        };
        return Err(
            table.wrong(format!("the list names no patient of these pictures: {missing}; add them{other}"))
        );
    }
    Ok(files.note(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(id: &str) -> Option<String> {
        scheme_of(id).map(|(_, patient)| patient)
    }

    #[test]
    fn collections_that_name_patients_are_known() {
        for (id, expected) in [
            ("train/PNEUMONIA/person1199_bacteria_3149.jpeg", Some("person1199")),
            ("person8_virus_27_1.jpeg", Some("person8")),
            ("IM-0115-0001.jpeg", Some("IM-0115")),
            ("NORMAL2-IM-0402-0001.jpeg", Some("NORMAL2-IM-0402")),
            ("IM-0435-0001-0002.jpeg", Some("IM-0435")),
            ("IM-0435-0001_jpeg.rf.0123abcd.jpg", Some("IM-0435")),
            ("images/00000013_005.png", Some("00000013")),
            ("NORMAL/patient00042_study1_view1_frontal.jpg", Some("patient00042")),
            ("NORMAL/patient00042/study1/view1_frontal.jpg", Some("patient00042")),
            ("files/p10/p10000032/s50414267/02aa804e.jpg", Some("p10000032")),
            (
                "20536686640136348236148679891455886468_k6ga29.png",
                Some("20536686640136348236148679891455886468"),
            ),
            ("anything.jpg", None),
            ("person_0001.jpg", None),
            ("person1_0001.jpg", None),
            ("IM-0001.jpg", None),
            ("000013_005.png", None),
            ("patient.jpg", None),
            ("p10/x.jpg", None),
        ] {
            assert_eq!(patient(id).as_deref(), expected, "{id}");
        }
    }

    fn assigned(ids: &[(&str, bool)], options: &DataOptions) -> Result<(Vec<Listed>, usize), String> {
        let listed =
            |&(id, positive): &(&str, bool)| Listed::new(id.into(), id.into(), positive, Kind::Picture);
        let mut pictures: Vec<Listed> = ids.iter().map(listed).collect();
        assign(&mut pictures, &[], Path::new(""), options).map_err(|error| error.to_string())?;
        let unknown = pictures.iter().filter(|picture| picture.patient_by.is_none()).count();
        Ok((pictures, unknown))
    }

    #[test]
    fn a_viewers_series_is_no_patient() {
        let (pictures, unknown) = assigned(
            &[("N/IM-0001-0001.jpg", false), ("N/IM-0001-0002.jpg", false), ("P/IM-0002-0001.jpg", true)],
            &DataOptions::default(),
        )
        .unwrap();
        assert_eq!(unknown, 3);
        assert_ne!(pictures[0].patient, pictures[1].patient);
        let kermany =
            [("N/IM-0001-0001.jpg", false), ("N/IM-0001-0002.jpg", false), ("P/person1_virus_6.jpg", true)];
        let (pictures, unknown) = assigned(&kermany, &DataOptions::default()).unwrap();
        assert_eq!(unknown, 0);
        assert_eq!(pictures[0].patient, pictures[1].patient);
        assert_eq!((pictures[1].subgroup, pictures[2].subgroup), ("", "virus"));
    }

    #[test]
    fn dicom_files_tell_their_patient_unless_all_tell_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let assigned = |files: &[(&str, &str)]| {
            let listed = |&(name, patient): &(&str, &str)| {
                let said = test_support::dicom::element(0x10, 0x20, b"LO", patient.as_bytes());
                let path = folder.path().join(name);
                std::fs::write(&path, test_support::dicom::radiograph(32, 32, &[7; 1024], &[said])).unwrap();
                Listed::new(path, name.into(), false, Kind::Picture)
            };
            let mut pictures: Vec<Listed> = files.iter().map(listed).collect();
            assign(&mut pictures, &[], folder.path(), &DataOptions::default()).unwrap();
            pictures
        };
        let by = |picture: &Listed| picture.patient_by.as_deref().map(str::to_owned);
        let some = assigned(&[
            ("a.dcm", "Q1"),
            ("b", "Q1"),
            ("c.dcm", "Q2"),
            ("d.dcm", ""),
            ("00000013_005.png", "Q1"),
        ]);
        assert!(some[..3].iter().all(|picture| by(picture).as_deref() == Some(PATIENT_ID)));
        assert_eq!(by(&some[3]), None);
        let patients: Vec<&str> = some.iter().map(|picture| &*picture.patient).collect();
        assert_eq!(patients, ["a.dcm", "a.dcm", "c.dcm", "d.dcm", "00000013"], "a name comes before");
        let same = assigned(&[("a.dcm", "ANON"), ("b", "ANON"), ("c.dcm", "ANON")]);
        assert!(same.iter().all(|picture| by(picture).is_none() && picture.patient == picture.id));
        let one = assigned(&[("a.dcm", "Q1")]);
        assert!(by(&one[0]).is_some());
    }

    #[test]
    fn names_that_tell_nothing_are_counted_and_torn_apart_by_folder() {
        let (pictures, unknown) =
            assigned(&[("N/1.jpg", false), ("P/1.jpg", true)], &DataOptions::default()).unwrap();
        assert_eq!(unknown, 2);
        assert_ne!(pictures[0].patient, pictures[1].patient);
    }

    #[test]
    fn a_list_comes_before_names_and_must_name_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = DataOptions { patients: Some(file.path().into()), ..DataOptions::default() };
        let ids = [("N/IM-0001-0001.jpg", false), ("P/b.jpg", true)];
        std::fs::write(&file, "image,patient\nIM-0001-0001.jpg,anna\nb,anna\nelsewhere.jpg,x\n").unwrap();
        let (pictures, unknown) = assigned(&ids, &options).unwrap();
        assert!(pictures.iter().all(|picture| picture.patient == "anna"));
        assert_eq!(unknown, 0);
        std::fs::write(&file, "image,patient\nIM-0001-0001.jpg,anna\n").unwrap();
        let error = assigned(&ids, &options).map(|_| ()).unwrap_err();
        assert!(error.contains("no patient of these pictures: 1 (P/b.jpg)"), "{error}");
        std::fs::write(&file, "a,b\n1,2\n").unwrap();
        assert!(assigned(&ids, &options).map(|_| ()).unwrap_err().contains("--patient-column"));
    }
}
