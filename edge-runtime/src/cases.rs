//! Whose answers a device shows: edge-core's worklist with names, for pictures that come as files.
//!
//! Pictures are of one case where they have one study's unique identifier; where they have none, by
//! their names ([`StudyName`]) while they come within [`NAMES_JOIN_MS`]. A name that comes again is
//! another picture of nobody knows whom, and a case of its own.

use crate::capture::{Origin, StudyName};
use edge_core::worklist::{CaseId, Progress, Rules, View, Worklist};
use edge_core::{Decision, State};
use std::sync::Arc;

/// Most cases that are told apart at a time; as long as that many wait, no further file is read.
pub const MOST: usize = 256;

/// For so long after its last picture another one is of the same case by its name.
const NAMES_JOIN_MS: u64 = 3_600_000;

/// Most pictures of one case that are told apart by their names.
const MOST_NAMES: usize = 64;

/// A picture's case, for the log: what would be its answer with this picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    pub id: CaseId,
    /// What its pictures' names have in common, or the first one's: never the study's identifier.
    pub study: Arc<str>,
    /// How many pictures of it there are, this one counted.
    pub pictures: u16,
    pub answer: Decision,
}

/// A case as it is told to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Accession number, or the file's name, or what several have in common.
    pub name: Arc<str>,
    /// The first file's name: what stands for the case where identifiers are not to be kept.
    pub file: Arc<str>,
    /// What stands for it in log and JSON lines, see [`Joined::study`].
    pub study: Arc<str>,
    pub pictures: u16,
    pub answer: Decision,
}

/// A case in the list of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub id: CaseId,
    pub case: Named,
    pub progress: Progress,
    /// When its last picture was judged, in milliseconds of the device's clock.
    pub last_ms: u64,
}

/// What is shown of all cases, with their names.
#[derive(Clone, Debug, PartialEq)]
pub struct CasesView {
    pub view: View,
    /// The case that has its turn.
    pub turn: Option<Named>,
    /// The worst of the others that need a person.
    pub worst: Option<Named>,
    /// Whether answers are acknowledged, and whether there is a button for that.
    pub acknowledges: bool,
    pub button: bool,
    /// Cases since the start whose answer needs a person.
    pub needed_person: u32,
}

impl CasesView {
    /// The case whose turn it is, where `shown` is its answer, or stands for it because others need a
    /// person. A fault of the device hides every answer, so it is nobody's.
    pub fn whose(&self, shown: State) -> Option<&Named> {
        let is = |case: &&Named| {
            let own = case.answer.state;
            shown == own || (shown == State::Refer && own == State::Negative)
        };
        self.turn.as_ref().filter(is)
    }
}

#[derive(Debug)]
struct Case {
    id: CaseId,
    study: Arc<str>,
    /// [`StudyName::key`]; none where the study has an identifier.
    key: Option<String>,
    accession: Option<Arc<str>>,
    names: Vec<Arc<str>>,
    last_ms: u64,
    /// Whether it was counted as one that needs a person.
    counted: bool,
}

impl Case {
    /// What stands for the case in log and JSON lines: made of names alone. `first` is the name of the
    /// first picture where none is kept yet.
    fn label(&self, first: &str) -> Arc<str> {
        match self.key {
            Some(_) => self.study.clone(),
            None => self.names.first().cloned().unwrap_or_else(|| first.into()),
        }
    }

    fn name(&self) -> &Arc<str> {
        match (&self.accession, &self.names[..]) {
            (Some(accession), _) => accession,
            (None, [one]) => one,
            (None, [first, ..]) if self.key.is_none() => first,
            (None, _) => &self.study,
        }
    }
}

/// A picture that was judged and whose answer is not in the log yet.
#[derive(Debug)]
struct Pending {
    case: Case,
    frontal: bool,
    decision: Decision,
}

/// The cases of a device, and which of them is shown.
#[derive(Debug)]
pub struct Cases {
    list: Worklist<MOST>,
    cases: Vec<Case>,
    next: u32,
    pending: Option<Pending>,
    needed_person: u32,
    button: bool,
}

