//! What can be tested of a camera without one: its absence, and time. Real drivers are tested on
//! the emulated board.

use super::*;

fn filled(micros: u64, monotonic: bool) -> Filled {
    Filled::of_time(micros, monotonic)
}

#[test]
fn a_drivers_time_is_believed_until_it_cannot_be_true() {
    let now = 100_000;
    let alone = |micros, monotonic| FrameTimes::default().taken_ms(&filled(micros, monotonic), now);
    assert_eq!(alone(99_950_000, true), 99_950);
    assert_eq!(alone(100_000_999, true), 100_000, "this very millisecond");
    assert_eq!(alone(1_000_000, true), 1000, "an old frame is old, not new");
    assert_eq!(alone(100_001_000, true), now, "in the future");
    assert_eq!(alone(u64::MAX, true), now, "a clock that is about to wrap");
    assert_eq!(alone(0, true), now, "no time at all");
    assert_eq!(alone(99_950_000, false), now, "another clock");

    // After it has wrapped, its times look old and are not.
    let mut times = FrameTimes::default();
    let mut taken = |micros| times.taken_ms(&filled(micros, true), now);
    assert_eq!([taken(u64::MAX), taken(1_000_000)], [now, now]);
}

#[test]
fn an_absent_camera_is_lost_at_every_call_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("video7");
    let mut camera = V4l2::new(path.to_str().unwrap(), &CaptureOptions::default());
    for _ in 0..3 {
        let error = camera.next(Duration::from_millis(1)).map(|_| ()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("video7: open: No such file or directory"), "{text}");
        assert!(text.ends_with("check that it is plugged in and not in use by another program"), "{text}");
        assert_eq!(error.reason(), Some(edge_core::Reason::CameraLost));
    }
    assert!(camera.pause <= LONGEST_PAUSE);
}

#[test]
fn what_is_no_camera_is_lost_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut camera = V4l2::new(file.path().to_str().unwrap(), &CaptureOptions::default());
    let error = camera.next(Duration::from_millis(1)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("VIDIOC_QUERYCAP: "), "{error}");
    let mut camera = V4l2::new("no such name", &CaptureOptions::default());
    let error = camera.next(Duration::from_millis(1)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("v4l2:no such name: find: no camera of that name; there is "), "{error}");
}

#[test]
fn a_wait_that_ends_before_the_next_try_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("video7");
    let mut camera = V4l2::new(path.to_str().unwrap(), &CaptureOptions::default());
    assert!(camera.next(Duration::ZERO).is_err());
    camera.retry_at = Instant::now() + Duration::from_secs(3600);
    let before = camera.pause;
    assert!(matches!(camera.next(Duration::ZERO), Err(CaptureError::Lost { .. })));
    assert_eq!(camera.pause, before, "another try would have doubled it");
}
