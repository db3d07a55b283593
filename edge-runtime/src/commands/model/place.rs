//! Which device `model` is about: its configuration and its store.

use anyhow::{Context, Result};
use clap::Args;
use edge_runtime::config::{self, Config, Configuration};
use edge_runtime::models::Store;
use std::path::{Path, PathBuf};

/// The configuration of the service.
const CONFIG: &str = "/etc/pneumoscope/pneumoscope.toml";

/// Which device.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// The device's configuration (TOML). [default: /etc/pneumoscope/pneumoscope.toml, where it is]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// The configuration: the one that is named, else the service's, else the default.
    pub fn configuration(&self) -> Result<Config> {
        let service = Path::new(CONFIG);
        let path = self.config.as_deref().or(Some(service).filter(|path| path.exists()));
        Ok(path.map(Config::load).transpose()?.unwrap_or_default())
    }

    /// The same, as words of a command line.
    pub fn words(&self) -> Vec<PathBuf> {
        self.config.iter().flat_map(|path| ["--config".into(), path.clone()]).collect()
    }
}

/// What the configuration at `path` says, with the model that was named on the command line; without
/// one no installed model is looked for.
pub fn configuration(path: Option<&Path>, model: Option<&Path>) -> Result<Config> {
    let mut config = match path {
        Some(path) => Config::load(path)?,
        None => Config { model: config::Model::unconfigured(), ..Config::default() },
    };
    config.model.file = model.map(Path::to_owned).or(config.model.file);
    Ok(config)
}

/// The store of this configuration, also where a named file goes before it.
pub fn store(config: &Config) -> Result<Store> {
    let folder = config.model.store.as_ref().context("the configuration has no store of models")?;
    Ok(Store::at(folder))
}
