//! `cargo xtask sign`: a signed model, or a new key.

use super::output::{tell, warn_of_development};
use crate::cli::SignOptions;
use anyhow::{Context, bail, ensure};
use edge_model::aligned::AlignedBytes;
use edge_model::files;
use edge_model::signed::SignedModel;
use firmware::bundle::{Bundle, BundleVerifier, Target};
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
    target: &'static str,
    model_version: String,
    /// What a board needs of working memory; none for Linux.
    arena_bytes: Option<usize>,
    logit_bits: String,
    public_key: String,
    development_key: bool,
}

pub fn run(options: &SignOptions) -> anyhow::Result<()> {
    match (&options.new_key, &options.key, &options.model) {
        (Some(path), ..) => new_key(path, options.json),
        (None, Some(key), Some(model)) => {
            let out = options.out.clone().unwrap_or_else(|| model.with_extension("bundle"));
            sign_model(key, model, &out, options)
        }
        _ => bail!("expected --key KEY MODEL, or --new-key FILE"),
    }
}

fn new_key(path: &Path, json: bool) -> anyhow::Result<()> {
    let made = Key { path, public_key: hex(&key::create(path)?) };
    tell(json, &made, || {
        let public = key::public_path(path);
        eprintln!("{}: the private half; keep it secret, and keep a copy.", path.display());
        eprintln!("{}: the public half, for /etc/pneumoscope/keys of a device with Linux.", public.display());
        eprintln!("For board.toml:");
        format!("public_key = \"{}\"", made.public_key)
    })
}

fn sign_model(key: &Path, model: &Path, path: &Path, options: &SignOptions) -> anyhow::Result<()> {
    ensure!(path != model, "{} is the model itself: name another file with --out", path.display());
    let key = key::read(key)?;
    let public = key.verifying_key().to_bytes();
    let file = std::fs::read(model).with_context(|| format!("cannot read {}", model.display()))?;
    let target = if options.linux { Target::Linux } else { Target::Board };
    let made = match target {
        Target::Board => sign::pack(&file).and_then(|packed| sign::sign(&packed, &key)),
        Target::Linux => sign::sign_file(&file, &key),
    };
    let bytes = made.with_context(|| model.display().to_string())?;
    // As a device opens it, whatever its memory: what does not hold here holds nowhere.
    let aligned = AlignedBytes::copy_of(&bytes);
    let (version, logit_bits, arena_bytes) = match target {
        Target::Board => {
            let verifier = BundleVerifier { key: &public, arena_bytes: usize::MAX };
            let bundle = Bundle::open(aligned.as_ref(), &verifier)?;
            (bundle.version, bundle.logit_bits, Some(bundle.model.arena_bytes()))
        }
        Target::Linux => {
            let signed = SignedModel::open(&bytes, &[public])?;
            (signed.version(), signed.logit_bits(), None)
        }
    };
    files::write(path, &bytes)?;
    let signed = Signed {
        path,
        bytes: bytes.len(),
        target: target.name(),
        model_version: version.to_string(),
        arena_bytes,
        logit_bits: format!("{logit_bits:08x}"),
        public_key: hex(&public),
        development_key: key::is_development(&public),
    };
    warn_of_development(&public);
    let Signed { bytes, model_version, arena_bytes, public_key, .. } = &signed;
    tell(options.json, &signed, || {
        let path = path.display();
        match arena_bytes {
            Some(arena_bytes) => format!(
                "{path}: {bytes} bytes, model version {model_version}; a board needs {arena_bytes} bytes of arena\n\
                 for boards with public_key = \"{public_key}\""
            ),
            None => format!(
                "{path}: {bytes} bytes, model version {model_version}, for `edge-runtime model install`\n\
                 for devices with the key {public_key}"
            ),
        }
    })
}
