//! What the loop says in one turn, and the status that the thread makes of it.

use super::album::Taken;
use crate::cases::{CasesView, Listed};
use crate::log::Context;
use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::gate::GateThresholds;
use edge_core::worklist::{CaseId, Progress};
use edge_model::model_file::ModelFile;
use status::{Case, MOST_CASES, Model, Picture, Status, Versioned, WorklistStatus};
use std::sync::Arc;

/// What stays the same as long as the device runs.
#[derive(Debug)]
pub struct About {
    /// Names this start.
    pub run: String,
    pub device: String,
    pub thresholds: Thresholds,
    pub model: Model,
    /// The gate's limits as they hold here.
    pub limits: GateThresholds<Vec<i8>>,
}

impl About {
    pub fn new(device: &str, context: &Context, model: &ModelFile) -> Self {
        let metadata = model.metadata();
        let mut limits = metadata.gate.clone();
        let familiar = &mut limits.familiar.least;
        *familiar = context.familiar_widened_to.map_or(*familiar, |widened| widened.min(*familiar));
        Self {
            run: name_of_run(),
            device: device.to_owned(),
            thresholds: context.thresholds,
            model: Model {
                sha256: context.model_sha256.clone(),
                version: context.model_version.clone(),
                intended_use: metadata.intended_use.to_string(),
                engine: context.engine.to_owned(),
            },
            limits,
        }
    }
}

/// One that no other start has: the kernel's random UUID, or else what is not likely to come again.
fn name_of_run() -> String {
    let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    let named = random.map(|uuid| uuid.trim().to_owned()).ok().filter(|uuid| !uuid.is_empty());
    let now = crate::capture::now_ms();
    named.unwrap_or_else(|| format!("{:?}-{now}-{}", std::time::SystemTime::now(), std::process::id()))
}

/// The cases beside the one that has its turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Others {
    pub worst: Option<CaseId>,
    pub need_person: u32,
    pub waiting: u32,
    pub acknowledges: bool,
}

impl Others {
    pub fn of(cases: &CasesView) -> Self {
        let CasesView { view, acknowledges, .. } = *cases;
        Self { worst: view.worst, need_person: view.need_person, waiting: view.waiting, acknowledges }
    }
}

/// What is so after one turn of the loop. Its memory is used again.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Both clocks, and the device's own, by which cases have come.
    pub monotonic_ms: u64,
    pub unix_ms: u64,
    pub device_ms: u64,
    pub shown: Option<Indication>,
    pub shown_since_ms: u64,
    pub score: Option<f32>,
    /// None for a camera.
    pub others: Option<Others>,
    pub cases: Vec<Listed>,
    pub picture: Option<Arc<Taken>>,
    pub trouble: Option<String>,
}

impl Snapshot {
    /// As a screen reads it; `picture` is what lies beside it.
    pub fn status(&self, about: &About, picture: Option<Picture>) -> Status {
        Status {
            version: Status::VERSION,
            run: about.run.clone(),
            device: about.device.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            monotonic_ms: self.monotonic_ms,
            unix_ms: self.unix_ms,
            shown: self.shown,
            shown_since_ms: self.shown_since_ms,
            score: self.score,
            thresholds: about.thresholds,
            model: about.model.clone(),
            worklist: self.others.as_ref().map(|others| self.worklist(others)),
            picture,
            trouble: self.trouble.clone(),
        }
    }

    fn worklist(&self, others: &Others) -> WorklistStatus {
        let mut cases: Vec<_> = self.cases.iter().map(|listed| self.case(listed)).collect();
        cases.sort_unstable_by_key(|case| case.number);
        cases.drain(..cases.len().saturating_sub(MOST_CASES));
        let turn = cases.iter().find(|case| case.progress == Progress::Shown).map(|case| case.number);
        let &Others { need_person, waiting, acknowledges, .. } = others;
        WorklistStatus { turn, worst: others.worst.map(|id| id.0), need_person, waiting, acknowledges, cases }
    }

    fn case(&self, Listed { id, case, progress, last_ms }: &Listed) -> Case {
        Case {
            number: id.0,
            name: case.name.to_string(),
            pictures: case.pictures,
            answer: case.answer,
            // By the clock as it stands now: one that is set later sets these right, too.
            unix_ms: self.unix_ms.saturating_sub(self.device_ms.saturating_sub(*last_ms)),
            progress: *progress,
        }
    }
}
