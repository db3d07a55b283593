//! A TOML file as a configuration: read once, checked whole, its paths beside the file.
//!
//! The device's, the screen's and the delivery's are read alike: the place of what is wrong, what
//! was expected, what came, and what to do.

use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};

use crate::value;

/// What is read from one file.
pub trait Configuration: DeserializeOwned {
    /// What no single value can tell: whoever changes one checks again. The error says what was
    /// expected, what came, and what to do.
    fn check(&self) -> Result<(), String>;

    /// Takes relative paths as those of `folder`, which the file lies in.
    fn resolve(&mut self, folder: &Path);

    fn load(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self::load_with_text(path)?.0)
    }

    /// The configuration with the very text that it was read from, such as for a hash of it.
    fn load_with_text(path: &Path) -> Result<(Self, String), ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_path_buf(), source };
        let text = std::fs::read_to_string(path).map_err(read)?;
        let mut config = Self::parse(&text, &path.display().to_string())?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok((config, text))
    }

    /// Checks a text; `name` is what errors call it.
    fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(name.to_owned(), |span| {
                let before = text.get(..span.start).unwrap_or(text);
                format!("{name}:{}", before.matches('\n').count() + 1)
            });
            ConfigError::Value { place, what: value::say(error.message()) }
        })?;
        config.check().map_err(|what| ConfigError::Value { place: name.to_owned(), what })?;
        Ok(config)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}: cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{place}: {what}")]
    Value {
        /// File and, where it is known, line.
        place: String,
        /// What was expected, what came, what to do.
        what: String,
    },
}
