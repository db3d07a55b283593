//! What the lines of the log tell: decisions with all that must be known to judge them later, and
//! events.
//!
//! No patient data: there is no picture, and a picture's name stands there as its SHA-256 unless
//! the log is told otherwise, because file names from an X-ray console may carry a patient's. The
//! hash hides a name from the eye and lets a list of labels be joined with the log; it does not
//! hide it from somebody who has the names to try. How study UID and accession number are written is
//! for the device's configuration to say.

use super::chain::Hash;
use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::{Decision, Reason, State};
use serde::{Deserialize, Serialize, Serializer};
use told::prevalence::PriorShift;

/// Longest text from outside that is logged, in bytes; the rest is cut off.
pub const MAX_TEXT: usize = 512;

/// What stays the same over many decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// Name and version of the preprocessing, [`edge_core::preprocess::NAME`].
    pub preprocessing: &'static str,
    /// SHA-256 of the model file, 64 hexadecimal digits.
    pub model_sha256: String,
    pub model_version: String,
    pub engine: &'static str,
    /// Where a site has widened what is familiar, the limit that holds instead of the model's.
    pub familiar_widened_to: Option<i32>,
    pub thresholds: Thresholds,
    /// SHA-256 of the site file that the thresholds come from; none where they are the model's own.
    pub site_sha256: Option<String>,
    /// The site's prevalence, by which score and thresholds were moved; none where they are the model's own.
    pub prior: Option<PriorShift>,
}

/// What a line of the log says of an examination: the texts, or their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct ExamRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_uid_sha256: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accession_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accession_number_sha256: Option<Hash>,
}

/// One frame's decision, and what the lights show because of it.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    pub context: &'a Context,
    /// The source of frames, by its name.
    pub source: &'a str,
    /// The picture's name; may be empty.
    pub name: &'a str,
    /// The examination that the picture is of, as far as it may be written.
    pub exam: Option<ExamRecord>,
    /// Pictures so far of the study that a file is of, this one counted; none for a camera.
    pub pictures: Option<u16>,
    /// [`frame_hash`] of the frame; none where there is no network input.
    pub frame: Option<Hash>,
    /// The decision on this frame alone.
    pub decision: &'a Decision,
    pub shown: Indication,
    /// Frames in a row that agree with this one, this one counted.
    pub agreeing: u8,
    /// Frames in a row that must agree, [`edge_core::agree::AgreementPolicy::frames`].
    pub needed: u8,
    /// Time from the frame to the decision, in microseconds.
    pub latency_us: u64,
}

/// The name of a frame in the log: the SHA-256 of the network's input, the `side * side` bytes that
/// preprocessing made of it (`edge_model::classify::Classifier::input`). Whatever camera or file
/// the same picture comes from, what the network saw is what was decided on, and `preprocessing` in
/// the same line says how it was made.
pub fn frame_hash(input: &[u8]) -> Hash {
    Hash::of(input)
}

