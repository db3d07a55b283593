//! Which model the program uses: the file that was named, the installed one, or the one that it was
//! built with.

use anyhow::{Context, Result};
use bundle::Version;
use edge_model::engine::{Engine, EngineError, EngineKind};
use edge_model::model_file::{ModelFile, ModelFileError};
use edge_model::self_test::{SelfTestError, golden};
use edge_model::signed::{SignedModel, named_model};
use edge_runtime::config;
use edge_runtime::models::{BuiltIn, State, Store, Which, read_keys};
use edge_runtime::site::Site;
use std::path::Path;

const SHIPPED: &[u8] = include_bytes!("../../models/pneumonia/model.onnx");

/// The model was refused: exit code 4.
#[derive(Debug, thiserror::Error)]
#[error("model {name} was refused: {why}")]
pub struct Refused {
    name: String,
    why: String,
}

impl Refused {
    pub fn new(name: &str, why: impl ToString) -> Self {
        Self { name: name.to_owned(), why: why.to_string() }
    }
}

/// A model with why it is this one.
pub struct Chosen {
    loaded: Loaded,
    why: String,
    /// It may run without the configured site file, which is for another model.
    pub without_site: bool,
}

enum Loaded {
    File(ModelFile),
    /// From the store.
    Signed(SignedModel),
}

impl Chosen {
    pub fn model(&self) -> &ModelFile {
        match &self.loaded {
            Loaded::File(model) => model,
            Loaded::Signed(signed) => signed.model(),
        }
    }

    pub fn into_model(self) -> ModelFile {
        match self.loaded {
            Loaded::File(model) => model,
            Loaded::Signed(signed) => signed.into_model(),
        }
    }

    /// Why it is this one, in words.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether this engine of the model computes what it must; of a signed model, what was signed
    /// too.
    pub fn self_test(&self, engine: &mut dyn Engine) -> Result<(), SelfTestError> {
        golden(self.model(), engine)?;
        match &self.loaded {
            Loaded::File(_) => Ok(()),
            Loaded::Signed(signed) => signed.self_test(engine),
        }
    }
}

/// Loads the model at `path`, or the built-in one.
pub fn load(path: Option<&Path>) -> Result<ModelFile> {
    let loaded = match path {
        Some(path) => std::fs::read(path)
            .map_err(ModelFileError::Read)
            .and_then(|file| ModelFile::from_bytes(named_model(&file))),
        None => ModelFile::from_bytes(SHIPPED),
    };
    let name = path.map_or("(built in)".to_owned(), |path| path.display().to_string());
    Ok(loaded.map_err(|why| Refused { name, why: why.to_string() })?)
}

/// What versions of the store are held against while nothing of it runs.
pub fn built_in() -> Result<BuiltIn> {
    let model = load(None)?;
    let version = Version::parse(&model.metadata().version).unwrap_or_default();
    Ok(BuiltIn { sha256: model.sha256().to_owned(), version })
}

/// The model that a device of this configuration runs, or tries at its next start; nothing is
/// changed.
pub fn chosen(config: &config::Model) -> Result<Chosen> {
    match store(config) {
        Some(store) => {
            let state = store.state()?;
            let pending = state.pending.as_ref().map(|pending| Which::Model(pending.sha256.clone()));
            from_store(config, &store, &state, pending.as_ref().unwrap_or(&state.current))
        }
        None => Ok(Chosen {
            loaded: Loaded::File(load(config.file.as_deref())?),
            why: match &config.file {
                Some(_) => "its file is named".to_owned(),
                None => "built in".to_owned(),
            },
            without_site: false,
        }),
    }
}

/// The store that the device's model comes from; none where a file is named.
pub fn store(config: &config::Model) -> Option<Store> {
    config.store.as_ref().filter(|_| config.file.is_none()).map(Store::at)
}

/// One of a store's models, its signature checked.
pub fn from_store(config: &config::Model, store: &Store, state: &State, which: &Which) -> Result<Chosen> {
    let Which::Model(sha256) = which else {
        let why = format!("built in; none is confirmed in {}", store.folder().display());
        return Ok(Chosen { loaded: Loaded::File(load(None)?), why, without_site: false });
    };
    let refused =
        |why: &dyn ToString| Refused::new(&store.file(sha256).display().to_string(), why.to_string());
    let bytes = store.read(sha256).map_err(|error| refused(&error))?;
    let signed = SignedModel::open(&bytes, &read_keys(&config.keys)?).map_err(|error| refused(&error))?;
    let got = signed.model().sha256();
    if got != sha256 {
        let why = format!("expected the model with SHA-256 {sha256}, got {got}; install it again");
        return Err(refused(&why).into());
    }
    let kept = state.kept(sha256);
    let installed = kept.map_or("", |kept| kept.installed.as_str());
    let is_current = state.current == *which;
    let said = if is_current { "confirmed" } else { "pending, it is tried at the next start" };
    Ok(Chosen {
        loaded: Loaded::Signed(signed),
        why: format!("installed {installed}, {said}"),
        without_site: kept.is_some_and(|kept| kept.without_site),
    })
}

pub fn engine(kind: EngineKind, model: &ModelFile) -> Result<Box<dyn Engine>> {
    let refused =
        |why: EngineError| Refused { name: model.metadata().name.to_string(), why: why.to_string() };
    Ok(kind.load(model).map_err(refused)?)
}

/// The site's thresholds for a model: none where the configuration names none, or a person let the
/// model run without those that are for another one.
pub fn site_of(config: &config::Model, chosen: &Chosen) -> Result<Option<Site>> {
    let Some(path) = &config.site else { return Ok(None) };
    match Site::load(path, chosen.model()) {
        Err(error) if chosen.without_site && error.is_for_another_model() => Ok(None),
        site => Ok(Some(site.with_context(|| format!("site file {}", path.display()))?)),
    }
}
