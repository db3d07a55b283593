//! What can be tested of a camera without one: its absence, and time. Real drivers are tested on
//! the emulated board.

use super::sys::Ready;
use super::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
        assert!(
            text.contains(": there is no such camera; plug it in; `edge-runtime devices` lists"),
            "{text}"
        );
        assert_eq!(error.reason(), Some(edge_core::Reason::CameraLost));
    }
    assert!(camera.pause <= LONGEST_PAUSE);
}

#[test]
fn what_is_no_camera_is_lost_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut camera = V4l2::new(file.path().to_str().unwrap(), &CaptureOptions::default());
    let error = camera.next(Duration::from_millis(1)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("VIDIOC_QUERYCAP: ") && error.contains("no Video4Linux device"), "{error}");
    let mut camera = V4l2::new("no such name", &CaptureOptions::default());
    let error = camera.next(Duration::from_millis(1)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("v4l2:no such name: no camera of that name; there is "), "{error}");
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

/// A camera of JPEGs that is played: what its driver has for us, and how often a picture was
/// decoded.
struct Played {
    queue: VecDeque<Vec<u8>>,
    number: u32,
    held: Vec<u8>,
    decoded: Arc<AtomicU32>,
}

impl Running for Played {
    fn wait(&mut self, _: Duration) -> Result<Ready, CameraError> {
        thread::sleep(Duration::from_millis(1));
        Ok(Ready { frame: !self.queue.is_empty(), ..Default::default() })
    }

    fn catch_up(&mut self, _: Option<Filled>) -> Result<Taken, CameraError> {
        self.newest()
    }

    fn newest(&mut self) -> Result<Taken, CameraError> {
        let Some(next) = self.queue.pop_front() else { return Ok(Taken::Nothing) };
        (self.number, self.held) = (self.number + 1, next);
        // A driver's mark, told by nothing in the buffer.
        Ok(if self.held.is_empty() {
            Taken::Damaged(self.number)
        } else {
            Taken::Frame(Filled::of_number(self.number))
        })
    }

    fn keeps_its_format(&self) -> Result<bool, CameraError> {
        Ok(true)
    }

    fn has_signal(&self) -> Result<bool, CameraError> {
        Ok(true)
    }

    fn decode(&self, _: &Filled) -> Option<Result<Picture, String>> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        Some(edge_model::decode::decode_mjpeg(&self.held).map_err(|error| error.to_string()))
    }

    fn frame(&self, _: &Filled) -> Result<Frame<'_>, edge_core::FrameError> {
        panic!("a JPEG is decoded")
    }
}

fn played(frames: Vec<Vec<u8>>) -> (V4l2<Played>, Arc<AtomicU32>) {
    let decoded = Arc::new(AtomicU32::new(0));
    let mut camera =
        Some(Played { queue: frames.into(), number: 0, held: Vec::new(), decoded: Arc::clone(&decoded) });
    let start = move || camera.take().ok_or(CameraError::NoCapture("played".into()));
    (V4l2::opened_by("v4l2:played".into(), &CaptureOptions::default(), start), decoded)
}

fn jpeg() -> Vec<u8> {
    test_support::picture::jpeg(64, 48, None)
}

/// Thirty frames a second for two answers: those between are not decoded.
#[test]
fn only_frames_that_are_asked_for_are_decoded() {
    let (mut camera, decoded) = played(vec![jpeg(); 30]);
    for _ in 0..2 {
        for _ in 0..14 {
            camera.pass(Duration::ZERO).unwrap();
        }
        assert_eq!(camera.next(Duration::ZERO).unwrap().frame.geometry().width(), 64);
    }
    assert_eq!(decoded.load(Ordering::Relaxed), 2);
    assert!(matches!(camera.pass(Duration::ZERO), Err(CaptureError::Nothing)));
}

#[test]
fn bad_frames_are_passed_over_and_counted_until_a_good_one_comes() {
    let cut = || jpeg()[..jpeg().len() / 2].to_vec();
    let (mut camera, _) = played(vec![cut(), Vec::new(), b"no picture".to_vec(), jpeg(), cut(), jpeg()]);
    let patience = Duration::from_secs(60);
    assert_eq!(camera.next(patience).unwrap().stamp.sequence, 4, "the first good one");
    assert_eq!(camera.dropped.count, 3);
    assert!(
        camera.dropped.last.contains("the camera's MJPEG frame is damaged or cut short"),
        "{}",
        camera.dropped.last
    );
    let told = camera.dropped().unwrap().to_string();
    assert!(told.starts_with("3 damaged frames passed over so far; the last: "), "{told}");
    // A bad frame that nobody looks at is none; one that the driver marks is.
    camera.pass(patience).unwrap();
    assert_eq!((camera.dropped.count, camera.next(patience).unwrap().stamp.sequence), (3, 6));
}

#[test]
fn where_nothing_but_bad_frames_came_it_says_so_and_closes_no_camera() {
    let (mut camera, _) = played(vec![Vec::new(), b"x".to_vec()]);
    let error = camera.next(Duration::from_millis(500)).map(|_| ()).unwrap_err();
    assert!(matches!(error, CaptureError::Dropped(_)) && error.reason().is_none(), "{error}");
    assert_eq!(camera.dropped.count, 2);
    let error = camera.next(Duration::ZERO).map(|_| ()).unwrap_err();
    assert!(matches!(error, CaptureError::Nothing), "it is open and silent: {error}");
}

/// However many bad frames wait, a turn ends.
#[test]
fn bad_frames_without_end_keep_nobody() {
    let (mut camera, decoded) = played(vec![b"x".to_vec(); 100_000]);
    for _ in 0..3 {
        assert!(matches!(camera.next(Duration::ZERO), Err(CaptureError::Dropped(_))));
    }
    assert_eq!((decoded.load(Ordering::Relaxed), camera.dropped.count), (3, 3));
}
