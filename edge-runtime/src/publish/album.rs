//! The pictures that are, or may have to be, seen: of a camera the newest, of files one a case.

use crate::cases::Joined;
use crate::log::Hash;
use crate::reduced::Reduced;
use crate::run::JudgedFrame;
use edge_core::worklist::CaseId;
use edge_core::{Decision, Reason};
use std::sync::Arc;

/// Most cases of which a picture is kept; of the oldest there is none then. They take a quarter of a
/// megabyte each at the most.
const MOST: usize = 64;

/// A picture that was judged.
#[derive(Debug)]
pub struct Taken {
    /// Counts since the start.
    pub number: u64,
    /// None for a camera.
    pub case: Option<CaseId>,
    /// The decision on this picture alone.
    pub decision: Decision,
    /// SHA-256 of the network's input.
    pub input: Option<Hash>,
    pub reduced: Reduced,
}

/// One list for both: a camera's pictures take turns in what nobody looks at any more.
#[derive(Debug, Default)]
pub struct Album {
    taken: Vec<Arc<Taken>>,
    count: u64,
}

impl Album {
    /// Takes the picture of a frame, and leaves other memory in its place. Of several pictures of one
    /// case the one that its answer is from is kept: of side views alone the newest.
    pub fn put(&mut self, frame: &JudgedFrame, reduced: &mut Reduced) {
        let (decision, input) = (frame.decision, frame.input);
        let joined = frame.case.as_ref().map(|(_, joined)| joined);
        let case = joined.map(|joined| joined.id);
        // Of side views alone the answer is on none of them.
        let decides = |joined: &Joined, decision: &Decision| {
            *decision == joined.answer || joined.answer.reason == Reason::NoFrontalView
        };
        if reduced.figures().is_none() {
            // What was no picture may have changed the answer all the same.
            if let Some(joined) = joined {
                self.taken.retain(|taken| taken.case != case || decides(joined, &taken.decision));
            }
            return;
        }
        let place = match joined {
            None => self.taken.iter_mut().position(|taken| Arc::get_mut(taken).is_some()),
            Some(joined) => {
                // The one that decided may be gone, as nobody needed to look at it: then there is none.
                if !decides(joined, &decision) {
                    return;
                }
                self.taken.iter().position(|taken| taken.case == case)
            }
        };
        self.count += 1;
        let number = self.count;
        if let Some(taken) = place.and_then(|place| Arc::get_mut(&mut self.taken[place])) {
            std::mem::swap(&mut taken.reduced, reduced);
            (taken.number, taken.case, taken.decision, taken.input) = (number, case, decision, input);
            return;
        }
        let taken = Arc::new(Taken { number, case, decision, input, reduced: std::mem::take(reduced) });
        match place {
            Some(place) => self.taken[place] = taken,
            None => {
                if self.taken.len() >= MOST
                    && let Some(oldest) = (0..self.taken.len()).min_by_key(|at| self.taken[*at].number)
                {
                    self.taken.swap_remove(oldest);
                }
                self.taken.push(taken);
            }
        }
    }

    /// The picture that was taken last.
    pub fn newest(&self) -> Option<&Arc<Taken>> {
        self.taken.iter().max_by_key(|taken| taken.number)
    }

    /// The picture of a case.
    pub fn of(&self, case: CaseId) -> Option<&Arc<Taken>> {
        self.taken.iter().find(|taken| taken.case == Some(case))
    }

