//! The file that a decision was made on: found by the hash of its name, with what it says of patient
//! and study, and judged once more to be sure that it is the one.

use super::dataset::{self, Element};
use crate::config::Loaded;
use anyhow::{Context, Result, bail, ensure};
use base::log::{DecisionLine, Hash};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use edge_model::decode::dicom_values;
use edge_runtime::capture::Crop;
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// So much of a file's beginning holds what it says of patient and study.
const BEGINNING: u64 = 1 << 20;

/// How long the device's program may take over a picture.
const JUDGED_WITHIN: Duration = Duration::from_secs(120);

/// The device's program failed, and not the file: the kernel ended it for want of memory, say, or it could
/// not write what it drew. It may do so each time that the file comes.
#[derive(Debug, thiserror::Error)]
#[error("{} {how}", program.display())]
pub struct Failed {
    program: PathBuf,
    how: String,
}

/// What goes into what is sent, of patient and study (PS3.3 C.7.1.1, C.7.2.1), as it is in the file.
const PATIENT_AND_STUDY: [(Tag, VR); 11] = [
    (tags::SPECIFIC_CHARACTER_SET, VR::CS),
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_INSTANCE_UID, VR::UI),
    (tags::STUDY_ID, VR::SH),
];

/// Names of the picture itself.
const ITSELF: [Tag; 3] = [tags::SOP_CLASS_UID, tags::SOP_INSTANCE_UID, tags::SERIES_INSTANCE_UID];

/// A file of a DICOM study.
#[derive(Debug)]
pub struct Source {
    file: File,
    values: Vec<(Tag, Vec<u8>)>,
}

/// The file in `folder` whose name has this hash; none where there is none any more.
///
/// # Errors
/// The folder cannot be listed, or is empty, as one is whose share is not mounted yet: what is to be
/// sent of its files waits.
fn find(folder: &Path, name: Hash) -> Result<Option<PathBuf>> {
    let mut empty = true;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        empty = false;
        let own = path.file_name().and_then(|name| name.to_str());
        if own.is_some_and(|own| Hash::of(own.as_bytes()) == name) {
            return Ok(Some(path));
        }
    }
    ensure!(!empty, "the watched folder {} is empty; is its share mounted?", folder.display());
    Ok(None)
}

impl Source {
    /// The file of a decision; none where it is not there any more, or no DICOM file of a study.
    pub fn of(folder: &Path, decision: &DecisionLine) -> Result<Option<Self>> {
        let Some(name) = decision.name_hash() else { return Ok(None) };
        let Some(path) = find(folder, name)? else { return Ok(None) };
        let opened = || -> std::io::Result<(File, Vec<u8>)> {
            let mut file = File::open(&path)?;
            let mut beginning = Vec::new();
            Read::by_ref(&mut file).take(BEGINNING).read_to_end(&mut beginning)?;
            Ok((file, beginning))
        };
        let (file, beginning) = opened().context("cannot read a file of the watched folder")?;
        let wanted: Vec<Tag> = PATIENT_AND_STUDY.iter().map(|(tag, _)| *tag).chain(ITSELF).collect();
        // Whatever else lies there has no patient to send anything about.
        let Ok(values) = dicom_values(&beginning, &wanted) else { return Ok(None) };
        let source = Self { file, values };
        let named = ITSELF.iter().chain([&tags::STUDY_INSTANCE_UID]).all(|tag| !source.uid(*tag).is_empty());
        Ok(named.then_some(source))
    }

    fn value(&self, tag: Tag) -> &[u8] {
        self.values.iter().find(|(its, _)| *its == tag).map_or(&[], |(_, value)| value)
    }

    /// A name of the picture, or an empty text.
    pub fn uid(&self, tag: Tag) -> String {
        let text = String::from_utf8_lossy(self.value(tag));
        text.chars().filter(|c| c.is_ascii_digit() || *c == '.').take(64).collect()
    }

