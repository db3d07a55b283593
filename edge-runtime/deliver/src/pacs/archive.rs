//! One association with an archive: C-STORE and C-ECHO (PS3.7 9.1.1 and 9.1.5).

use super::dataset::{encode, number, text};
use super::fragments::Fragments;
use super::image::Pixels;
use super::{image, report, response};
use crate::config::Pacs;
use anyhow::{Context, Result, bail, ensure};
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
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

/// Fewest bytes that an archive must take at a time; real ones take 4 kB and more. In fewer than a
/// fragment's header `dicom-ul` panics, and in a few more an instance would take hours.
const LEAST_AT_A_TIME: u32 = 1000;

/// An association that is open; let go without [`Archive::release`] it ends as a connection that broke.
pub struct Archive {
    association: ClientAssociation<TcpStream>,
    message: u16,
}

/// What became of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The archive has it.
    Yes,
    /// It will never take it: what it answered, or none where it does not know the kind.
    Refused(Option<u16>),
}

impl Archive {
    /// Offers C-ECHO and both kinds of instances.
    ///
    /// # Errors
    /// The archive cannot be reached, takes none of them, or too little at a time.
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
        let mut association = options.establish((pacs.host.as_str(), pacs.port))?;
        // Command and data set are two writes; the second would wait until the first is acknowledged.
        association.inner_stream().set_nodelay(true)?;
        let takes = association.acceptor_max_pdu_length();
        ensure!(
            takes >= LEAST_AT_A_TIME,
            "expected an archive that takes {LEAST_AT_A_TIME} bytes at a time or more, got {takes}; set its \
             maximum PDU length higher, such as to 16384"
        );
        Ok(Self { association, message: 0 })
    }

    /// Identifier and form of what was agreed on for a kind of instance; none where nothing was.
    fn context(&self, class: &str) -> Option<(u8, bool)> {
        let accepted = PresentationContextResultReason::Acceptance;
        let all = self.association.presentation_contexts().iter();
        let one = all.filter(|one| one.reason == accepted).find(|one| one.abstract_syntax == class)?;
        Some((one.id, one.transfer_syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN))
    }

    /// Asks whether it is there (C-ECHO).
    ///
    /// # Errors
    /// It does not answer, or otherwise than that it is.
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

    /// Sends an instance of a class: its name, its data set, and the pixels behind that.
    ///
    /// # Errors
    /// It may be taken later.
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

    /// Ends the association as agreed.
    ///
    /// # Errors
    /// The archive does not confirm that.
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
        response::status(&response).context("the archive's response has no status")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dicom_ul::pdu::{
        AssociationAC, MAXIMUM_PDU_SIZE, PresentationContextResult, UserVariableItem, read_pdu, write_pdu,
    };
    use std::io::Read;
    use std::net::TcpListener;
    use std::thread;

    /// What comes of an archive that takes so many bytes at a time.
    fn connected(takes: u32) -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let archive = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut request = Vec::new();
            while !matches!(read_pdu(&mut &request[..], MAXIMUM_PDU_SIZE, true), Ok(Some(_))) {
                let mut some = [0; 1024];
                let read = stream.read(&mut some).unwrap();
                request.extend_from_slice(&some[..read]);
            }
            let accepted = PresentationContextResult {
                id: 1,
                reason: PresentationContextResultReason::Acceptance,
                transfer_syntax: uids::IMPLICIT_VR_LITTLE_ENDIAN.into(),
            };
            let answer = Pdu::AssociationAC(AssociationAC {
                protocol_version: 1,
                calling_ae_title: "PNEUMOSCOPE".into(),
                called_ae_title: "ARCHIVE".into(),
                application_context_name: "1.2.840.10008.3.1.1.1".into(),
                presentation_contexts: vec![accepted],
                user_variables: vec![UserVariableItem::MaxLength(takes)],
            });
            let mut bytes = Vec::new();
            write_pdu(&mut bytes, &answer).unwrap();
            stream.write_all(&bytes).unwrap();
        });
        let pacs = Pacs { host: "127.0.0.1".into(), port, ..Pacs::default() };
        let connected = Archive::connect(&pacs).map(|_| ());
        archive.join().unwrap();
        connected
    }

    #[test]
    fn an_archive_that_takes_next_to_nothing_at_a_time_is_refused_before_anything_is_sent() {
        for takes in [1, 5, 6, LEAST_AT_A_TIME - 1] {
            let told = connected(takes).unwrap_err().to_string();
            assert!(told.contains(&format!("got {takes}; set its maximum PDU length higher")), "{told}");
        }
        for takes in [LEAST_AT_A_TIME, 16_384, u32::MAX] {
            connected(takes).unwrap();
        }
        connected(0).expect("0 is no limit");
    }
}
