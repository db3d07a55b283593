//! The pages that come from the device's log.

use crate::pages::until;
use crate::support::{Screen, Site, camera, decision, folder, indication};
use base::log::{Context, Event, Hash, Log, Options, Record};
use edge_core::decide::Thresholds;
use edge_core::{Reason, State};
use std::path::Path;
use texts::Language;

/// A log that decisions and events are written to.
struct Writer {
    log: Log,
    context: Context,
}

impl Writer {
    fn of(site: &Site) -> Self {
        let context = Context {
            preprocessing: edge_core::preprocess::NAME,
            model_sha256: "5c".repeat(32),
            model_version: "2.0.0".to_owned(),
            engine: "core",
            familiar_widened_to: None,
            thresholds: Thresholds { negative_below: 0.21, positive_above: 0.74 },
            site_sha256: None,
            prior: None,
        };
        let options = Options { sync_every: 10_000, ..Options::default() };
        Self { log: Log::open(site.path("log.jsonl"), options).unwrap(), context }
    }

    fn started(&mut self) {
        let (model_sha256, model_version) = (&self.context.model_sha256, &self.context.model_version);
        let event = Event::Started {
            version: "0.1.0",
            config_sha256: None,
            model_sha256,
            model_version,
            source: "folder:films",
        };
        self.log.event(&event).unwrap();
    }

    fn write(&mut self, name: &str, state: State) {
        let record = Record {
            context: &self.context,
            source: "folder:films",
            name,
            exam: None,
            pictures: Some(1),
            frame: None,
            decision: &decision(state),
            shown: indication(state),
            agreeing: 1,
            needed: 1,
            latency_us: 9_000,
        };
        self.log.write(&record).unwrap();
    }
}

/// A log of two starts: files of before, and of this run.
pub fn write_log(site: &Site) {
    let mut writer = Writer::of(site);
    writer.started();
    for turn in 0..60 {
        writer.write(&format!("before-{}.png", turn % 12), State::ALL[turn % 4]);
    }
    writer.started();
    writer.write("now.png", State::Positive);
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
    let short = |name: &str| Hash::of(name.as_bytes()).to_string()[..8].to_owned();
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
    base::log::export(site.path("log.jsonl"), &mut expected).unwrap();
    assert!(table.body == expected, "the same bytes as `edge-runtime log export` writes");
    assert_eq!(expected.iter().filter(|byte| **byte == b'\n').count(), 64);
}

/// Moves the log's lines to another day, which a device's clock had when it wrote them: those from
/// this number on.
fn date(log: &Path, from: usize, day: &str) {
    let mut text = String::new();
    for (number, line) in std::fs::read_to_string(log).unwrap().lines().enumerate() {
        let (content, _) = line.split_once(",\"hash\":").unwrap();
        let (before, time) = content.split_once("\"time\":\"").unwrap();
        let content = format!("{before}\"time\":\"{day}{}", &time[10..]);
        // A line holds by itself where its hash is that of what stands before it.
        let moved = format!("{content},\"hash\":\"{}\"}}", Hash::of(content.as_bytes()));
        text += if number < from { line } else { &moved };
        text.push('\n');
    }
    std::fs::write(log, text).unwrap();
}

/// The population stability index of shares, from how many scores lie in each bin; a half is added to
/// each, so that an empty one has a logarithm.
fn psi(bins: &[[f64; 2]]) -> f64 {
    let total = |of: usize| bins.iter().map(|bin| bin[of] + 0.5).sum::<f64>();
    let share = |bin: &[f64; 2], of: usize| (bin[of] + 0.5) / total(of);
    bins.iter().map(|bin| (share(bin, 1) - share(bin, 0)) * (share(bin, 1) / share(bin, 0)).ln()).sum()
}

/// The figures of a table's row, without its bars.
fn cells(row: &str) -> Vec<String> {
    let cells = row.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap());
    cells.filter(|cell| !cell.starts_with("<svg")).map(str::to_owned).collect()
}

