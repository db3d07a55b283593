//! What the USB 2.0 specification asks of a full-speed device's descriptors (chapter 9; sizes of
//! packets 5.5.3 to 5.8.3), with the interface associations and BOS descriptors that were added to
//! it, and what CDC 1.2 asks of a serial port's (5.2.3).

use crate::host::{Host, Seen};
use std::collections::{BTreeMap, BTreeSet};

const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
const ASSOCIATION: u8 = 11;
const BOS: u8 = 15;
const CAPABILITY: u8 = 16;
const CLASS_SPECIFIC: u8 = 0x24;
const UNION: u8 = 6;

/// Of a device with interface associations (their engineering change notice).
const MISCELLANEOUS: [u8; 3] = [0xEF, 0x02, 0x01];

/// All that is wrong with a device as a host has seen it.
pub fn faults(host: Host, seen: &Seen) -> BTreeSet<String> {
    let mut found = Found { seen, all: BTreeSet::new() };
    for trouble in &seen.trouble {
        found.all.insert(format!("{host:?}: {trouble}"));
    }
    let chain = found.configuration();
    found.device(chain.iter().any(|descriptor| descriptor[1] == ASSOCIATION));
    found.all
}

/// The descriptors that stand one behind the other in `bytes`.
pub fn chain(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let length = usize::from(bytes[at]);
        let one = bytes.get(at..at + length).filter(|one| one.len() >= 2);
        all.push(one.ok_or_else(|| format!("breaks off at byte {at}, with a length of {length}"))?);
        at += length;
    }
    Ok(all)
}

struct Found<'s> {
    seen: &'s Seen,
    all: BTreeSet<String>,
}

impl<'s> Found<'s> {
    fn check(&mut self, holds: bool, otherwise: String) {
        if !holds {
            self.all.insert(otherwise);
        }
    }

    fn string(&mut self, index: u8) {
        let there = index == 0 || self.seen.strings.contains_key(&index);
        self.check(there, format!("string {index} is named and not there"));
    }

    fn device(&mut self, has_associations: bool) {
        let device = &self.seen.device[..];
        let size = device.len();
        self.check(size == 18, format!("the device descriptor has {size} bytes, expected 18"));
        let &[length, kind, minor, major, c0, c1, c2, packet, .., i1, i2, i3, count] = device else { return };
        let head = (length, kind) == (18, DEVICE);
        self.check(
            head,
            format!("the device descriptor has 18 bytes, bLength is {length} and its type {kind}"),
        );
        match u16::from_le_bytes([minor, major]) {
            0x0110 | 0x0200 => {}
            0x0201 | 0x0210 => {
                self.bos(format!("bcdUSB is {major:x}.{minor:02x}, which obliges to a BOS descriptor"))
            }
            _ => self
                .check(false, format!("bcdUSB is {major:x}.{minor:02x}, expected 1.10, 2.00, 2.01 or 2.10")),
        }
        self.check([8, 16, 32, 64].contains(&packet), format!("bMaxPacketSize0 is {packet}"));
        self.check(count == 1, format!("bNumConfigurations is {count}"));
        for index in [i1, i2, i3] {
            self.string(index);
        }
        let class = [c0, c1, c2];
        self.check(
            !has_associations || class == MISCELLANEOUS,
            format!("the device's class is {}, with associations it is {}", name(class), name(MISCELLANEOUS)),
        );
    }

    fn bos(&mut self, duty: String) {
        let bos = self.seen.bos.clone().unwrap_or_default();
        if bos.is_empty() {
            return self.check(false, format!("{duty}, and that is empty"));
        }
        match chain(&bos) {
            Err(error) => self.check(false, format!("the BOS descriptor {error}")),
            Ok(all) => {
                let whole = all.first().is_some_and(|head| {
                    head.len() == 5
                        && head[1] == BOS
                        && usize::from(word(head, 2)) == bos.len()
                        && usize::from(head[4]) == all.len() - 1
                        && all[1..].iter().all(|one| one[1] == CAPABILITY)
                });
                self.check(whole, format!("{duty}, and that is not whole: {bos:02x?}"));
            }
        }
    }

    /// The descriptors of the configuration; none where they do not hang together.
    fn configuration(&mut self) -> Vec<&'s [u8]> {
        let bytes = &self.seen.configuration[..];
        let all = match chain(bytes) {
            Ok(all) => all,
            Err(error) => {
                self.check(false, format!("the configuration {error}"));
                return Vec::new();
            }
        };
        let Some(&&[9, CONFIGURATION, low, high, count, value, text, attributes, power]) = all.first() else {
            self.check(false, format!("no configuration: {bytes:02x?}"));
            return Vec::new();
        };
        let total = usize::from(u16::from_le_bytes([low, high]));
        self.check(total == bytes.len(), format!("wTotalLength is {total}, there are {} bytes", bytes.len()));
        self.check(value != 0, "bConfigurationValue is 0, which says not configured".into());
        self.check(attributes & 0x9F == 0x80, format!("bmAttributes is {attributes:#04x}"));
        self.check(power <= 250, format!("bMaxPower is {} mA, a port gives 500", u16::from(power) * 2));
        self.string(text);

