//! `edge-runtime self-test`: whether this machine computes what it must, and with a configuration
//! whether it has what it needs.

use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::Result;
use edge_model::engine::{Engine, EngineKind};
use edge_runtime::config::{self, Config, Configuration};
use edge_runtime::self_test::{Check, clock, lines, log_folder};
use std::path::Path;
use std::time::{Instant, SystemTime};

pub fn run(
    config: Option<&Path>,
    model: Option<&Path>,
    engine: Option<EngineKind>,
    output: Output,
) -> Result<Outcome> {
    let config = config.map(Config::load).transpose()?;
    let mut configured = config.as_ref().map_or(config::Model::unconfigured(), |config| config.model.clone());
    configured.file = model.map(Path::to_owned).or(configured.file);
    let chosen = model::chosen(&configured)?;
    let model = chosen.model();
    let mut engine = model::engine(engine.unwrap_or(configured.engine), model)?;

    let start = Instant::now();
    let result = chosen.self_test(&mut *engine);
    let took = start.elapsed().as_secs_f64() * 1000.0;
    let name = engine.name();
    let mut checks = vec![
        Check::new(
            "model",
            Ok::<_, String>(format!("{}, SHA-256 {}", model.metadata().name, model.sha256())),
        ),
        Check::new(
            "engine",
            result.map(|()| format!("{name}: the very bits that were expected, in {took:.1} ms")),
        ),
    ];
    if let Some(config) = &config {
        checks.push(log_folder(&config.log.file));
        checks.extend(lines(&config.lights));
    }
    checks.push(clock(SystemTime::now()));
    Ok(report::checks(&checks, output)?)
}
