//! The messages against their schemas, and what must not be in them.

use crate::support::{Bench, decide};
use deliver::message::{self, Sender, Topic};
use deliver::schema::SCHEMAS;
use deliver::status_message::offline;
use edge_core::Reason;
use edge_core::State;
use edge_runtime::log::{By, Cursor, Event, Follower, Gap};
use serde_json::Value;

pub fn sender() -> Sender {
    Sender { site: "clinic".into(), device: "ward-3".into() }
}

/// Checks a message against the schema that it names.
pub fn validate(message: &Value) -> Result<(), String> {
    let named = message["schema"].as_str().ok_or("it names no schema")?;
    let name = named.strip_prefix("pneumoscope/v1/").ok_or(named)?;
    let (_, text) = SCHEMAS.iter().find(|(known, _)| *known == name).ok_or(named)?;
    let schema: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.validate(message).map_err(|error| format!("{name}: {error} at {}", error.instance_path()))
}

/// All messages of a log with a line of each kind.
fn messages() -> Vec<(Topic, Value)> {
    let bench = Bench::new("");
    let mut log = bench.log();
    let sha = "cd".repeat(32);
    let started = Event::Started {
        version: "1",
        config_sha256: Some(&sha),
        model_sha256: &sha,
        model_version: "1",
        source: "x",
    };
    log.event(&started).unwrap();
    decide(&mut log, 80);
    decide(&mut log, 40);
    let reason = Reason::SelfTestFailed;
    for event in [
        Event::FaultBegan { reason },
        Event::FaultEnded { reason, lasted_ms: 3 },
        Event::Acknowledged { study: None, study_sha256: None, state: State::Positive, by: By::Button },
        Event::Stopped { why: "signal" },
    ] {
        log.event(&event).unwrap();
    }
    let mut follower = Follower::new(bench.log_path(), Cursor::default());
    let lines = std::iter::from_fn(|| follower.next_line().unwrap());
    let gap = Gap { expected: 3, found: 9 };
    let all = lines.flat_map(|line| message::of(&sender(), Some(gap), &line.entry).unwrap());
    all.map(|message| (message.topic, serde_json::from_slice(&message.payload).unwrap())).collect()
}

#[test]
fn every_message_is_as_its_schema_says() {
    let messages = messages();
    assert_eq!(messages.len(), 14, "a gap before each of the seven lines");
    for (_, message) in &messages {
        validate(message).unwrap_or_else(|error| panic!("{error}\n{message}"));
    }
    validate(&serde_json::from_slice(&offline(&sender()).unwrap()).unwrap()).unwrap();
    let decision = &messages.iter().find(|(topic, _)| *topic == Topic::Decision).unwrap().1;
    assert_eq!((&decision["state"], &decision["seq"]), (&Value::from("POSITIVE"), &Value::from(1)));
    assert_eq!(decision["model"]["version"], "1.2.3");
    assert!(decision["picture"]["name"].is_null(), "the log has its hash alone");
    assert_eq!(decision["picture"]["name_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_planted_fault_in_a_message_is_found() {
    let messages = messages();
    let (_, whole) = messages.iter().find(|(topic, _)| *topic == Topic::Decision).unwrap();
    for key in ["state", "seq", "line", "model", "positive_above", "shown_reason"] {
        let mut planted = whole.clone();
        planted.as_object_mut().unwrap().remove(key);
        assert!(validate(&planted).unwrap_err().contains(key), "{key}");
    }
    let mut planted = whole.clone();
    planted["patient"] = "Nobody".into();
    assert!(validate(&planted).unwrap_err().contains("patient"));
    let mut planted = whole.clone();
    planted["state"] = "HEALTHY".into();
    validate(&planted).unwrap_err();
}
