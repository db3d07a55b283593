//! A thousand devices on one broker: what `docs/FLEET.md` says of it is printed here.

use crate::support::broker::Broker;
use crate::support::{Bench, decide};
use deliver::board::Place;
use deliver::config::{Loaded, Version};
use deliver::cursor_file::CursorFile;
use deliver::mqtt;
use deliver::outbox::Outbox;
use edge_runtime::log::{Log, Options};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const DEVICES: u64 = 1000;
const EVERY: Duration = Duration::from_secs(10);
const ROUNDS: u64 = 4;

/// Processor time and greatest memory of a process so far.
fn cost(process: u32) -> (Duration, String) {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    // A tick is a hundredth of a second on every Linux that Debian builds.
    (Duration::from_millis(10 * ticks), peak.trim().to_owned())
}

/// How many of the devices' decisions did not arrive, or not in their order.
fn lost(arrived: impl Iterator<Item = (String, u64)>) -> u64 {
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    for (device, seq) in arrived {
        let due = next.entry(device).or_default();
        *due += u64::from(*due == seq);
    }
    DEVICES * ROUNDS - next.values().sum::<u64>()
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_fleet_a_thousand_devices_lose_nothing() {
    // Six files a device here, one in the broker.
    let process = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &process, "--nofile=20000:20000"]).status();
    assert!(raised.unwrap().success(), "20,000 files may be open");
    let broker = Broker::open();
    let subscriber = broker.subscribe(&[]);
    let bench = Bench::new(&format!("[mqtt]\nenabled = true\ntls = false\nport = {}\n", broker.port));
    let loaded = Loaded::load(&bench.path("deliver.toml")).unwrap();
    assert_eq!(loaded.config.mqtt.version, Version::V5);
    let stop = Arc::new(AtomicBool::new(false));
    let mut logs = Vec::new();
    let devices: Vec<_> = (0..DEVICES)
        .map(|number| {
            let device = format!("device-{number}");
            let log = bench.path(&device);
            let options = Options { max_bytes: 1 << 20, keep: 9, sync_every: 1000, log_names: false };
            logs.push(Log::open(&log, options).unwrap());
            let loaded = Loaded { device: device.clone(), log: log.clone(), ..loaded.clone() };
            let outbox = Outbox::open(&log, CursorFile::new(&bench.path("state"), &device));
            let (place, stop) = (Place::new("mqtt", String::new()), Arc::clone(&stop));
            let run = move || mqtt::deliver(&loaded, outbox, &place, &stop).unwrap();
            thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap()
        })
        .collect();
    let begun = Instant::now();
    let (idle, _) = cost(broker.id());
    for round in 0..ROUNDS {
        for (number, log) in (0..).zip(&mut logs) {
            // Spread over the ten seconds, as people take pictures.
            let due = EVERY * round as u32 + EVERY.mul_f64(number as f64 / DEVICES as f64);
            thread::sleep(due.saturating_sub(begun.elapsed()));
            decide(log, round);
        }
    }
    let wrote = begun.elapsed();
    let decisions = || {
        let all = subscriber.arrived().into_iter().filter(|message| message.topic.ends_with("/decision"));
        all.map(|m| (m.json["device"].as_str().unwrap().to_owned(), m.json["seq"].as_u64().unwrap()))
    };
    let until = Instant::now() + Duration::from_secs(30);
    while lost(decisions()) > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(200));
    }
    let (busy, memory) = cost(broker.id());
    println!(
        "{DEVICES} devices, {} decisions in {:.1} s, the last {:.1} s after it was logged at the latest; \
         broker: {:.1} s of processor time, {memory}",
        DEVICES * ROUNDS,
        wrote.as_secs_f64(),
        (begun.elapsed() - wrote).as_secs_f64(),
        (busy - idle).as_secs_f64()
    );
    assert_eq!(lost(decisions()), 0);
    stop.store(true, Ordering::Relaxed);
    devices.into_iter().for_each(|device| device.join().unwrap());
}

#[test]
fn a_planted_loss_and_a_planted_disorder_are_counted() {
    let all = || (0..ROUNDS).flat_map(|seq| (0..DEVICES).map(move |n| (n.to_string(), seq)));
    assert_eq!(lost(all()), 0);
    assert_eq!(lost(all().chain(all())), 0, "what comes again is no loss");
    assert_eq!(lost(all().filter(|one| *one != ("7".to_owned(), ROUNDS - 1))), 1);
    assert_eq!(
        lost(all().filter(|one| *one != ("7".to_owned(), 0))),
        ROUNDS,
        "all after it are out of order"
    );
}
