//! npm packages that judge something of ours, in a folder of their own under `.cache`, as the
//! lock file beside their `package.json` says it: by exact version and hash.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use debian_packages::{Tool, ensure_tools};

use crate::{process, root};

/// Installs what `folder` (from the repository's root) asks for, where it is missing or older, and
/// returns the folder in which node finds it.
pub fn packages(folder: &str) -> anyhow::Result<PathBuf> {
    ensure_tools(&[
        Tool { ask: &["node", "--version"], package: "nodejs" },
        Tool { ask: &["npm", "--version"], package: "npm" },
    ])?;
    let target = root().join(".cache/node").join(folder.replace('/', "-"));
    let lock = fs::read(root().join(folder).join("package-lock.json"))
        .with_context(|| format!("cannot read {folder}/package-lock.json"))?;
    // Written last.
    let stamp = target.join("stamp");
    if fs::read(&stamp).is_ok_and(|stamp| stamp == lock) {
        return Ok(target);
    }
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root().join(folder).join(file), target.join(file))
            .with_context(|| format!("cannot copy {folder}/{file}"))?;
    }
    eprintln!("==> installing the npm packages of {folder} into {}", target.display());
    let mut npm = process::command("npm");
    npm.args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&target);
    process::run(&mut npm).with_context(|| format!("`npm ci` failed for {folder}"))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(target)
}