        let interfaces = self.interfaces(&all);
        let numbers: Vec<u8> = interfaces.keys().copied().collect();
        let row = numbers.iter().enumerate().all(|(index, number)| index == usize::from(*number));
        self.check(row, format!("interface numbers are {numbers:?}, expected 0, 1, ..."));
        let there = numbers.len();
        self.check(usize::from(count) == there, format!("bNumInterfaces is {count}, there are {there}"));
        self.functions(&all, &interfaces);
        self.endpoints(&all);
        all
    }

    /// The class of each interface, by its number.
    fn interfaces(&mut self, all: &[&[u8]]) -> BTreeMap<u8, [u8; 3]> {
        let mut interfaces = BTreeMap::new();
        for (at, one) in all.iter().enumerate().filter(|(_, one)| one[1] == INTERFACE) {
            let &[9, _, number, _, endpoints, c0, c1, c2, text] = *one else {
                self.check(false, format!("an interface descriptor has {} bytes", one.len()));
                continue;
            };
            let own = || all[at + 1..].iter().take_while(|next| ![INTERFACE, ASSOCIATION].contains(&next[1]));
            let there = own().filter(|next| next[1] == ENDPOINT).count();
            self.check(
                usize::from(endpoints) == there,
                format!("bNumEndpoints of interface {number} is {endpoints}, there are {there}"),
            );
            for union in own().filter(|next| next[1] == CLASS_SPECIFIC && next.get(2) == Some(&UNION)) {
                for named in &union[3..] {
                    let exists = all.iter().any(|one| one[1] == INTERFACE && one.get(2) == Some(named));
                    self.check(exists, format!("the union names interface {named}, which is not there"));
                }
                let control = union.get(3) == Some(&number);
                self.check(control, format!("the union in interface {number} is not of it"));
            }
            self.string(text);
            interfaces.insert(number, [c0, c1, c2]);
        }
        interfaces
    }

    /// Each interface belongs to one function, where there are functions.
    fn functions(&mut self, all: &[&[u8]], interfaces: &BTreeMap<u8, [u8; 3]>) {
        let mut owned = Vec::new();
        for one in all.iter().filter(|one| one[1] == ASSOCIATION) {
            let &[8, _, first, count, c0, c1, c2, text] = *one else {
                self.check(false, format!("an interface association has {} bytes", one.len()));
                continue;
            };
            let (class, of_first) = ([c0, c1, c2], interfaces.get(&first).copied().unwrap_or_default());
            self.check(
                class == of_first,
                format!("the function's class is {}, its first interface's {}", name(class), name(of_first)),
            );
            self.string(text);
            owned.extend(first..first.saturating_add(count));
        }
        for number in interfaces.keys().filter(|_| !owned.is_empty()) {
            let count = owned.iter().filter(|owned| *owned == number).count();
            self.check(count > 0, format!("interface {number} belongs to no function"));
            self.check(count < 2, format!("interface {number} belongs to {count} functions"));
        }
    }

    fn endpoints(&mut self, all: &[&[u8]]) {
        let mut addresses = BTreeSet::new();
        for one in all.iter().filter(|one| one[1] == ENDPOINT) {
            let &[7, _, address, attributes, _, _, interval] = *one else {
                self.check(false, format!("an endpoint descriptor has {} bytes", one.len()));
                continue;
            };
            self.check(addresses.insert(address), format!("endpoint {address:#04x} is there twice"));
            self.check(
                address & 0x70 == 0 && address & 0x0F != 0,
                format!("an endpoint has address {address:#04x}"),
            );
            let size = word(one, 4);
            let (kind, fits) = match attributes & 3 {
                0 => ("control", [8, 16, 32, 64].contains(&size)),
                1 => ("isochronous", size <= 1023),
                2 => ("bulk", [8, 16, 32, 64].contains(&size)),
                _ => ("interrupt", (1..=64).contains(&size)),
            };
            self.check(fits, format!("wMaxPacketSize of {kind} endpoint {address:#04x} is {size}"));
            let asked = kind != "interrupt" || interval != 0;
            self.check(asked, format!("bInterval of interrupt endpoint {address:#04x} is 0"));
        }
    }
}

fn word(descriptor: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([descriptor[at], descriptor[at + 1]])
}

/// A class, subclass and protocol as they are written.
fn name(class: [u8; 3]) -> String {
    class.map(|part| format!("{part:02x}")).join("/")
}
