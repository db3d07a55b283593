//! The unit: its score, what it runs, and that the package's other files agree with it. What is in
//! the package is checked where it is built, by `cargo xtask deb`.

use std::path::Path;
use std::process::Command;

const UNIT: &str = include_str!("../../packaging/pneumoscope.service");
const RECEIVER: &str = include_str!("../../packaging/pneumoscope-dicom@.service");
const SOCKET: &str = include_str!("../../packaging/pneumoscope-dicom.socket");
const RECEIVED: &str = include_str!("../../packaging/tmpfiles.d/pneumoscope-dicom.conf");
const STATE: &str = include_str!("../../packaging/tmpfiles.d/pneumoscope.conf");
const USERS: &str = include_str!("../../packaging/sysusers.d/pneumoscope.conf");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// What is added to the service for cameras that need more, by name.
const DROP_INS: [(&str, &str); 2] = [
    ("libcamera.conf", include_str!("../../packaging/drop-ins/libcamera.conf")),
    ("network-camera.conf", include_str!("../../packaging/drop-ins/network-camera.conf")),
];

/// Greatest exposure that systemd may find with a drop-in.
const EXPOSURE_MAX_MORE: &str = "30";

/// Greatest exposure that systemd may find, in tenths: 0 is a service that can do nothing, 100 one
/// that can do anything.
const EXPOSURE_MAX: &str = "20";

/// The values of a key in the unit, in order.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Whether systemd finds a unit's exposure low enough, and what it says.
fn judged(unit: &str) -> (bool, String) {
    judged_by(unit, EXPOSURE_MAX)
}

