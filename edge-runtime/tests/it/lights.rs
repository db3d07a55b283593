//! The panel on made-up lines, lines among made-up chips, and what systemd hears.

use crate::support::{assert_contains, comes, process};
use allocation_counter::measure;
use edge_core::agree::Indication;
use edge_core::ports::LampDriver;
use edge_core::signal::{Lamp, LampSet, Levels, Pattern, levels};
use edge_core::{Reason, State};
use edge_runtime::config::{Line, LineSpec};
use edge_runtime::run::FrontPanel;
use edge_runtime::service::Service;
use edge_runtime::signal::gpio::{ChipInfo, LineInfo, choose};
use edge_runtime::signal::{LightsThread, Options, PanelLines, stop_on_signals};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const POSITIVE: Indication = Indication { state: State::Positive, reason: Reason::AboveThreshold };
const NEGATIVE: Indication = Indication { state: State::Negative, reason: Reason::BelowThreshold };

/// What the test and the lines have in common.
#[derive(Default)]
struct World {
    history: Vec<(Levels, bool)>,
    red_is_broken: bool,
    panics: bool,
    closed: bool,
    reopened: usize,
}

/// A lines that keeps what was set.
#[derive(Clone, Default)]
struct Bench(Arc<Mutex<World>>);

impl Bench {
    fn world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn last(&self) -> Option<Levels> {
        self.world(|world| world.history.last().map(|(levels, _)| *levels))
    }

    /// Waits until the lamps are like this.
    #[track_caller]
    fn wait(&self, what: &str, mut is_so: impl FnMut(&World) -> bool) {
        assert!(comes(|| self.world(|world| is_so(world))), "never {what}; last {:?}", self.last());
    }

    /// Waits until levels that fit were set since the last [`Self::forget`].
    #[track_caller]
    fn wait_for_any(&self, what: &str, fits: impl Fn(&Levels) -> bool) {
        self.wait(what, |world| world.history.iter().any(|(levels, _)| fits(levels)));
    }

    #[track_caller]
    fn wait_for(&self, wanted: Levels) {
        self.wait(&format!("{wanted:?}"), |world| {
            world.history.last().is_some_and(|(now, _)| lamps(now) == lamps(&wanted))
        });
    }

    fn forget(&self) {
        self.world(|world| world.history.clear());
    }

    fn green_was_lit(&self) -> bool {
        self.world(|world| world.history.iter().any(|(levels, _)| levels.green))
    }
}

/// Without the buzzer, which falls silent by itself.
fn lamps(levels: &Levels) -> [bool; 3] {
    [levels.red, levels.amber, levels.green]
}

impl LampDriver for Bench {
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        self.world(|world| {
            assert!(!std::mem::take(&mut world.panics), "planted");
            world.history.push((*levels, heartbeat));
            if world.red_is_broken { LampSet::NONE.with(Lamp::Red) } else { LampSet::NONE }
        })
    }
}

impl PanelLines for Bench {
    fn closed(&mut self) -> Option<bool> {
        Some(self.world(|world| world.closed))
    }

    fn reopen(&mut self) {
        self.world(|world| world.reopened += 1);
    }

    fn problem(&self) -> Option<String> {
        self.world(|world| world.red_is_broken.then(|| "red, broken".into()))
    }
}

fn options() -> Options {
    Options { fed_within_ms: 60_000, debounce_ms: 1, test: false, stop: Arc::default() }
}

fn panel(options: Options) -> (Bench, LightsThread) {
    let bench = Bench::default();
    let panel = LightsThread::start(bench.clone(), options).unwrap();
    (bench, panel)
}

fn safe() -> Levels {
    levels(Pattern::Safe, 0)
}

fn steady(shown: Indication) -> Levels {
    levels(Pattern::State(shown.state), 0)
}

/// Amber and red alternate: both are seen, and nothing else.
#[track_caller]
fn wait_for_fault(bench: &Bench) {
    bench.forget();
    for wanted in [[false, true, false], [true, false, false]] {
        bench.wait_for_any("FAULT", |levels| lamps(levels) == wanted);
    }
}

#[test]
fn test_then_fault_then_what_is_shown_then_safe() {
    let (bench, panel) = panel(Options { test: true, ..options() });
    bench.wait_for_any("the light test", |levels| levels.green);
    wait_for_fault(&bench);
    panel.show(Some(NEGATIVE));
    bench.wait_for(steady(NEGATIVE));
    // Nobody asks: dark, and the heart goes on beating.
    panel.show(None);
    bench.wait_for(Levels::default());
    bench.forget();
    bench.wait("a heartbeat in the dark", |world| {
        let beats =
            |beat| world.history.iter().any(|(levels, now)| *levels == Levels::default() && *now == beat);
        beats(true) && beats(false)
    });
    panel.show(Some(POSITIVE));
    bench.wait_for(steady(POSITIVE));
    drop(panel);
    assert_eq!(bench.last(), Some(safe()));
    // The heart has beaten, and stands still now.
    let beats: Vec<bool> = bench.world(|world| world.history.iter().map(|(_, beat)| *beat).collect());
    assert!(beats.contains(&true) && beats.last() == Some(&false));
}

