//! What a screen reads of a device, and what must never be in it.

use edge_core::State;
use edge_model::decode;
use status::{Acknowledgement, Acknowledgements, Progress, STATUS, Status};
use std::path::{Path, PathBuf};

/// A screen's view of a folder, and where it says what was acknowledged.
pub struct Watch {
    pub folder: PathBuf,
    pub acknowledged: PathBuf,
    taps: Vec<Acknowledgement>,
}

impl Watch {
    /// Both folders are made below `place`.
    pub fn new(place: &Path) -> Self {
        let [folder, theirs] = ["run", "run-screen"].map(|name| place.join(name));
        for made in [&folder, &theirs] {
            std::fs::create_dir(made).unwrap();
        }
        Self { folder, acknowledged: theirs.join(status::ACKNOWLEDGED), taps: Vec::new() }
    }

    /// The status that lies there, where there is one. Whatever it says, its picture must be of whom it
    /// names.
    #[track_caller]
    pub fn status(&self) -> Option<Status> {
        let read: Status = status::read(&self.folder.join(STATUS)).ok()?;
        assert_eq!(belongs(&read), Ok(()), "{read:?}");
        Some(read)
    }

    /// A person taps a case of `shown`, as it is there.
    pub fn tap(&mut self, shown: &Status, case: u32, pictures: u16) {
        let number = self.taps.len() as u64 + 1;
        self.taps.push(Acknowledgement { number, run: shown.run.clone(), case, pictures });
        status::write(&self.acknowledged, &Acknowledgements::new(self.taps.clone())).unwrap();
    }

    /// The grey pixels of the picture that a status names, with its sides.
    pub fn picture(&self, shown: &Status) -> Option<(u16, u16, Vec<u8>)> {
        let file = self.folder.join(&shown.picture.as_ref()?.file);
        Some(grey(&std::fs::read(file).ok()?))
    }

    /// Names of all files that lie there, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

/// A picture's file as grey pixels, with its sides.
pub fn grey(file: &[u8]) -> (u16, u16, Vec<u8>) {
    let picture = decode::decode(file).unwrap();
    let frame = picture.frame();
    let geometry = frame.geometry();
    let bytes = geometry.format().bytes_per_pixel();
    let pixels = frame.rows().flat_map(|row| row.chunks_exact(bytes));
    let pixels = pixels.map(|pixel| (geometry.format().luminance(pixel) >> 8) as u8).collect();
    (geometry.width(), geometry.height(), pixels)
}

/// What must be so in any status: the picture is of the case that is named, and none is to be seen where
/// the lamps are dark or a fault hides everything.
pub fn belongs(status: &Status) -> Result<(), String> {
    let Some(worklist) = &status.worklist else { return Ok(()) };
    let known = |number: u32| worklist.cases.iter().find(|case| case.number == number);
    if let Some(turn) = worklist.turn
        && known(turn).is_none_or(|case| case.progress != Progress::Shown)
    {
        return Err(format!("{turn} has the turn and is not shown"));
    }
    let Some(picture) = &status.picture else { return Ok(()) };
    match status.shown.map(|shown| shown.state) {
        None => return Err("a picture in the dark".into()),
        Some(State::Fault) => return Err("a picture under a fault".into()),
        Some(_) => {}
    }
    let named = worklist.turn.or(worklist.worst);
    if picture.case.is_none() || picture.case != named {
        return Err(format!("a picture of {:?} while {named:?} is named", picture.case));
    }
    Ok(())
}
