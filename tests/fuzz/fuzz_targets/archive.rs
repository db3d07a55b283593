//! What an archive answers on the network, from the first byte of the association on: whatever it is,
//! the delivery goes on or gives an error, and takes for stored only what the archive said it has.
//!
//! The input is all that the archive says. It comes over the loopback, since an association is opened by
//! its address alone.
#![no_main]

use deliver::config::Pacs;
use deliver::pacs::archive::{Archive, Stored};
use dicom_object::InMemDicomObject;
use fuzz::{catching_panics, planted_fault};
use libfuzzer_sys::fuzz_target;
use std::io::{Write, copy, sink};
use std::net::{Shutdown, TcpListener};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Basic Text SR.
const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.11";

fuzz_target!(|bytes: &[u8]| catching_panics(|| check(bytes)));

fn check(bytes: &[u8]) {
    let pacs = Pacs { host: "127.0.0.1".into(), port: answering(bytes), ..Pacs::default() };
    let mut messages = messages(bytes).into_iter();
    let Ok(mut archive) = Archive::connect(&pacs) else { return };
    if archive.echo().is_err() {
        return;
    }
    assert!(says(messages.next(), |status| status == 0), "C-ECHO was taken for answered");
    let Ok(stored) = archive.store(REPORT, ("2.25.1", &InMemDicomObject::new_empty()), None) else { return };
    let answer = messages.next().filter(|_| !planted_fault());
    match stored {
        Stored::Yes => {
            assert!(
                says(answer, |status| matches!(status, 0 | 0x0111 | 0xB000..=0xBFFF)),
                "taken for stored"
            );
        }
        Stored::Refused(Some(told)) => assert!(says(answer, |status| status == told), "{told:04X}"),
        // It knows no reports, and was sent none.
        Stored::Refused(None) => {}
    }
    let _ = archive.release();
}

/// The port at which an archive answers the next connection with these bytes, and nothing more.
fn answering(bytes: &[u8]) -> u16 {
    static ARCHIVE: OnceLock<(u16, Sender<Vec<u8>>)> = OnceLock::new();
    let (port, say) = ARCHIVE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback");
        let port = listener.local_addr().expect("bound").port();
        let (say, said) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for bytes in said {
                let (mut stream, _) = listener.accept().expect("a connection");
                // Who has heard enough goes away.
                let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
                let _ = copy(&mut stream, &mut sink());
            }
        });
        (port, say)
    });
    say.send(bytes.to_vec()).expect("the archive runs");
    *port
}

/// The messages in these bytes that are whole, put together of their fragments (PS3.8 9.3.5).
fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    while let [kind, _, a, b, c, d, rest @ ..] = bytes {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (mut data, behind) = rest.split_at(length.min(rest.len()));
        bytes = behind;
        let mut whole = false;
        while let (4, [a, b, c, d, rest @ ..]) = (*kind, data) {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let (value, behind) = rest.split_at(length.min(rest.len()));
            data = behind;
            message.extend_from_slice(value.get(2..).unwrap_or_default());
            whole |= value.get(1).is_some_and(|header| header & 2 != 0);
        }
        if whole {
            messages.push(std::mem::take(&mut message));
        }
    }
    messages
}

/// Whether a message has an element (0000,0900) anywhere that begins with such a status.
fn says(message: Option<Vec<u8>>, is: impl Fn(u16) -> bool) -> bool {
    let elements = message.unwrap_or_default();
    let mut elements = elements.windows(10).filter(|element| element[..4] == [0, 0, 0, 9]);
    elements.any(|element| is(u16::from_le_bytes([element[8], element[9]])))
}
