//! Scored pictures, sorted once by logit: what makes 2,000 resamples of 1,000 of them take a
//! fraction of a second.

use edge_core::State;
use edge_model::prevalence::PriorShift;
use std::collections::HashMap;

/// One picture that has a finite score.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPicture {
    /// Who is on the picture; pictures of one patient are resampled together.
    pub patient: String,
    /// Whether the picture shows the disease.
    pub label: bool,
    /// A kind of disease (`bacteria`, `virus`) or any other group; may be empty.
    pub subgroup: String,
    /// Calibrated score, 0..=1.
    pub score: f64,
    /// The score, moved to the share of disease among the pictures: what Brier score and calibration
    /// error judge. A score is a probability at another share.
    pub probability: f64,
    /// The network's output; ranking uses it because scores near 0 and 1 run together in f32.
    pub logit: f64,
    pub state: State,
}

/// Moves the pictures' scores, which are probabilities at `prevalence`, to the share of disease among
/// them; where there is one class alone, they stay.
pub fn at_own_share(pictures: &mut [ScoredPicture], prevalence: f64) {
    let share = pictures.iter().filter(|p| p.label).count() as f64 / pictures.len().max(1) as f64;
    if share <= 0.0 || share >= 1.0 {
        return;
    }
    let prior = PriorShift { prevalence: share, fitted_prevalence: prevalence };
    for picture in pictures {
        picture.probability = f64::from(prior.told_score(picture.score as f32));
    }
}

/// One picture, reduced to what the statistics need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub logit: f64,
    pub score: f64,
    pub probability: f64,
    pub label: bool,
    pub state: State,
    pub patient: u32,
}

/// Pictures in the order of their logits.
#[derive(Clone, Debug)]
pub struct ScoreTable {
    pub(super) entries: Vec<Entry>,
    pub(super) patients: usize,
}

impl ScoreTable {
    /// Sorts `pictures`. Patients are numbered in the order of their first picture.
    pub fn new(pictures: &[ScoredPicture]) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut entries: Vec<Entry> = pictures
            .iter()
            .map(|p| {
                let next = numbers.len() as u32;
                let patient = *numbers.entry(&p.patient).or_insert(next);
                let ScoredPicture { logit, score, probability, label, state, .. } = *p;
                Entry { logit, score, probability, label, state, patient }
            })
            .collect();
        entries.sort_by(|a, b| a.logit.total_cmp(&b.logit));
        Self { entries, patients: numbers.len() }
    }

    /// Each picture's weight where patient `p` was drawn `drawn[p]` times.
    pub(super) fn weights(&self, drawn: &[u32]) -> Vec<u32> {
        self.entries.iter().map(|e| drawn.get(e.patient as usize).copied().unwrap_or(0)).collect()
    }
}

/// `a / b`, undefined where `b` is 0.
pub(super) fn ratio(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}
