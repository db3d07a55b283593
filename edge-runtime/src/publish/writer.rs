//! The files in the folder: a status, and the one picture that it names.

use super::album::Taken;
use super::figures::figures;
use super::snapshot::{About, Snapshot};
use edge_model::activation::ActivationMapper;
use png::ColorType;
use status::{Heat, Picture, STATUS};
use std::io;
use std::path::PathBuf;

/// Side of the map of what the network looked at, in pixels: a few times the positions that it has.
const HEAT_SIDE: usize = 64;

pub struct Writer {
    folder: PathBuf,
    about: About,
    mapper: Option<ActivationMapper>,
    /// The picture that lies in the folder.
    last: Option<Picture>,
    /// Whether something may lie there that the status does not name.
    untidy: bool,
}

impl Writer {
    /// `mapper`: none where no pictures are published.
    pub fn new(folder: PathBuf, about: About, mapper: Option<ActivationMapper>) -> Self {
        Self { folder, about, mapper, last: None, untidy: true }
    }

    /// An error in an engineer's words. It names no file that changes, so that it is the same again.
    pub fn problem(&self, error: &io::Error) -> String {
        let folder = self.folder.display();
        format!("{folder}: what a screen shows cannot be written: {error}; lights and log go on")
    }

    /// Writes what is so now, with its picture first. A picture that finds no room is left out: the
    /// status goes before it.
    ///
    /// # Errors
    /// The folder is gone, full or read-only. The next call tries again from the beginning.
    pub fn write(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let (picture, mut result) = match snapshot.picture.as_deref().map(|taken| self.picture(taken)) {
            None => (None, Ok(())),
            Some(Ok(picture)) => (Some(picture), Ok(())),
            Some(Err(error)) => (None, Err(error)),
        };
        self.untidy |= result.is_err() || self.last != picture;
        self.last = picture;
        let path = self.folder.join(STATUS);
        let status = snapshot.status(&self.about, self.last.clone());
        if let Err(error) = status::write(&path, &status) {
            (self.last, self.untidy) = (None, true);
            result = self.tidy().and(Err(error));
            status::write(&path, &snapshot.status(&self.about, None))?;
        }
        if self.untidy {
            result = result.and(self.tidy());
            self.untidy = result.is_err();
        }
        result
    }

    /// Removes all files of a device.
    ///
    /// # Errors
    /// The folder cannot be read or written; one that is not there is empty.
    pub fn clear(&mut self) -> io::Result<()> {
        self.last = None;
        self.remove_but(&[]).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
    }

    /// Removes what the status does not name.
    fn tidy(&self) -> io::Result<()> {
        let mut named = vec![STATUS];
        if let Some(picture) = &self.last {
            named.push(&picture.file);
            named.extend(picture.heat.iter().map(|heat| heat.file.as_str()));
        }
        self.remove_but(&named)
    }

    /// Removes the files of a device but these. Whatever else lies there is somebody else's.
    fn remove_but(&self, kept: &[&str]) -> io::Result<()> {
        let mut result = Ok(());
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| is_ours(name) && !kept.contains(name)) else {
                continue;
            };
            let removed = std::fs::remove_file(self.folder.join(name));
            result = result.and(removed);
        }
        result
    }

    /// The picture in the folder, written where it does not lie there.
    fn picture(&self, taken: &Taken) -> io::Result<Picture> {
        let number = taken.number;
        let there = |name: &str| self.folder.join(name).exists();
        if let Some(last) = self.last.as_ref().filter(|last| last.number == number)
            && there(&last.file)
            && last.heat.as_ref().is_none_or(|heat| there(&heat.file))
        {
            return Ok(last.clone());
        }
        let file = format!("picture-{number}.png");
        let grey = png(taken.reduced.size(), ColorType::Grayscale, taken.reduced.grey())?;
        status::write_bytes(&self.folder.join(&file), &grey)?;
        let heat = match self.heat(taken)? {
            Some(bytes) => {
                let file = format!("heat-{number}.png");
                status::write_bytes(&self.folder.join(&file), &bytes)?;
                Some(Heat { file })
            }
            None => None,
        };
        let measured = taken.reduced.figures().map(|measured| figures(measured, &self.about.limits));
        Ok(Picture {
            number,
            case: taken.case.map(|id| id.0),
            file,
            heat,
            decision: taken.decision,
            frame_sha256: taken.input.map(|hash| hash.to_string()),
            figures: measured.unwrap_or_default(),
        })
    }

    /// What the network looked at; none where it did not look.
    fn heat(&self, taken: &Taken) -> io::Result<Option<Vec<u8>>> {
        let features = taken.reduced.features();
        let Some(mapper) = self.mapper.as_ref().filter(|_| !features.is_empty()) else { return Ok(None) };
        let map = mapper.map(features).map_err(io::Error::other)?;
        png((HEAT_SIDE, HEAT_SIDE), ColorType::Rgba, &map.overlay(HEAT_SIDE).concat()).map(Some)
    }
}

/// Whether a file is of those that are written here, whole or cut off.
fn is_ours(name: &str) -> bool {
    let whole = name.strip_suffix(".tmp").unwrap_or(name);
    let number = |kind| whole.strip_prefix(kind)?.strip_suffix(".png");
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    whole == STATUS || number("picture-").or(number("heat-")).is_some_and(digits)
}

/// A PNG file, written fast rather than small: it lies in memory for a moment.
fn png((width, height): (usize, usize), colour: ColorType, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side(width)?, side(height)?);
    encoder.set_color(colour);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(bytes)).map_err(io::Error::other)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_devices_own_files_are_ever_removed() {
        let ours = ["status.json", "status.json.tmp", "picture-7.png", "heat-12.png.tmp"];
        let others =
            ["passwd", "picture-.png", "picture-7.jpg", "picture-7a.png", "heat.png", "status.json.old", ""];
        assert!(ours.iter().all(|name| is_ours(name)) && !others.iter().any(|name| is_ours(name)));
    }
}
