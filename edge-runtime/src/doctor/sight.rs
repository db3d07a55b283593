//! The camera: whether it is there and gives frames, and whether these are sharp and lit.

use super::Finding;
use crate::capture::{CaptureError, Source, now_ms};
use edge_core::agree::Indication;
use edge_core::{Decision, Frame, Reason, State};
use status::Status;
use std::path::Path;
use std::time::{Duration, Instant};
use texts::Language;

/// How long one question for a frame may take.
const STEP: Duration = Duration::from_millis(500);

/// How long a camera gets to find its exposure, once it shows frames.
const SETTLING: Duration = Duration::from_secs(1);

const CABLE: &str = "check cable and power of the camera; `edge-runtime devices` lists what is there";

/// Takes a frame within `patience`, or a second more where the first one comes late, and has it
/// judged.
pub fn camera(
    source: &mut dyn Source,
    patience: Duration,
    mut judge: impl FnMut(&Frame<'_>) -> Decision,
) -> Vec<Finding> {
    let (name, live) = (source.name().to_owned(), source.is_live());
    let (start, mut first, mut frames, mut why) = (Instant::now(), None, 0_u32, None);
    while first.is_some() || start.elapsed() < patience {
        match source.next(STEP) {
            Ok(shot) => {
                frames += 1;
                let settled = first.get_or_insert_with(Instant::now).elapsed() >= SETTLING;
                if settled || !live {
                    let geometry = shot.frame.geometry();
                    let (width, height) = (geometry.width(), geometry.height());
                    let found = format!("{name}: {width}x{height}, {frames} frames");
                    return vec![Finding::ok("camera", found), picture(&judge(&shot.frame))];
                }
            }
            Err(CaptureError::Nothing | CaptureError::End) if !live => {
                return vec![Finding::ok("camera", format!("{name}: there; no new file in it"))];
            }
            Err(error) => why = Some(error.to_string()),
        }
        // A camera that stops after its first frames is as good as none.
        if first.is_some() && start.elapsed() >= patience + 2 * SETTLING {
            break;
        }
    }
    let found = why.unwrap_or_else(|| format!("{name}: no frame came"));
    let remedy = if live { CABLE } else { "check that the folder exists, is mounted and may be read" };
    vec![Finding::failed("camera", found, remedy)]
}

/// Whether a picture is sharp and lit enough to be judged; what is on it is no fault of a device.
pub fn picture(decision: &Decision) -> Finding {
    let Decision { state, reason, .. } = decision;
    match reason {
        Reason::Elongated(..)
        | Reason::Dark(..)
        | Reason::Bright(..)
        | Reason::LowContrast(..)
        | Reason::Underexposed(..)
        | Reason::Overexposed(..)
        | Reason::Blurred(..) => Finding::warning("picture", told(reason), remedy(reason)),
        _ if *state == State::Fault => Finding::failed("picture", told(reason), remedy(reason)),
        _ if *state == State::Invalid => {
            Finding::ok("picture", "sharp and lit; no whole chest X-ray is before the camera")
        }
        _ => Finding::ok("picture", format!("sharp and lit; by itself {state}")),
    }
}

/// What the running device says that it sees: it tells a screen, in `folder`, if there is one.
pub fn seen_by_device(folder: Option<&Path>) -> Vec<Finding> {
    let Some(folder) = folder else {
        let found = "in use by the running device, which has no screen to tell what it sees";
        let remedy = "`systemctl stop pneumoscope`, and ask again; or `edge-runtime setup --screen on`";
        return vec![Finding::warning("camera", found, remedy)];
    };
    let status = status::read::<Status>(&folder.join(status::STATUS));
    let shown = match status {
        Ok(status) if status.holds(now_ms()) => status.shown,
        Ok(_) => {
            let found = "the device runs, but has not said for a while what it sees";
            return vec![Finding::failed(
                "camera",
                found,
                "`systemctl restart pneumoscope`, and report this",
            )];
        }
        Err(error) => {
            let found = format!("in use by the running device, which does not tell what it sees: {error}");
            let remedy = "`journalctl -u pneumoscope` has its troubles; or `systemctl stop pneumoscope`, and ask again";
            return vec![Finding::warning("camera", found, remedy)];
        }
    };
    match shown {
        None => vec![Finding::ok("camera", "the running device waits for a picture")],
        Some(Indication { state: State::Fault, reason }) => {
            vec![Finding::failed("camera", format!("the running device: {}", told(&reason)), remedy(&reason))]
        }
        Some(Indication { state, reason }) => {
            let decision = Decision { state, reason, logit: None, score: None };
            let found = format!("the running device judges frames and shows {state}");
            vec![Finding::ok("camera", found), picture(&decision)]
        }
    }
}

fn told(reason: &Reason) -> String {
    Language::English.reason(reason)
}

fn remedy(reason: &Reason) -> String {
    Language::English.remedy(reason).unwrap_or_else(|| CABLE.to_owned())
}
