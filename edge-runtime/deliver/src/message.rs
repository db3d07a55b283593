//! A line of the log as messages. What they hold is what the log holds, and who sent it: nothing about
//! a patient beyond that. Their form is in `docs/schemas`, which the tests hold them to.
//!
//! The same line gives the same bytes again: who gets two messages of one `schema`, `device` and `line`
//! has got one of them twice.

use base::log::ExamRecord;
use base::log::{DecisionLine, Entry, Gap, Hash, ReasonLine};
use edge_model::prevalence::PriorShift;
use serde::Serialize;

/// The schemas' version, a level of each topic.
pub const VERSION: &str = "v1";

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sender {
    pub site: String,
    pub device: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Decision,
    Event,
    Status,
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Topic::Decision => "decision",
            Topic::Event => "event",
            Topic::Status => "status",
        }
    }
}

impl Sender {
    pub fn topic(&self, topic: Topic) -> String {
        format!("pneumoscope/{VERSION}/{}/{}/{}", self.site, self.device, topic.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: Topic,
    /// JSON.
    pub payload: Vec<u8>,
}

#[derive(Serialize)]
struct Head<'a> {
    schema: &'static str,
    #[serde(flatten)]
    sender: &'a Sender,
    seq: u64,
    line: Hash,
    boot: &'a str,
    time: &'a str,
    uptime_ms: u64,
}

#[derive(Serialize)]
struct DecisionForm<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    state: &'a str,
    reason: &'a ReasonLine,
    score: Option<f32>,
    logit: Option<f32>,
    negative_below: f32,
    positive_above: f32,
    shown_state: &'a str,
    shown_reason: &'a ReasonLine,
    model: Model<'a>,
    site_sha256: Option<&'a str>,
    prior: Option<PriorShift>,
    familiar_widened_to: Option<i32>,
    picture: Picture<'a>,
    agreeing: u8,
    needed: u8,
    latency_us: u64,
}

#[derive(Serialize)]
struct Model<'a> {
    sha256: &'a str,
    version: &'a str,
    preprocessing: &'a str,
    engine: &'a str,
}

/// What the log says of the picture: hashes, unless the device was told to write names.
#[derive(Serialize)]
struct Picture<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_sha256: Option<Hash>,
    frame_sha256: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exam: Option<&'a ExamRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<u16>,
}

#[derive(Serialize)]
struct EventForm<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    event: &'a serde_json::Value,
}

#[derive(Serialize)]
struct GapForm<'a> {
    schema: &'static str,
    #[serde(flatten)]
    sender: &'a Sender,
    line: Hash,
    #[serde(flatten)]
    gap: Gap,
    text: String,
}

/// The messages of a line, in their order: what is missing before it, then the line.
pub fn of(sender: &Sender, gap: Option<Gap>, entry: &Entry) -> serde_json::Result<Vec<Message>> {
    let mut messages = Vec::with_capacity(2);
    if let Some(gap) = gap {
        let form = GapForm { schema: "pneumoscope/v1/gap", sender, line: entry.hash, gap, text: told(gap) };
        messages.push(Message { topic: Topic::Event, payload: serde_json::to_vec(&form)? });
    }
    let head = |schema| Head {
        schema,
        sender,
        seq: entry.seq,
        line: entry.hash,
        boot: &entry.boot_id,
        time: &entry.time,
        uptime_ms: entry.uptime_ms,
    };
    if let Some(decision) = &entry.decision {
        let payload = serde_json::to_vec(&form(head("pneumoscope/v1/decision"), decision))?;
        messages.push(Message { topic: Topic::Decision, payload });
    } else {
        let event = entry.event.as_ref().unwrap_or(&serde_json::Value::Null);
        let payload = serde_json::to_vec(&EventForm { head: head("pneumoscope/v1/event"), event })?;
        messages.push(Message { topic: Topic::Event, payload });
    }
    Ok(messages)
}

fn form<'a>(head: Head<'a>, d: &'a DecisionLine) -> DecisionForm<'a> {
    DecisionForm {
        head,
        state: &d.state,
        reason: &d.reason,
        score: d.score,
        logit: d.logit,
        negative_below: d.negative_below,
        positive_above: d.positive_above,
        shown_state: &d.shown_state,
        shown_reason: &d.shown_reason,
        model: Model {
            sha256: &d.model_sha256,
            version: &d.model_version,
            preprocessing: &d.preprocessing,
            engine: &d.engine,
        },
        site_sha256: d.site_sha256.as_deref(),
        prior: d.prior,
        familiar_widened_to: d.familiar_widened_to,
        picture: Picture {
            source: &d.source,
            name: d.name.as_deref(),
            name_sha256: d.name_sha256,
            frame_sha256: d.frame_sha256,
            exam: d.exam.as_ref(),
            pictures: d.pictures,
        },
        agreeing: d.agreeing,
        needed: d.needed,
        latency_us: d.latency_us,
    }
}

fn told(Gap { expected, found }: Gap) -> String {
    if found > expected {
        format!("lines {expected} to {} were deleted or damaged before they were delivered", found - 1)
    } else {
        format!("line {expected} was due and {found} came: the log was cut back or begun anew")
    }
}
