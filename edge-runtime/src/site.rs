//! Local calibration: thresholds chosen from pictures that a person has read at this site, in a
//! file bound to one model.
//!
//! The model and its score stay as they are; only where NEGATIVE ends and POSITIVE begins moves, and, where
//! the site has shown that it may, which chests are familiar. A site file for another model is refused: a
//! threshold on another model's score means nothing.

mod auc;
mod cases;
mod choose;
mod join;
mod rates;
mod widen;

pub use cases::{Case, CasesError, read};
pub use choose::{ChooseError, Rule, Targets, choose, needed};
pub use join::{JoinError, LoggedPictures};
pub use rates::{Operating, Rate};
pub use widen::{Familiarity, Judged, MIN_AUC, WidenError, Widening, widen, widened_limit};

use edge_core::decide::Thresholds;
use edge_model::files;
use edge_model::model_file::{ModelFile, sha256_hex};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

pub const FORMAT: u32 = 1;

const HEADER: &str = "\
# Thresholds of one site for one Pneumoscope model, written by `edge-runtime calibrate`.
# A device refuses it with any other model. To change it, calibrate again: the numbers belong together.
";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// [`FORMAT`].
    pub format: u32,
    /// SHA-256 of the model file that the scores are of.
    pub model_sha256: String,
    /// Name and version of that model, for people.
    pub model: String,
    /// Where it was made, in free words.
    pub site: String,
    /// Who made it, in free words.
    pub by: String,
    /// When, UTC, RFC 3339.
    pub date: String,
    /// Pictures with the disease that it was chosen on.
    pub positives: usize,
    /// Pictures without.
    pub negatives: usize,
    /// Share of patients with the disease for which the predictive values hold, between 0 and 1.
    pub prevalence: f64,
    pub negative_below: f32,
    pub positive_above: f32,
    /// What the thresholds were chosen for.
    pub targets: Targets,
    /// How good the NEGATIVE light is on those pictures: everything that is not NEGATIVE counts as
    /// called positive.
    pub negative_light: Operating,
    /// How good the POSITIVE light is on them: POSITIVE alone counts as called positive.
    pub positive_light: Operating,
    /// A wider limit of what is familiar; none where the model's own holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widening: Option<Widening>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    file: SiteFile,
    sha256: String,
}

impl Site {
    /// Reads the file at `path` for `model`, or of a folder the one that is bound to it; the error's
    /// text does not repeat the path.
    pub fn load(path: impl AsRef<Path>, model: &ModelFile) -> Result<Self, SiteError> {
        let path = path.as_ref();
        let site = if path.is_dir() {
            Self::in_folder(path, model.sha256())?
        } else {
            Self::from_text(&std::fs::read_to_string(path)?, model.sha256())?
        };
        let expected = model.metadata().gate.familiar.least;
        let got = site.file.widening.as_ref().map_or(expected, |widening| widening.instead_of);
        if got != expected {
            return Err(SiteError::OtherLimit { expected, got });
        }
        Ok(site)
    }

    /// The one file of a folder that is bound to the model. One that cannot be read may be it, so it
    /// is passed over only where another one is.
    fn in_folder(folder: &Path, model_sha256: &str) -> Result<Self, SiteError> {
        let (mut found, mut unread, mut files) = (Vec::new(), None, 0);
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            files += 1;
            let loaded = std::fs::read_to_string(&path).map_err(SiteError::Read);
            match loaded.and_then(|text| Self::from_text(&text, model_sha256)) {
                Ok(site) => found.push(site),
                Err(SiteError::OtherModel { .. }) => {}
                Err(error) => unread = Some(error),
            }
        }
        let expected = || model_sha256.to_owned();
        match (found.pop(), found.is_empty(), unread) {
            (Some(site), true, _) => Ok(site),
            (Some(_), false, _) => Err(SiteError::Several { expected: expected() }),
            (None, _, Some(error)) => Err(error),
            (None, _, None) => Err(SiteError::NoneForModel { expected: expected(), files }),
        }
    }

    /// Checks a file's text against the hash of the model in use.
    pub fn from_text(text: &str, model_sha256: &str) -> Result<Self, SiteError> {
        let file: SiteFile =
            toml::from_str(text).map_err(|error| SiteError::Parse { what: error.message().to_owned() })?;
        if file.format != FORMAT {
            return Err(SiteError::Format { got: file.format });
        }
        if file.model_sha256 != model_sha256 {
            let (expected, got) = (model_sha256.to_owned(), file.model_sha256);
            return Err(SiteError::OtherModel { expected, got });
        }
        let (low, high) = (file.negative_below, file.positive_above);
        if !((0.0..=1.0).contains(&low) && (low..=1.0).contains(&high)) {
            return Err(SiteError::Thresholds { low, high });
        }
        if let Some(&Widening { least, instead_of, .. }) =
            file.widening.as_ref().filter(|w| w.least >= w.instead_of)
        {
            return Err(SiteError::Narrower { least, instead_of });
        }
        Ok(Self { file, sha256: sha256_hex(text.as_bytes()) })
    }

    pub fn thresholds(&self) -> Thresholds {
        Thresholds { negative_below: self.file.negative_below, positive_above: self.file.positive_above }
    }

    /// The widened limit of what is familiar; none where the model's own holds.
    pub fn familiar_widened_to(&self) -> Option<i32> {
        self.file.widening.as_ref().map(|widening| widening.least)
    }

    /// SHA-256 of the file, 64 hexadecimal digits: its name in the log.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    pub fn file(&self) -> &SiteFile {
        &self.file
    }
}

impl SiteFile {
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEADER}\n{}", toml::to_string(self)?))
    }

    /// Writes it to `path`, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), SiteError> {
        let text = self.to_text().map_err(|error| SiteError::Parse { what: error.to_string() })?;
        Ok(files::write(path, text.as_bytes())?)
    }
}

impl SiteError {
    /// Whether there are thresholds, for another model.
    pub fn is_for_another_model(&self) -> bool {
        matches!(self, Self::OtherModel { .. } | Self::NoneForModel { .. })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] files::WriteError),
    #[error("expected a site file, but {}; write it with `edge-runtime calibrate`", what.escape_debug())]
    Parse { what: String },
    #[error("expected a site file of format {FORMAT}, got {got}; calibrate again with this program")]
    Format { got: u32 },
    #[error(
        "expected thresholds for the model with SHA-256 {expected}, got some for {}; calibrate again with the model in use",
        got.escape_debug()
    )]
    OtherModel { expected: String, got: String },
    #[error(
        "expected a site file for the model with SHA-256 {expected} in this folder, got {files} for other models; \
         calibrate with the model in use"
    )]
    NoneForModel {
        expected: String,
        /// Files ending in `.toml` that are there.
        files: usize,
    },
    #[error(
        "expected one site file for the model with SHA-256 {expected} in this folder, got several; leave one"
    )]
    Several { expected: String },
    #[error("expected 0 <= negative_below <= positive_above <= 1, got {low} and {high}; calibrate again")]
    Thresholds {
        /// `negative_below`.
        low: f32,
        /// `positive_above`.
        high: f32,
    },
    #[error(
        "expected a limit of what is familiar below the model's own {instead_of}, got {least}; calibrate again"
    )]
    Narrower { least: i32, instead_of: i32 },
    #[error("expected a widening of the model's own limit {expected}, got one of {got}; calibrate again")]
    OtherLimit { expected: i32, got: i32 },
}
