//! Debian's kernel for 64-bit Arm, and of its modules those that the board loads.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use debian_packages::Apt;

use super::image::Image;

/// The package that depends on the current kernel.
const META: &str = "linux-image-arm64";

pub struct Kernel {
    /// Folder with `boot` and `lib`.
    root: PathBuf,
}

/// The kernel in the cache, or the one that Debian has now.
pub fn kernel(folder: &Path) -> anyhow::Result<Kernel> {
    let root = folder.join("linux");
    if !root.exists() {
        let apt = Apt::new(&folder.join("apt"))?;
        apt.unpack(&current_kernel(&apt)?, &root)?;
    }
    Ok(Kernel { root })
}

/// Name of the package that the meta package stands for.
fn current_kernel(apt: &Apt) -> anyhow::Result<String> {
    let output = apt.command("apt-cache", &["depends", META]).output().context("cannot run apt-cache")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let name = text.lines().find_map(|line| line.trim().strip_prefix("Depends: ")).map(String::from);
    name.with_context(|| format!("apt knows no package {META}: {text}"))
}

impl Kernel {
    pub fn kernel(&self) -> anyhow::Result<PathBuf> {
        only(&self.root.join("boot"), |name| name.starts_with("vmlinuz-"))
    }

    /// Puts the modules and what they need into the image, with the order in which to load them.
    pub fn add_modules(&self, wanted: &[(&str, &str)], image: &mut Image) -> anyhow::Result<()> {
        let folder = only(&self.root.join("lib/modules"), |_| true)?;
        let files = walk(&folder.join("kernel"))?;
        let built_in = fs::read_to_string(folder.join("modules.builtin"))?;
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        for (name, parameters) in wanted {
            resolve(name, parameters, &files, &built_in, &mut seen, &mut order)?;
        }
        let mut list = String::new();
        for (path, parameters) in &order {
            let name = path.file_name().and_then(OsStr::to_str).context("a module's name is text")?;
            image.file(&format!("modules/{name}"), path, 0o644)?;
            list += &format!("{name} {parameters}\n");
        }
        image.bytes("modules/order", list.as_bytes(), 0o644);
        Ok(())
    }
}

/// A module after what it needs. The package has no `modules.dep` (installing it makes that), but
/// each module names what it needs.
fn resolve(
    name: &str,
    parameters: &str,
    files: &[PathBuf],
    built_in: &str,
    seen: &mut HashSet<String>,
    order: &mut Vec<(PathBuf, String)>,
) -> anyhow::Result<()> {
    let plain = |name: &str| name.replace('-', "_");
    if !seen.insert(plain(name)) {
        return Ok(());
    }
    let module =
        |path: &Path| path.file_stem().is_some_and(|stem| plain(&stem.to_string_lossy()) == plain(name));
    let Some(path) = files.iter().find(|path| module(path)) else {
        ensure!(built_in.lines().any(|line| module(Path::new(line))), "this kernel has no module {name}");
        return Ok(());
    };
    for needed in needs(&fs::read(path)?) {
        resolve(&needed, "", files, built_in, seen, order)?;
    }
    order.push((path.clone(), parameters.into()));
    Ok(())
}

/// The modules that a module names as needed, in its section `.modinfo` of strings that end with a
/// zero byte.
fn needs(module: &[u8]) -> Vec<String> {
    let strings = module.split(|&byte| byte == 0);
    let list = strings.filter_map(|string| string.strip_prefix(b"depends=")).next().unwrap_or_default();
    let names = String::from_utf8_lossy(list).into_owned();
    names.split(',').filter(|name| !name.is_empty()).map(String::from).collect()
}

fn walk(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(walk(&path)?);
        } else if path.extension() == Some(OsStr::new("ko")) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The one entry of a folder that fits.
fn only(folder: &Path, fits: impl Fn(&str) -> bool) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let fitting = entries.flatten().map(|entry| entry.path());
    let fitting = fitting.filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(&fits));
    match &fitting.collect::<Vec<_>>()[..] {
        [path] => Ok(path.clone()),
        other => bail!("expected one entry in {}, found {other:?}", folder.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_read_from_it() {
        assert_eq!(needs(b"\x7fELF\0license=GPL\0depends=mbcache,jbd2\0name=ext4\0"), ["mbcache", "jbd2"]);
        assert!(needs(b"\x7fELF\0depends=\0").is_empty());
    }
}
