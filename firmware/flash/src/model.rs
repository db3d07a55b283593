//! A signed model into the slot whose model does not run. What runs, and the firmware, stay as they
//! are; the board decides at its next start whether it takes the new one.

use crate::image::{Image, LEAST};
use crate::link::{self, Link, Piece, Progress};
use crate::outcome::Refused;
use anyhow::{Context, ensure};
use board_config::{Board, Region};
use edge_model::aligned::AlignedBytes;
use firmware::boot::ARENA_BYTES;
use firmware::bundle::{Bundle, BundleError, BundleVerifier, HEADER, Version};
use firmware::slots::{Records, Refusal, Slot, inactive};

/// A file that the board's next start would take, as far as can be known here.
pub struct Model<'f> {
    bytes: &'f [u8],
    bundle: Bundle<'f>,
}

impl<'f> Model<'f> {
    /// Checks a signed model as the board does; `bytes` lie at a multiple of 8.
    pub fn open(bytes: &'f [u8], board: &Board) -> anyhow::Result<Self> {
        let key = board.key().map_err(anyhow::Error::msg)?;
        let bundle = Bundle::open(bytes, &BundleVerifier { key: &key, arena_bytes: ARENA_BYTES });
        let bundle = bundle.map_err(|error| Refused(error.to_string()))?;
        let (length, slot, name) = (bytes.len(), board.flash.slot_a.size as usize, &board.name);
        ensure!(
            length <= slot,
            Refused(format!("the file has {length} bytes and a slot of {name} has {slot}"))
        );
        Ok(Self { bytes, bundle })
    }

    pub fn version(&self) -> Version {
        self.bundle.version
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The slot that it goes to, or is in.
    pub slot: Slot,
    pub runs: Option<Version>,
    /// It runs already: there is nothing to write.
    pub already: bool,
    /// The first bytes of a sector of records that makes the board try this very model again, which
    /// it would not.
    forget: Option<Piece>,
}

/// Reads a board's records and slots; [`Refused`] where a later version runs or ran.
pub fn plan(
    link: &mut dyn Link,
    board: &Board,
    model: &Model,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Plan> {
    let key = board.key().map_err(anyhow::Error::msg)?;
    let region = board.flash.records;
    let mut bytes = vec![0; region.size as usize];
    link::read(link, region.start, &mut bytes, progress)?;
    let mut image = Image::<LEAST>(bytes.clone());
    let mut records = Records::open(&mut image, 0..region.size);
    let state = *records.state();
    let [a, b] = [board.flash.slot_a, board.flash.slot_b].map(|slot| bundle_in(link, slot, progress));
    let (a, b) = (a?, b?);
    let slots = [a.as_ref(), b.as_ref()];
    let slot = inactive(&records, slots, &key);
    let running =
        Bundle::open(slots[slot.other().index()], &BundleVerifier { key: &key, arena_bytes: ARENA_BYTES })
            .ok();

    let runs = running.map(|bundle| bundle.version);
    let (version, minimum) = (model.version(), runs.unwrap_or_default().max(state.minimum_version));
    ensure!(version >= minimum, Refused(Refusal::Older { version, minimum }.to_string()));
    if running.is_some_and(|bundle| bundle.id == model.bundle.id) {
        return Ok(Plan { slot: slot.other(), runs, already: true, forget: None });
    }
    let known = state.image_state(slot, &model.bundle.id).is_some();
    let forget = if known {
        // Into the sector that does not hold the newest record: a probe erases what it writes to.
        records.save_in_other_sector(state.with_image(slot, None)).context("the board's records")?;
        // One new entry at the start of its sector, which is all that the sector then holds.
        let sector = board.flash.sector as usize;
        let at = bytes.iter().zip(&image.0).position(|(old, new)| old != new).unwrap_or(0) / sector * sector;
        let used = image.0[at..at + sector].iter().rposition(|byte| *byte != 0xFF).map_or(0, |last| last + 1);
        Some(Piece { address: region.start + at as u32, bytes: image.0[at..at + used].to_vec() })
    } else {
        None
    };
    Ok(Plan { slot, runs, already: false, forget })
}

/// The signed model in a slot, or as much of it as shows that there is none.
fn bundle_in(
    link: &mut dyn Link,
    slot: Region,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<AlignedBytes> {
    let mut header = AlignedBytes::zeroed(HEADER);
    link.read(slot.start, header.as_mut())?;
    // The header says how long it is; were it to lie, what is read then does not pass as a model.
    let verifier = BundleVerifier { key: &[0; 32], arena_bytes: ARENA_BYTES };
    match Bundle::open(header.as_ref(), &verifier) {
        Err(BundleError::TooLarge { length, .. }) if length <= slot.size as usize => {
            let mut bytes = AlignedBytes::zeroed(length);
            link::read(link, slot.start, bytes.as_mut(), progress)?;
            Ok(bytes)
        }
        _ => Ok(header),
    }
}

/// Does it, reads it back, and starts the board. It is also started where that failed: what ran
/// before is untouched and runs on.
pub fn put(
    link: &mut dyn Link,
    board: &Board,
    model: &Model,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    if plan.already {
        return Ok(());
    }
    let region = if plan.slot == Slot::A { board.flash.slot_a } else { board.flash.slot_b };
    let piece = Piece { address: region.start, bytes: model.bytes.to_vec() };
    // A model of which a part is written does not pass its checksum; so the order within it does
    // not matter.
    let mut write = |piece: &Piece| link::write_and_verify(link, std::slice::from_ref(piece), progress);
    let written = plan.forget.as_ref().map_or(Ok(()), &mut write).and_then(|()| write(&piece));
    let started = link.reset();
    written.and(started)
}

#[cfg(test)]
mod tests;