fn judged_by(unit: &str, most: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pneumoscope.service");
    std::fs::write(&path, unit).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", "--threshold", most]).arg(path);
    let output = analyze.output().expect("systemd-analyze is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let overall = text.lines().find(|line| line.contains("Overall exposure level")).map(str::to_owned);
    (output.status.success(), overall.unwrap_or(text))
}

/// A core file of the device held names and pictures.
#[test]
fn no_service_that_knows_names_leaves_a_core_file() {
    let screen = include_str!("../../screen/packaging/pneumoscope-screen.service");
    let deliver = include_str!("../../deliver/packaging/pneumoscope-deliver.service");
    for unit in [UNIT, RECEIVER, screen, deliver] {
        assert_eq!(values(unit, "LimitCORE"), ["0"], "{unit}");
    }
}

#[test]
#[ignore = "needs systemd-analyze: `cargo xtask test` installs it and runs this test"]
fn systemd_finds_the_unit_safe_and_one_with_less_hardening_not() {
    for unit in [UNIT, RECEIVER] {
        let (safe, overall) = judged(unit);
        assert!(safe, "{overall}");
        println!("{}", overall.trim());
    }
    let soft: String = UNIT
        .lines()
        .filter(|line| {
            !["Protect", "Restrict", "Capability", "SystemCall"].iter().any(|key| line.starts_with(key))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let (safe, overall) = judged(&soft);
    assert!(!safe, "the threshold bites: {overall}");
    assert!(overall.contains("Overall exposure level"), "{overall}");
}

/// As systemd reads a drop-in: after the unit, what it says again goes before.
#[test]
#[ignore = "needs systemd-analyze: `cargo xtask test` installs it and runs this test"]
fn systemd_finds_the_unit_safe_with_each_drop_in() {
    for (name, more) in DROP_INS {
        let again: Vec<_> =
            keys(more).into_iter().filter(|key| !["DeviceAllow", "IPAddressAllow"].contains(key)).collect();
        let left = |line: &&str| !again.iter().any(|key| line.starts_with(&format!("{key}=")));
        let unit: String = UNIT.lines().filter(left).map(|line| format!("{line}\n")).collect();
        let unit = unit.replace("[Install]", &(more.to_owned() + "[Install]"));
        let (safe, overall) = judged_by(&unit, EXPOSURE_MAX_MORE);
        assert!(safe, "{name}: {overall}");
        println!("{name}: {}", overall.trim());
    }
}

fn keys(unit: &str) -> Vec<&str> {
    let lines = unit.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_once('=')?.0)).collect()
}

/// They loosen what the unit says and nothing else, are in the package, and are named where cameras
/// are explained.
#[test]
fn a_drop_in_is_about_the_units_own_keys_and_is_documented() {
    let document = include_str!("../../../docs/DEVICE.md");
    for (name, more) in DROP_INS {
        for key in keys(more) {
            let known = keys(UNIT).contains(&key)
                || (key == "IPAddressAllow" && keys(UNIT).contains(&"IPAddressDeny"));
            assert!(known, "{name}: {key}");
        }
        assert!(more.lines().any(|line| line == "[Service]"), "{name}");
        assert!(MANIFEST.contains(&format!("packaging/drop-ins/{name}")), "{name}");
        assert!(document.contains(&format!("/usr/share/pneumoscope/{name}")), "{name}");
    }
    let libcamera = DROP_INS[0].1;
    assert_eq!(values(libcamera, "DeviceAllow"), ["char-media rw", "char-dma_heap rw"]);
    assert_eq!(values(libcamera, "MemoryDenyWriteExecute"), ["no"]);
}

#[test]
fn the_unit_is_told_when_ready_and_watched() {
    for (key, value) in [("Type", "notify"), ("Restart", "always"), ("User", "pneumoscope")] {
        assert_eq!(values(UNIT, key), [value]);
    }
    assert_eq!(values(UNIT, "SupplementaryGroups"), ["video gpio"]);
    assert_eq!(values(UNIT, "WatchdogSec").len(), 1);
}

/// What the configuration offers a screen is the service's own folder, which only its group sees.
#[test]
fn the_folder_of_a_screen_is_the_services_own() {
    let [folder] = values(UNIT, "RuntimeDirectory").try_into().expect("one folder");
    assert_eq!(values(UNIT, "RuntimeDirectoryMode"), ["0750"]);
    assert_eq!(values(UNIT, "RuntimeDirectoryPreserve"), [""; 0], "gone with the device");
    let configuration = include_str!("../../packaging/pneumoscope.toml");
    assert!(configuration.contains(&format!("\n#folder = \"/run/{folder}\"\n")));
}

/// The package's description, and where each of its files lands.
fn package() -> (toml::Value, Vec<String>) {
    let manifest: toml::Table = MANIFEST.parse().unwrap();
    let deb = manifest["package"]["metadata"]["deb"].clone();
    // A destination that ends with `/` is a folder.
    let installed = |asset: &toml::Value| {
        let (from, to) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        let name = if to.ends_with('/') { from.rsplit('/').next().unwrap() } else { "" };
        format!("/{to}{name}")
    };
    let installed = deb["assets"].as_array().unwrap().iter().map(installed).collect();
    (deb, installed)
}

/// What receives DICOM is in the package, has a user of its own whose files the device's group may
/// read, and one interface: this machine's own until another is named.
#[test]
fn the_receiver_has_one_interface_one_user_and_one_folder() {
    let (deb, installed) = package();
    assert_eq!(deb["recommends"].as_str(), Some("dcmtk"));
    let [run] = values(RECEIVER, "ExecStart")[..] else { panic!("one program") };
    let [program, folder, title] = run.split(' ').collect::<Vec<_>>()[..] else { panic!("{run}") };
    for file in [program, "/usr/lib/tmpfiles.d/pneumoscope-dicom.conf"] {
        assert!(installed.iter().any(|there| there == file), "{file}");
    }
    for unit in ["pneumoscope-dicom.socket", "pneumoscope-dicom@.service"] {
        assert!(installed.contains(&format!("/usr/lib/systemd/system/{unit}")), "{unit}");
    }
    assert_eq!((title, values(SOCKET, "Accept")), ("PNEUMOSCOPE", vec!["yes"]));
    assert_eq!(values(SOCKET, "ListenStream"), ["127.0.0.1:11112"]);
    assert_eq!(values(SOCKET, "BindToDevice"), ["lo"]);
    assert_eq!(values(RECEIVER, "PrivateNetwork"), ["yes"]);
    let most = ["MaxConnections", "MaxConnectionsPerSource"].map(|key| values(SOCKET, key)[0]);
    assert_eq!((most, values(RECEIVER, "LimitFSIZE")), (["4", "2"], vec!["400M"]), "docs/DICOM.md says so");
    let user = values(RECEIVER, "User")[0];
    let made = format!("u {user} -:{} ", values(RECEIVER, "Group")[0]);
    assert!(USERS.lines().any(|line| line.starts_with(&made)), "{made}");
    assert_eq!(Path::new(folder), Path::new("/var/lib").join(values(RECEIVER, "StateDirectory")[0]));
    assert_eq!(values(RECEIVER, "Group"), values(UNIT, "Group"), "the device reads what was received");
    let inbox = format!("d {folder}/inbox 0750 {user} {} 7d", values(UNIT, "Group")[0]);
    assert!(RECEIVED.lines().any(|line| line == inbox), "{inbox}");
}

/// What the unit runs and reads is what the package installs, and its subcommand exists.
#[test]
fn the_unit_runs_what_the_package_installs() {
    let (deb, installed) = package();
    let assets = deb["assets"].as_array().unwrap();
    let runs = [values(UNIT, "ExecStart"), values(UNIT, "ExecStopPost")].concat();
    assert_eq!(runs.len(), 2);
    for run in runs {
        for path in
            run.split(' ').map(|word| word.trim_start_matches('-')).filter(|word| word.starts_with('/'))
        {
            assert!(installed.iter().any(|file| file == path), "{path} of `{run}`");
        }
    }
    assert!(values(UNIT, "ExecStopPost")[0].ends_with(" safe"));
    assert_eq!(deb["conf-files"].as_array().unwrap()[0].as_str(), Some("/etc/pneumoscope/pneumoscope.toml"));
    for asset in assets.iter().map(|asset| asset[0].as_str().unwrap()).filter(|a| !a.starts_with("target/")) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(asset).exists(), "{asset}");
    }
}

