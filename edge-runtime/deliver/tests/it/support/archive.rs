//! An archive that answers what a test tells it to, and a program that judges as one tells it.

use super::{Bench, context};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use dicom_ul::association::server::ServerAssociationOptions;
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};
use edge_runtime::log::Hash;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::thread;
use test_support::dicom::{element, radiograph};

/// What was sent, whole.
#[derive(Clone, Debug)]
pub struct Instance {
    pub class: String,
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Instance {
    pub fn is_report(&self) -> bool {
        self.class == uids::BASIC_TEXT_SR_STORAGE
    }

    pub fn holds(&self, part: &str) -> bool {
        self.bytes.windows(part.len()).any(|window| window == part.as_bytes())
    }
}

/// On the loopback, until the test's process ends.
#[derive(Clone)]
pub struct Answering {
    pub port: u16,
    got: Arc<Mutex<Vec<Instance>>>,
}

impl Answering {
    /// Answers the instances, from the first on, with these states, and all others with success.
    pub fn with(states: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let all = Self { port, got: Arc::default() };
        let ours = all.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                // One that ends otherwise than it should is the delivery's to notice.
                let _ = ours.serve(socket, states);
            }
        });
        all
    }

    pub fn got(&self) -> Vec<Instance> {
        self.got.lock().unwrap().clone()
    }

    fn serve(&self, socket: TcpStream, states: &[u16]) -> Result<(), Box<dyn std::error::Error>> {
        let mut association =
            ServerAssociationOptions::new().accept_any().promiscuous(true).establish(socket)?;
        let (mut command, mut data) = (Vec::new(), Vec::new());
        loop {
            let values = match association.receive()? {
                Pdu::PData { data } => data,
                Pdu::ReleaseRQ => return Ok(association.send(&Pdu::ReleaseRP)?),
                _ => return Ok(()),
            };
            for value in values {
                let is_command = value.value_type == PDataValueType::Command;
                if is_command { &mut command } else { &mut data }.extend(value.data);
                if !value.is_last {
                    continue;
                }
                let syntax = IMPLICIT_VR_LITTLE_ENDIAN.erased();
                let request = InMemDicomObject::read_dataset_with_ts(&command[..], &syntax)?;
                let of = |tag| request.element(tag).ok().and_then(|e| e.uint16().ok()).unwrap_or_default();
                let (asked, has_data) = (of(tags::COMMAND_FIELD), of(tags::COMMAND_DATA_SET_TYPE) != 0x0101);
                if is_command && has_data {
                    continue;
                }
                let mut status = 0;
                if has_data {
                    let text = |tag| -> Result<String, Box<dyn std::error::Error>> {
                        Ok(request.element(tag)?.to_str()?.trim_end_matches(['\0', ' ']).to_owned())
                    };
                    let class = text(tags::AFFECTED_SOP_CLASS_UID)?;
                    let name = text(tags::AFFECTED_SOP_INSTANCE_UID)?;
                    let mut got = self.got.lock().unwrap();
                    status = states.get(got.len()).copied().unwrap_or(0);
                    got.push(Instance { class, name, bytes: std::mem::take(&mut data) });
                }
                let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
                let answer = InMemDicomObject::command_from_element_iter([
                    number(tags::COMMAND_FIELD, asked | 0x8000),
                    number(tags::MESSAGE_ID_BEING_RESPONDED_TO, of(tags::MESSAGE_ID)),
                    number(tags::COMMAND_DATA_SET_TYPE, 0x0101),
                    number(tags::STATUS, status),
                ]);
                let mut bytes = Vec::new();
                answer.write_dataset_with_ts(&mut bytes, &syntax)?;
                let (presentation_context_id, value_type) =
                    (value.presentation_context_id, PDataValueType::Command);
                let value = PDataValue { presentation_context_id, value_type, is_last: true, data: bytes };
                association.send(&Pdu::PData { data: vec![value] })?;
                command.clear();
            }
        }
    }
}

/// A radiograph of a study of its own, with accession number `A` and the number.
pub fn film(number: u64) -> Vec<u8> {
    let uid = |last: &str| format!("1.2.826.0.1.3680043.8.498.{number}.{last}");
    radiograph(
        32,
        32,
        &[2000; 32 * 32],
        &[
            element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.1.1"),
            element(8, 0x18, b"UI", uid("1").as_bytes()),
            element(8, 0x50, b"SH", format!("A{number}").as_bytes()),
            element(8, 0x60, b"CS", b"DX"),
            element(0x20, 0x0D, b"UI", uid("2").as_bytes()),
            element(0x20, 0x0E, b"UI", uid("3").as_bytes()),
        ],
    )
}

/// What the network saw of every film here.
pub fn seen() -> Hash {
    Hash::of(b"what the network saw")
}

/// In the place of the device's program: a script that first does `first`, in which `$out` is the file for
/// the drawn picture or empty, then draws and answers as the log says, but for `thresholds`.
pub fn judge(bench: &Bench, first: &str, thresholds: [f32; 2]) -> String {
    let [negative_below, positive_above] = thresholds;
    let drawn = bench.path("prepared.png");
    let mut encoder = png::Encoder::new(fs::File::create(&drawn).unwrap(), 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&[9; 48]).unwrap();
    let answer = serde_json::json!({
        "frame_sha256": seen(),
        "model_sha256": context().model_sha256,
        "state": "REFER",
        "score": 0.5,
        "thresholds": { "negative_below": negative_below, "positive_above": positive_above },
    });
    let script = format!(
        "#!/bin/sh\nout=\nwhile [ $# -gt 0 ]; do test \"$1\" = --heatmap && out=$2; shift; done\n{first}\n\
         test -n \"$out\" && cp {} \"$out\"\necho '{answer}'\n",
        drawn.display()
    );
    let program = bench.write("judge", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}
