//! To Debian's Mosquitto over the loopback: what `mosquitto_sub` gets is what the log holds.

use crate::messages::validate;
use crate::support::broker::{Arrived, Broker};
use crate::support::{Bench, VERSIONS, comes, decide};
use edge_core::Reason;
use edge_runtime::log::{Event, Reader};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn plain(port: u16, more: &str) -> String {
    format!(
        "[mqtt]\nenabled = true\ntls = false\nhost = \"127.0.0.1\"\nport = {port}\nretry_max_s = 1\n{more}\n"
    )
}

/// Decisions and events, without the status.
fn lines(arrived: &[Arrived]) -> Vec<&Arrived> {
    arrived.iter().filter(|message| !message.topic.ends_with("/status")).collect()
}

/// What arrived, held against what was logged: each line at least once, the first of each in order,
/// and every repetition the same bytes.
fn judge(arrived: &[Arrived], logged: &[u64]) -> Result<usize, String> {
    let mut first: Vec<u64> = Vec::new();
    let mut texts: BTreeMap<u64, &str> = BTreeMap::new();
    for message in lines(arrived) {
        validate(&message.json)?;
        if message.json["schema"] == "pneumoscope/v1/gap" {
            return Err(format!("a gap was told: {}", message.text));
        }
        let seq = message.json["seq"].as_u64().ok_or("no number")?;
        match texts.insert(seq, &message.text) {
            None => first.push(seq),
            Some(before) if before == message.text => {}
            Some(_) => return Err(format!("line {seq} came again with another text")),
        }
    }
    match first == logged {
        true => Ok(lines(arrived).len() - first.len()),
        false => {
            Err(format!("{} of {} lines arrived, or out of order: {first:?}", first.len(), logged.len()))
        }
    }
}

