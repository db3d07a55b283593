//! Which pictures of a folder are which class, by the folders that they lie in.
//!
//! ```text
//! [wrappers/] [train/ val/ test/] [wrappers/] CLASS/ [any folders/] picture
//! ```
//!
//! A wrapper is a folder that everything lies in (`chest_xray/chest_xray`).

use super::classes::{Classes, proposal};
use super::error::{Bad, DatasetError};
use super::findings::{LeftOut, Names, shown};
use super::sample::Part;
use super::table;
use super::walk::{Kind, PartFolder, Tree, id_of, kind, no_picture, part_folder};
use std::collections::BTreeMap;
use std::mem::take;
use std::path::{Path, PathBuf};

/// A picture by its name; it was not opened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub file: PathBuf,
    /// Below the folder with the classes or parts, with `/` on every system. Unique.
    pub id: String,
    pub positive: bool,
    /// `bacteria` or `virus` where folder or name tells, else empty.
    pub subgroup: &'static str,
    /// Whose picture it is; empty until that is known.
    pub patient: String,
    /// How that is known; none where nothing tells.
    pub patient_by: Option<String>,
    pub kind: Kind,
}

impl Listed {
    pub fn new(file: PathBuf, id: String, positive: bool, kind: Kind) -> Self {
        Self { file, id, positive, subgroup: "", patient: String::new(), patient_by: None, kind }
    }
}

/// The pictures of one part, and what else the folder holds.
#[derive(Default)]
pub(super) struct Listing {
    pub pictures: Vec<Listed>,
    /// Pictures of the other part: for `evaluate` where these may be learned from, and the reverse.
    pub other_part: Vec<Listed>,
    pub left_out: LeftOut,
    pub bad: Vec<Bad>,
    pub notes: Vec<String>,
}

/// What lies directly in a folder.
#[derive(Default)]
struct Level {
    /// Folders by name, with the number of pictures in them at any depth.
    folders: BTreeMap<String, usize>,
    loose: usize,
}

fn level(tree: &Tree, at: &Path) -> Level {
    let mut level = Level::default();
    let below = |path: &'_ Path| path.strip_prefix(at).map(Path::to_path_buf).ok();
    let first = |path: &Path| path.iter().next().map(|name| name.to_string_lossy().into_owned());
    for folder in tree.folders.iter().filter_map(|folder| below(folder)) {
        if let Some(name) = first(&folder) {
            level.folders.entry(name).or_default();
        }
    }
    for file in tree.files.iter().filter(|file| kind(file) == Kind::Picture).filter_map(|file| below(file)) {
        match (file.iter().count(), first(&file)) {
            (1, _) => level.loose += 1,
            (_, Some(name)) => *level.folders.entry(name).or_default() += 1,
            _ => {}
        }
    }
    level
}

/// Goes into the one folder with pictures, until `stop` says that this is the place.
fn unwrapped(tree: &Tree, from: &Path, stop: impl Fn(&str) -> bool) -> PathBuf {
    let mut at = from.to_path_buf();
    loop {
        let level = level(tree, &at);
        let mut with = level.folders.iter().filter(|(_, pictures)| **pictures > 0);
        match (level.loose, with.next(), with.next()) {
            (0, Some((only, _)), None) if !level.folders.keys().any(|name| stop(name)) => at.push(only),
            _ => return at,
        }
    }
}

