//! `cargo xtask sign`: a signed model, or a new key.

use super::output::{tell, warn_of_development};
use crate::cli::SignOptions;
use anyhow::{Context, bail, ensure};
use edge_model::aligned::AlignedBytes;
use edge_model::files;
use firmware::bundle::{Bundle, BundleVerifier};
use flash::key::hex;
use flash::{key, sign};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Key<'a> {
    path: &'a Path,
    public_key: String,
}

#[derive(Serialize)]
struct Signed<'a> {
    path: &'a Path,
    bytes: usize,
    model_version: String,
    arena_bytes: usize,
    logit_bits: String,
    public_key: String,
    development_key: bool,
}

pub fn run(options: &SignOptions) -> anyhow::Result<()> {
    match (&options.new_key, &options.key, &options.model) {
        (Some(path), ..) => new_key(path, options.json),
        (None, Some(key), Some(model)) => {
            let out = options.out.clone().unwrap_or_else(|| model.with_extension("bundle"));
            sign_model(key, model, &out, options.json)
        }
        _ => bail!("expected --key KEY MODEL, or --new-key FILE"),
    }
}

fn new_key(path: &Path, json: bool) -> anyhow::Result<()> {
    let made = Key { path, public_key: hex(&key::create(path)?) };
    tell(json, &made, || {
        eprintln!("{}: the private half; keep it secret, and keep a copy. For board.toml:", path.display());
        format!("public_key = \"{}\"", made.public_key)
    })
}

fn sign_model(key: &Path, model: &Path, path: &Path, json: bool) -> anyhow::Result<()> {
    ensure!(path != model, "{} is the model itself: name another file with --out", path.display());
    let key = key::read(key)?;
    let public = key.verifying_key().to_bytes();
    let bytes = std::fs::read(model).with_context(|| format!("cannot read {}", model.display()))?;
    let bytes = sign::pack(&bytes).and_then(|packed| sign::sign(&packed, &key));
    let bytes = bytes.with_context(|| model.display().to_string())?;
    // As a device opens it, whatever its memory: what does not hold here holds nowhere.
    let aligned = AlignedBytes::copy_of(&bytes);
    let bundle = Bundle::open(aligned.as_ref(), &BundleVerifier { key: &public, arena_bytes: usize::MAX })?;
    files::write(path, &bytes)?;
    let signed = Signed {
        path,
        bytes: bytes.len(),
        model_version: bundle.version.to_string(),
        arena_bytes: bundle.model.arena_bytes(),
        logit_bits: format!("{:08x}", bundle.logit_bits),
        public_key: hex(&public),
        development_key: key::is_development(&public),
    };
    warn_of_development(&public);
    let Signed { bytes, model_version, arena_bytes, public_key, .. } = &signed;
    tell(json, &signed, || {
        format!(
            "{}: {bytes} bytes, model version {model_version}; a board needs {arena_bytes} bytes of arena\n\
             for boards with public_key = \"{public_key}\"",
            path.display()
        )
    })
}
