//! Reasons: which text each has, and its numbers in units that people use.

use crate::Language;
use crate::number::fixed;
use edge_core::Reason;
use fluent_bundle::FluentValue as Value;

/// One table names each reason's text and an example of it; one that it lacks does not compile.
macro_rules! reasons {
    ($($id:literal: $reason:ident $(($($number:literal),+))?,)+) => {
        /// One of every reason, with an example's numbers: for whatever must show all of them.
        pub const EACH_REASON: &[Reason] = &[$(Reason::$reason $(($($number),+))?),+];

        pub(crate) const fn id(reason: &Reason) -> &'static str {
            match reason {
                $(Reason::$reason { .. } => $id,)+
            }
        }
    };
}

reasons! {
    "reason-above-threshold": AboveThreshold,
    "reason-below-threshold": BelowThreshold,
    "reason-between-thresholds": BetweenThresholds,
    "reason-unsettled": Unsettled(1, 3),
    "reason-unacknowledged": Unacknowledged(2),
    "reason-no-frontal-view": NoFrontalView,
    "reason-elongated": Elongated(2412, 1800),
    "reason-dark": Dark(1311, 5243),
    "reason-bright": Bright(63_000, 60_293),
    "reason-low-contrast": LowContrast(655, 2621),
    "reason-underexposed": Underexposed(712, 600),
    "reason-overexposed": Overexposed(712, 600),
    "reason-blurred": Blurred(120, 200),
    "reason-unlike-layout": UnlikeLayout(-12_345, 1500),
    "reason-unlike-features": UnlikeFeatures(-12_345, 1500),
    "reason-unfamiliar": Unfamiliar(-12_345, 1500),
    "reason-not-finite": NotFinite,
    "reason-engine-failed": EngineFailed,
    "reason-starting": Starting,
    "reason-camera-lost": CameraLost,
    "reason-stale": Stale(2345, 1500),
    "reason-stuck": Stuck,
    "reason-no-signal": NoSignal,
    "reason-damaged-frame": DamagedFrame,
    "reason-overrun": Overrun,
    "reason-unread-kind": UnreadKind,
    "reason-wrong-size": WrongSize(20, 32),
    "reason-log-failed": LogFailed,
    "reason-self-test-failed": SelfTestFailed,
    "reason-lights-failed": LightsFailed,
    "reason-stack-low": StackLow(512, 1024),
    "reason-restarted": Restarted(2, 5),
    "reason-other-modality": OtherModality,
    "reason-other-body-part": OtherBodyPart,
    "reason-not-frontal": NotFrontal,
    "reason-other-age": OtherAge(120, 71),
    "reason-unused-bits": UnusedBits(12, 16),
    "reason-transparent": Transparent,
}

/// The variables of a reason's text: what was measured, and its limit.
pub(crate) fn arguments(language: Language, reason: &Reason) -> Vec<(&'static str, Value<'static>)> {
    let Some([got, limit]) = reason.numbers() else { return Vec::new() };
    let [got_told, limit_told] = match reason {
        // Of 65535, which is white.
        Reason::Dark(..) | Reason::Bright(..) | Reason::LowContrast(..) => {
            decimals(got, limit, 100.0 / 65535.0, 0)
        }
        Reason::Underexposed(..) | Reason::Overexposed(..) => decimals(got, limit, 0.1, 0),
        Reason::Elongated(..) | Reason::Stale(..) => decimals(got, limit, 0.001, 1),
        Reason::Blurred(..) => decimals(got, limit, 0.001, 2),
        Reason::OtherAge(..) => [age(language, got).into(), age(language, limit).into()],
        _ => [got.into(), limit.into()],
    };
    let side = if got < limit { "least" } else { "most" };
    vec![("got", got_told), ("limit", limit_told), ("side", side.into())]
}

/// Two numbers in another unit, with as many digits as tell one from the other, up to three.
fn decimals(got: i64, limit: i64, unit: f64, digits: usize) -> [Value<'static>; 2] {
    let [a, b] = [got as f64 * unit, limit as f64 * unit];
    let tells = |digits: &usize| got == limit || format!("{a:.digits$}") != format!("{b:.digits$}");
    let digits = (digits..=3).find(tells).unwrap_or(3);
    [fixed(a, digits), fixed(b, digits)]
}

/// Months as a person says them: of a baby in months, of a child in years and what is over.
fn age(language: Language, months: i64) -> String {
    let (years, over) = (months / 12, months % 12);
    let told = |id, name, number: i64| language.text_with(id, &[(name, number.into())]);
    match (years, over) {
        (..=1, _) => told("age-months", "months", months),
        (_, 0) => told("age-years", "years", years),
        _ => {
            let (years, months) = (told("age-years", "years", years), told("age-months", "months", over));
            language.text_with("age-both", &[("years", years.into()), ("months", months.into())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_code_and_a_text_of_its_own() {
        let mut codes: Vec<_> = EACH_REASON.iter().map(Reason::code).collect();
        let mut ids: Vec<_> = EACH_REASON.iter().map(id).collect();
        codes.sort_unstable();
        codes.dedup();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((codes.len(), ids.len()), (EACH_REASON.len(), EACH_REASON.len()));
    }

    #[test]
    fn numbers_come_in_units_of_people() {
        let told = |reason| Language::English.reason(&reason);
        for (reason, part) in [
            (Reason::Elongated(2412, 1800), "2.4 times the shorter one (at most 1.8)"),
            (Reason::Dark(1311, 5243), "brightness 2 % (at least 8 %)"),
            (Reason::Dark(5200, 5243), "brightness 7.9 % (at least 8.0 %)"),
            (Reason::Overexposed(712, 600), "71 % (at most 60 %)"),
            (Reason::Blurred(198, 200), "sharpness 0.198 (at least 0.200)"),
            (Reason::Stale(2345, 1500), "2.3 s (at most 1.5 s)"),
            (Reason::UnlikeLayout(-12_345, 1500), "(-12,345, at least 1500)"),
            (Reason::WrongSize(20, 32), "measures 20 px (at least 32 px)"),
            (Reason::WrongSize(9001, 8000), "measures 9001 px (at most 8000 px)"),
            (Reason::UnusedBits(12, 16), "12 bits in 16: the file does not say"),
            (Reason::Unacknowledged(1), "One answer needs"),
            (Reason::Unacknowledged(12), "12 answers need"),
            (
                Reason::OtherAge(120, 71),
                "10 years old; the device is meant for at most 5 years and 11 months.",
            ),
            (Reason::OtherAge(1, 12), "1 month old; the device is meant for at least 12 months."),
            (Reason::OtherAge(73, 24), "6 years and 1 month old; the device is meant for at most 2 years."),
        ] {
            assert!(told(reason).contains(part), "{reason:?}: {}", told(reason));
        }
        let [small, large] = [(20, 32), (9000, 8000)]
            .map(|(got, limit)| Language::English.remedy(&Reason::WrongSize(got, limit)).unwrap());
        assert_eq!(small, "Send the picture itself, not its small preview.");
        assert_eq!(large, "Send the picture smaller.");
    }
}