    /// The modules Patient and General Study; what the file lacks is there without a value.
    pub fn patient_and_study(&self) -> Vec<Element> {
        let element = |(tag, vr): &(Tag, VR)| match self.value(*tag) {
            [] if *tag == tags::SPECIFIC_CHARACTER_SET => None,
            [] => Some(dataset::empty(*tag, *vr)),
            value => Some(dataset::bytes(*tag, *vr, value)),
        };
        PATIENT_AND_STUDY.iter().filter_map(element).collect()
    }

    /// The whole file can be read now: what was found of it is true of it, and not of a share that went away.
    pub fn is_there(&self) -> Result<()> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        std::io::copy(&mut file, &mut std::io::sink()).context("cannot read a file of the watched folder")?;
        Ok(())
    }

    /// Has the device's program judge the file as it is now. What the network saw must be what it saw
    /// then: a file of the same name may be another patient's. Where `drawn` is given, the picture with
    /// the heat map is written there.
    ///
    /// # Errors
    /// [`Failed`], and whatever may be otherwise later.
    pub fn judge(&self, loaded: &Loaded, decision: &DecisionLine, drawn: Option<&Path>) -> Result<Judged> {
        let mut input = self.file.try_clone()?;
        input.seek(SeekFrom::Start(0))?;
        let program = &loaded.config.pacs.program;
        let mut command = Command::new(program);
        command.args(["classify", "--json", "-"]);
        let installed =
            loaded.store.as_ref().map(|store| store.join(format!("{}.bundle", decision.model_sha256)));
        if let Some(model) = loaded.model.clone().or(installed.filter(|bundle| bundle.exists())) {
            command.arg("--model").arg(model);
        }
        if let Some(Crop { x, y, width, height }) = loaded.crop {
            command.arg("--crop").arg(format!("{x},{y},{width},{height}"));
        }
        if let Some(drawn) = drawn {
            command.arg("--heatmap").arg(drawn);
        }
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let until = Instant::now() + JUDGED_WITHIN;
        let failed = |how: String| Failed { program: program.clone(), how };
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
                None => {
                    child.kill()?;
                    child.wait()?;
                    return Err(failed(format!("did not end within {} s", JUDGED_WITHIN.as_secs())).into());
                }
            }
        };
        if let Some(signal) = status.signal() {
            return Err(failed(format!("was ended by signal {signal}, as for want of memory")).into());
        }
        let mut said = String::new();
        if let Some(out) = child.stdout.as_mut() {
            out.take(64 * 1024).read_to_string(&mut said)?;
        }
        let first = said.lines().next().unwrap_or_default();
        let judged: Judged = serde_json::from_str(first)
            .with_context(|| format!("{} gave no answer on the file", program.display()))?;
        match judged {
            Judged::Answer(answer) if answer.model_sha256.is_empty() => {
                bail!("{} named no model", program.display())
            }
            Judged::Unusable { error, fault: true } => {
                Err(failed(format!("gave no answer on the file: {error}")).into())
            }
            judged => Ok(judged),
        }
    }
}

/// What `edge-runtime classify --json` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Judged {
    Answer(Answer),
    /// The file is no picture that can be judged, and will be none however often it is tried; under
    /// `fault` it was not the file.
    Unusable {
        error: String,
        #[serde(default)]
        fault: bool,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    pub frame_sha256: Hash,
    pub model_sha256: String,
    pub state: String,
    pub score: Option<f32>,
    pub thresholds: Thresholds,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Thresholds {
    pub negative_below: f32,
    pub positive_above: f32,
}

impl Answer {
    /// Whether it is the very answer of the log: a site's thresholds, its prevalence or its rectangle
    /// are not this program's, and what is drawn then says something else.
    pub fn is(&self, decision: &DecisionLine) -> bool {
        let DecisionLine { negative_below, positive_above, .. } = *decision;
        self.model_sha256 == decision.model_sha256
            && self.state == decision.state
            && self.score == decision.score
            && self.thresholds == Thresholds { negative_below, positive_above }
    }
}
