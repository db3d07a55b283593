//! The cameras of this machine: for finding one by its name, and for showing them.

use super::error::CameraError;
use super::libcamera::{advice, needs_libcamera};
use super::sys::{Card, Node, Sizes};
use crate::capture::Encoding;
use crate::errno::{Asked, Explained};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By its node, whatever is behind it.
    Path(PathBuf),
    /// By its name or bus address, whatever number its node has got.
    Name(String),
}

impl Place {
    pub(super) fn new(place: &str) -> Self {
        if place.starts_with('/') { Self::Path(place.into()) } else { Self::Name(place.to_owned()) }
    }

    pub(super) fn find(&self) -> Result<PathBuf, CameraError> {
        let name = match self {
            Self::Path(path) => return Ok(path.clone()),
            Self::Name(name) => name,
        };
        let mut seen = Vec::new();
        for path in nodes() {
            if let Ok(card) = Node::open(&path).and_then(|node| node.card())
                && card.captures()
            {
                if card.card == *name || card.bus == *name {
                    return Ok(path);
                }
                seen.push(card.card);
            }
        }
        let seen = if seen.is_empty() {
            "there is none".to_owned()
        } else {
            "there is ".to_owned() + &seen.join(", ")
        };
        Err(CameraError::Unknown { seen })
    }
}

/// A camera as `edge-runtime devices` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct CameraInfo {
    pub path: PathBuf,
    /// Its name; `v4l2:NAME` finds it whatever its node's number is.
    pub card: String,
    pub driver: String,
    /// Where it is plugged in; `v4l2:BUS` finds it too.
    pub bus: String,
    pub formats: Vec<FormatInfo>,
    /// Why it cannot be used, if so.
    pub problem: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FormatInfo {
    pub fourcc: String,
    pub description: String,
    /// What it is called here; none where it is not understood.
    pub format: Option<Encoding>,
    pub sizes: Sizes,
}

/// All cameras of this machine, by number of their nodes. A node that does not give pictures is
/// left out; one that cannot be opened is listed with its problem.
pub fn cameras() -> Vec<CameraInfo> {
    nodes().into_iter().filter_map(info).collect()
}

fn info(path: PathBuf) -> Option<CameraInfo> {
    let asked = Node::open(&path).and_then(|node| Ok((node.card()?, node)));
    let (card, node) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            let problem = Some(Explained(Asked::Camera, &error).to_string());
            let (card, driver, bus) = Default::default();
            return Some(CameraInfo { path, card, driver, bus, formats: Vec::new(), problem });
        }
    };
    let problem = problem(&card)?;
    let formats = node.formats().into_iter().map(|(fourcc, description)| FormatInfo {
        fourcc: String::from_utf8_lossy(&fourcc).into_owned(),
        description,
        format: Encoding::from_fourcc(fourcc),
        sizes: node.sizes(fourcc),
    });
    let formats: Vec<_> = formats.collect();
    let fourccs: Vec<_> = node.formats().into_iter().map(|(fourcc, _)| fourcc).collect();
    let raw = needs_libcamera(&card.driver, card.is_media_controlled(), &fourccs)
        .then(|| format!("it gives {}", advice()));
    let understood = formats.iter().any(|format| format.format.is_some());
    let none = (!understood).then(|| "none of its formats is understood here".to_owned());
    let Card { card, driver, bus, .. } = card;
    Some(CameraInfo { path, card, driver, bus, formats, problem: problem.or(raw).or(none) })
}

/// None where the node is no camera; else what keeps it from being used, if anything does.
fn problem(card: &Card) -> Option<Option<String>> {
    if card.captures() {
        Some(None)
    } else if card.captures_planes_apart() {
        let planes = "it gives each plane in a buffer of its own, which is not understood here; a program such as ffmpeg \
                      may give its pictures (source = \"exec:\")";
        Some(Some(planes.to_owned()))
    } else {
        None
    }
}

/// `/dev/video0`, `/dev/video1` and so on, as far as there are any.
fn nodes() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.strip_prefix("video")?.parse::<u32>().ok()
    });
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| Path::new("/dev").join(format!("video{number}"))).collect()
}