#[test]
fn a_panel_that_is_not_fed_shows_fault_by_itself_and_recovers() {
    let (bench, panel) = panel(Options { fed_within_ms: 200, ..options() });
    panel.show(Some(NEGATIVE));
    bench.wait_for_any("NEGATIVE", |levels| *levels == steady(NEGATIVE));
    wait_for_fault(&bench);
    // The heart stands still while the main loop does.
    bench.forget();
    bench.wait("a second of ticks", |world| world.history.len() > 40);
    assert!(bench.world(|world| world.history.iter().all(|(_, beat)| !beat)));
    bench.forget();
    bench.wait("NEGATIVE again", |world| {
        panel.show(Some(NEGATIVE));
        world.history.iter().any(|(levels, _)| *levels == steady(NEGATIVE))
    });
}

#[test]
fn a_stop_is_safe_at_once_and_for_good() {
    let stop = Arc::new(AtomicBool::new(false));
    let (bench, panel) = panel(Options { stop: stop.clone(), ..options() });
    panel.show(Some(NEGATIVE));
    bench.wait_for(steady(NEGATIVE));
    stop.store(true, Ordering::Relaxed);
    bench.wait_for(safe());
    bench.forget();
    panel.show(Some(NEGATIVE));
    bench.wait("ticks", |world| world.history.len() > 10);
    drop(panel);
    assert!(!bench.green_was_lit());
    assert_eq!(bench.last(), Some(safe()));
}

#[test]
fn sigterm_sets_the_flag() {
    let stop = stop_on_signals().unwrap();
    assert!(!stop.load(Ordering::Relaxed));
    signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
    assert!(stop.load(Ordering::Relaxed));
}

#[test]
fn a_panic_in_the_main_loop_is_safe() {
    let bench = Bench::default();
    let lines = bench.clone();
    let main = std::thread::spawn(move || {
        let panel = LightsThread::start(lines.clone(), options()).unwrap();
        panel.show(Some(NEGATIVE));
        lines.wait_for(steady(NEGATIVE));
        panic!("planted");
    });
    assert!(main.join().is_err());
    assert_eq!(bench.last(), Some(safe()));
}

#[test]
fn a_panic_in_the_panels_own_thread_is_safe_and_is_told() {
    let (bench, panel) = panel(options());
    panel.show(Some(NEGATIVE));
    bench.wait_for(steady(NEGATIVE));
    assert!(panel.failed().is_empty());
    bench.world(|world| world.panics = true);
    bench.wait("told", |_| panel.failed() == LampSet::ALL);
    assert_eq!(bench.last(), Some(safe()));
}

/// With red broken, POSITIVE could not be seen and FAULT would look like INVALID: no answer is
/// shown at all.
#[test]
fn with_a_lamp_lost_no_answer_is_shown_until_it_is_back() {
    let (bench, panel) = panel(options());
    panel.show(Some(NEGATIVE));
    bench.wait_for(steady(NEGATIVE));
    bench.world(|world| world.red_is_broken = true);
    bench.wait("FAULT", |_| panel.failed() == LampSet::NONE.with(Lamp::Red));
    wait_for_fault(&bench);
    assert!(!bench.green_was_lit());
    assert_eq!(panel.problem().as_deref(), Some("red, broken"));
    bench.wait("two attempts", |world| world.reopened >= 2);
    bench.world(|world| world.red_is_broken = false);
    bench.wait_for(steady(NEGATIVE));
    bench.wait("all well", |_| panel.problem().is_none() && panel.failed().is_empty());
}

#[test]
fn a_press_is_told_once() {
    let (bench, panel) = panel(options());
    assert!(!panel.pressed());
    bench.world(|world| world.closed = true);
    assert!(comes(|| panel.pressed()), "never pressed");
    bench.forget();
    bench.wait("ticks", |world| world.history.len() > 5);
    assert!(!panel.pressed(), "held down is not pressed again");
}

#[test]
fn telling_the_panel_allocates_nothing() {
    let (_bench, panel) = panel(options());
    let count = measure(|| {
        for _ in 0..100 {
            panel.show(Some(POSITIVE));
            panel.show(Some(NEGATIVE));
            assert!(!panel.pressed() && panel.failed().is_empty() && panel.problem().is_none());
        }
    });
    assert_eq!(count.count_total, 0);
}

