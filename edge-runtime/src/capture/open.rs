//! From a source's name, as people write it, to the source.

use super::{CaptureOptions, Folder, OptionsError, Replay, ReplayError, Source, V4l2};
use std::path::Path;

/// The kinds of sources, and what stands behind the colon.
const KINDS: [&str; 3] = ["v4l2", "folder", "replay"];
const EXPECTED: &str = "v4l2:/dev/video0, v4l2:NAME, folder:DIR or replay:DIR";

/// Why there is no such source.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name begins with no known kind.
    #[error("expected a source such as {EXPECTED}, got `{got}`{hint}")]
    Kind {
        /// What was given.
        got: String,
        /// A better spelling, if there is one.
        hint: String,
    },
    /// Nothing behind the colon.
    #[error("expected {EXPECTED}, got `{0}` with nothing behind the colon")]
    Nothing(String),
    /// The options contradict themselves.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The files of a replay cannot be read.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// Makes the source that `spec` names: `v4l2:/dev/video0`, `v4l2:NAME`, `folder:DIR`, `replay:DIR` or `replay:FILE`, both of these
/// also with `?loop`.
///
/// A camera or folder that is not there is no error here: the source says so when it is asked for a frame, and finds it
/// when it comes.
///
/// # Errors
/// [`OpenError`]: what no plugging in can mend.
pub fn open(spec: &str, options: &CaptureOptions) -> Result<Box<dyn Source + Send>, OpenError> {
    options.check()?;
    let (kind, place) = spec.split_once(':').unwrap_or((spec, ""));
    if !KINDS.contains(&kind) {
        return Err(OpenError::Kind { got: spec.to_owned(), hint: hint(spec, kind) });
    }
    if place.is_empty() {
        return Err(OpenError::Nothing(spec.to_owned()));
    }
    Ok(match kind {
        "v4l2" => Box::new(V4l2::new(place, options)),
        "folder" => Box::new(Folder::new(Path::new(place), options)),
        _ => {
            let (place, repeat) = match place.strip_suffix("?loop") {
                Some(place) => (place, true),
                None => (place, options.repeat),
            };
            Box::new(Replay::new(Path::new(place), &CaptureOptions { repeat, ..options.clone() })?)
        }
    })
}

/// What was probably meant.
fn hint(spec: &str, kind: &str) -> String {
    let meant = if spec.starts_with("/dev/") {
        Some(format!("v4l2:{spec}"))
    } else if !spec.contains(':') && Path::new(spec).exists() {
        Some(format!("folder:{spec}` or `replay:{spec}"))
    } else {
        let nearest = KINDS.iter().map(|known| (strsim::jaro_winkler(&kind.to_lowercase(), known), known));
        let nearest = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.7);
        nearest.map(|(_, known)| format!("{known}:{}", spec.split_once(':').map_or("", |(_, rest)| rest)))
    };
    meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"))
}
