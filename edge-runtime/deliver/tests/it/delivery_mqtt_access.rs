//! Who is let in: TLS, certificates, passwords, access lists, and what is said where one is wrong.

use crate::support::broker::Broker;
use crate::support::{Bench, VERSIONS, comes, decide};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// An authority, the broker's certificate for `localhost`, and one for the device.
fn certificates() -> TempDir {
    let folder = TempDir::new().unwrap();
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(folder.path());
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(done.expect("openssl is installed").success(), "{arguments}");
    };
    std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    // Mosquitto shows the authority's along with its own, which ends first.
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 9 -subj /CN=authority");
    for name in ["broker", "ward-3"] {
        openssl(&format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out {name}.crt -days 2 -extfile names"
        ));
    }
    // Of another authority.
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -days 2 -subj /CN=other");
    folder
}

fn secret(port: u16, version: &str, certificates: &Path, ca: &str, ours: bool) -> String {
    let place = certificates.display();
    let ours = match ours {
        true => format!("certificate = \"{place}/ward-3.crt\"\nkey = \"{place}/ward-3.key\"\n"),
        false => String::new(),
    };
    let mqtt = format!("[mqtt]\nenabled = true\nport = {port}\nversion = \"{version}\"\nretry_max_s = 1\n");
    format!("{mqtt}ca = \"{place}/{ca}.crt\"\n{ours}")
}

fn mqtt(bench: &Bench) -> Value {
    let status: Value = serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap();
    status["destinations"][0].clone()
}

/// When a certificate ends, as openssl says and as reports write it.
fn end(certificate: &Path) -> String {
    let mut command = Command::new("openssl");
    command.args(["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in"]).arg(certificate);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let end = said.trim().strip_prefix("notAfter=").and_then(|end| end.strip_suffix('Z'));
    format!("{}.000Z", end.unwrap_or_else(|| panic!("{said}")).replace(' ', "T"))
}

/// What `docs/FLEET.md` advises.
const LIST: &str = "pattern write pneumoscope/v1/+/%u/#\nuser collector\ntopic read pneumoscope/v1/#\n";

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_tls_lets_in_who_has_a_certificate_and_believes_no_other_broker() {
    let keys = certificates();
    let broker = Broker::private(keys.path(), LIST);
    for version in VERSIONS {
        let secret = |ca, ours| secret(broker.port, version, keys.path(), ca, ours);
        let bench = Bench::new(&secret("ca", true));
        let mut log = bench.log();
        (0..5).for_each(|number| decide(&mut log, number));
        assert_eq!(bench.output(&["check-config", "--connect"]).status.code(), Some(0));
        let running = bench.run();
        assert!(comes(|| mqtt(&bench)["delivered"] == 4), "{version}: {}", mqtt(&bench));
        let now = mqtt(&bench);
        assert_eq!(now["certificate_ends"], end(&keys.path().join("broker.crt")), "{now}");
        let said = String::from_utf8(bench.output(&["status"]).stdout).unwrap();
        assert!(
            said.contains("  the broker's certificate ends at ") && said.contains("days; have"),
            "{said}"
        );
        drop(running);

        decide(&mut log, 5);
        for (ca, ours, why) in [("other", true, "certificate"), ("ca", false, "")] {
            bench.configure(&secret(ca, ours));
            // The one that was killed left its own.
            std::fs::remove_file(bench.path("status.json")).unwrap();
            let _running = bench.run();
            assert!(comes(|| mqtt(&bench)["why"].is_string()), "{version} {ca} {ours}");
            let now = mqtt(&bench);
            assert!(now["why"].as_str().unwrap().contains(why), "{now}");
            assert_eq!(now["delivered"], 4, "nothing more is delivered");
            // What nobody vouches for says nothing about the broker.
            assert_eq!(now["certificate_ends"].is_string(), ca == "ca", "{now}");
        }
    }
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_a_list_that_lacks_the_device_keeps_its_lines_and_is_told() {
    let keys = certificates();
    let broker = Broker::private(keys.path(), "user ward-3\ntopic write pneumoscope/v1/clinic/ward-4/#\n");
    let bench = Bench::new(&secret(broker.port, "5", keys.path(), "ca", true));
    let mut log = bench.log();
    decide(&mut log, 0);
    let _running = bench.run();
    let why = || mqtt(&bench)["why"].as_str().unwrap_or_default().to_owned();
    assert!(comes(|| why().contains("the broker refuses a message: NotAuthorized")), "{}", mqtt(&bench));
    assert_eq!(mqtt(&bench)["delivered"], Value::Null);
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_a_password_is_read_from_its_file() {
    let keys = TempDir::new().unwrap();
    let passwords = keys.path().join("passwords");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&passwords)
        .args(["ward-3", "right"])
        .status();
    assert!(made.unwrap().success());
    let broker = Broker::new(&format!("password_file {}", passwords.display()));
    let login = "user = \"ward-3\"\npassword_file = \"password\"";
    for version in VERSIONS {
        let bench = Bench::new(&format!(
            "[mqtt]\nenabled = true\ntls = false\nport = {}\nversion = \"{version}\"\nretry_max_s = 1\n{login}\n",
            broker.port
        ));
        let mut log = bench.log();
        decide(&mut log, 0);
        bench.write("password", "wrong\n");
        let _running = bench.run();
        assert!(comes(|| mqtt(&bench)["why"].is_string()), "{version}: {}", mqtt(&bench));
        assert_eq!(mqtt(&bench)["delivered"], Value::Null);
        // Read anew at each attempt: no restart is needed.
        bench.write("password", "right\n");
        assert!(comes(|| mqtt(&bench)["delivered"] == 0), "{version}: {}", mqtt(&bench));
    }
}
