//! Where the network looked, measured: does the heat of its class activation maps lie in the chest,
//! and does the answer hang on where it lies?
//!
//! *Heat* of a place is how much it moves the logit in either direction: how deep the map's colour
//! is there. Two checks, on a sample of the scored pictures:
//!
//! - the share of the heat in the part of the picture that the chest fills on a usual film
//!   ([`heat::Part::CHEST`]), against heat spread evenly, and against that of a model that sees only
//!   where light and dark lie ([`layout`]). No outline of lungs is known, so the part is one for all
//!   films; and a map is as coarse as the network's last layer, with a receptive field wider than a
//!   place of it. A network may look at the chest and still be wrong.
//! - what covering does: the hottest ninth of the picture, a ninth by lot and the coldest ninth are
//!   covered in turn with the picture's mean grey, and the picture goes through the whole device
//!   again (occlusion, Zeiler and Fergus, "Visualizing and understanding convolutional networks",
//!   ECCV 2014). If the map tells the truth, the hottest ninth moves the score most.
//!
//! Maps are computed from bytes that are the same in every engine, and draws go by the seed.

mod cover;
mod heat;
mod layout;
mod words;

use super::metrics::{Bootstrap, Estimate, auc};
use super::prediction::{LabelledPicture, Outcome, Prediction};
use super::sample::Sample;
use super::scoring::EnginePool;
use crate::progress;
use crate::random::{Purpose, SeededRng};
use cover::cover;
use edge_model::activation::ActivationMapper;
use edge_model::decode::Picture;
use edge_model::engine::Engine;
use heat::{Heat, Part};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Localization {
    /// Pictures of the sample that have a map; the rest is in no number here.
    pub pictures: usize,
    /// Pictures that the sample was drawn from: those with a score.
    pub drawn_from: usize,
    pub seed: u64,
    /// Share of the picture's area that the chest's part has: what evenly spread heat would have in
    /// it.
    pub chest_area: f64,
    /// Mean share of the heat in the chest's part.
    pub heat_in_chest: Estimate,
    /// None where the sample is too small to fit it.
    pub layout: Option<LayoutBaseline>,
    /// Hottest, by lot and coldest, each without and with the disease.
    pub covered: Vec<CoveredPart>,
}

/// The same of the model that sees only where light and dark lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayoutBaseline {
    /// How well it tells the classes apart, on patients that it was not fitted on.
    pub auc: Option<f64>,
    pub heat_in_chest: Estimate,
    /// How much greater the network's share is, picture by picture.
    pub difference: Estimate,
}

/// What covering a ninth did to the pictures of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoveredPart {
    /// `hottest`, `by lot` or `coldest`.
    pub part: String,
    pub with_disease: bool,
    pub pictures: usize,
    /// Those of them that still have a score; the gate refuses the rest.
    pub scored: usize,
    /// Mean of the score after less the score before, over the scored.
    pub score_change: Estimate,
    /// Share of the pictures whose state changed.
    pub changed_states: Estimate,
}

/// The parts that are covered, in order.
pub const PARTS: [&str; 3] = ["hottest", "by lot", "coldest"];

/// A picture with a map, and what covering its parts gave.
struct Looked<'a> {
    item: &'a LabelledPicture,
    before: &'a Prediction,
    input: Vec<u8>,
    heat: Heat,
    after: [Prediction; PARTS.len()],
}

/// Measures the pictures of the sample; none where no picture has a map.
pub(super) fn measure_localization(
    engines: &EnginePool,
    mapper: &ActivationMapper,
    items: &[LabelledPicture],
    predictions: &[Prediction],
    sample: &Sample,
    bootstrap: &Bootstrap,
) -> Option<Localization> {
    let looked = progress::map("covering pictures", &sample.positions, |&i| {
        let (item, before) = items.get(i).zip(predictions.get(i))?;
        let picture = item.source.open().ok()?;
        let by_lot = SeededRng::new(bootstrap.seed, Purpose::Cover, 0, i as u64).below(9);
        look(engines, mapper, item, before, &picture, by_lot)
    });
    let looked: Vec<Looked> = looked.into_iter().flatten().collect();
    if looked.is_empty() {
        return None;
    }
    let shares: Vec<(&str, f64)> =
        looked.iter().map(|l| (&*l.item.patient, l.heat.share_in(Part::CHEST))).collect();
    let covered = PARTS.iter().enumerate().flat_map(|(part, name)| {
        [false, true].map(|label| covered_part(&looked, part, name, label, bootstrap))
    });
    Some(Localization {
        pictures: looked.len(),
        drawn_from: sample.drawn_from,
        seed: bootstrap.seed,
        chest_area: Part::CHEST.area(),
        heat_in_chest: bootstrap.mean(&shares),
        layout: layout_baseline(&looked, &shares, bootstrap),
        covered: covered.collect(),
    })
}