impl Cases {
    /// `button`: there is one that answers are acknowledged with, and not a screen alone.
    pub fn new(rules: Rules, button: bool) -> Self {
        let list = Worklist::new(rules);
        Self { list, cases: Vec::new(), next: 0, pending: None, needed_person: 0, button }
    }

    /// Whether another picture may come.
    pub fn has_room(&self) -> bool {
        self.list.has_room()
    }

    /// A picture was judged at `now_ms`; nothing of it is shown before [`Cases::settle`].
    pub fn judged(&mut self, origin: &Origin<'_>, decision: Decision, now_ms: u64) -> Joined {
        let by_name = StudyName::of(origin.name);
        let frontal = origin.frontal.or(by_name.frontal).unwrap_or(true);
        let key = by_name.key();
        self.cases.retain(|case| self.list.knows(case.id));
        let is_same = |case: &Case| match (origin.study, &case.key) {
            (Some(study), None) => *case.study == *study,
            (None, Some(its)) => {
                let again = case.names.iter().any(|name| **name == *origin.name);
                let recent = now_ms.saturating_sub(case.last_ms) < NAMES_JOIN_MS;
                *its == key && !again && recent && case.names.len() < MOST_NAMES
            }
            _ => false,
        };
        let mut case = match self.cases.iter().rposition(is_same) {
            Some(place) => self.cases.remove(place),
            None => {
                let id = CaseId(self.next);
                self.next = self.next.wrapping_add(1);
                let study = origin.study.unwrap_or(&by_name.base).into();
                let key = origin.study.is_none().then_some(key);
                Case { id, study, key, accession: None, names: Vec::new(), last_ms: now_ms, counted: false }
            }
        };
        let (answer, pictures) = self.list.answer_with(case.id, frontal, decision);
        let study = case.label(origin.name);
        let joined = Joined { id: case.id, study, pictures, answer };
        case.last_ms = now_ms;
        self.pending = Some(Pending { case, frontal, decision });
        joined
    }

    /// The answer on the picture that was judged last is in the log, or could not be written: then
    /// it is as if the picture had not come.
    pub fn settle(&mut self, origin: &Origin<'_>, logged: bool) {
        let Some(Pending { mut case, frontal, decision }) = self.pending.take() else { return };
        // There is room, or no picture would have come.
        if logged && self.list.add(case.id, frontal, decision).is_ok() {
            if case.names.len() < MOST_NAMES {
                case.names.push(origin.name.into());
            }
            case.accession = case.accession.or(origin.accession.map(Arc::from));
            let needs = self.list.answer(case.id).is_some_and(|(answer, _)| needs_person(&answer));
            self.needed_person += u32::from(needs && !case.counted);
            case.counted |= needs;
        }
        if self.list.knows(case.id) {
            self.cases.push(case);
        }
    }

    /// See [`Worklist::advance`].
    pub fn advance(&mut self, now_ms: u64, hidden: bool) {
        self.list.advance(now_ms, hidden);
    }

    /// The button was pressed: which case was acknowledged, if any.
    pub fn press(&mut self) -> Option<(Named, Arc<str>)> {
        let id = self.list.press()?;
        self.with_label(id)
    }

    /// A person acknowledged this case on a screen, when it had so many pictures: which it was, where
    /// that is taken. An answer that has changed since was not seen.
    pub fn acknowledge(&mut self, id: CaseId, pictures: u16) -> Option<(Named, Arc<str>)> {
        self.list.answer(id).filter(|(_, now)| *now == pictures)?;
        if self.list.acknowledge(id) { self.with_label(id) } else { None }
    }

    fn with_label(&self, id: CaseId) -> Option<(Named, Arc<str>)> {
        let case = self.cases.iter().find(|case| case.id == id)?;
        Some((self.named(id)?, case.label("")))
    }