fn logged(bench: &Bench) -> Vec<u64> {
    Reader::open(bench.log_path()).unwrap().map(|entry| entry.unwrap().seq).collect()
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_a_thousand_decisions_over_kills_a_stopped_broker_and_a_full_disk() {
    for version in VERSIONS {
        let mut broker = Broker::open();
        let subscriber = broker.subscribe(&["-V", "mqttv5", "-x", "3600"]);
        let bench = Bench::new(&plain(broker.port, &format!("version = \"{version}\"")));
        let mut log = bench.log();
        for round in 0..100 {
            for number in 0..10 {
                decide(&mut log, round * 10 + number);
            }
            // Some rounds without a broker, some with a disk that takes no cursor.
            match round % 20 {
                5 => broker.stop(),
                9 => broker.start(),
                _ => {}
            }
            let full = matches!(round % 20, 13..16);
            let running = if full { bench.run_with_a_full_disk() } else { bench.run() };
            thread::sleep(Duration::from_millis(30 + round * 37 % 250));
            drop(running);
        }
        let reason = Reason::SelfTestFailed;
        log.event(&Event::FaultBegan { reason }).unwrap();
        log.event(&Event::Stopped { why: "signal" }).unwrap();
        let _running = bench.run();
        let logged = logged(&bench);
        assert!(logged.len() >= 1002);
        let last = *logged.last().unwrap();
        assert!(comes(|| lines(&subscriber.arrived()).last().is_some_and(|m| m.json["seq"] == last)));
        let again = judge(&subscriber.arrived(), &logged).unwrap();
        println!("MQTT {version}: {} lines, {again} of them again", logged.len());
        assert!(again > 0, "a hundred kills and nothing came twice: nothing was on its way");
    }
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_the_status_is_retained_and_the_last_will_says_offline() {
    let broker = Broker::open();
    let bench = Bench::new(&plain(broker.port, ""));
    let mut log = bench.log();
    log.event(&Event::FaultBegan { reason: Reason::SelfTestFailed }).unwrap();
    let subscriber = broker.subscribe(&[]);
    let status = || {
        let all = subscriber.arrived();
        all.into_iter().rev().find(|message| message.topic.ends_with("/status"))
    };
    let running = bench.run();
    assert!(comes(|| status().is_some()));
    let online = status().unwrap();
    validate(&online.json).unwrap();
    assert_eq!(online.topic, "pneumoscope/v1/clinic/ward-3/status");
    assert_eq!((&online.json["online"], &online.json["device_alive"]), (&Value::from(true), &Value::Null));
    assert!(comes(|| status().unwrap().json["fault"].is_string()));
    drop(running);
    assert!(comes(|| status().unwrap().json["online"] == false));
    validate(&status().unwrap().json).unwrap();
    // Who comes later is told too.
    let kept = Command::new("mosquitto_sub")
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &broker.port.to_string(),
            "-t",
            "pneumoscope/#",
            "-C",
            "1",
            "-W",
            "20",
        ])
        .output()
        .unwrap();
    let kept: Value = serde_json::from_slice(&kept.stdout).unwrap();
    assert_eq!(kept["online"], false);
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_what_was_deleted_before_it_was_delivered_is_told() {
    let broker = Broker::open();
    let bench = Bench::new(&plain(broker.port, ""));
    let subscriber = broker.subscribe(&[]);
    let mut log = bench.log();
    (0..300).for_each(|number| decide(&mut log, number));
    drop(log);
    let oldest = (1..).map(|n| bench.path(&format!("log.jsonl.{n}"))).take_while(|path| path.exists()).last();
    fs::remove_file(oldest.expect("more than one file")).unwrap();
    let logged = logged(&bench);
    let _running = bench.run();
    assert!(comes(|| lines(&subscriber.arrived()).len() > logged.len()));
    let arrived = subscriber.arrived();
    let gap = lines(&arrived)[0];
    validate(&gap.json).unwrap();
    assert_eq!((&gap.json["expected"], &gap.json["found"]), (&Value::from(0), &Value::from(logged[0])));
    assert!(gap.json["text"].as_str().unwrap().contains("were deleted or damaged"));
    assert!(judge(&arrived, &logged).unwrap_err().contains("a gap was told"));
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_memory_does_not_grow_with_what_waits() {
    let broker = Broker::open();
    let bench = Bench::new(&plain(broker.port, "in_flight = 100"));
    let mut log = bench.log();
    let delivered = || {
        let status: Value = serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap();
        status["destinations"][0]["behind"] == 0
    };
    let mut peak_behind = |lines| {
        (0..lines).for_each(|number| decide(&mut log, number));
        let running = bench.run();
        fs::remove_file(bench.path("status.json")).unwrap_or_default();
        assert!(comes(delivered));
        running.greatest_memory()
    };
    let (few, many) = (peak_behind(200), peak_behind(10_000));
    println!("greatest memory: {few} kB with 200 lines, {many} kB with 10,000");
    assert!(many <= few + 1000, "{few} kB, {many} kB");
}

#[test]
#[ignore = "needs Mosquitto: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_mqtt_a_planted_loss_disorder_and_change_are_found() {
    let broker = Broker::open();
    let bench = Bench::new(&plain(broker.port, ""));
    let subscriber = broker.subscribe(&[]);
    let mut log = bench.log();
    (0..20).for_each(|number| decide(&mut log, number));
    let _running = bench.run();
    assert!(comes(|| lines(&subscriber.arrived()).len() == 20));
    let (arrived, logged) = (subscriber.arrived(), logged(&bench));
    assert_eq!(judge(&arrived, &logged), Ok(0));
    let whole: Vec<Arrived> = lines(&arrived).into_iter().cloned().collect();
    let mut planted = whole.clone();
    planted.remove(7);
    judge(&planted, &logged).unwrap_err();
    let mut planted = whole.clone();
    planted.swap(3, 4);
    judge(&planted, &logged).unwrap_err();
    let mut planted = [whole.clone(), whole[5..6].to_vec()].concat();
    assert_eq!(judge(&planted, &logged), Ok(1));
    planted[20].text.push(' ');
    assert!(judge(&planted, &logged).unwrap_err().contains("another text"));
}