/// Nobody reaches the device: it has a network of its own, in which nothing else is, and speaks to
/// systemd alone. It comes before all other services, which the kernel weighs as one beside it.
#[test]
fn the_device_has_no_network_and_comes_first() {
    assert_eq!(values(UNIT, "PrivateNetwork"), ["yes"]);
    assert_eq!(values(UNIT, "RestrictAddressFamilies"), ["AF_UNIX"]);
    assert_eq!(values(UNIT, "IPAddressDeny"), ["any"]);
    assert_eq!((values(UNIT, "Slice"), values(UNIT, "CPUWeight")), (vec!["-.slice"], vec!["10000"]));
}

/// The user and groups of the unit are made by the package, and the default log lies in the folder
/// that systemd makes for it.
#[test]
fn users_groups_and_folders_agree() {
    assert!(USERS.lines().any(|line| line.starts_with("u pneumoscope ")));
    for group in values(UNIT, "SupplementaryGroups")[0].split(' ') {
        assert!(USERS.lines().any(|line| line.starts_with(&format!("g {group} "))), "{group}");
    }
    let config = edge_runtime::config::Config::default();
    let folder = Path::new("/var/lib").join(values(UNIT, "StateDirectory")[0]);
    assert_eq!(config.log.file.parent(), Some(&*folder));
    // So do the installed models, in a folder that is there before the first start; keys are root's.
    let store = config.model.store.unwrap();
    assert_eq!(store.parent(), Some(&*folder));
    let (user, group) = (values(UNIT, "User")[0], values(UNIT, "Group")[0]);
    let (mode, keys) = (values(UNIT, "StateDirectoryMode")[0], config.model.keys);
    for line in [
        format!("d {} {mode} {user} {group} -", folder.display()),
        format!("d {} {mode} {user} {group} -", store.display()),
        format!("d {} 0755 root root -", keys.display()),
    ] {
        assert!(STATE.lines().any(|there| there == line), "{line}");
    }
    assert!(package().1.contains(&"/usr/lib/tmpfiles.d/pneumoscope.conf".to_owned()));
}
