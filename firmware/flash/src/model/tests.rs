//! Models onto a simulated board, and what that board runs afterwards: the firmware's own choice
//! decides.

use super::*;
use crate::testing::{Fixture, board};
use crate::{key, sign};
use edge_model::model_file::ModelFile;
use firmware::event_log::{EventLog, LogEvent};
use firmware::slots::{BootState, select_model};
use std::sync::LazyLock;

static OLD: LazyLock<AlignedBytes> = LazyLock::new(|| signed("1.0.0", "one"));
static SAME_VERSION: LazyLock<AlignedBytes> = LazyLock::new(|| signed("1.0.0", "another"));
static NEW: LazyLock<AlignedBytes> = LazyLock::new(|| signed("1.2.0", "one"));

/// The shipped model under another version and name, signed with the development key.
fn signed(version: &str, name: &str) -> AlignedBytes {
    let path = crate::boards_folder().join("../../models/pneumonia/model.onnx");
    let shipped = ModelFile::load(path).unwrap();
    let mut metadata = shipped.metadata().clone();
    (metadata.version, metadata.name) = (version.to_owned(), name.to_owned());
    let file = ModelFile::from_bytes(&shipped.with_metadata(&metadata).unwrap()).unwrap();
    let packed = edge_model::pack::pack(&file).unwrap();
    let key = key::read(&crate::boards_folder().join("keys/development.key")).unwrap();
    AlignedBytes::copy_of(&sign::sign(&packed, &key).unwrap())
}

struct Log(Vec<String>);

