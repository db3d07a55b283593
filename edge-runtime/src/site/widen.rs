//! Widening of what counts as familiar: a site that has labelled its own pictures may have those
//! answered that the model refers only because it was not measured on such ones.
//!
//! It needs evidence on the very pictures that it lets in, and enough of it:
//!
//! 1. Of each kind as many as [`needed`] says for the upper end of an interval: with fewer, not even a
//!    model without a single error could be shown to keep to the site's targets.
//! 2. The shares of the ill called NEGATIVE and of the healthy called POSITIVE at the site's thresholds
//!    keep to the targets with the upper ends of their intervals.
//! 3. The lower end of the interval of the area under the ROC curve is at least [`MIN_AUC`].
//!
//! Only the limit of the unfamiliar moves. What the gate refuses as INVALID stays refused.

use super::auc::auc;
use super::choose::{Rule, Targets, needed};
use super::rates::{Rate, rate};
use edge_core::decide::Thresholds;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The least area under the ROC curve. Thresholds alone could keep to any targets by referring
/// everything. For scores of two normal distributions of one width an area of 0.9 is where, with 5 % of
/// the healthy POSITIVE and 2 % of the ill NEGATIVE, 57 % of the ill are POSITIVE and 40 % of the healthy
/// NEGATIVE: below that most answers would be REFER all the same. Adults gave the model of version 1.1.0
/// 0.52.
pub const MIN_AUC: f64 = 0.9;
/// Shares of pictures that may stay unfamiliar: with less than the first, single odd pictures would set
/// the limit.
pub const SHARES: [f64; 2] = [0.01, 0.5];

/// A picture that the model judged, and that a person has read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The model's calibrated score, 0..=1.
    pub score: f32,
    pub label: bool,
    /// How like it is to those that the model was measured on; none where that is not known.
    pub familiarity: Option<Familiarity>,
}

/// What is known of [`edge_core::gate::QualityMetrics::familiarity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiarity {
    /// The figure.
    Is(i32),
    /// A log tells the figure only where it is below the limit: it is this or more.
    AtLeast(i32),
}

impl Judged {
    /// Whether a device with this limit answers on it; what is not known counts as familiar.
    pub fn is_familiar(&self, least: i32) -> bool {
        !matches!(self.familiarity, Some(Familiarity::Is(got)) if got < least)
    }
}

/// A widened limit and what was measured on the pictures that it lets in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widening {
    /// Pictures with a lower familiarity are unfamiliar.
    pub least: i32,
    /// The model's own limit.
    pub instead_of: i32,
    /// Share of the site's pictures that might stay unfamiliar.
    pub max_unfamiliar: f64,
    /// Pictures of the site that were judged.
    pub pictures: usize,
    /// How many of them are unfamiliar to the model by its own limit.
    pub unfamiliar_before: usize,
    /// How many still are.
    pub unfamiliar: usize,
    /// Pictures with the disease that the widening lets in; what follows is measured on these and on
    /// the next.
    pub positives: usize,
    /// Pictures without.
    pub negatives: usize,
    /// Area under the ROC curve.
    pub auc: Rate,
    /// Share of the ill that are NEGATIVE.
    pub missed: Rate,
    /// Share of the healthy that are POSITIVE.
    pub false_alarms: Rate,
}

impl fmt::Display for Widening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self {
            least, instead_of, pictures, unfamiliar, unfamiliar_before, positives, negatives, ..
        } = self;
        let percent = |rate: Rate| {
            let [estimate, low, high] = [rate.estimate, rate.low, rate.high].map(|share| 100.0 * share);
            format!("{estimate:.1} % ({low:.1} to {high:.1})")
        };
        write!(
            f,
            "WIDENED: familiar from {least} on instead of {instead_of}; of {pictures} pictures {unfamiliar} unfamiliar \
             instead of {unfamiliar_before}. On {positives} ill and {negatives} healthy ones that it lets in: AUC {:.3} \
             ({:.3} to {:.3}), NEGATIVE of the ill {}, POSITIVE of the healthy {}",
            self.auc.estimate,
            self.auc.low,
            self.auc.high,
            percent(self.missed),
            percent(self.false_alarms)
        )
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WidenError {
    #[error("expected a share of {} to {} that may stay unfamiliar, got {got}", SHARES[0], SHARES[1])]
    Share {
        /// What was given.
        got: f64,
    },
    #[error(
        "expected --choose bound: a limit is widened only if the upper ends of intervals keep to the targets"
    )]
    Rule,
    #[error(
        "{0} pictures have a score but no familiarity; widening needs a device's log (--log) or the pictures themselves"
    )]
    Unknown(usize),
    #[error(
        "only {unfamiliar} of {pictures} pictures are unfamiliar, which is not above the share given; leave the model's limit as it is"
    )]
    NotNeeded { unfamiliar: usize, pictures: usize },
    #[error(
        "{got} of the pictures that the widening would let in are {label}, and to keep to {target} by the upper end of its interval at least {needed} are needed; read more unfamiliar ones"
    )]
    TooFew {
        /// `positive` or `negative`.
        label: &'static str,
        got: usize,
        needed: usize,
        target: f64,
    },
    #[error(
        "on the pictures that the widening would let in, {what} is {:.3} ({:.3} to {:.3}), and the {end} end must be {bound}; this model must not answer on them", rate.estimate, rate.low, rate.high
    )]
    Missed {
        /// The figure, in words.
        what: &'static str,
        rate: Rate,
        /// `upper` or `lower`.
        end: &'static str,
        /// What it must keep to.
        bound: String,
    },
}

