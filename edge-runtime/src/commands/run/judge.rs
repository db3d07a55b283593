//! What judges pictures at this start of the device.

use crate::model::{self, Chosen};
use anyhow::{Context as _, Result};
use edge_model::engine::Engine;
use edge_model::model_file::ModelFile;
use edge_model::prevalence::PriorShift;
use edge_runtime::config::Config;
use edge_runtime::log::Context;
use edge_runtime::run::context_of;
use edge_runtime::site::Site;

/// A model with its engine and thresholds.
pub struct Judge {
    pub model: ModelFile,
    pub engine: Box<dyn Engine>,
    pub context: Context,
}

impl Judge {
    /// Its self-test passed, and thresholds as the configuration says.
    pub fn of(config: &Config, chosen: Chosen) -> Result<Self> {
        let mut engine = model::engine(config.model.engine, chosen.model())?;
        chosen.self_test(&mut *engine).context("self-test")?;
        let site = model::site_of(&config.model, &chosen)?;
        let model = chosen.into_model();
        let prior = config
            .site
            .prevalence
            .map(|share| PriorShift::new(share, model.fitted_prevalence()))
            .transpose()?;
        let own = context_of(&model, config.model.engine);
        let context = Context {
            familiar_widened_to: site.as_ref().and_then(Site::familiar_widened_to),
            thresholds: match (&site, prior) {
                (Some(site), _) => site.thresholds(),
                (None, Some(prior)) => prior.thresholds(own.thresholds),
                (None, None) => own.thresholds,
            },
            site_sha256: site.map(|site| site.sha256().to_owned()),
            prior,
            ..own
        };
        Ok(Self { model, engine, context })
    }
}
