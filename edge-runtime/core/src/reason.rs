//! Why a light shows what it shows: a fixed numeric code for logs, and the numbers behind it, for
//! every state.

use core::fmt;

/// Why a decision is what it is. The codes' tens tell the kind: 1 the network's answer, 10 the
/// gate, 20 the network itself, 30 the camera, 40 the device, 50 what a picture's file says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reason {
    /// Code 1: the score is above the upper threshold.
    AboveThreshold,
    /// Code 2: the score is below the lower threshold.
    BelowThreshold,
    /// Code 3: the score lies between the thresholds.
    BetweenThresholds,
    /// Code 4: the last frames do not agree yet; how many do, and how many must.
    Unsettled(u8, u8),
    /// Code 5: so many cases need a person who has not acknowledged them; see
    /// [`worklist`](crate::worklist).
    Unacknowledged(u16),
    /// Code 6: of a study no frontal view has come.
    NoFrontalView,
    /// Code 10: longer side / shorter side, in thousandths, and its limit.
    Elongated(u32, u32),
    /// Code 11: mean luminance and its lower limit.
    Dark(u16, u16),
    /// Code 12: mean luminance and its upper limit.
    Bright(u16, u16),
    /// Code 13: standard deviation of luminance and its lower limit.
    LowContrast(u16, u16),
    /// Code 14: black cells, in thousandths of all, and their upper limit.
    Underexposed(u16, u16),
    /// Code 15: white cells, in thousandths of all, and their upper limit.
    Overexposed(u16, u16),
    /// Code 16: sharpness, in thousandths, and its lower limit.
    Blurred(u16, u16),
    /// Code 17: likeness of light and dark to an upright chest radiograph, and its lower limit.
    UnlikeLayout(i32, i32),
    /// Code 18: likeness of the network's features to those of a chest radiograph, and its lower
    /// limit.
    UnlikeFeatures(i32, i32),
    /// Code 19: likeness of the network's features to those of chests that the model was measured on,
    /// and its lower limit.
    Unfamiliar(i32, i32),
    /// Code 20: the network's output is not a finite number.
    NotFinite,
    /// Code 21: the engine could not compute.
    EngineFailed,
    /// Code 30: no frame has come yet since the device was switched on or the camera found again.
    Starting,
    /// Code 31: there is no camera or watched folder, or it was unplugged, or it does not start.
    CameraLost,
    /// Code 32: the newest frame is older, in milliseconds, than its limit.
    Stale(u32, u32),
    /// Code 33: the camera's sequence number or timestamp does not advance.
    Stuck,
    /// Code 34: the camera has no signal on its input.
    NoSignal,
    /// Code 35: the camera marks its frames as damaged, or they, or a file, are no picture of the
    /// agreed form.
    DamagedFrame,
    /// Code 36: the camera's rows came faster than they were taken, so some are lost.
    Overrun,
    /// Code 37: a file is of a kind that is not read, whole as it may be.
    UnreadKind,
    /// Code 38: a side of a file's picture, in pixels, and the limit that it is beyond.
    WrongSize(u32, u32),
    /// Code 40: the log cannot be written, so what is shown would leave no trace.
    LogFailed,
    /// Code 41: the device cannot begin: the self-test failed, the model was refused, or a file
    /// that it needs is not there.
    SelfTestFailed,
    /// Code 43: a line of the lights cannot be set, so what is lit may be wrong.
    LightsFailed,
    /// Code 44: the stack came too near its end; bytes that were left at the worst time, and how
    /// many must be.
    StackLow(u32, u32),
    /// Code 45: the device has started again by itself; how often in a row, and the most after
    /// which it still works. The log says what ended it each time.
    Restarted(u8, u8),
    /// Code 50: the file says that the picture is no radiograph but of another modality.
    OtherModality,
    /// Code 51: the file says that the picture is of another part of the body.
    OtherBodyPart,
    /// Code 52: the file says that the view is lateral, oblique or another that is not frontal.
    NotFrontal,
    /// Code 53: the file says that the patient is younger or older than the intended use; the age in
    /// months, and the limit that it is beyond.
    OtherAge(u16, u16),
    /// Code 54: bits that a file's values use, and those that they have, where it does not say which
    /// values are black and white.
    UnusedBits(u8, u8),
    /// Code 55: every pixel of a file is transparent.
    Transparent,
}