    /// Forgets the pictures of all other cases than these.
    pub fn keep(&mut self, is_kept: impl Fn(CaseId) -> bool) {
        self.taken.retain(|taken| taken.case.is_none_or(&is_kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::gate::{GateThresholds, QualityMetrics};
    use edge_core::{Frame, Geometry, PixelFormat, PixelStats, State};
    use std::time::Duration;

    const REFER: Decision =
        Decision { state: State::Refer, reason: Reason::BetweenThresholds, logit: None, score: None };
    const POSITIVE: Decision =
        Decision { state: State::Positive, reason: Reason::AboveThreshold, logit: None, score: Some(0.9) };

    /// A picture of one grey, which tells it from others.
    fn picture(grey: u8) -> Reduced {
        let stats = PixelStats { mean: 1, deviation: 1, black_permille: 0, white_permille: 0 };
        let geometry = Geometry::new(32, 32, PixelFormat::Gray8).unwrap();
        let limits = GateThresholds::<&[i8]>::open();
        let figures = QualityMetrics::of(geometry, &stats, &[0; 32 * 32], &limits);
        let mut reduced = Reduced::default();
        reduced.take(&Frame::packed(geometry, &[grey; 32 * 32]).unwrap(), &figures, None);
        reduced
    }

    fn frame(case: Option<u32>, decision: Decision, answer: Decision) -> JudgedFrame {
        let joined = |id| Joined { id: CaseId(id), study: "".into(), pictures: 1, answer };
        let case = case.map(|id| (String::new(), joined(id)));
        JudgedFrame { decision, input: None, case, logged: true, latency: Duration::ZERO }
    }

    fn grey(taken: Option<&Arc<Taken>>) -> Option<u8> {
        taken.map(|taken| taken.reduced.grey()[0])
    }

    #[test]
    fn of_a_case_the_picture_is_kept_that_its_answer_is_from() {
        let mut album = Album::default();
        for (case, decision, answer, seen) in [
            (1, REFER, REFER, 0),
            (1, POSITIVE, POSITIVE, 1), // worse
            (2, REFER, REFER, 2),
            (1, REFER, POSITIVE, 1), // another view decides nothing
        ] {
            let number = album.count as u8;
            album.put(&frame(Some(case), decision, answer), &mut picture(number));
            assert_eq!(grey(album.of(CaseId(case))), Some(seen));
        }
        assert_eq!((grey(album.of(CaseId(2))), grey(album.of(CaseId(3)))), (Some(2), None));
        // A side view alone, whose answer is another: the newest.
        let referred = REFER.referred(Reason::NoFrontalView);
        for shade in [7, 8] {
            album.put(&frame(Some(4), POSITIVE, referred), &mut picture(shade));
            assert_eq!(grey(album.of(CaseId(4))), Some(shade));
        }
        album.keep(|id| id == CaseId(2));
        assert_eq!([1, 2, 4].map(|id| album.of(CaseId(id)).is_some()), [false, true, false]);
    }

    #[test]
    fn no_picture_is_left_that_the_answer_is_not_on() {
        let mut album = Album::default();
        let refer = Decision { score: Some(0.5), ..REFER };
        album.put(&frame(Some(1), POSITIVE, POSITIVE), &mut picture(1));
        album.keep(|_| false);
        // The one that decided is forgotten, as nobody needed it: it was shown beside that one's answer.
        album.put(&frame(Some(1), refer, POSITIVE), &mut picture(2));
        assert_eq!(grey(album.of(CaseId(1))), None);
        // The second file is no picture, and the answer a FAULT: the first one was shown beside it.
        let fault = Decision { state: State::Fault, reason: Reason::CameraLost, logit: None, score: None };
        for (case, answer, left) in [(2, fault, None), (3, refer, Some(3))] {
            album.put(&frame(Some(case), refer, refer), &mut picture(case as u8));
            album.put(&frame(Some(case), fault, answer), &mut Reduced::default());
            assert_eq!(grey(album.of(CaseId(case))), left);
        }
    }

    #[test]
    fn at_most_so_many_cases_have_a_picture_and_the_oldest_loses_its_own() {
        let mut album = Album::default();
        for id in 0..MOST as u32 + 3 {
            album.put(&frame(Some(id), REFER, REFER), &mut picture(1));
        }
        assert_eq!(album.taken.len(), MOST);
        assert!((0..3).all(|id| album.of(CaseId(id)).is_none()) && album.of(CaseId(3)).is_some());
    }

    #[test]
    fn a_cameras_pictures_take_turns_in_what_nobody_looks_at() {
        let mut album = Album::default();
        let mut hands = std::collections::VecDeque::new();
        for shade in 0..50 {
            album.put(&frame(None, REFER, REFER), &mut picture(shade));
            assert_eq!(grey(album.newest()), Some(shade));
            // As slot and thread have them.
            hands.push_back(album.newest().cloned().unwrap());
            hands.drain(..hands.len().saturating_sub(2));
            assert_eq!(hands.iter().map(|taken| taken.reduced.grey()[0]).max(), Some(shade));
        }
        assert_eq!(album.taken.len(), 3);
        // What is no picture changes nothing.
        album.put(&frame(None, REFER, REFER), &mut Reduced::default());
        assert_eq!(grey(album.newest()), Some(49));
    }
}
