//! The doctor on certificates that end.

use crate::doctor::{Planted, assert_found};
use edge_runtime::doctor;
use edge_runtime::self_test::Verdict::{Failed, Ok as Good, Warning};
use std::fs;
use std::time::{Duration, SystemTime};

/// A certificate that ends then, in DER and in PEM.
fn certificate(end: (i32, u8, u8)) -> (Vec<u8>, String) {
    let mut params = rcgen::CertificateParams::new(["ward.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(end.0, end.1, end.2);
    let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, made.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    (made.der().to_vec(), pem)
}

#[test]
fn a_planted_certificate_that_has_ended_or_soon_does_is_found() {
    // Noon of 29 November 2026.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_953_600);
    let found = |planted: &Planted| doctor::certificates(&planted.machine(), now);
    let planted = Planted::new();
    planted.file("/var/lib/pneumoscope-screen/certificate.der", "no certificate");
    planted.file("/etc/pneumoscope/deliver.crt", "no certificate");
    assert_eq!(found(&planted), [], "of no program that is installed");
    planted.program("pneumoscope-screen", "").program("pneumoscope-deliver", "");
    // The packages' own configurations, with delivery by a certificate switched on.
    let shipped = include_str!("../../deliver/packaging/deliver.toml");
    planted.file("/etc/pneumoscope/screen.toml", include_str!("../../screen/packaging/screen.toml"));
    planted.file("/etc/pneumoscope/deliver.toml", shipped);
    let [screen] = &found(&planted)[..] else { panic!() };
    assert_found(screen, Failed, "expected a certificate");
    let enabled =
        shipped.replace("#certificate", "certificate").replacen("enabled = false", "enabled = true", 1);
    planted.file("/etc/pneumoscope/deliver.toml", &enabled);
    let path = |path: &str| planted.machine().path(path);
    for (end, verdict, part) in [
        ((2049, 12, 31), Good, "ends at 2049-12-31T"),
        ((2050, 1, 1), Good, "ends at 2050-01-01T"),
        ((2026, 12, 30), Good, "ends at 2026-12-30T"),
        ((2026, 12, 29), Warning, "in 29 days"),
        ((2026, 11, 30), Warning, "in 0 days"),
        ((2026, 11, 29), Failed, "ended at 2026-11-29T00:00:00Z"),
        ((2021, 2, 3), Failed, "ended at 2021-02-03T"),
    ] {
        let (der, pem) = certificate(end);
        fs::write(path("/var/lib/pneumoscope-screen/certificate.der"), &der).unwrap();
        // A chain, of which the other one holds longer.
        fs::write(path("/etc/pneumoscope/deliver.crt"), certificate((2051, 1, 1)).1 + &pem).unwrap();
        let [screen, delivery] = &found(&planted)[..] else { panic!() };
        for finding in [screen, delivery] {
            assert_found(finding, verdict, part);
        }
        for cut in 0..der.len() {
            fs::write(path("/var/lib/pneumoscope-screen/certificate.der"), &der[..cut]).unwrap();
            assert_found(&found(&planted)[0], Failed, "expected a certificate");
        }
    }
    fs::remove_file(path("/etc/pneumoscope/deliver.crt")).unwrap();
    fs::remove_file(path("/var/lib/pneumoscope-screen/certificate.der")).unwrap();
    let [delivery] = &found(&planted)[..] else { panic!("a screen on the loopback alone has none") };
    assert_found(delivery, Failed, "/etc/pneumoscope/deliver.crt: No such file");
    assert!(delivery.remedy.as_ref().unwrap().contains("sign a new one"), "{delivery:?}");
}

/// What the broker shows is known to who delivers, and to nobody else here.
#[test]
fn a_planted_certificate_of_a_broker_that_ends_is_found() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_953_600);
    let planted = Planted::new();
    let shipped = include_str!("../../deliver/packaging/deliver.toml");
    let enabled = shipped.replacen("enabled = false", "enabled = true", 1);
    planted.file("/etc/pneumoscope/deliver.toml", &enabled);
    let found = |said: &str| {
        planted.program(
            "pneumoscope-deliver",
            &format!("test \"$*\" = 'status --json' && echo '{said}'; exit 3"),
        );
        doctor::certificates(&planted.machine(), now)
    };
    let told = |end: &str| {
        let pacs = r#"{"name":"pacs","enabled":false}"#;
        let mqtt = format!(r#"{{"name":"mqtt","address":"hub:8883","certificate_ends":{end}}}"#);
        found(&format!(r#"{{"running":true,"destinations":[{pacs},{mqtt}]}}"#))
    };
    for (end, verdict, part) in [
        ("2026-12-30T00:00:00.000Z", Good, "hub:8883 ends at 2026-12-30T"),
        ("2026-12-29T00:00:00.000Z", Warning, "in 29 days"),
        ("2026-11-29T00:00:00.000Z", Failed, "hub:8883 ended at 2026-11-29T"),
    ] {
        let [broker] = &told(&format!("\"{end}\""))[..] else { panic!("{end}") };
        assert_found(broker, verdict, part);
    }
    assert_eq!(told("null"), [], "it was not connected yet");
    for nonsense in ["", "nothing delivers", r#"{"destinations":7}"#] {
        assert_eq!(found(nonsense), [], "{nonsense}");
    }
    planted.file("/etc/pneumoscope/deliver.toml", &enabled.replacen("tls = true", "tls = false", 1));
    assert_eq!(told(r#""2026-11-29T00:00:00.000Z""#), [], "of a broker without encryption");
}