impl Reason {
    /// The number of this reason; numbers are never reused, as those of reasons that are gone: 39 and 42.
    pub const fn code(&self) -> u8 {
        match self {
            Reason::AboveThreshold => 1,
            Reason::BelowThreshold => 2,
            Reason::BetweenThresholds => 3,
            Reason::Unsettled(..) => 4,
            Reason::Unacknowledged(..) => 5,
            Reason::NoFrontalView => 6,
            Reason::Elongated(..) => 10,
            Reason::Dark(..) => 11,
            Reason::Bright(..) => 12,
            Reason::LowContrast(..) => 13,
            Reason::Underexposed(..) => 14,
            Reason::Overexposed(..) => 15,
            Reason::Blurred(..) => 16,
            Reason::UnlikeLayout(..) => 17,
            Reason::UnlikeFeatures(..) => 18,
            Reason::Unfamiliar(..) => 19,
            Reason::NotFinite => 20,
            Reason::EngineFailed => 21,
            Reason::Starting => 30,
            Reason::CameraLost => 31,
            Reason::Stale(..) => 32,
            Reason::Stuck => 33,
            Reason::NoSignal => 34,
            Reason::DamagedFrame => 35,
            Reason::Overrun => 36,
            Reason::UnreadKind => 37,
            Reason::WrongSize(..) => 38,
            Reason::LogFailed => 40,
            Reason::SelfTestFailed => 41,
            Reason::LightsFailed => 43,
            Reason::StackLow(..) => 44,
            Reason::Restarted(..) => 45,
            Reason::OtherModality => 50,
            Reason::OtherBodyPart => 51,
            Reason::NotFrontal => 52,
            Reason::OtherAge(..) => 53,
            Reason::UnusedBits(..) => 54,
            Reason::Transparent => 55,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::AboveThreshold => f.write_str("score above the upper threshold"),
            Reason::BelowThreshold => f.write_str("score below the lower threshold"),
            Reason::BetweenThresholds => f.write_str("score between the thresholds: a person must look"),
            Reason::Unsettled(got, limit) => {
                write!(f, "the last frames do not agree yet: {got} of {limit}; hold the picture still")
            }
            Reason::Unacknowledged(got) => {
                write!(f, "answers that need a person and were not acknowledged: {got}")
            }
            Reason::NoFrontalView => {
                f.write_str("no frontal view of this study has come: a person must look")
            }
            Reason::Elongated(got, limit) => {
                write!(f, "wrong shape: sides {got}:1000, at most {limit}:1000; crop to the film")
            }
            Reason::Dark(got, limit) => write!(f, "too dark: mean {got} of 65535, at least {limit}"),
            Reason::Bright(got, limit) => write!(f, "too bright: mean {got} of 65535, at most {limit}"),
            Reason::LowContrast(got, limit) => {
                write!(f, "blank or low contrast: deviation {got} of 65535, at least {limit}")
            }
            Reason::Underexposed(got, limit) => {
                write!(f, "underexposed: {got} of 1000 cells black, at most {limit}")
            }
            Reason::Overexposed(got, limit) => {
                write!(f, "overexposed: {got} of 1000 cells white, at most {limit}")
            }
            Reason::Blurred(got, limit) => {
                write!(f, "blurred: sharpness {got}, at least {limit}; focus and hold still")
            }
            Reason::UnlikeLayout(got, limit) => {
                write!(f, "no whole, upright chest radiograph by light and dark: {got}, at least {limit}")
            }
            Reason::UnlikeFeatures(got, limit) => {
                write!(
                    f,
                    "no whole, upright chest radiograph by the network's features: {got}, at least {limit}"
                )
            }
            Reason::Unfamiliar(got, limit) => {
                write!(
                    f,
                    "a chest unlike those that the model was measured on: {got}, at least {limit}: a person must look"
                )
            }
            Reason::NotFinite => {
                f.write_str("the network gave no finite number: the model or the engine is damaged")
            }
            Reason::EngineFailed => f.write_str("the network could not be computed"),
            Reason::Starting => f.write_str("waiting for the first frame"),
            Reason::CameraLost => f.write_str("no camera, or no folder: check its cable"),
            Reason::Stale(got, limit) => {
                write!(f, "no new frame for {got} ms, at most {limit}: the camera hangs")
            }
            Reason::Stuck => f.write_str("the camera repeats one frame: switch it off and on"),
            Reason::NoSignal => f.write_str("the camera has no signal: check what it is connected to"),
            Reason::DamagedFrame => {
                f.write_str("the picture is damaged: check the camera's cable, or the file")
            }
            Reason::Overrun => f.write_str("the camera sends rows faster than they are taken: slow it down"),
            Reason::UnreadKind => {
                f.write_str("this kind of file is not read: send one picture, as JPEG, PNG or plain DICOM")
            }
            Reason::WrongSize(got, limit) if got < limit => {
                write!(f, "a side of {got} pixels, at least {limit}: send the picture itself, no preview")
            }
            Reason::WrongSize(got, limit) => {
                write!(f, "a side of {got} pixels, at most {limit}: send the picture smaller")
            }
            Reason::LogFailed => f.write_str("the log cannot be written: the disk is full or read-only"),
            Reason::SelfTestFailed => f.write_str(
                "the device cannot begin: program, model or configuration is damaged; the log says why",
            ),
            Reason::LightsFailed => {
                f.write_str("a light cannot be switched: trust the screen, not the lights")
            }
            Reason::StackLow(got, limit) => {
                write!(f, "memory runs out: {got} bytes of stack left, at least {limit}; report this")
            }
            Reason::Restarted(got, limit) => {
                write!(
                    f,
                    "started again by itself, {got} in a row, at most {limit}; if it goes on, have it repaired"
                )
            }
            Reason::OtherModality => f.write_str("the file says: no radiograph, another modality"),
            Reason::OtherBodyPart => f.write_str("the file says: not of the chest"),
            Reason::NotFrontal => f.write_str("the file says: not a frontal view; send the frontal one"),
            Reason::OtherAge(got, limit) => {
                let side = if got < limit { "least" } else { "most" };
                write!(f, "the file says: a patient of {got} months, meant for at {side} {limit}")
            }
            Reason::UnusedBits(got, of) => write!(
                f,
                "{got} bits in {of}: the file does not say which values are black and white; send it with its \
                 window, with the bits that are used (sBIT, Bits Stored), or as JPEG"
            ),
            Reason::Transparent => f.write_str(
                "every pixel is transparent; send the picture without transparency (alpha channel)",
            ),
        }
    }
}

