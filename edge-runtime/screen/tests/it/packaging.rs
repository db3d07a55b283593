//! The unit: its score, and that the package's files agree with one another.

use std::path::Path;
use std::process::Command;

const UNIT: &str = include_str!("../../packaging/pneumoscope-screen.service");
const USERS: &str = include_str!("../../packaging/sysusers.d/pneumoscope-screen.conf");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// Greatest exposure that systemd may find, in tenths.
const EXPOSURE_MAX: &str = "15";

fn value<'u>(unit: &'u str, key: &str) -> &'u str {
    let mut lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.next().unwrap_or_else(|| panic!("{key} is not in the unit"))
}

/// Whether systemd finds the exposure low enough, and what it says.
fn judged(unit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pneumoscope-screen.service");
    std::fs::write(&path, unit).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX]).arg(path);
    let output = analyze.output().expect("systemd-analyze is installed");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[ignore = "needs systemd-analyze: `cargo xtask test` installs it and runs this test"]
fn systemd_finds_the_screen_safe_and_a_softer_one_not() {
    let (safe, told) = judged(UNIT);
    assert!(safe, "{told}");
    let soft: String =
        UNIT.lines().filter(|line| !line.starts_with("Protect")).map(|line| format!("{line}\n")).collect();
    assert!(!judged(&soft).0, "the threshold bites");
}

#[test]
fn the_unit_agrees_with_the_default_configuration_and_the_package() {
    let config = screen::config::Config::default();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(value(UNIT, "RuntimeDirectory"), name(&config.device.acknowledged));
    assert_eq!(value(UNIT, "RuntimeDirectoryMode"), "0750", "the device reads it by its group");
    assert_eq!(value(UNIT, "StateDirectory"), name(&config.access.folder));
    assert_eq!(value(UNIT, "StateDirectoryMode"), "0700", "it holds the PIN's hash and a key");
    let user = format!("u {} -:{} ", value(UNIT, "User"), value(UNIT, "Group"));
    assert!(USERS.lines().any(|line| line.starts_with(&user)), "{user}");
    for file in ["pneumoscope-screen.service", "sysusers.d/pneumoscope-screen.conf", "screen.toml"] {
        let packed = MANIFEST.contains(&format!("[\"packaging/{file}\""));
        assert!(
            packed || file.ends_with(".service") && MANIFEST.contains("unit-scripts = \"packaging\""),
            "{file}"
        );
    }
    assert!(value(UNIT, "ExecStart").starts_with("/usr/bin/pneumoscope-screen serve"));
}
