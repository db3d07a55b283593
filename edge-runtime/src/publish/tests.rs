//! The loop's end, with a thread that hangs as in a call of the system's that does not return.

use super::*;
use crate::capture::{CaptureError, Monotonic, Shot, Source};
use crate::device::Device;
use crate::log::{Log, Options};
use crate::run::context_of;
use edge_core::agree::{AgreementPolicy, FrameStamp};
use edge_core::device::Settings;
use edge_model::decode::Picture;
use edge_model::drawings::GOLDEN;
use edge_model::engine::EngineKind;
use test_support::loaded::{classifier, shipped};

/// One picture, again and again.
struct Film(Picture, FrameStamp);

impl Source for Film {
    fn next(&mut self, _: Duration) -> Result<Shot<'_>, CaptureError> {
        self.1.sequence += 1;
        self.1.micros += 1;
        Ok(Shot { frame: self.0.frame(), stamp: self.1, taken_ms: now_ms(), name: "", exam: None })
    }

    fn name(&self) -> &str {
        "film"
    }
}

fn publisher(slot: &Arc<Slot>) -> Publisher {
    let thread = std::thread::spawn(|| {
        loop {
            std::thread::park();
        }
    });
    Publisher {
        slot: Arc::clone(slot),
        thread,
        album: Album::default(),
        pictures: true,
        told: None,
        since: None,
        trouble: None,
        troubles: 0,
        taps: Vec::new(),
    }
}

#[test]
fn a_thread_that_hangs_holds_up_nothing_and_finds_the_newest_when_it_goes_on() {
    let (logs, model) = (tempfile::tempdir().unwrap(), shipped());
    let source = Film(GOLDEN.picture().unwrap(), FrameStamp::default());
    let policy = AgreementPolicy { frames: 1, stale_after_ms: 60_000 };
    let settings = Settings { policy, interval_ms: 0, settle_ms: 0, hold_ms: None };
    let device = Device::new(Box::new(source), classifier(EngineKind::Core, &model), settings, Monotonic)
        .with_pictures();
    let context = context_of(&model, EngineKind::Core);
    let mut run =
        Run::new(device, Log::new(logs.path().join("log.jsonl"), Options::default()), context, None);
    let slot = Arc::<Slot>::default();
    let mut publisher = publisher(&slot);
    let mut turn = |publisher: &mut Publisher, trouble| {
        let report = run.step(Duration::ZERO);
        assert!(report.answered.is_some() && report.shown.unwrap().state != State::Fault);
        publisher.tell(&mut run, &report, trouble);
    };
    (0..50).for_each(|_| turn(&mut publisher, None));
    {
        let mut content = slot.content();
        assert!(content.fresh && content.urgent);
        assert_eq!(content.snapshot.picture.as_ref().unwrap().number, 50);
        (content.fresh, content.urgent) = (false, false);
        content.taps.push((CaseId(3), 1));
        // One that holds the slot: the loop goes on with what it has, and tells it later.
        turn(&mut publisher, Some("a lamp"));
        assert_eq!(publisher.taps().next(), None);
        assert_eq!(publisher.problems(), [""; 0]);
        assert!(!content.fresh && content.snapshot.trouble.is_none());
    }
    turn(&mut publisher, Some("a lamp"));
    let content = slot.content();
    assert!(content.urgent && content.snapshot.trouble.as_deref() == Some("a lamp"));
    drop(content);
    assert_eq!(publisher.taps().collect::<Vec<_>>(), [(CaseId(3), 1)]);
    assert_eq!(publisher.end(), [""; 0], "it is left behind");
}
