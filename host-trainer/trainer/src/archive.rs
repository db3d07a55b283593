//! Members of zip archives: MedMNIST's `.npz` files, and Python's wheels.

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive};
use std::fs::File;
use std::io::Read;

/// The archive in `file`; the error says what is wrong with it.
pub fn open(file: File) -> Result<ZipArchive<FileReader>, String> {
    ZipArchive::from_file(file, &mut vec![0; RECOMMENDED_BUFFER_SIZE]).map_err(|error| error.to_string())
}

/// The bytes of the first member whose name is `wanted`, stored or deflated; reading them to the
/// end checks their sum. None where there is no such member.
pub fn member<'a>(
    archive: &'a ZipArchive<FileReader>,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Option<Box<dyn Read + 'a>>, String> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let mut entries = archive.entries(&mut buffer);
    let (place, compression) = loop {
        let Some(entry) = entries.next_entry().map_err(|e| e.to_string())? else { return Ok(None) };
        if wanted(entry.file_path().as_ref()) {
            break (entry.wayfinder(), entry.compression_method());
        }
    };
    let entry = archive.get_entry(place).map_err(|e| e.to_string())?;
    match compression {
        CompressionMethod::STORE => Ok(Some(Box::new(entry.verifying_reader(entry.reader())))),
        CompressionMethod::DEFLATE => {
            Ok(Some(Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader())))))
        }
        other => Err(format!("expected a member stored or deflated, got {other:?}")),
    }
}