impl EventLog for Log {
    fn record(&mut self, event: &LogEvent<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

/// A start of the board: the slot and version that run, if any does, and its log.
fn start(fixture: &mut Fixture) -> (Option<(Slot, String)>, String) {
    start_writing::<LEAST>(fixture)
}

/// The same of a board whose flash is written `WRITE` bytes at once.
fn start_writing<const WRITE: usize>(fixture: &mut Fixture) -> (Option<(Slot, String)>, String) {
    let board = board();
    let place = |region: Region| region.start as usize..region.range().end as usize;
    let mut image = Image::<WRITE>(fixture.flash[place(board.flash.records)].to_vec());
    let slots = [board.flash.slot_a, board.flash.slot_b];
    let [a, b] = slots.map(|slot| AlignedBytes::copy_of(&fixture.flash[place(slot)]));
    let mut log = Log(Vec::new());
    let mut records = Records::open(&mut image, 0..board.flash.records.size);
    let verifier = BundleVerifier { key: &board.key().unwrap(), arena_bytes: ARENA_BYTES };
    let active = select_model(&mut records, [a.as_ref(), b.as_ref()], &verifier, &mut |_| Ok(()), &mut log);
    let runs = active.ok().map(|active| (active.slot, active.bundle.version.to_string()));
    fixture.flash[place(board.flash.records)].copy_from_slice(&image.0);
    (runs, log.0.join("\n"))
}

fn flash(fixture: &mut Fixture, file: &AlignedBytes) -> anyhow::Result<Plan> {
    let (board, quiet) = (board(), &mut |_| ());
    let model = Model::open(file.as_ref(), &board)?;
    let plan = plan(fixture, &board, &model, quiet)?;
    put(fixture, &board, &model, &plan, quiet)?;
    Ok(plan)
}

/// Why a model was refused; any other error fails the test.
fn refusal(error: anyhow::Error) -> String {
    error.downcast_ref::<Refused>().expect("refused").to_string()
}

/// A board that runs [`OLD`] in slot A.
fn running() -> Fixture {
    let mut fixture = Fixture::new(&board());
    fixture.flash[..0x40000].fill(0x22);
    assert_eq!(flash(&mut fixture, &OLD).unwrap().slot, Slot::A);
    assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.0.0".into())));
    fixture
}

fn records(fixture: &Fixture) -> BootState {
    let mut image = Image::<LEAST>(fixture.flash[0x40000..0x42000].to_vec());
    *Records::open(&mut image, 0..0x2000).state()
}

fn slot_a(fixture: &Fixture) -> Vec<u8> {
    fixture.flash[0x50000..0x90000].to_vec()
}

#[test]
fn a_new_model_goes_to_the_slot_that_does_not_run() {
    let mut fixture = running();
    let before = slot_a(&fixture);
    let plan = flash(&mut fixture, &NEW).unwrap();
    let runs = plan.runs.map(|version| version.to_string());
    assert_eq!((plan.slot, runs.as_deref(), plan.already), (Slot::B, Some("1.0.0"), false));
    assert!(slot_a(&fixture) == before, "the slot that runs was touched");
    assert!(fixture.flash[..0x40000].iter().all(|byte| *byte == 0x22), "the firmware was touched");
    assert_eq!(fixture.resets, 2);
    assert_eq!(start(&mut fixture).0, Some((Slot::B, "1.2.0".into())));
    // And the next one goes back to the first.
    assert_eq!(flash(&mut fixture, &signed("1.3.0", "one")).unwrap().slot, Slot::A);
    assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.3.0".into())));
}

#[test]
fn a_write_that_breaks_anywhere_leaves_the_model_that_runs() {
    let length = NEW.as_ref().len();
    for after in [0, 1, 255, 256, 4096, length / 2, length - 1] {
        let mut fixture = running();
        let before = slot_a(&fixture);
        fixture.breaks_after = Some(after);
        let error = flash(&mut fixture, &NEW).unwrap_err().to_string();
        assert!(error.contains("broke"), "{error}");
        assert!(slot_a(&fixture) == before);
        assert_eq!(fixture.resets, 2, "the board goes on with the old model");
        assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.0.0".into())), "after {after} bytes");
        fixture.breaks_after = None;
        flash(&mut fixture, &NEW).unwrap();
        assert_eq!(start(&mut fixture).0, Some((Slot::B, "1.2.0".into())));
    }
}

#[test]
fn a_byte_that_was_not_kept_is_found_and_the_old_model_runs() {
    let mut fixture = running();
    let address = 0x90000 + 70_001;
    fixture.worn = Some(address);
    let error = flash(&mut fixture, &NEW).unwrap_err().to_string();
    assert!(error.contains(&format!("{address:#010x}")), "{error}");
    assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.0.0".into())));
}

#[test]
fn an_older_model_is_refused_before_anything_is_written() {
    let mut fixture = running();
    flash(&mut fixture, &NEW).unwrap();
    let writes = fixture.writes;
    // The board has not started yet: 1.0.0 runs, and its like may come.
    assert!(flash(&mut fixture, &OLD).unwrap().already);
    assert_eq!(start(&mut fixture).0, Some((Slot::B, "1.2.0".into())));
    for older in [&OLD, &SAME_VERSION] {
        let before = fixture.flash.clone();
        let error = refusal(flash(&mut fixture, older).unwrap_err());
        assert_eq!(error, "version 1.0.0 is older than 1.2.0, which ran here; flash 1.2.0 or a later one");
        assert!(fixture.flash == before && fixture.writes == writes);
    }
    // Also where the records are lost.
    fixture.flash[0x40000..0x42000].fill(0xFF);
    assert!(refusal(flash(&mut fixture, &OLD).unwrap_err()).starts_with("version 1.0.0 is older than 1.2.0"));
    assert_eq!(fixture.writes, writes);
}

#[test]
fn the_model_that_runs_is_not_written_again() {
    let mut fixture = running();
    let (writes, resets) = (fixture.writes, fixture.resets);
    let plan = flash(&mut fixture, &OLD).unwrap();
    assert_eq!((plan.slot, plan.already), (Slot::A, true));
    assert_eq!((fixture.writes, fixture.resets), (writes, resets));
}

#[test]
fn a_model_that_was_superseded_is_tried_again_when_it_is_flashed_again() {
    let mut fixture = running();
    flash(&mut fixture, &SAME_VERSION).unwrap();
    let (runs, log) = start(&mut fixture);
    assert_eq!(runs, Some((Slot::B, "1.0.0".into())), "{log}");
    // The first one's record says that another took over; the board alone does not go back.
    let (runs, log) = start(&mut fixture);
    assert_eq!(runs, Some((Slot::B, "1.0.0".into())));
    assert!(log.contains("Superseded"), "{log}");
    let plan = flash(&mut fixture, &OLD).unwrap();
    let record = plan.forget.as_ref().expect("the board would not try it");
    assert!(record.address == 0x40000 || record.address == 0x41000);
    assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.0.0".into())));
}

#[test]
fn the_records_of_a_board_that_writes_more_at_once_are_read_and_written() {
    records_at::<32>();
    records_at::<256>();
}

fn records_at<const WRITE: usize>() {
    let mut fixture = Fixture::new(&board());
    for (file, slot) in [(&OLD, Slot::A), (&SAME_VERSION, Slot::B), (&OLD, Slot::A), (&SAME_VERSION, Slot::B)]
    {
        assert_eq!(flash(&mut fixture, file).unwrap().slot, slot);
        assert_eq!(start_writing::<WRITE>(&mut fixture).0, Some((slot, "1.0.0".into())), "{WRITE}");
        assert_eq!(start_writing::<WRITE>(&mut fixture).0, Some((slot, "1.0.0".into())), "{WRITE}");
    }
    flash(&mut fixture, &NEW).unwrap();
    start_writing::<WRITE>(&mut fixture);
    assert!(refusal(flash(&mut fixture, &OLD).unwrap_err()).starts_with("version 1.0.0 is older than 1.2.0"));
}

#[test]
fn a_break_while_the_records_change_loses_none_of_them() {
    let mut changed = 0;
    for after in 0..40 {
        let mut fixture = running();
        flash(&mut fixture, &SAME_VERSION).unwrap();
        start(&mut fixture);
        let before = records(&fixture);
        assert_eq!((before.active, before.minimum_version.to_string()), (Some(Slot::B), "1.0.0".into()));
        fixture.breaks_after = Some(after);
        let error = flash(&mut fixture, &OLD).unwrap_err().to_string();
        assert!(error.contains("broke"), "{error}");
        let now = records(&fixture);
        assert!(now == before || now == before.with_image(Slot::A, None), "after {after} bytes: {now:?}");
        changed += usize::from(now != before);
        // The slot that was to be written may be damaged by now; the one that ran runs.
        assert_eq!(start(&mut fixture).0, Some((Slot::B, "1.0.0".into())), "after {after} bytes");
        fixture.breaks_after = None;
        flash(&mut fixture, &NEW).unwrap();
        assert_eq!(start(&mut fixture).0, Some((Slot::A, "1.2.0".into())));
    }
    assert!((1..40).contains(&changed), "the breaks were before and after the record was whole: {changed}");
}

#[test]
fn what_the_board_would_not_take_is_refused_here() {
    let refused = |bytes: &[u8], board: &Board| {
        let bytes = AlignedBytes::copy_of(bytes);
        refusal(Model::open(bytes.as_ref(), board).map(|_| ()).unwrap_err())
    };
    let mut board = board();
    let good = NEW.as_ref();
    assert!(Model::open(good, &board).is_ok());
    let flipped = |at: usize| {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    assert!(refused(b"", &board).contains("header"));
    assert!(refused(&good[..good.len() - 1], &board).contains("cut short"));
    assert!(refused(&flipped(1000), &board).contains("damaged"));
    assert!(refused(&flipped(200), &board).contains("signature"));
    let mut longer = good.to_vec();
    longer.resize(board.flash.slot_a.size as usize + 1, 0);
    assert!(refused(&longer, &board).contains("a slot of desk has"));
    board.public_key = key::hex(&[3; 32]);
    assert!(refused(good, &board).contains("key"));
}
