//! An instance's bytes, cut into the fragments of an association.

use std::io::{Result, Write};

/// Goes on where `dicom-ul`'s writer answers that it took no byte: it does so when the fragment before
/// was full to its last byte, which it sends then. `write_all` takes that answer for the end, so some
/// pictures could never be delivered, by their lengths alone.
pub struct Fragments<W>(pub W);

impl<W: Write> Write for Fragments<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self.0.write(bytes)? {
            0 => self.0.write(bytes),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dicom_ul::association::client::ClientAssociationOptions;
    use dicom_ul::association::server::ServerAssociationOptions;
    use std::io::{ErrorKind, Read as _};
    use std::net::TcpListener;
    use std::thread;

    const CLASS: &str = dicom_dictionary_std::uids::SECONDARY_CAPTURE_IMAGE_STORAGE;

    /// What a fragment holds of the 16 KiB that the peer takes at once: the rest is its header.
    const ONE: usize = 16 * 1024 - 6;

    /// What arrives of some bytes and three more, written so.
    fn arrives(bytes: &[u8], write: impl Fn(&mut dyn Write, &[u8]) -> Result<()>) -> (Result<()>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let archive = thread::spawn(move || {
            let options = ServerAssociationOptions::new().with_abstract_syntax(CLASS);
            let socket = listener.accept().unwrap().0;
            let mut association = options.max_pdu_length(16 * 1024).establish(socket).unwrap();
            let mut arrived = Vec::new();
            association.receive_pdata().read_to_end(&mut arrived).unwrap();
            arrived
        });
        let options = ClientAssociationOptions::new().with_abstract_syntax(CLASS);
        let mut association = options.establish(address).unwrap();
        let id = association.presentation_contexts()[0].id;
        let mut writer = association.send_pdata(id);
        let written = write(&mut writer, bytes).and_then(|()| write(&mut writer, b"end"));
        writer.finish().unwrap();
        (written, archive.join().unwrap())
    }

    #[test]
    fn what_fills_fragments_to_the_last_byte_arrives_like_all_else() {
        for length in [0, 1, ONE - 1, ONE, ONE + 1, 2 * ONE - 3, 2 * ONE, 5 * ONE] {
            let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let (written, arrived) = arrives(&bytes, |writer, part| Fragments(writer).write_all(part));
            assert!(written.is_ok(), "{length}: {written:?}");
            assert_eq!(arrived, [&bytes[..], b"end"].concat(), "{length}");
        }
    }

    /// Once this fails the crate has been mended, and `Fragments` can go.
    #[test]
    fn planted_the_crates_own_writer_takes_a_full_fragment_for_the_end() {
        let (written, _) = arrives(&[1; ONE], |writer, part| writer.write_all(part));
        assert_eq!(written.unwrap_err().kind(), ErrorKind::WriteZero);
    }
}
