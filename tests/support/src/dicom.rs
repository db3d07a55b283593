//! DICOM files made element by element.

/// An element of explicit type, little-endian; the value is filled up to an even length.
pub fn element(group: u16, number: u16, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if matches!(vr, b"UI" | b"OB") { 0 } else { b' ' });
    }
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(vr);
    match vr {
        b"OW" | b"OB" | b"SQ" => {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        }
        _ => bytes.extend((value.len() as u16).to_le_bytes()),
    }
    bytes.extend(value);
    bytes
}

/// A 16-bit number of group 0028.
pub fn number(number: u16, value: u16) -> Vec<u8> {
    element(0x28, number, b"US", &value.to_le_bytes())
}

/// A file of these elements behind preamble and file meta information.
pub fn file(transfer_syntax: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    let uid = element(2, 0x10, b"UI", transfer_syntax.as_bytes());
    let length = element(2, 0, b"UL", &(uid.len() as u32).to_le_bytes());
    [&[0; 128][..], b"DICM", &length, &uid, &elements.concat()].concat()
}

/// Size and form of a monochrome picture of `bits` bits.
pub fn form(width: u16, height: u16, bits: u16) -> Vec<Vec<u8>> {
    vec![
        number(2, 1),
        element(0x28, 4, b"CS", b"MONOCHROME2"),
        number(0x10, height),
        number(0x11, width),
        number(0x100, if bits > 8 { 16 } else { 8 }),
        number(0x101, bits),
        number(0x102, bits - 1),
    ]
}

/// Coded pixels in one fragment, behind an empty table of offsets.
pub fn fragment(coded: &[u8]) -> Vec<u8> {
    let mut coded = coded.to_vec();
    coded.resize(coded.len().next_multiple_of(2), 0);
    let mut bytes = element(0x7FE0, 0x10, b"OB", &[]);
    let header = bytes.len();
    bytes[header - 4..].copy_from_slice(&[0xFF; 4]);
    bytes.extend([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0]);
    bytes.extend((coded.len() as u32).to_le_bytes());
    bytes.extend(coded);
    bytes.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    bytes
}

/// A radiograph of 12 bits, uncompressed, with these elements before its size.
pub fn radiograph(width: u16, height: u16, samples: &[u16], more: &[Vec<u8>]) -> Vec<u8> {
    radiograph_of(12, width, height, samples, more)
}

/// The same that says it were of `bits` bits.
pub fn radiograph_of(bits: u16, width: u16, height: u16, samples: &[u16], more: &[Vec<u8>]) -> Vec<u8> {
    let samples: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut elements = more.to_vec();
    elements.extend(form(width, height, bits));
    elements.push(element(0x7FE0, 0x10, b"OW", &samples));
    file("1.2.840.10008.1.2.1", &elements)
}