/// What else happens to a device. The names in the log are those of the variants in lower case with
/// underlines.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Event<'a> {
    Started {
        version: &'a str,
        /// SHA-256 of the configuration file; none where there is none.
        config_sha256: Option<&'a str>,
        model_sha256: &'a str,
        model_version: &'a str,
        #[serde(serialize_with = "clipped")]
        source: &'a str,
    },
    /// The program ends by itself; a log without it before the next `started` was cut off.
    Stopped {
        #[serde(serialize_with = "clipped")]
        why: &'a str,
    },
    FaultBegan {
        #[serde(serialize_with = "explained")]
        reason: Reason,
    },
    FaultEnded {
        #[serde(serialize_with = "explained")]
        reason: Reason,
        /// How long it took, in milliseconds.
        lasted_ms: u64,
    },
    /// A last line that was cut off, by a power cut or the end of the process, was moved out of the
    /// log.
    Recovered {
        /// The file that holds it now, beside the log.
        #[serde(serialize_with = "clipped")]
        file: &'a str,
        /// Its bytes.
        bytes: u64,
    },
    /// The log was damaged in a way that no power cut explains: the file was set aside whole, and a
    /// new one begins here.
    SetAside {
        /// Its name now, beside the log.
        #[serde(serialize_with = "clipped")]
        file: &'a str,
        #[serde(serialize_with = "clipped")]
        why: &'a str,
    },
    /// Files in a watched folder that are no pictures, or cannot be looked at: none of them is
    /// answered.
    PassedOver {
        why: &'a str,
        files: u64,
        /// The first of them.
        #[serde(serialize_with = "optional_clipped", skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name_sha256: Option<Hash>,
    },
    /// A person acknowledged the answer on a study.
    Acknowledged {
        by: By,
        #[serde(serialize_with = "optional_clipped", skip_serializing_if = "Option::is_none")]
        study: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        study_sha256: Option<Hash>,
        state: State,
    },
    /// A signed model was put into the store: the device tries it at this start or a later one.
    ModelInstalled(ModelChange<'a>),
    /// It has run well, and stays.
    ModelConfirmed(ModelChange<'a>),
    /// It failed, or the device ended with it: the one before runs on.
    ModelRejected(ModelChange<'a>),
    /// A person went back to the model before.
    ModelRolledBack(ModelChange<'a>),
    /// Lines could not be written before this one.
    NotLogged {
        lines: u64,
        /// The last error.
        #[serde(serialize_with = "clipped")]
        why: &'a str,
    },
    /// The last line of a file that has reached its size; the log goes on in the next one.
    Closed {
        /// Where the log begins once the oldest file is deleted; none where the oldest file cannot
        /// be read.
        begins: Option<super::chain::Link>,
    },
}

/// By what an answer was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Button,
    Screen,
}

/// A change of the store of models, which may have been made while no device ran: it stands in the
/// log from the next start on, at least once.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ModelChange<'a> {
    /// Counts up in one store; a number that stands there twice is one change.
    pub change: u64,
    /// When it was made, UTC, RFC 3339.
    pub at: &'a str,
    /// SHA-256 of the model that it is about; none for the built-in one.
    pub model_sha256: Option<&'a str>,
    pub model_version: Option<&'a str>,
    /// SHA-256 of the other one: in whose place it came, or which runs on; none for the built-in one.
    pub other_sha256: Option<&'a str>,
    #[serde(serialize_with = "optional_clipped", skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct RecordForm<'a> {
    #[serde(serialize_with = "clipped")]
    source: &'a str,
    #[serde(serialize_with = "optional_clipped", skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_sha256: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exam: Option<&'a ExamRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<u16>,
    frame_sha256: Option<Hash>,
    preprocessing: &'a str,
    model_sha256: &'a str,
    #[serde(serialize_with = "clipped")]
    model_version: &'a str,
    engine: &'a str,
    site_sha256: Option<&'a str>,
    prior: Option<PriorShift>,
    negative_below: f32,
    positive_above: f32,
    /// Stands in lines under a site's widening only.
    #[serde(skip_serializing_if = "Option::is_none")]
    familiar_widened_to: Option<i32>,
    logit: Option<f32>,
    score: Option<f32>,
    state: State,
    #[serde(serialize_with = "explained")]
    reason: Reason,
    shown_state: State,
    #[serde(serialize_with = "explained")]
    shown_reason: Reason,
    agreeing: u8,
    needed: u8,
    latency_us: u64,
}

impl<'a> RecordForm<'a> {
    pub(super) fn new(record: &'a Record<'a>, log_names: bool) -> Self {
        let context = record.context;
        let name = (!record.name.is_empty()).then_some(record.name);
        let (name, name_sha256) = shown_or_hashed(name, log_names);
        Self {
            source: record.source,
            name,
            name_sha256,
            exam: record.exam.as_ref(),
            pictures: record.pictures,
            frame_sha256: record.frame,
            preprocessing: context.preprocessing,
            model_sha256: &context.model_sha256,
            model_version: &context.model_version,
            engine: context.engine,
            site_sha256: context.site_sha256.as_deref(),
            prior: context.prior,
            negative_below: context.thresholds.negative_below,
            positive_above: context.thresholds.positive_above,
            familiar_widened_to: context.familiar_widened_to,
            logit: record.decision.logit,
            score: record.decision.score,
            state: record.decision.state,
            reason: record.decision.reason,
            shown_state: record.shown.state,
            shown_reason: record.shown.reason,
            agreeing: record.agreeing,
            needed: record.needed,
            latency_us: record.latency_us,
        }
    }
}

/// A text that may tell who a patient is: as it is where the log may hold it, else its hash.
pub(super) fn shown_or_hashed(text: Option<&str>, log_names: bool) -> (Option<&str>, Option<Hash>) {
    match text {
        Some(text) if !log_names => (None, Some(Hash::of(text.as_bytes()))),
        shown => (shown, None),
    }
}

#[derive(Serialize)]
struct ReasonForm {
    code: u8,
    #[serde(serialize_with = "displayed")]
    text: Reason,
    /// What was measured and its limit, as in the sentence.
    numbers: Option<[i64; 2]>,
}

fn explained<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    ReasonForm { code: reason.code(), text: *reason, numbers: reason.numbers() }.serialize(serializer)
}

fn displayed<S: Serializer>(reason: &Reason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

fn clipped<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(clip(text, MAX_TEXT))
}

fn optional_clipped<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    clipped(text.unwrap_or_default(), serializer)
}
