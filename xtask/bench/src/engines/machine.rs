//! Where was measured, and with which versions.

use std::fs;

use anyhow::Context;
use serde::Serialize;

use toolbox::{process, root};

#[derive(Debug, Serialize)]
pub struct Machine {
    pub cpu: String,
    /// Of the processor's abilities those that int8 kernels can use.
    pub features: Vec<String>,
    pub cores: usize,
    pub kernel: String,
    pub rustc: String,
    pub tract: String,
    pub pinned_to: u16,
    /// Load of the last minute when the measuring began.
    pub load: f64,
}

/// What the kernel calls the abilities of interest.
const FEATURES: [&str; 7] = ["sse4_1", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "asimddp"];

impl Machine {
    /// Reads /proc and asks the compiler.
    pub fn this(pinned_to: u16) -> anyhow::Result<Self> {
        let cpuinfo = read("/proc/cpuinfo")?;
        let flags = field(&cpuinfo, "flags").or_else(|| field(&cpuinfo, "Features")).unwrap_or_default();
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let load = read("/proc/loadavg")?;
        let load = load.split_whitespace().next().context("expected numbers in /proc/loadavg")?.parse()?;
        let rustc = process::command("rustc").arg("--version").output().context("cannot run rustc")?.stdout;
        let rustc = String::from_utf8_lossy(&rustc);
        let release = read("/proc/sys/kernel/osrelease")?;
        Ok(Self {
            // Arm's kernels name no model.
            cpu: field(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH).to_owned(),
            features: FEATURES.into_iter().filter(|f| flags.contains(f)).map(str::to_owned).collect(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: format!("Linux {}", release.trim().splitn(3, '.').take(2).collect::<Vec<_>>().join(".")),
            rustc: rustc.split_whitespace().nth(1).unwrap_or("unknown").to_owned(),
            tract: locked(&read(root().join("Cargo.lock"))?, "tract-onnx")
                .context("no tract-onnx in Cargo.lock")?,
            pinned_to,
            load,
        })
    }

    /// Whether onnxruntime's sums of products by signed weights saturate here, so that it computes
    /// something else (tests/golden.py).
    pub fn saturates(&self) -> bool {
        cfg!(target_arch = "x86_64") && !self.features.iter().any(|feature| feature.contains("vnni"))
    }
}

/// The last core that this process may run on: the first ones have more interrupts to serve.
pub fn last_cpu() -> anyhow::Result<u16> {
    let status = read("/proc/self/status")?;
    let list =
        field(&status, "Cpus_allowed_list").context("expected Cpus_allowed_list in /proc/self/status")?;
    let last = list.rsplit([',', '-']).next().unwrap_or(list);
    last.trim().parse().with_context(|| format!("expected a list of cores, got {list:?}"))
}

/// The first value of `name` in lines such as `name : value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// A package's version in the text of a Cargo.lock.
fn locked(lock: &str, package: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn read(path: impl AsRef<std::path::Path>) -> anyhow::Result<String> {
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.as_ref().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_versions_are_found() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2\nflags\t\t: other\n";
        assert_eq!(field(text, "model name"), Some("Some CPU @ 2 GHz"));
        assert_eq!(field(text, "flags"), Some("fpu avx2"));
        assert_eq!(field(text, "model"), None);
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"b\"\nversion = \"4.0.0\"\n";
        assert_eq!(locked(lock, "b").as_deref(), Some("4.0.0"));
        assert_eq!(locked(lock, "c"), None);
    }

    #[test]
    fn this_machine_can_be_described() {
        let cpu = last_cpu().unwrap();
        assert!(Machine::this(cpu).unwrap().tract.starts_with("0."));
    }
}