/// Pictures of one part of the tree, with their classes.
///
/// # Errors
/// No folder of a class, or folders of which it is not known which class they are.
pub(super) fn arrange(mut tree: Tree, part: Part, classes: &Classes) -> Result<Listing, DatasetError> {
    let is_class = |name: &str| classes.of(name).is_some();
    let base = unwrapped(&tree, Path::new(""), |name| is_class(name) || part_folder(name).is_some());
    let top = level(&tree, &base);
    let places = Places::new(&tree, &base, &top, part, classes)?;
    let mut listing = Listing {
        left_out: take(&mut tree.left_out),
        bad: take(&mut tree.bad),
        notes: places.notes(),
        ..Listing::default()
    };
    let mut unnamed: BTreeMap<String, Names> = BTreeMap::new();
    let mut class_folders: Vec<String> = Vec::new();
    for file in &tree.files {
        let id = id_of(file.strip_prefix(&base).unwrap_or(file));
        let kind = kind(file);
        if kind == Kind::Other {
            listing.left_out.add(no_picture(file), id);
            continue;
        }
        let Some((here, is_other)) = places.of(file) else {
            listing.left_out.add(places.outside(), id);
            continue;
        };
        let below: Vec<String> = file
            .strip_prefix(here)
            .unwrap_or(file)
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let Some((class, inside)) = below.split_first().filter(|(_, inside)| !inside.is_empty()) else {
            listing.left_out.add("in no folder of a class", id);
            continue;
        };
        let Some(positive) = classes.of(class) else {
            if !is_other {
                unnamed.entry(class.clone()).or_default().add(id);
            }
            continue;
        };
        if !is_other && !class_folders.contains(class) {
            class_folders.push(class.clone());
        }
        if is_mask(inside) {
            listing.left_out.add("masks, no pictures of chests", id);
            continue;
        }
        let subgroup = below[..below.len() - 1].iter().map(|folder| subgroup(folder)).find(|s| !s.is_empty());
        let listed = Listed::new(tree.root.join(file), id, positive, kind);
        let listed = Listed { subgroup: subgroup.unwrap_or(""), ..listed };
        if is_other { listing.other_part.push(listed) } else { listing.pictures.push(listed) }
    }
    let found = class_folders.iter().chain(unnamed.keys());
    let misses = if classes.given { classes.unused(found.map(String::as_str)) } else { vec![] };
    if !(unnamed.is_empty() || classes.given) || !misses.is_empty() {
        let line = table::proposal(&tree).filter(|_| class_folders.is_empty() && !classes.given);
        return Err(match line {
            Some(line) => {
                let hint = by_a_list(unnamed.values().map(|names| names.count).sum(), &line);
                DatasetError::Layout { path: tree.root, hint }
            }
            None => unknown_classes(&tree.root, &class_folders, &unnamed, &misses),
        });
    }
    for (name, pictures) in unnamed {
        let why = format!("in the folder {}, which --classes does not name", shown(&name));
        listing.left_out.0.entry(why).or_insert(pictures);
    }
    for folder in tree.folders.iter().filter(|folder| kind(folder) == Kind::Picture) {
        listing.left_out.add("folders that are named as pictures", id_of(folder));
    }
    if !listing.other_part.is_empty() && part == Part::Learning {
        listing.notes.push(format!("test/ has {} pictures, kept for `evaluate`", listing.other_part.len()));
    }
    Ok(listing)
}

/// Where the classes' folders of each part lie.
struct Places {
    /// Part, its name, and the folder with the classes in it.
    parts: Vec<(PartFolder, String, PathBuf)>,
    /// The folders directly below the base that are parts.
    part_roots: Vec<PathBuf>,
    base: PathBuf,
    part: Part,
    /// Whether the base itself has the classes.
    plain: bool,
}

impl Places {
    fn new(
        tree: &Tree,
        base: &Path,
        top: &Level,
        part: Part,
        classes: &Classes,
    ) -> Result<Self, DatasetError> {
        let is_class = |name: &str| classes.of(name).is_some();
        let mut parts = Vec::new();
        let mut part_roots = Vec::new();
        for name in top.folders.keys() {
            if let Some(folder) = part_folder(name) {
                part_roots.push(base.join(name));
                parts.push((folder, name.clone(), unwrapped(tree, &base.join(name), is_class)));
            }
        }
        let has = |wanted| parts.iter().any(|(folder, ..)| *folder == wanted);
        let plain = match part {
            Part::Learning => !has(PartFolder::Train),
            Part::Test => !has(PartFolder::Test),
        };
        let classed = top
            .folders
            .iter()
            .any(|(name, pictures)| part_folder(name).is_none() && (is_class(name) || *pictures > 0));
        if plain && !classed {
            let hint = hint(tree, top, part, &parts);
            return Err(DatasetError::Layout { path: tree.root.clone(), hint });
        }
        Ok(Self { parts, part_roots, base: base.to_path_buf(), part, plain })
    }