/// The map of a picture, and the device's answers with its parts covered.
fn look<'a>(
    engines: &EnginePool,
    mapper: &ActivationMapper,
    item: &'a LabelledPicture,
    before: &'a Prediction,
    picture: &Picture,
    by_lot: usize,
) -> Option<Looked<'a>> {
    let (_, looked) = engines.classify_and(picture, |classifier| {
        let map = mapper.map(classifier.engine().features().ok()?).ok()?;
        let heat = Heat::of(map.width(), map.shares().iter().map(|&share| f64::from(share)))?;
        Some((classifier.input().to_vec(), heat))
    });
    let (input, heat) = looked??;
    let [hottest, coldest] = heat.extremes();
    let after = [hottest, by_lot, coldest].map(|number| {
        let covered = cover(picture, Part::ninths()[number]);
        let outcome = covered.map(|picture| engines.classify(&picture));
        Prediction::new(item, outcome.unwrap_or_else(|| Outcome::none(None, "the picture cannot be covered")))
    });
    Some(Looked { item, before, input, heat, after })
}

fn covered_part(
    looked: &[Looked],
    part: usize,
    name: &str,
    label: bool,
    bootstrap: &Bootstrap,
) -> CoveredPart {
    let mine: Vec<(&str, &Prediction, &Prediction)> = looked
        .iter()
        .filter(|l| l.item.label == label)
        .map(|l| (&*l.item.patient, l.before, &l.after[part]))
        .collect();
    let moved = |(patient, before, after): &(_, &Prediction, &Prediction)| {
        Some((*patient, f64::from(after.score?) - f64::from(before.score?)))
    };
    let changes: Vec<(&str, f64)> = mine.iter().filter_map(moved).collect();
    let changed: Vec<(&str, f64)> =
        mine.iter().map(|(patient, a, b)| (*patient, f64::from(u8::from(a.state != b.state)))).collect();
    CoveredPart {
        part: name.to_owned(),
        with_disease: label,
        pictures: mine.len(),
        scored: changes.len(),
        score_change: bootstrap.mean(&changes),
        changed_states: bootstrap.mean(&changed),
    }
}

fn layout_baseline(
    looked: &[Looked],
    shares: &[(&str, f64)],
    bootstrap: &Bootstrap,
) -> Option<LayoutBaseline> {
    let seen: Vec<layout::Seen> = looked
        .iter()
        .map(|l| layout::Seen { input: &l.input, label: l.item.label, patient: &l.item.patient })
        .collect();
    let judged = layout::judge(&seen)?;
    let logits: Vec<f64> = judged.iter().map(|j| j.logit).collect();
    let labels: Vec<bool> = seen.iter().map(|s| s.label).collect();
    let both = shares.iter().zip(&judged);
    let pairs: Vec<(&str, f64, f64)> = both
        .filter_map(|((patient, share), j)| Some((*patient, *share, j.heat.as_ref()?.share_in(Part::CHEST))))
        .collect();
    let figure = |of: fn(f64, f64) -> f64| {
        bootstrap.mean(
            &pairs.iter().map(|&(patient, ours, theirs)| (patient, of(ours, theirs))).collect::<Vec<_>>(),
        )
    };
    Some(LayoutBaseline {
        auc: auc(&logits, &labels),
        heat_in_chest: figure(|_, theirs| theirs),
        difference: figure(|ours, theirs| ours - theirs),
    })
}

impl Localization {
    /// What a part did to one class.
    pub fn covered(&self, part: &str, with_disease: bool) -> Option<&CoveredPart> {
        self.covered.iter().find(|c| c.part == part && c.with_disease == with_disease)
    }
}
