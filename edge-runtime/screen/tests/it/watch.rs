//! Reading the status: by its age, not by the clock of this test.

use crate::support::{Site, camera};
use edge_core::State;
use screen::watch::{Seen, Watcher};
use status::{STALE_AFTER, STATUS};

#[test]
fn a_status_is_told_once_and_is_lost_when_it_is_too_old() {
    let site = Site::new();
    let mut watcher = Watcher::new(&site.path("status"));
    let lost = |seen: Option<Seen>| match seen {
        Some(Seen::Lost(why)) => why.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(lost(watcher.look(|| 0)).contains("status.json"), "there is none");
    assert!(watcher.look(|| 1).is_none(), "nothing has changed");
    let mut status = camera(State::Negative);
    status.monotonic_ms = 10_000;
    site.write_as_it_is(&status);
    let told = watcher.look(|| 10_000);
    assert_eq!(told.as_ref().and_then(Seen::status), Some(&status));
    // Whoever looks later need not be told.
    assert!(lost(told.clone().map(|seen| seen.at(11_501))).contains("too old"));
    assert_eq!(told.unwrap().at(11_500).status(), Some(&status));
    let last = 10_000 + STALE_AFTER.as_millis() as u64;
    assert!(watcher.look(|| last).is_none());
    assert!(lost(watcher.look(|| last + 1)).contains("too old"));
    assert!(watcher.look(|| last + 2).is_none());
    // It is written again, with the same content but its time.
    status.monotonic_ms = last + 50;
    site.write_as_it_is(&status);
    assert_eq!(watcher.look(|| last + 60).as_ref().and_then(Seen::status), Some(&status));
    // What is from the future is of before a restart.
    status.monotonic_ms = last + 9_000;
    site.write_as_it_is(&status);
    assert!(matches!(watcher.look(|| last + 70), Some(Seen::Lost(_))));
    std::fs::write(site.path("status").join(STATUS), "{\"version\":1,").unwrap();
    assert!(lost(watcher.look(|| last + 80)).contains("expected JSON"));
    std::fs::write(site.path("status").join(STATUS), "{\"version\":9}").unwrap();
    assert!(lost(watcher.look(|| last + 90)).contains("version 1, got 9"));
}
