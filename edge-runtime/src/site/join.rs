//! A list of pictures joined with the pictures of a log, by name: each row with one picture, each
//! picture with one row, or it is refused. A threshold fitted on another child's label is worse than
//! none.

use crate::log::{DecisionLine, Hash};
use std::collections::HashMap;

/// The pictures of a log, each with what is wanted of its last decision.
#[derive(Clone, Debug)]
pub struct LoggedPictures<T> {
    /// By the hash of the name: the pictures that had it, as the network saw them.
    by_name: HashMap<Hash, Vec<LoggedPicture<T>>>,
    /// Which row of the list has taken a picture: its line and name.
    taken: HashMap<(Hash, Option<Hash>), (u64, String)>,
}

#[derive(Clone, Debug)]
struct LoggedPicture<T> {
    frame: Option<Hash>,
    seq: u64,
    time: String,
    value: T,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    #[error(
        "line {line}: `{}` fits two pictures of the log, line {} of {} (frame {:.12}) and line {} of {} (frame {:.12}): \
         nobody can tell which of them was read; take the row out, or a log that holds one of them",
        name.escape_debug(), pictures[0].0, pictures[0].1, pictures[0].2, pictures[1].0, pictures[1].1, pictures[1].2
    )]
    TwoPictures {
        /// Line in the list, from 1.
        line: u64,
        name: String,
        /// Number in the log, time, and the frame's hash.
        pictures: Box<[(u64, String, String); 2]>,
    },
    #[error(
        "lines {first} and {line}: `{}` and `{}` fit one picture of the log, which knows it by its file's name alone; \
         take one of the rows out, or give the files names of their own",
        first_name.escape_debug(), name.escape_debug()
    )]
    TwoRows {
        /// Lines in the list, from 1.
        line: u64,
        name: String,
        first: u64,
        first_name: String,
    },
}

impl<T> Default for LoggedPictures<T> {
    fn default() -> Self {
        Self { by_name: HashMap::new(), taken: HashMap::new() }
    }
}

impl<T> LoggedPictures<T> {
    /// Adds a decision, in the log's order: of one picture the last counts. A frame without a name
    /// is nobody's, and what was no picture, such as half a file, is nothing beside one.
    pub fn add(&mut self, seq: u64, time: String, decision: &DecisionLine, value: T) {
        let Some(name) = decision.name_hash() else { return };
        let pictures = self.by_name.entry(name).or_default();
        let frame = decision.frame_sha256;
        if frame.is_none() && pictures.iter().any(|picture| picture.frame.is_some()) {
            return;
        }
        pictures.retain(|picture| picture.frame.is_some() && picture.frame != frame);
        pictures.push(LoggedPicture { frame, seq, time, value });
    }

    /// The picture of a row: of its whole name, or of its file's name where the log has no other.
    pub fn take(&mut self, line: u64, name: &str) -> Result<Option<&T>, JoinError> {
        let file = name.rsplit('/').next().unwrap_or(name);
        let names = [name, file].map(|name| Hash::of(name.as_bytes()));
        let found = names.into_iter().find_map(|hash| Some((hash, self.by_name.get(&hash)?)));
        let Some((hash, pictures)) = found else { return Ok(None) };
        let picture = match &pictures[..] {
            [] => return Ok(None),
            [one] => one,
            [.., one, other] => {
                let told = |picture: &LoggedPicture<T>| {
                    let frame = picture.frame.map_or("none".to_owned(), |frame| frame.to_string());
                    (picture.seq, picture.time.clone(), frame)
                };
                let pictures = Box::new([told(one), told(other)]);
                return Err(JoinError::TwoPictures { line, name: name.to_owned(), pictures });
            }
        };
        if let Some((first, first_name)) = self.taken.insert((hash, picture.frame), (line, name.to_owned())) {
            return Err(JoinError::TwoRows { line, name: name.to_owned(), first, first_name });
        }
        Ok(Some(&picture.value))
    }
}
