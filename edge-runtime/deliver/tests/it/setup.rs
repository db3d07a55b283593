//! What the device's `setup` writes into this program's configuration is what this program reads.

use deliver::config::Config;
use edge_runtime::config::Configuration;
use edge_runtime::setup::{Delivery, Draft, SHIPPED_DELIVERY, or_none};
use std::path::Path;

fn written(text: &str, broker: &str, archive: &str, device: &str) -> (String, Config) {
    let wishes = Delivery {
        broker: Some(or_none(broker).unwrap()),
        archive: Some(or_none(archive).unwrap()),
        site: Some("clinic".parse().unwrap()),
    };
    let mut draft = Draft::new(text).unwrap();
    wishes.apply(&mut draft, Path::new("/etc/pneumoscope/deliver.toml"), Path::new(device)).unwrap();
    (draft.text().to_owned(), Config::parse(draft.text(), "deliver.toml").unwrap())
}

#[test]
fn broker_archive_and_place_are_read_as_they_were_meant() {
    assert_eq!(SHIPPED_DELIVERY, include_str!("../../packaging/deliver.toml"));
    let device = "/etc/pneumoscope/pneumoscope.toml";
    let mut expected = Config::default();
    expected.device.site = "clinic".into();
    (expected.mqtt.enabled, expected.mqtt.host) = (true, "broker.example".into());
    (expected.pacs.enabled, expected.pacs.host) = (true, "::1".into());
    (expected.pacs.called, expected.pacs.port) = ("ARCHIVE 1".into(), 104);
    let (text, config) = written(SHIPPED_DELIVERY, "broker.example", "ARCHIVE 1@[::1]:104", device);
    assert_eq!(config, expected);
    // Another device's file, a broker without encryption, no archive any more.
    let (_, config) = written(&text, "mqtt://127.0.0.1", "none", "/etc/pneumoscope/other.toml");
    expected.device.config = "other.toml".into();
    (expected.mqtt.host, expected.mqtt.port, expected.mqtt.tls) = ("127.0.0.1".into(), 1883, false);
    expected.pacs.enabled = false;
    assert_eq!(config, expected);
    let (_, config) = written(&text, "none", "none", device);
    assert!(!config.mqtt.enabled && !config.pacs.enabled);
}

/// What setup would not write is what delivery would not start with.
#[test]
fn a_certificate_without_encryption_is_refused_by_both() {
    let shown = |tls: bool| {
        format!("[mqtt]\nenabled = true\ntls = {tls}\ncertificate = \"a.pem\"\nkey = \"a.key\"\n")
    };
    for (text, refused) in [(shown(false), true), (shown(true), false), ("[mqtt]\ntls = false".into(), false)]
    {
        assert_eq!(Config::parse(&text, "deliver.toml").is_err(), refused, "{text}");
        assert_eq!(Delivery::refused(&text).is_some(), refused, "{text}");
    }
}
