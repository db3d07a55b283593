//! One association with an archive: C-STORE and C-ECHO (PS3.7 9.1.1 and 9.1.5).

use super::dataset::{encode, number, text};
use super::fragments::Fragments;
use super::image::Pixels;
use super::{image, report};
use crate::config::Pacs;
use anyhow::{Context, Result, bail};
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use dicom_ul::association::client::{ClientAssociation, ClientAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu, PresentationContextResultReason};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

/// How long an archive may be silent.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// Longest response that is read: a command of a few elements.
const MAX_RESPONSE: usize = 16 * 1024;

pub struct Archive {
    association: ClientAssociation<TcpStream>,
    message: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Yes,
    /// It will never take it: what it answered, or none where it does not know the kind.
    Refused(Option<u16>),
}

impl Archive {
    pub fn connect(pacs: &Pacs) -> Result<Self> {
        let forms = || vec![uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN];
        let mut options = ClientAssociationOptions::new()
            .calling_ae_title(pacs.calling.clone())
            .called_ae_title(pacs.called.clone())
            .connection_timeout(CONNECTS_WITHIN)
            .read_timeout(ANSWERS_WITHIN)
            .write_timeout(ANSWERS_WITHIN);
        for class in [uids::VERIFICATION, report::CLASS, image::CLASS] {
            options = options.with_presentation_context(class, forms());
        }
        let association = options.establish((pacs.host.as_str(), pacs.port))?;
        Ok(Self { association, message: 0 })
    }

    /// Identifier and form of what was agreed on for a kind of instance; none where nothing was.
    fn context(&self, class: &str) -> Option<(u8, bool)> {
        let accepted = PresentationContextResultReason::Acceptance;
        let all = self.association.presentation_contexts().iter();
        let one = all.filter(|one| one.reason == accepted).find(|one| one.abstract_syntax == class)?;
        Some((one.id, one.transfer_syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN))
    }

    pub fn echo(&mut self) -> Result<()> {
        let (id, _) = self.context(uids::VERIFICATION).context("the archive knows no C-ECHO")?;
        let request = [
            text(tags::AFFECTED_SOP_CLASS_UID, VR::UI, uids::VERIFICATION),
            number(tags::COMMAND_FIELD, 0x0030),
            number(tags::COMMAND_DATA_SET_TYPE, 0x0101),
        ];
        match self.ask(id, request)? {
            0 => Ok(()),
            status => bail!("the archive answered C-ECHO with status {status:04X}"),
        }
    }

    /// Sends an instance. An error: it may be taken later.
    pub fn store(
        &mut self,
        class: &str,
        (name, object): (&str, &InMemDicomObject),
        pixels: Option<Pixels>,
    ) -> Result<Stored> {
        let Some((id, explicit)) = self.context(class) else { return Ok(Stored::Refused(None)) };
        let request = [
            text(tags::AFFECTED_SOP_CLASS_UID, VR::UI, class),
            number(tags::COMMAND_FIELD, 0x0001),
            number(tags::PRIORITY, 0),
            number(tags::COMMAND_DATA_SET_TYPE, 0),
            text(tags::AFFECTED_SOP_INSTANCE_UID, VR::UI, name),
        ];
        self.command(id, request)?;
        let data = encode(object, explicit)?;
        let mut writer = self.association.send_pdata(id);
        let mut fragments = Fragments(&mut writer);
        let mut sent = fragments.write_all(&data).map_err(anyhow::Error::from);
        if let Some(pixels) = pixels.filter(|_| sent.is_ok()) {
            sent = pixels.write(&mut fragments, explicit);
        }
        if let Err(error) = sent {
            // Half an instance must not look like a whole one.
            writer.abandon();
            return Err(error);
        }
        writer.finish()?;
        match self.status()? {
            // 0111: it has this very instance from an attempt whose answer did not arrive.
            0 | 0x0111 | 0xB000..=0xBFFF => Ok(Stored::Yes),
            status @ (0xA900..=0xA9FF | 0xC000..=0xCFFF | 0x0117 | 0x0122 | 0x0212) => {
                Ok(Stored::Refused(Some(status)))
            }
            status => bail!("the archive answered with status {status:04X}"),
        }
    }

    pub fn release(self) -> Result<()> {
        Ok(self.association.release()?)
    }

    fn ask<const N: usize>(&mut self, id: u8, request: [super::dataset::Element; N]) -> Result<u16> {
        self.command(id, request)?;
        self.status()
    }

    fn command<const N: usize>(&mut self, id: u8, request: [super::dataset::Element; N]) -> Result<()> {
        self.message = self.message.wrapping_add(1);
        let elements = request.into_iter().chain([number(tags::MESSAGE_ID, self.message)]);
        let data = encode(&InMemDicomObject::command_from_element_iter(elements), false)?;
        let value_type = PDataValueType::Command;
        let value = PDataValue { presentation_context_id: id, value_type, is_last: true, data };
        Ok(self.association.send(&Pdu::PData { data: vec![value] })?)
    }

    /// The status of the next response.
    fn status(&mut self) -> Result<u16> {
        let mut response = Vec::new();
        loop {
            let data = match self.association.receive()? {
                Pdu::PData { data } => data,
                other => bail!("the archive ended the association: {}", other.short_description()),
            };
            let mut whole = false;
            for value in data {
                response.extend_from_slice(&value.data);
                whole |= value.is_last;
            }
            if response.len() > MAX_RESPONSE {
                bail!("the archive's response is longer than {MAX_RESPONSE} bytes");
            }
            if whole {
                break;
            }
        }
        let object =
            InMemDicomObject::read_dataset_with_ts(&response[..], &IMPLICIT_VR_LITTLE_ENDIAN.erased())
                .context("the archive's response cannot be read")?;
        let status = object.element(tags::STATUS).ok().and_then(|element| element.uint16().ok());
        status.context("the archive's response has no status")
    }
}