    /// All cases that are known, in no order.
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.cases.iter().filter_map(|case| {
            let (id, last_ms) = (case.id, case.last_ms);
            Some(Listed { id, case: self.named(id)?, progress: self.list.progress(id)?, last_ms })
        })
    }

    /// What is shown at the time that was last given.
    pub fn view(&self) -> View {
        self.list.view()
    }

    /// The same with names.
    pub fn named_view(&self) -> CasesView {
        let view = self.list.view();
        CasesView {
            view,
            turn: view.turn.and_then(|id| self.named(id)),
            worst: view.worst.and_then(|id| self.named(id)),
            acknowledges: self.list.rules().button,
            button: self.button,
            needed_person: self.needed_person,
        }
    }

    fn named(&self, id: CaseId) -> Option<Named> {
        let (answer, pictures) = self.list.answer(id)?;
        let case = self.cases.iter().find(|case| case.id == id)?;
        let file = case.names.first().unwrap_or(case.name()).clone();
        let study = case.label("");
        Some(Named { name: case.name().clone(), file, study, pictures, answer })
    }
}

fn needs_person(answer: &Decision) -> bool {
    edge_core::worklist::severity(answer.state) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::Reason;

    const NEGATIVE: Decision =
        Decision { state: State::Negative, reason: Reason::BelowThreshold, logit: None, score: None };
    const POSITIVE: Decision =
        Decision { state: State::Positive, reason: Reason::AboveThreshold, logit: None, score: None };

    fn cases() -> Cases {
        Cases::new(Rules { hold_ms: 1000, study_ms: 0, button: true }, true)
    }

    fn file(name: &str) -> Origin<'_> {
        Origin { name, ..Origin::default() }
    }

    /// A picture comes and is logged: how many its case has then, and what that is called.
    fn comes(cases: &mut Cases, origin: Origin<'_>, decision: Decision, now_ms: u64) -> (u16, String) {
        let joined = cases.judged(&origin, decision, now_ms);
        cases.settle(&origin, true);
        (joined.pictures, cases.cases.last().unwrap().name().to_string())
    }

    #[test]
    fn views_of_one_name_are_one_case_and_a_name_that_comes_again_is_another() {
        let mut cases = cases();
        let mut comes = |name: &str, now_ms| comes(&mut cases, file(name), NEGATIVE, now_ms);
        assert_eq!(comes("A1_pa.png", 0), (1, "A1_pa.png".into()));
        assert_eq!(comes("B2.png", 1), (1, "B2.png".into()));
        assert_eq!(comes("a1_LAT.png", 2), (2, "A1".into()));
        assert_eq!(comes("A1_pa.png", 3), (1, "A1_pa.png".into()), "written anew: nobody knows whose");
        assert_eq!(comes("A1-2.png", 4), (2, "A1".into()), "to the newest of that name");
        assert_eq!(comes("A1-3.png", 4 + NAMES_JOIN_MS), (1, "A1-3.png".into()), "too late");
        for number in 1..=MOST_NAMES {
            assert_eq!(comes(&format!("C3 ({number}).png"), 5).0, number as u16);
        }
        assert_eq!(comes("C3_pa.png", 5).0, 1, "so many names are not told apart");
    }

    #[test]
    fn an_identifier_goes_before_names() {
        let mut cases = cases();
        let of = |name, study| Origin { study: Some(study), accession: Some("R17"), ..file(name) };
        let mut comes = |origin, now_ms| comes(&mut cases, origin, NEGATIVE, now_ms).0;
        assert_eq!(comes(of("1.dcm", "1.2.3"), 0), 1);
        assert_eq!(comes(of("1.dcm", "1.2.4"), 0), 1, "another study under the same name");
        assert_eq!(
            comes(of("x.dcm", "1.2.3"), 10 * NAMES_JOIN_MS),
            2,
            "the same under another, however late"
        );
        assert_eq!(comes(of("1.dcm", "1.2.3"), 10 * NAMES_JOIN_MS), 3);
        let renumbered = Origin { accession: Some("R18"), ..of("y.dcm", "1.2.3") };
        assert_eq!(comes(renumbered, 10 * NAMES_JOIN_MS), 4, "under the number that it had first");
        assert_eq!(comes(file("1-2.dcm"), 0), 1, "names and identifiers do not mix");
        assert_eq!(cases.cases.iter().filter(|case| **case.name() == *"R17").count(), 2);
        // What is kept of a case is made of its files' names: an identifier is the configuration's matter.
        for case in &cases.cases {
            let kept = cases.named(case.id).unwrap().file;
            let identifiers = ["1.2.3", "1.2.4", "R17"];
            assert!([case.label(""), kept].iter().all(|text| !identifiers.contains(&&**text)), "{case:?}");
        }
    }

    #[test]
    fn what_the_log_did_not_take_has_not_come() {
        let mut cases = cases();
        let origin = file("A1.png");
        assert_eq!(cases.judged(&origin, POSITIVE, 0).pictures, 1);
        cases.settle(&origin, false);
        cases.advance(5, false);
        assert_eq!((cases.view().shown, cases.named_view().needed_person), (None, 0));
        assert_eq!(comes(&mut cases, origin, POSITIVE, 1), (1, "A1.png".into()));
        // A second picture that was not logged leaves the case as it was.
        assert_eq!(cases.judged(&file("A1-2.png"), NEGATIVE, 2).pictures, 2);
        cases.settle(&file("A1-2.png"), false);
        cases.advance(10, false);
        let named = cases.named_view();
        assert_eq!((named.turn.unwrap().pictures, named.needed_person), (1, 1));
        let (acknowledged, study) = cases.press().unwrap();
        assert_eq!((&*acknowledged.name, &*study), ("A1.png", "A1"));
    }

    #[test]
    fn on_a_screen_an_answer_is_acknowledged_only_as_it_was_seen() {
        let mut cases = cases();
        comes(&mut cases, file("A1.png"), POSITIVE, 0);
        comes(&mut cases, file("B1.png"), POSITIVE, 1);
        cases.advance(5, false);
        let listed: Vec<_> = cases.listed().map(|listed| (listed.id.0, listed.progress)).collect();
        assert_eq!(listed, [(0, Progress::Shown), (1, Progress::Waiting)]);
        let mut taken = |id, pictures| {
            cases
                .acknowledge(CaseId(id), pictures)
                .map(|(named, study)| (named.name.to_string(), study.to_string()))
        };
        for (id, pictures, why) in [(1, 1, "not seen"), (0, 2, "of another number"), (7, 1, "there is none")]
        {
            assert_eq!(taken(id, pictures), None, "{why}");
        }
        assert_eq!(taken(0, 1), Some(("A1.png".into(), "A1".into())));
        assert_eq!(taken(0, 1), None, "once");
        assert_eq!(cases.listed().next().unwrap().progress, Progress::Acknowledged);
    }

    #[test]
    fn a_case_is_counted_once_however_many_of_its_pictures_need_a_person() {
        let mut cases = cases();
        for (name, now_ms) in [("A1-1.png", 0), ("A1-2.png", 1), ("B1.png", 2)] {
            comes(&mut cases, file(name), POSITIVE, now_ms);
        }
        assert_eq!(cases.named_view().needed_person, 2);
    }

    #[test]
    fn a_side_view_by_name_or_by_tag_decides_nothing() {
        let mut cases = cases();
        let side = Origin { frontal: Some(false), ..file("B.png") };
        assert_eq!(cases.judged(&side, POSITIVE, 0).answer.reason, Reason::NoFrontalView);
        assert_eq!(cases.judged(&file("B_lat.png"), NEGATIVE, 0).answer.reason, Reason::NoFrontalView);
        let tagged = Origin { frontal: Some(true), ..file("B_lat.png") };
        assert_eq!(cases.judged(&tagged, NEGATIVE, 0).answer, NEGATIVE);
    }
}
