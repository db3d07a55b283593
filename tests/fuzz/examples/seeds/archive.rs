//! What archives answer: an association with C-ECHO, C-STORE and its end, whole and otherwise.

use crate::Seed;

/// A PDU of this kind (PS3.8 9.3.1).
fn pdu(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0], &(content.len() as u32).to_be_bytes()[..], content].concat()
}

fn item(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0], &(content.len() as u16).to_be_bytes()[..], content].concat()
}

/// A-ASSOCIATE-AC (9.3.3): what each of the three that are proposed, 1, 3 and 5, comes to, and how many
/// bytes the archive takes at a time.
fn accepted(results: [u8; 3], takes: u32) -> Vec<u8> {
    let mut content = [&[0, 1, 0, 0][..], b"ANY-SCP         PNEUMOSCOPE     ", &[0; 32]].concat();
    content.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    for (id, result) in [1, 3, 5].into_iter().zip(results) {
        content.extend(item(0x21, &[&[id, 0, result, 0], &item(0x40, b"1.2.840.10008.1.2.1")[..]].concat()));
    }
    let user = [item(0x51, &takes.to_be_bytes()), item(0x52, b"1.2.3.4"), item(0x55, b"ARCHIVE")].concat();
    content.extend(item(0x50, &user));
    pdu(2, &content)
}

/// A response's elements (PS3.7 9.3): the command and the status among them.
fn response(command: u16, status: u16) -> Vec<u8> {
    let element = |number: u16, value: u16| {
        [&[0, 0], &number.to_le_bytes()[..], &2u32.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    [element(0x100, command), element(0x120, 1), element(0x800, 0x101), element(0x900, status)].concat()
}

/// A fragment of a command, the last one or not (PS3.8 9.3.5.1).
fn fragment(id: u8, last: bool, content: &[u8]) -> Vec<u8> {
    let header = if last { 3 } else { 1 };
    [&(content.len() as u32 + 2).to_be_bytes()[..], &[id, header], content].concat()
}

/// P-DATA-TF of a command in one fragment.
fn data(id: u8, command: &[u8]) -> Vec<u8> {
    pdu(4, &fragment(id, true, command))
}

pub fn answers() -> Vec<Seed> {
    let echoed = data(1, &response(0x8030, 0));
    let stored = |status| data(3, &response(0x8001, status));
    let released = pdu(6, &[0; 4]);
    let all = accepted([0; 3], 16_384);
    let conversation = |status| [&all[..], &echoed, &stored(status), &released].concat();
    let answer = response(0x8001, 0);
    let (begin, end) = answer.split_at(11);
    // It claims three gigabytes.
    let claimed = [&answer[..14], &[0xC4; 40], &answer[14..]].concat();
    let long = pdu(4, &fragment(1, false, &[0; 16_000]));
    let (first, last) = (fragment(3, false, begin), fragment(3, true, end));
    let seeds = [
        ("stored", conversation(0)),
        ("stored-before", conversation(0x0111)),
        ("warning", conversation(0xB000)),
        ("refused", conversation(0xA900)),
        ("out-of-room", conversation(0xA700)),
        ("in-fragments", [&all[..], &echoed, &pdu(4, &[&first[..], &last].concat()), &released].concat()),
        ("in-several", [&all[..], &echoed, &pdu(4, &first), &pdu(4, &last), &released].concat()),
        ("no-reports", [&accepted([0, 3, 3], 0)[..], &echoed, &released].concat()),
        ("nothing-accepted", accepted([3; 3], 0)),
        ("takes-nothing", [&accepted([0; 3], 5)[..], &echoed, &stored(0)].concat()),
        ("rejected", pdu(3, &[0, 1, 1, 7])),
        ("aborts", [&all[..], &pdu(7, &[0, 0, 2, 0])].concat()),
        ("without-end", [&all[..], &long, &long].concat()),
        ("no-status", [&all[..], &data(1, &response(0x8030, 0)[..30])].concat()),
        ("found-length", [&all[..], &echoed, &data(3, &claimed), &released].concat()),
        ("silent", Vec::new()),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}
