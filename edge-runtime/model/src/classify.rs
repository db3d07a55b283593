//! A frame through its stages on Linux: preprocessed as a whole, then judged by edge-core's
//! [`judge`].

use crate::engine::{Engine, EngineError};
use crate::model_file::{ModelFile, OwnedMetadata};
use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::QualityMetrics;
use edge_core::pipeline::{Infer, Stage, judge};
use edge_core::{Decision, Frame, PixelStats, Reason, Scratch, preprocess};
use std::time::{Duration, Instant};

/// A model, an engine that computes it, and the memory that the stages work in.
///
/// ```
/// use edge_core::State;
/// use edge_core::decide::Thresholds;
/// use edge_model::classify::Classifier;
/// use edge_model::drawings::DRAWINGS;
/// use edge_model::engine::EngineKind;
/// use edge_model::model_file::ModelFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ModelFile::from_bytes(include_bytes!("../../../models/pneumonia/model.onnx"))?;
/// // A site that wants a person to look at every picture.
/// let thresholds = Thresholds { negative_below: 0.0, positive_above: 1.0 };
/// let engine = EngineKind::Core.load(&model)?;
/// let mut classifier = Classifier::new(&model, engine).with_thresholds(thresholds);
/// let inference = classifier.classify(&DRAWINGS[0].picture()?.frame())?;
/// assert_eq!(inference.decision.state, State::Refer);
/// println!("{:?} of {:?}", inference.figures, inference.latency());
/// # Ok(())
/// # }
/// ```
pub struct Classifier<E> {
    metadata: OwnedMetadata,
    /// What makes the score that is told, where it is not the model's own.
    told: Option<Calibration>,
    engine: E,
    row: Vec<u32>,
    line: Vec<u64>,
    cells: Vec<u16>,
    input: Vec<u8>,
}

/// What one picture gave.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inference {
    /// The decision on this picture alone.
    pub decision: Decision,
    /// Exposure of the picture, in 16-bit luminance.
    pub stats: PixelStats,
    /// What the gate measured.
    pub figures: QualityMetrics,
    /// Time that preprocessing and the gate before the network took.
    pub preprocess: Duration,
    /// Time that the network took; zero where the gate refused the picture before.
    pub infer: Duration,
}

impl Inference {
    /// Time from the decoded picture to the decision.
    pub fn latency(&self) -> Duration {
        self.preprocess + self.infer
    }
}

impl<E: Engine> Classifier<E> {
    /// `engine` must have been made for `model`.
    pub fn new(model: &ModelFile, engine: E) -> Self {
        let metadata = model.metadata().clone();
        let side = usize::from(metadata.input_side);
        Self {
            metadata,
            told: None,
            engine,
            row: vec![0; side],
            line: vec![0; side],
            cells: vec![0; side * side],
            input: vec![0; side * side],
        }
    }

    /// The same, deciding at other thresholds than the model's: a site's own.
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.metadata.thresholds = thresholds;
        self
    }

    /// The same, answering on chests down to this familiarity where the model's own limit is higher: a
    /// site's, which measured the model on its own pictures. What the gate refuses stays refused.
    pub fn with_familiar_from(mut self, least: i32) -> Self {
        let familiar = &mut self.metadata.gate.familiar;
        familiar.least = familiar.least.min(least);
        self
    }

    /// The same, telling another score of a logit than the model's: one for a site's prevalence. What
    /// decides is the model's own score all the same, to the last bit.
    pub fn with_told_score(mut self, calibration: Calibration) -> Self {
        self.told = Some(calibration);
        self
    }

    /// An error is the device's FAULT; a picture that must not be judged is no error but INVALID.
    pub fn classify(&mut self, frame: &Frame) -> Result<Inference, ClassifyError> {
        self.classify_unless(frame, None)
    }

    /// The same for a frame that must not be judged, whatever it shows, where there is a reason:
    /// [`crate::decode::Picture::refused`]. It is preprocessed and measured all the same, for the log.
    pub fn classify_unless(
        &mut self,
        frame: &Frame,
        refused: Option<Reason>,
    ) -> Result<Inference, ClassifyError> {
        let start = Instant::now();
        let scratch = Scratch { row: &mut self.row, line: &mut self.line, cells: &mut self.cells };
        let stats = preprocess(frame, self.metadata.input_side, scratch, &mut self.input)?;
        if let Some(reason) = refused {
            let figures =
                QualityMetrics::of(frame.geometry(), &stats, &self.input, &self.metadata.view().gate);
            let (decision, preprocess) = (Decision::refused(reason), start.elapsed());
            return Ok(Inference { decision, stats, figures, preprocess, infer: Duration::ZERO });
        }
        let mut network = Network { engine: &mut self.engine, input: &self.input };
        let mut inferring = None;
        let judged = judge(&self.metadata.view(), frame.geometry(), &stats, &mut network, &mut |stage| {
            if stage == Stage::Layer(0) {
                inferring = Some(Instant::now());
            }
        })?;
        let infer = inferring.map_or(Duration::ZERO, |start| start.elapsed());
        let preprocess = start.elapsed().saturating_sub(infer);
        let mut decision = judged.decision;
        if let (Some(told), Some(_), Some(logit)) = (self.told, decision.score, decision.logit) {
            decision.score = Some(told.score(logit));
        }
        Ok(Inference { decision, stats, figures: judged.figures, preprocess, infer })
    }

    /// The network's input for the frame classified last, `side * side` bytes.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// The engine; its [`Engine::features`] are those of the picture that it computed last.
    pub fn engine(&self) -> &E {
        &self.engine
    }
}

/// An engine as [`judge`] wants a network: with the input that it is to compute.
struct Network<'a, E> {
    engine: &'a mut E,
    input: &'a [u8],
}

impl<E: Engine> Infer for Network<'_, E> {
    type Error = EngineError;

    fn input(&self) -> Result<&[u8], EngineError> {
        Ok(self.input)
    }

    fn infer(&mut self, _: &mut dyn FnMut(Stage)) -> Result<f32, EngineError> {
        self.engine.infer(self.input)
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        self.engine.features()
    }
}

/// Why there is no decision on a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The frame could not be made into the network's input.
    #[error(transparent)]
    Preprocess(#[from] edge_core::preprocess::PreprocessError),
    /// The engine gave no logit or no features.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