impl Reason {
    /// What was measured and its limit, where the reason has numbers.
    pub const fn numbers(&self) -> Option<[i64; 2]> {
        match *self {
            Reason::Unsettled(got, limit) | Reason::Restarted(got, limit) => Some([got as i64, limit as i64]),
            Reason::Elongated(got, limit)
            | Reason::Stale(got, limit)
            | Reason::StackLow(got, limit)
            | Reason::WrongSize(got, limit) => Some([got as i64, limit as i64]),
            Reason::Dark(got, limit)
            | Reason::Bright(got, limit)
            | Reason::LowContrast(got, limit)
            | Reason::Underexposed(got, limit)
            | Reason::Overexposed(got, limit)
            | Reason::Blurred(got, limit) => Some([got as i64, limit as i64]),
            Reason::UnlikeLayout(got, limit)
            | Reason::UnlikeFeatures(got, limit)
            | Reason::Unfamiliar(got, limit) => Some([got as i64, limit as i64]),
            Reason::OtherAge(got, limit) => Some([got as i64, limit as i64]),
            Reason::UnusedBits(got, of) => Some([got as i64, of as i64]),
            Reason::Unacknowledged(got) => Some([got as i64, 0]),
            Reason::AboveThreshold
            | Reason::BelowThreshold
            | Reason::BetweenThresholds
            | Reason::NoFrontalView
            | Reason::NotFinite
            | Reason::EngineFailed
            | Reason::Starting
            | Reason::CameraLost
            | Reason::Stuck
            | Reason::NoSignal
            | Reason::DamagedFrame
            | Reason::Overrun
            | Reason::UnreadKind
            | Reason::LogFailed
            | Reason::SelfTestFailed
            | Reason::LightsFailed
            | Reason::OtherModality
            | Reason::OtherBodyPart
            | Reason::NotFrontal
            | Reason::Transparent => None,
        }
    }
}
