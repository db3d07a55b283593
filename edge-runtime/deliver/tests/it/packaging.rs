//! The unit: its score, and that it runs what the package has.

use std::process::Command;

const UNIT: &str = include_str!("../../packaging/pneumoscope-deliver.service");
const USERS: &str = include_str!("../../packaging/sysusers.d/pneumoscope-deliver.conf");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// Greatest exposure that systemd may find, in tenths. One that may use the network is never at 0.
const EXPOSURE_MAX: &str = "15";

fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

fn judged(unit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pneumoscope-deliver.service");
    std::fs::write(&path, unit).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX]).arg(path);
    let output = analyze.output().expect("systemd-analyze is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let overall = text.lines().find(|line| line.contains("Overall exposure level")).map(str::to_owned);
    (output.status.success(), overall.unwrap_or(text))
}

#[test]
#[ignore = "needs systemd-analyze: `cargo xtask test` installs it and runs this test"]
fn systemd_finds_the_delivery_safe_and_one_with_less_hardening_not() {
    let (safe, overall) = judged(UNIT);
    assert!(safe, "{overall}");
    println!("{}", overall.trim());
    let soft = |line: &&str| !["Protect", "Restrict", "Capability"].iter().any(|key| line.starts_with(key));
    let soft: String = UNIT.lines().filter(soft).map(|line| format!("{line}\n")).collect();
    assert!(!judged(&soft).0, "a planted unit without protection is found");
}

#[test]
fn the_unit_runs_what_the_package_has_as_a_user_that_it_makes() {
    let [start] = values(UNIT, "ExecStart").try_into().unwrap();
    let mut words = start.split(' ');
    let program = words.next().unwrap();
    assert_eq!(program.strip_prefix("/usr/bin/"), Some("pneumoscope-deliver"));
    assert!(MANIFEST.contains("[\"target/release/pneumoscope-deliver\", \"usr/bin/\", \"755\"]"));
    let config = words.next_back().unwrap();
    assert!(MANIFEST.contains(&format!("conf-files = [\"{config}\"]")));
    let [user] = values(UNIT, "User").try_into().unwrap();
    let [group] = values(UNIT, "Group").try_into().unwrap();
    assert!(USERS.lines().any(|line| line.starts_with(&format!("u {user} -:{group} "))));
    // The folders of the defaults are those that the unit may write to.
    let files = deliver::config::Files::default();
    let [state] = values(UNIT, "StateDirectory").try_into().unwrap();
    let [runtime] = values(UNIT, "RuntimeDirectory").try_into().unwrap();
    assert_eq!(files.state, std::path::Path::new("/var/lib").join(state));
    assert_eq!(files.status, std::path::Path::new("/run").join(runtime).join("status.json"));
}