#[test]
fn figures_are_by_day_with_faults_and_the_drift_of_the_scores() {
    let site = Site::new();
    let mut writer = Writer::of(&site);
    let write = |writer: &mut Writer, count: usize, state| (0..count).for_each(|_| writer.write("a", state));
    let fault = Event::FaultBegan { reason: Reason::CameraLost };
    writer.started();
    write(&mut writer, 300, State::Negative);
    write(&mut writer, 200, State::Positive);
    writer.log.event(&fault).unwrap();
    writer.log.event(&fault).unwrap();
    let first_day = 1 + 500 + 2;
    write(&mut writer, 10, State::Refer);
    write(&mut writer, 3, State::Invalid);
    write(&mut writer, 500, State::Positive);
    writer.log.event(&fault).unwrap();
    writer.log.event(&Event::NotLogged { lines: 4, why: "the disk is full" }).unwrap();
    drop(writer);
    let log = site.path("log.jsonl");
    date(&log, 0, "2026-11-22");
    date(&log, first_day, "2026-11-23");
    let damaged = std::fs::read_to_string(&log).unwrap().replacen("INVALID", "REFER", 1);
    std::fs::write(&log, damaged).unwrap();
    let (_screen, client) = Screen::on_loopback(&site);
    site.write(&camera(State::Positive));
    let text = client.get("/figures").text();

    let language = Language::English;
    let days: Vec<&str> = text.split("<th scope=\"row\">").skip(1).collect();
    assert_eq!(days.len(), 2, "{text}");
    assert!(days[0].starts_with("2026-11-23<") && days[1].starts_with("2026-11-22<"), "the newest first");
    // Pictures, POSITIVE, NEGATIVE, REFER, INVALID, FAULT, faults, not logged: one line is damaged.
    assert_eq!(cells(days[0]), ["512", "500", "0", "10", "2", "0", "1", "4"]);
    assert_eq!(cells(days[1]), ["500", "200", "300", "0", "0", "0", "2", "0"]);
    assert!(text.contains(&format!("{} 1<", language.text("damaged-lines"))), "{text}");
    let head = text.split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap();
    let head: Vec<&str> =
        head.split("<th scope=\"col\">").skip(1).map(|th| th.split('<').next().unwrap()).collect();
    let [day, shares, pictures, faults, not_logged] =
        ["day", "shares", "pictures-judged", "faults", "not-logged"].map(|id| language.text(id));
    let states = State::ALL.map(|state| language.state(state));
    assert_eq!(head, [&[day, shares, pictures][..], &states, &[faults, not_logged]].concat());
    // The bars are the shares of the day's pictures.
    for (day, counts) in days.iter().zip([[500.0, 0.0, 10.0, 2.0, 0.0], [200.0, 300.0, 0.0, 0.0, 0.0]]) {
        let all: f64 = counts.iter().sum();
        let mut from = 0.0;
        for (state, count) in State::ALL.into_iter().zip(counts) {
            let class = format!("<rect class=\"{}\"", state.name().to_lowercase());
            let bar = day.split(&class).nth(1).unwrap();
            let place = |name: &str| -> f64 {
                bar.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
            };
            let width = count / all * 120.0;
            assert!((place("x") - from).abs() < 0.06 && (place("width") - width).abs() < 0.06, "{bar}");
            from += width;
        }
    }
    // The first 500 scores are 300 times 0.04 and 200 times 0.93, the newest 500 all 0.93; none is above
    // the greatest decile.
    let expected = psi(&[[300.0, 0.0], [200.0, 500.0], [0.0, 0.0]]);
    let told = format!("{} (PSI {})", language.text("drift-much"), language.number(expected, 2));
    assert!(text.contains(&told), "{told}: {text}");
}

#[test]
fn figures_tell_since_when_the_machine_runs_the_free_disk_and_what_is_wrong() {
    const HOURS_AHEAD: u64 = 3;
    let site = Site::new();
    let config = site.config("listen = [\"127.0.0.1:0\"]");
    let with_offset = std::fs::read_to_string(&config).unwrap() + "[display]\nutc_offset = \"+03:00\"\n";
    std::fs::write(&config, with_offset).unwrap();
    let screen = Screen::start(&config, 1);
    let client = screen.client(0);
    let status = status::Status { trouble: Some("the picture is <small>".into()), ..camera(State::Refer) };
    let boot_ms = || {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        since.tv_sec as u64 * 1000 + since.tv_nsec as u64 / 1_000_000
    };
    let disk = || {
        let disk = rustix::fs::statvfs(site.folder.path()).unwrap();
        [disk.f_bavail, disk.f_blocks].map(|blocks| (blocks * disk.f_frsize) as f64 / 1e9)
    };
    let before = (boot_ms(), disk());
    let fresh = || {
        site.write(&status);
        client.get("/figures")
    };
    let text = until(fresh, |page| page.text().contains("&lt;small&gt;")).text();
    let after = (boot_ms(), disk());
    let fact = |id: &str| {
        let (_, rest) = text.split_once(&format!("<dt>{}</dt><dd", Language::English.text(id))).unwrap();
        rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()
    };
    // By the device's clock, as local time; a minute may begin meanwhile.
    let since = [before.0, after.0].map(|boot_ms| {
        let unix_ms = status.unix_ms - boot_ms + HOURS_AHEAD * 3_600_000;
        let time = jiff::Timestamp::from_millisecond(unix_ms as i64).unwrap();
        time.strftime("%Y-%m-%d %H:%M").to_string()
    });
    assert!(since.contains(&fact("uptime")), "{} instead of {since:?}", fact("uptime"));
    let told = fact("disk").replace(',', "");
    let (free, all) = told.strip_suffix(" GB").unwrap().split_once(" GB / ").unwrap();
    assert_eq!(all, format!("{:.1}", before.1[1]));
    // Others write to the disk meanwhile.
    let [least, most] = [before.1[0].min(after.1[0]) - 0.3, before.1[0].max(after.1[0]) + 0.3];
    assert!((least..most).contains(&free.parse().unwrap()), "{free} is not from {least} to {most}");
    assert_eq!(fact("trouble"), "the picture is &lt;small&gt;");
}
