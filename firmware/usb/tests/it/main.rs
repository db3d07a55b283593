//! The USB device as three operating systems meet it: what it answers is held against the USB
//! specification, and against what each of them cannot do without.

mod bus;
mod host;
mod rules;

use bus::Wiring;
use embassy_usb::{Config, UsbVersion};
use host::{Host, Seen};
use std::collections::BTreeSet;

/// What a device that is built so shows to each host.
fn seen_by_all(config: fn() -> Config<'static>, wiring: Wiring) -> [(Host, Seen); 3] {
    Host::ALL.map(|host| (host, host.enumerate(bus::Board::new(config(), wiring))))
}

/// What is wrong with a device, in the words of [`rules`]; the same for every host is said once.
fn faults(config: fn() -> Config<'static>, wiring: Wiring) -> BTreeSet<String> {
    seen_by_all(config, wiring).iter().flat_map(|(host, seen)| rules::faults(*host, seen)).collect()
}

#[test]
fn every_host_takes_the_device_and_may_use_its_port() {
    assert_eq!(faults(usb::config, Wiring::Right), BTreeSet::new());
    for (host, seen) in seen_by_all(usb::config, Wiring::Right) {
        assert_eq!(seen.device.len(), 18, "{host:?}");
        assert!(seen.configured && seen.opened, "{host:?}: {seen:?}");
        // A rule that looks at nothing passes everything.
        let types: Vec<u8> = rules::chain(&seen.configuration).unwrap().iter().map(|d| d[1]).collect();
        let [configuration, association, interface, endpoint, class] = [2, 11, 4, 5, 0x24];
        let control = [interface, class, class, class, endpoint];
        let data = [interface, endpoint, endpoint];
        let expected = [&[configuration, association][..], &control, &data].concat();
        assert_eq!(types, expected, "{host:?}");
        let strings: Vec<&str> = seen.strings.values().map(String::as_str).collect();
        assert_eq!(strings, ["Pneumoscope", "frames"], "{host:?}");
    }
}

#[test]
fn usb_2_1_without_a_bos_descriptor_is_found_and_only_linux_would_take_it() {
    fn older() -> Config<'static> {
        let mut config = usb::config();
        config.bcd_usb = UsbVersion::TwoOne;
        config
    }
    let found = faults(older, Wiring::Right);
    let expected = "bcdUSB is 2.10, which obliges to a BOS descriptor, and that is empty";
    assert!(found.contains(expected), "{found:?}");
    let takes: Vec<_> = seen_by_all(older, Wiring::Right).map(|(host, seen)| (host, seen.configured)).into();
    assert_eq!(takes, [(Host::Linux, true), (Host::Windows, false), (Host::Macos, false)]);
}

#[test]
fn a_bos_descriptor_that_is_not_whole_is_found() {
    let [(host, mut seen), ..] = seen_by_all(usb::config, Wiring::Right);
    seen.device[2] = 0x10;
    // One capability: USB 2.0 extension.
    let whole = [5, 15, 12, 0, 1, 7, 16, 2, 0, 0, 0, 0];
    seen.bos = Some(whole.to_vec());
    assert_eq!(rules::faults(host, &seen), BTreeSet::new());
    for at in [0, 1, 2, 4, 5, 6] {
        let mut wrong = whole.to_vec();
        wrong[at] += 1;
        seen.bos = Some(wrong);
        assert_eq!(rules::faults(host, &seen).len(), 1, "byte {at}");
    }
}

#[test]
fn two_endpoints_of_one_address_are_found() {
    let found = faults(usb::config, Wiring::OneAddressTwice);
    assert_eq!(found, BTreeSet::from(["endpoint 0x81 is there twice".to_owned()]));
}

/// Sets the byte `at` of the configuration's descriptor number `which` of a type.
fn change(seen: &mut Seen, kind: u8, which: usize, at: usize, byte: u8) {
    let mut starts = Vec::new();
    let mut end = 0;
    for descriptor in rules::chain(&seen.configuration).unwrap() {
        if descriptor[1] == kind {
            starts.push(end);
        }
        end += descriptor.len();
    }
    seen.configuration[starts[which] + at] = byte;
}

/// Each is one wrong byte, or a few, in what the device answers.
#[test]
fn a_wrong_byte_anywhere_is_found_by_its_rule() {
    type Change = fn(&mut Seen);
    let cases: [(&str, Change, &str); 20] = [
        ("device", |s| s.device[0] = 17, "the device descriptor has 18 bytes, bLength is 17"),
        ("short", |s| s.device.truncate(17), "the device descriptor has 17 bytes, expected 18"),
        ("bcdUSB", |s| s.device[3] = 3, "bcdUSB is 3.00"),
        ("packet", |s| s.device[7] = 63, "bMaxPacketSize0 is 63"),
        ("configurations", |s| s.device[17] = 2, "bNumConfigurations is 2"),
        ("string", |s| s.device[16] = 9, "string 9 is named and not there"),
        ("class", |s| s.device[4] = 2, "the device's class is 02/02/01"),
        ("total", |s| s.configuration[2] += 1, "wTotalLength is "),
        ("interfaces", |s| s.configuration[4] = 3, "bNumInterfaces is 3, there are 2"),
        ("value", |s| s.configuration[5] = 0, "bConfigurationValue is 0"),
        ("attributes", |s| s.configuration[7] = 0x00, "bmAttributes is 0x00"),
        ("power", |s| s.configuration[8] = 251, "bMaxPower is 502 mA"),
        ("chain", |s| s.configuration[9] = 9, "breaks off"),
        ("zero", |s| s.configuration[9] = 0, "breaks off"),
        ("association", |s| s.configuration[12] = 1, "interface 1 belongs to no function"),
        ("function", |s| s.configuration[13] = 8, "the function's class is 08/02/00"),
        ("number", |s| change(s, 4, 1, 2, 5), "interface numbers are [0, 5]"),
        ("endpoints", |s| change(s, 4, 1, 4, 3), "bNumEndpoints of interface 1 is 3, there are 2"),
        ("bulk", |s| change(s, 5, 1, 4, 48), "wMaxPacketSize of bulk endpoint"),
        ("union", |s| change(s, 0x24, 2, 4, 7), "the union names interface 7"),
    ];
    let [(_, whole), ..] = seen_by_all(usb::config, Wiring::Right);
    for (name, change, expected) in cases {
        let mut seen = whole.clone();
        change(&mut seen);
        assert_ne!(seen, whole, "{name} changes nothing");
        let found = rules::faults(Host::Linux, &seen);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{name}: {expected}: {found:?}");
    }
}