    /// The folder with the classes that a file belongs to, and whether that is the other part's; none
    /// for a file of no part.
    fn of(&self, file: &Path) -> Option<(&Path, bool)> {
        for ((folder, _, at), root) in self.parts.iter().zip(&self.part_roots) {
            if file.starts_with(root) {
                let is_test = *folder == PartFolder::Test;
                let is_other = is_test != (self.part == Part::Test);
                // A folder of validation pictures beside bare classes belongs to neither part.
                let counts = !(self.plain && *folder == PartFolder::Validation);
                return counts.then_some((at.as_path(), is_other));
            }
        }
        (self.plain && file.starts_with(&self.base)).then_some((self.base.as_path(), false))
    }

    fn outside(&self) -> String {
        match self.plain {
            true => "in no folder of a class".into(),
            false => "outside the folders of the parts (train, val, test)".into(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let merged = self.part == Part::Learning && !self.plain;
        let validation = self.parts.iter().filter(|(folder, ..)| merged && *folder == PartFolder::Validation);
        let note = |name: &String| {
            format!("{name}/ merged into training: validation patients are drawn anew, grouped by patient")
        };
        validation.map(|(_, name, _)| note(name)).collect()
    }
}

/// What would help where no class is found.
fn hint(tree: &Tree, top: &Level, part: Part, parts: &[(PartFolder, String, PathBuf)]) -> String {
    let pictures = top.loose + top.folders.values().sum::<usize>();
    match (parts, table::proposal(tree)) {
        ([(PartFolder::Test, ..)], _) => "Only test/ is there.".into(),
        ([(_, name, _), ..], _) if part == Part::Test => format!(
            "There is no test/ to measure on; to measure on {name}/, name it: --data {}",
            tree.root.join(name).display()
        ),
        (_, Some(line)) => by_a_list(pictures, &line),
        _ if pictures > 0 => format!(
            "{pictures} pictures lie in no folder of a class; sort them into NORMAL/ and PNEUMONIA/, or list them in a CSV \
             file for --labels"
        ),
        _ => "No picture is in it.".into(),
    }
}

fn by_a_list(pictures: usize, line: &str) -> String {
    format!("{pictures} pictures lie in no folder of a class, but a list is there; give it with {line}")
}

fn unknown_classes(
    root: &Path,
    named: &[String],
    unnamed: &BTreeMap<String, Names>,
    misses: &[&str],
) -> DatasetError {
    let mut found: Vec<String> = named.iter().map(|name| shown(name)).collect();
    found.extend(unnamed.iter().map(|(name, pictures)| format!("{} ({})", shown(name), pictures.count)));
    let mut found = format!("the folders {}", found.join(", "));
    if !misses.is_empty() {
        found = format!("{found}, but none of the name {}", misses.join(", "));
    }
    let line = proposal(named.iter().chain(unnamed.keys()).map(String::as_str));
    DatasetError::Classes { path: root.to_path_buf(), found, line }
}

/// Whether a picture shows where something is in another picture: by a folder or by its name.
fn is_mask(inside: &[String]) -> bool {
    let masks = ["mask", "masks", "lung masks", "lung_masks", "segmentation", "segmentations"];
    let Some((name, folders)) = inside.split_last() else { return false };
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_lowercase();
    folders.iter().any(|folder| masks.contains(&folder.to_lowercase().as_str())) || stem.ends_with("_mask")
}

/// `bacteria` or `virus` where a folder's name says so.
fn subgroup(folder: &str) -> &'static str {
    let folder = folder.to_lowercase();
    match (folder.contains("bacteria"), folder.contains("virus") || folder.contains("viral")) {
        (true, false) => "bacteria",
        (false, true) => "virus",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