/// The limit below the model's own `least` at which at most the share `max_unfamiliar` of the pictures is
/// unfamiliar.
///
/// # Errors
/// A share that means nothing, pictures of unknown familiarity, or a limit that does already.
pub fn widened_limit(pictures: &[Judged], least: i32, max_unfamiliar: f64) -> Result<i32, WidenError> {
    let [low, high] = SHARES;
    if !(low..=high).contains(&max_unfamiliar) {
        return Err(WidenError::Share { got: max_unfamiliar });
    }
    let unknown = pictures.iter().filter(|picture| picture.familiarity.is_none()).count();
    if unknown > 0 {
        return Err(WidenError::Unknown(unknown));
    }
    let mut below: Vec<i32> = pictures.iter().filter_map(|picture| figure_below(picture, least)).collect();
    below.sort_unstable();
    let allowed = (max_unfamiliar * pictures.len() as f64) as usize;
    let Some(limit) = below.get(allowed) else {
        return Err(WidenError::NotNeeded { unfamiliar: below.len(), pictures: pictures.len() });
    };
    // A log under a limit that was widened before does not tell what lies above that: no higher one.
    let told = pictures.iter().filter_map(|picture| match picture.familiarity {
        Some(Familiarity::AtLeast(limit)) => Some(limit),
        _ => None,
    });
    Ok(told.fold(*limit, i32::min))
}

/// Holds the pictures that a widening from `least` to `limit` lets in against the promises of the site's
/// thresholds.
///
/// # Errors
/// Too few of them, or a figure whose interval does not keep to its bound.
pub fn widen(
    pictures: &[Judged],
    (least, limit): (i32, i32),
    max_unfamiliar: f64,
    thresholds: &Thresholds,
    targets: &Targets,
) -> Result<Widening, WidenError> {
    if targets.rule != Rule::Bound {
        return Err(WidenError::Rule);
    }
    let let_in = |label: bool| -> Vec<f32> {
        let of = pictures.iter().filter(|picture| picture.label == label);
        of.filter(|p| figure_below(p, least).is_some_and(|got| got >= limit)).map(|p| p.score).collect()
    };
    let (ill, healthy) = (let_in(true), let_in(false));
    let few = |label, got: usize, target| {
        let needed = needed(target, Rule::Bound).unwrap_or(usize::MAX);
        if got < needed { Err(WidenError::TooFew { label, got, needed, target }) } else { Ok(()) }
    };
    few("positive", ill.len(), targets.max_missed)?;
    few("negative", healthy.len(), targets.max_false_alarms)?;
    let missed = ill.iter().filter(|score| **score < thresholds.negative_below).count();
    let alarms = healthy.iter().filter(|score| **score > thresholds.positive_above).count();
    let keeps = |what, rate: Option<Rate>, target: f64| match rate {
        Some(rate) if rate.high <= target => Ok(rate),
        rate => {
            let rate = rate.unwrap_or(Rate { estimate: 1.0, low: 0.0, high: 1.0 });
            Err(WidenError::Missed { what, rate, end: "upper", bound: format!("at most {target}") })
        }
    };
    let missed = keeps("the share of the ill called NEGATIVE", rate(missed, ill.len()), targets.max_missed)?;
    let healthy_called = "the share of the healthy called POSITIVE";
    let false_alarms = keeps(healthy_called, rate(alarms, healthy.len()), targets.max_false_alarms)?;
    let auc = auc(&ill, &healthy).unwrap_or(Rate { estimate: 0.0, low: 0.0, high: 1.0 });
    if auc.low < MIN_AUC {
        let what = "the area under the ROC curve";
        return Err(WidenError::Missed {
            what,
            rate: auc,
            end: "lower",
            bound: format!("at least {MIN_AUC}"),
        });
    }
    let unfamiliar = |least: i32| pictures.iter().filter(|picture| !picture.is_familiar(least)).count();
    Ok(Widening {
        least: limit,
        instead_of: least,
        max_unfamiliar,
        pictures: pictures.len(),
        unfamiliar_before: unfamiliar(least),
        unfamiliar: unfamiliar(limit),
        positives: ill.len(),
        negatives: healthy.len(),
        auc,
        missed,
        false_alarms,
    })
}

/// The figure of a picture where it is known and below `least`.
fn figure_below(picture: &Judged, least: i32) -> Option<i32> {
    match picture.familiarity {
        Some(Familiarity::Is(got)) if got < least => Some(got),
        _ => None,
    }
}
