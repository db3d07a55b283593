//! The pages that come from the device's log.

use crate::pages::until;
use crate::support::{Screen, Site, camera, decision, folder, indication};
use edge_core::decide::Thresholds;
use edge_core::{Decision, State};
use edge_runtime::log::{Context, Event, Log, Options, Record};

fn context() -> Context {
    Context {
        preprocessing: edge_core::preprocess::NAME,
        model_sha256: "5c".repeat(32),
        model_version: "2.0.0".to_owned(),
        engine: "core",
        familiar_widened_to: None,
        thresholds: Thresholds { negative_below: 0.21, positive_above: 0.74 },
        site_sha256: None,
        prior: None,
    }
}

fn started(log: &mut Log, context: &Context) {
    let (model_sha256, model_version) = (&context.model_sha256, &context.model_version);
    let event = Event::Started {
        version: "0.1.0",
        config_sha256: None,
        model_sha256,
        model_version,
        source: "folder:films",
    };
    log.event(&event).unwrap();
}

/// A log of two starts: files of before, and of this run.
pub fn write_log(site: &Site) {
    let context = context();
    let mut log = Log::open(site.path("log.jsonl"), Options::default()).unwrap();
    started(&mut log, &context);
    let write = |log: &mut Log, name: &str, decision: &Decision| {
        let record = Record {
            context: &context,
            source: "folder:films",
            name,
            exam: None,
            pictures: Some(1),
            frame: None,
            decision,
            shown: indication(decision.state),
            agreeing: 1,
            needed: 1,
            latency_us: 9_000,
        };
        log.write(&record).unwrap();
    };
    for turn in 0..60 {
        write(&mut log, &format!("before-{}.png", turn % 12), &decision(State::ALL[turn % 4]));
    }
    started(&mut log, &context);
    write(&mut log, "now.png", &decision(State::Positive));
}

/// The same moment for the status as for the log: today.
fn today(state: State) -> status::Status {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    status::Status { unix_ms: since.as_millis() as u64, ..folder(state) }
}

#[test]
fn what_was_before_the_last_start_is_listed_by_hashes_and_what_is_since_is_not() {
    let site = Site::new();
    write_log(&site);
    let (_screen, client) = Screen::on_loopback(&site);
    let page = until(
        || {
            site.write(&today(State::Positive));
            client.get("/today")
        },
        |page| page.text().contains("A-1003"),
    );
    let text = page.text();
    let short = |name: &str| edge_runtime::log::Hash::of(name.as_bytes()).to_string()[..8].to_owned();
    assert!(text.contains(&short("before-3.png")), "{text}");
    assert!(!text.contains(&short("now.png")), "it is listed by its name");
    assert_eq!(text.matches("<code>").count(), 60, "a POSITIVE stays, whatever came later by that name");
    assert!(!text.contains("before-"), "a name is not kept");
}

#[test]
fn figures_and_table_are_the_log_s() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    site.write(&camera(State::Positive));
    let none = client.get("/figures");
    assert!(none.status == 200 && none.text().contains("The log cannot be read."), "{}", none.text());
    assert!(client.get("/figures.csv").text().is_empty());
    write_log(&site);
    let text = client.get("/figures").text();
    assert!(text.contains("<td>61</td>"), "all decisions of the day: {text}");
    assert!(text.contains("Too few scores yet"), "{text}");
    let table = client.get("/figures.csv");
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let mut expected = Vec::new();
    edge_runtime::log::export(site.path("log.jsonl"), &mut expected).unwrap();
    assert!(table.body == expected, "the same bytes as `edge-runtime log export` writes");
    assert_eq!(expected.iter().filter(|byte| **byte == b'\n').count(), 64);
}
