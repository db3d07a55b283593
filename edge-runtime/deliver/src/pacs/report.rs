//! The report: a Basic Text SR (PS3.3 A.35.1) of the picture's study.

use super::dataset::{self, Element, code, empty, reference, sequence, text, uid};
use super::source::Source;
use base::log::Entry;
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

/// What no report may leave out.
pub const NOTICE: &str = "It supports a decision; it is not a diagnosis. NEGATIVE does not rule illness out; REFER and \
                          INVALID mean that a person must look.";

/// Names of this product's own codes.
const OWN: &str = "99PNEUMOSCOPE";

pub const CLASS: &str = uids::BASIC_TEXT_SR_STORAGE;

/// The report on a decision; none where the line is none.
pub fn report(source: &Source, entry: &Entry) -> Option<(String, InMemDicomObject)> {
    let d = entry.decision.as_ref()?;
    let (date, time) = dataset::date_and_time(&entry.time);
    let name = uid(entry.hash, "report");
    let number = |value: Option<f32>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
    let (picture, series) = (source.uid(tags::SOP_INSTANCE_UID), source.uid(tags::SERIES_INSTANCE_UID));
    let class = source.uid(tags::SOP_CLASS_UID);
    let shown = if d.prior.is_some() { "Score, moved by the site's prevalence" } else { "Score" };
    let mut content = vec![
        told("NOTICE", "Notice", NOTICE),
        told("STATE", "State", &d.state),
        told("REASON", "Reason", &format!("{} (reason {})", d.reason.text, d.reason.code)),
        told("SCORE", shown, &number(d.score)),
        told(
            "THRESHOLDS",
            "Thresholds",
            &format!("NEGATIVE below {:.4}, POSITIVE above {:.4}", d.negative_below, d.positive_above),
        ),
        item("111001", "DCM", "Algorithm Name", "Pneumoscope"),
        item("111003", "DCM", "Algorithm Version", &d.model_version),
        told("MODEL", "SHA-256 of the model", &d.model_sha256),
        told("LINE", "Line of the device's log", &format!("{} {}", entry.seq, entry.hash)),
    ];
    content.push(vec![
        text(tags::RELATIONSHIP_TYPE, VR::CS, "CONTAINS"),
        text(tags::VALUE_TYPE, VR::CS, "IMAGE"),
        code(tags::CONCEPT_NAME_CODE_SEQUENCE, "121080", "DCM", "Best illustration of finding"),
        sequence(tags::REFERENCED_SOP_SEQUENCE, vec![reference(&class, &picture)]),
    ]);
    let mut elements = source.patient_and_study();
    elements.extend([
        text(tags::SOP_CLASS_UID, VR::UI, CLASS),
        text(tags::SOP_INSTANCE_UID, VR::UI, &name),
        text(tags::MODALITY, VR::CS, "SR"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, &uid(entry.hash, "series of the report")),
        text(tags::SERIES_NUMBER, VR::IS, "9001"),
        text(tags::SERIES_DESCRIPTION, VR::LO, "Pneumoscope triage, no diagnosis"),
        empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, VR::SQ),
        text(tags::MANUFACTURER, VR::LO, "Pneumoscope"),
        text(tags::INSTANCE_NUMBER, VR::IS, "1"),
        text(tags::COMPLETION_FLAG, VR::CS, "COMPLETE"),
        text(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED"),
        text(tags::CONTENT_DATE, VR::DA, &date),
        text(tags::CONTENT_TIME, VR::TM, &time),
        empty(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, VR::SQ),
        sequence(
            tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
            vec![vec![
                text(tags::STUDY_INSTANCE_UID, VR::UI, &source.uid(tags::STUDY_INSTANCE_UID)),
                sequence(
                    tags::REFERENCED_SERIES_SEQUENCE,
                    vec![vec![
                        text(tags::SERIES_INSTANCE_UID, VR::UI, &series),
                        sequence(tags::REFERENCED_SOP_SEQUENCE, vec![reference(&class, &picture)]),
                    ]],
                ),
            ]],
        ),
        text(tags::VALUE_TYPE, VR::CS, "CONTAINER"),
        text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE"),
        code(tags::CONCEPT_NAME_CODE_SEQUENCE, "TRIAGE", OWN, "Chest radiograph triage, no diagnosis"),
        sequence(tags::CONTENT_SEQUENCE, content),
    ]);
    Some((name, InMemDicomObject::from_element_iter(elements)))
}

fn told(value: &str, meaning: &str, what: &str) -> Vec<Element> {
    item(value, OWN, meaning, what)
}

fn item(value: &str, scheme: &str, meaning: &str, what: &str) -> Vec<Element> {
    vec![
        text(tags::RELATIONSHIP_TYPE, VR::CS, "CONTAINS"),
        text(tags::VALUE_TYPE, VR::CS, "TEXT"),
        code(tags::CONCEPT_NAME_CODE_SEQUENCE, value, scheme, meaning),
        text(tags::TEXT_VALUE, VR::UT, what),
    ]
}
