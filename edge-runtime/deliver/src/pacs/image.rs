//! The picture with the heat map and the state burnt in: a Secondary Capture (PS3.3 A.8.1) of the
//! picture's study. Its pixels go from the file to the network row by row.

use super::dataset::{self, number, reference, sequence, text, uid};
use super::source::Source;
use anyhow::{Context, Result, ensure};
use base::log::Entry;
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

pub const CLASS: &str = uids::SECONDARY_CAPTURE_IMAGE_STORAGE;

/// The drawn picture's rows, RGB, 8 bits.
pub struct Pixels {
    reader: png::Reader<BufReader<File>>,
    width: u16,
    height: u16,
}

impl Pixels {
    pub fn open(drawn: &Path) -> Result<Self> {
        let reader = png::Decoder::new(BufReader::new(File::open(drawn)?)).read_info()?;
        let info = reader.info();
        let form = (info.color_type, info.bit_depth);
        ensure!(
            form == (png::ColorType::Rgb, png::BitDepth::Eight) && !info.interlaced,
            "the drawn picture: expected RGB of 8 bits, got {form:?}"
        );
        let side = |side: u32| u16::try_from(side).context("the drawn picture is larger than 65,535 pixels");
        let (width, height) = (side(info.width)?, side(info.height)?);
        Ok(Self { reader, width, height })
    }

    /// Writes the element Pixel Data.
    pub fn write(mut self, to: &mut impl Write, explicit: bool) -> Result<()> {
        let length = 3 * u32::from(self.width) * u32::from(self.height);
        let odd = length % 2;
        to.write_all(&[0xE0, 0x7F, 0x10, 0x00])?;
        if explicit {
            to.write_all(b"OB\0\0")?;
        }
        to.write_all(&(length + odd).to_le_bytes())?;
        let mut written = 0;
        while let Some(row) = self.reader.next_row()? {
            to.write_all(row.data())?;
            written += row.data().len() as u64;
        }
        ensure!(written == u64::from(length), "the drawn picture ended too soon");
        to.write_all(&[0][..odd as usize])?;
        Ok(())
    }
}

/// The data set up to its pixels.
pub fn image(source: &Source, entry: &Entry, pixels: &Pixels) -> (String, InMemDicomObject) {
    let (date, time) = dataset::date_and_time(&entry.time);
    let name = uid(entry.hash, "image");
    let (class, picture) = (source.uid(tags::SOP_CLASS_UID), source.uid(tags::SOP_INSTANCE_UID));
    let state = entry.decision.as_ref().map_or("", |decision| &decision.state);
    let mut elements = source.patient_and_study();
    elements.extend([
        text(tags::SOP_CLASS_UID, VR::UI, CLASS),
        text(tags::SOP_INSTANCE_UID, VR::UI, &name),
        text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY"),
        text(tags::MODALITY, VR::CS, "OT"),
        text(tags::CONVERSION_TYPE, VR::CS, "WSD"),
        text(tags::MANUFACTURER, VR::LO, "Pneumoscope"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, &uid(entry.hash, "series of the image")),
        text(tags::SERIES_NUMBER, VR::IS, "9002"),
        text(tags::SERIES_DESCRIPTION, VR::LO, "Pneumoscope triage, no diagnosis"),
        text(tags::INSTANCE_NUMBER, VR::IS, "1"),
        dataset::empty(tags::LATERALITY, VR::CS),
        dataset::empty(tags::PATIENT_ORIENTATION, VR::CS),
        text(tags::CONTENT_DATE, VR::DA, &date),
        text(tags::CONTENT_TIME, VR::TM, &time),
        text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES"),
        text(
            tags::DERIVATION_DESCRIPTION,
            VR::ST,
            &format!("{state}. What the network looked at is drawn over the picture. It is not a diagnosis."),
        ),
        sequence(tags::SOURCE_IMAGE_SEQUENCE, vec![reference(&class, &picture)]),
        number(tags::SAMPLES_PER_PIXEL, 3),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB"),
        number(tags::PLANAR_CONFIGURATION, 0),
        number(tags::ROWS, pixels.height),
        number(tags::COLUMNS, pixels.width),
        number(tags::BITS_ALLOCATED, 8),
        number(tags::BITS_STORED, 8),
        number(tags::HIGH_BIT, 7),
        number(tags::PIXEL_REPRESENTATION, 0),
    ]);
    (name, InMemDicomObject::from_element_iter(elements))
}
