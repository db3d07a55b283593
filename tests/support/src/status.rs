//! What a device says to a screen, in each of its states.

use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::{Decision, Reason, State};
use status::{Case, Figure, Heat, Model, Picture, Progress, Status, Versioned, WorklistStatus};

/// What the lights show, with a reason that such a state may have.
pub fn indication(state: State) -> Indication {
    let reason = match state {
        State::Positive => Reason::AboveThreshold,
        State::Negative => Reason::BelowThreshold,
        State::Refer => Reason::BetweenThresholds,
        State::Invalid => Reason::Blurred(12, 40),
        State::Fault => Reason::CameraLost,
    };
    Indication { state, reason }
}

/// An answer of this state.
pub fn decision(state: State) -> Decision {
    let score = match state {
        State::Positive => Some(0.93),
        State::Negative => Some(0.04),
        State::Refer => Some(0.48),
        State::Invalid | State::Fault => None,
    };
    Decision { state, reason: indication(state).reason, logit: score.map(|_| 1.0), score }
}

/// What a device with a camera says at `monotonic_ms`.
pub fn camera(state: State, monotonic_ms: u64) -> Status {
    Status {
        version: Status::VERSION,
        run: "0123456789abcdef".into(),
        device: "pneumoscope".into(),
        software: "0.1.0".into(),
        monotonic_ms,
        unix_ms: 1_795_987_200_000,
        shown: Some(indication(state)),
        shown_since_ms: monotonic_ms.saturating_sub(5000),
        score: decision(state).score,
        thresholds: Thresholds { negative_below: 0.21, positive_above: 0.74 },
        model: Model {
            sha256: "5c".repeat(32),
            version: "2.0.0".into(),
            intended_use: "frontal chest radiographs of children aged 1 to 5".into(),
            engine: "core".into(),
        },
        worklist: None,
        picture: Some(picture(1, None, state)),
        trouble: None,
    }
}

/// A picture of this number, of a case or of none, with all figures of the gate.
pub fn picture(number: u64, case: Option<u32>, state: State) -> Picture {
    let figure = |name: &str, value, least, most| Figure { name: name.into(), value, least, most };
    Picture {
        number,
        case,
        file: format!("picture-{number}.png"),
        heat: Some(Heat { file: format!("heat-{number}.png") }),
        decision: decision(state),
        frame_sha256: Some("ab".repeat(32)),
        figures: vec![
            figure("elongation", 1200.0, None, Some(1800.0)),
            figure("brightness", 30_000.0, Some(8_000.0), Some(58_000.0)),
            figure("contrast", 6_000.0, Some(7_200.0), None),
            figure("black", 30.0, None, Some(400.0)),
            figure("white", 12.0, None, Some(300.0)),
            figure("sharpness", 61.0, Some(40.0), None),
            figure("layout", 210.0, Some(0.0), None),
            figure("features", 1_870.0, Some(-400.0), None),
            figure("familiarity", 930.0, Some(120.0), None),
        ],
    }
}

/// The same of one with a watched folder: five cases, of which the fourth has its turn.
pub fn folder(state: State, monotonic_ms: u64) -> Status {
    let case = |number, name: &str, state, progress| Case {
        number,
        name: name.into(),
        pictures: 1,
        answer: decision(state),
        unix_ms: 1_795_987_200_000 - u64::from(100 - number) * 60_000,
        progress,
    };
    let cases = vec![
        case(1, "A-1001", State::Negative, Progress::Done),
        case(2, "A-1002", State::Refer, Progress::Acknowledged),
        case(3, "A-1003 <b>&\"bold\"", State::Positive, Progress::NeedsPerson),
        case(4, "A-1004", state, Progress::Shown),
        case(5, "A-1005", State::Invalid, Progress::Waiting),
    ];
    Status {
        worklist: Some(WorklistStatus {
            turn: Some(4),
            worst: Some(3),
            need_person: 1,
            waiting: 1,
            acknowledges: true,
            cases,
        }),
        picture: Some(picture(1, Some(4), state)),
        ..camera(state, monotonic_ms)
    }
}