// ---- lines among chips

fn chip(path: &str, label: &str, lines: &[&str]) -> ChipInfo {
    let line = |name: &&str| LineInfo { name: (*name).into(), user: (*name == "ACT").then(|| "led0".into()) };
    ChipInfo { path: path.into(), label: label.into(), lines: lines.iter().map(line).collect() }
}

fn machine() -> Vec<ChipInfo> {
    vec![
        chip("/dev/gpiochip0", "pinctrl-bcm2835", &["ID_SDA", "GPIO17", "GPIO27", "ACT"]),
        chip("/dev/gpiochip1", "9030000.pl061", &["", "", "", ""]),
        chip("/dev/gpiochip2", "expander", &["GPIO27"]),
    ]
}

fn named(name: &str, chip: Option<&str>) -> LineSpec {
    LineSpec { line: Line::Name { name: name.into(), chip: chip.map(Into::into) }, active_low: false }
}

fn numbered(chip: &str, line: u32) -> LineSpec {
    LineSpec { line: Line::Number { chip: chip.into(), line }, active_low: false }
}

#[test]
fn lines_are_found_by_name_and_by_label() {
    let place =
        |spec| choose(&spec, &machine()).map(|place| (place.chip.display().to_string(), place.number));
    assert_eq!(place(named("GPIO17", None)), Ok(("/dev/gpiochip0".into(), 1)));
    assert_eq!(place(named("GPIO27", Some("expander"))), Ok(("/dev/gpiochip2".into(), 0)));
    assert_eq!(place(numbered("9030000.pl061", 3)), Ok(("/dev/gpiochip1".into(), 3)));
    assert_eq!(choose(&named("ACT", None), &machine()).unwrap().user.as_deref(), Some("led0"));
}

#[test]
fn lines_that_are_not_there_are_said_with_the_nearest() {
    let error = |spec, chips: &[ChipInfo]| choose(&spec, chips).unwrap_err().to_string();
    let cases = [
        (named("GPIO18", None), "`GPIO18`: there is no such GPIO line; did you mean `GPIO17`?"),
        (named("LAMP", None), "there are `ID_SDA`, `GPIO17`, `GPIO27`, `ACT`, `GPIO27`"),
        (named("GPIO27", None), "`GPIO27`: 2 lines fit; name the chip too"),
        (numbered("9030000.pl061", 4), "that chip has 4, numbered from 0"),
        (numbered("9030000.pl06", 4), "there is no such GPIO chip; did you mean `9030000.pl061`?"),
        (named("GPIO27", Some("zzz")), "there are `pinctrl-bcm2835`, `9030000.pl061`, `expander`"),
        (named("GPIO27", Some("9030000.pl061")), "this machine has no GPIO line with a name"),
    ];
    for (spec, expected) in cases {
        assert_contains(&error(spec, &machine()), &[expected]);
    }
    assert_contains(&error(named("A", Some("b")), &[]), &["this machine has no GPIO chip"]);
}

// ---- systemd

/// Does nothing by itself: the test below runs it as a process of its own, because a process's
/// environment is its own matter.
#[test]
#[ignore = "no test by itself: systemd_hears_what_it_must starts it"]
fn child_of_systemd() {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let mut service = Service::from_environment();
    service.status("waiting").unwrap();
    service.ready().unwrap();
    for now in 0..1000 {
        service.alive(now).unwrap();
    }
    service.stopping().unwrap();
}

/// Tests may run under a real systemd, as a service or from a build machine's: it must not hear of
/// the programs that they start.
#[test]
fn systemd_hears_nothing_of_the_tests_programs() {
    let process = process();
    for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] {
        assert!(process.get_envs().any(|(set, value)| set == name && value.is_none()), "{name}");
    }
}

#[test]
fn systemd_hears_what_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let heard = |watchdog: Option<&str>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "lights::child_of_systemd", "--ignored"]).env("NOTIFY_SOCKET", &path);
        child.env_remove("WATCHDOG_PID").env_remove("WATCHDOG_USEC");
        child.envs(watchdog.map(|limit| ("WATCHDOG_USEC", limit)));
        assert!(child.output().unwrap().status.success());
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 256];
        let mut heard = Vec::new();
        while let Ok(length) = socket.recv(&mut buffer) {
            heard.push(String::from_utf8_lossy(&buffer[..length]).trim().to_owned());
        }
        heard
    };
    let (begin, end) = (["STATUS=waiting", "READY=1"], ["STOPPING=1"]);
    assert_eq!(heard(None), [&begin[..], &end].concat());
    // 900 ms: every 300 ms, so at 0, 300, 600 and 900.
    assert_eq!(heard(Some("900000")), [&begin[..], &["WATCHDOG=1"; 4], &end].concat());
}
