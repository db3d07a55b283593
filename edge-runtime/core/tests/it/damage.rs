//! A model that changes in memory behind its check: an error, or the same bits; never another
//! answer.

use crate::packed::packed;
use edge_core::infer::{Engine, InferError};
use edge_core::kernels::Kernels;
use edge_core::packed::{self, Packed, PackedError};
use edge_core::{Geometry, Pipeline, PixelFormat};
use std::cell::Cell;
use test_support::network::{Aligned, Built};

const SIDE: usize = 16;

/// A memory that shows what was written, until it is told to show something else.
struct Memory {
    good: Aligned,
    other: Aligned,
    is_damaged: Cell<bool>,
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        if self.is_damaged.get() { self.other.as_ref() } else { self.good.as_ref() }
    }
}

impl Memory {
    fn new(seed: u64) -> Self {
        let good = packed(&Built::new(SIDE, seed));
        Self { other: Aligned::copy_of(good.as_ref()), good, is_damaged: Cell::new(false) }
    }

    /// Bytes of header and tables, as the header says.
    fn plan_bytes(&self) -> usize {
        u32::from_le_bytes(self.good.as_ref()[24..28].try_into().unwrap()) as usize
    }

    fn damage(&mut self, at: usize, change: impl Fn(u8) -> u8) {
        self.other.as_mut().copy_from_slice(self.good.as_ref());
        self.other.as_mut()[at] = change(self.good.as_ref()[at]);
    }
}

fn input() -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| (i * 7) as u8).collect()
}

/// The logit of a model that is checked, and then damaged once that many layers have run; more than
/// there are: never.
fn logit(memory: &Memory, after: usize, arena: &mut [u8]) -> Result<u32, InferError> {
    memory.is_damaged.set(false);
    let engine = Engine::new(Packed::new(memory).unwrap(), Kernels::SCALAR);
    memory.is_damaged.set(after == 0);
    let mut done = 0;
    let logit = engine.infer_observed(arena, &input(), &mut |_, _| {
        done += 1;
        memory.is_damaged.set(done >= after);
    });
    logit.map(f32::to_bits)
}

const CHANGES: [fn(u8) -> u8; 4] = [|b| b ^ 1, |b| b ^ 0x80, |b| !b, |b| b.wrapping_add(1)];

#[test]
fn damage_of_the_execution_plan_is_an_error_or_changes_no_bit() {
    let mut memory = Memory::new(1);
    let mut arena = vec![0; 1 << 16];
    let expected = logit(&memory, usize::MAX, &mut arena).unwrap();
    // What only the check reads: magic, version, length, the whole file's checksum.
    for at in 0..20 {
        memory.damage(at, |b| !b);
        assert_eq!(logit(&memory, 0, &mut arena), Ok(expected), "byte {at}");
    }
    for at in 20..memory.plan_bytes() {
        for (change, with) in CHANGES.iter().enumerate() {
            memory.damage(at, with);
            // Before the first layer; once also in the middle, and after the last layer but before the logit.
            for &after in if change == 0 { &[0, 3, 7][..] } else { &[0] } {
                let got = logit(&memory, after, &mut arena);
                assert!(matches!(got, Err(InferError::Model(_))), "byte {at}, change {change}: {got:?}");
            }
        }
    }
}

/// It is the checksum that finds it: under one that was put right, a step of a zero point is
/// another answer.
#[test]
fn a_planted_damage_under_its_checksum_is_another_answer() {
    let mut memory = Memory::new(1);
    let mut arena = vec![0; 1 << 16];
    let expected = logit(&memory, usize::MAX, &mut arena).unwrap();
    let differs = |at: usize, memory: &mut Memory, arena: &mut [u8]| {
        memory.damage(at, |b| b ^ 1);
        packed::seal(memory.other.as_mut());
        logit(memory, 0, arena).is_ok_and(|got| got != expected)
    };
    let count = (20..memory.plan_bytes()).filter(|&at| differs(at, &mut memory, &mut arena)).count();
    assert!(count > 10, "{count} bytes make another answer");
}

#[test]
fn the_damage_is_named_with_what_to_do() {
    let mut memory = Memory::new(1);
    memory.damage(100, |b| !b);
    let error = logit(&memory, 0, &mut vec![0; 1 << 16]).unwrap_err();
    assert!(matches!(error, InferError::Model(PackedError::Damaged { .. })));
    assert!(error.to_string().contains("changed in memory"), "{error}");
}

/// The pipeline's own steps around the engine, each on a damaged model: none answers.
#[test]
fn a_damaged_model_takes_no_frame_and_judges_none() {
    let mut memory = Memory::new(1);
    memory.damage(120, |b| !b);
    let mut arena = Aligned::zeroed(1 << 16);
    let geometry = Geometry::new(40, 40, PixelFormat::Gray8).unwrap();
    let pipeline = Pipeline::new(Packed::new(&memory).unwrap(), Kernels::SCALAR);
    let picture: Vec<u8> = (0..1600).map(|at| (at * at / 7 % 251) as u8).collect();
    let mut incoming = pipeline.begin(geometry, arena.as_mut()).unwrap();
    picture.chunks_exact(40).for_each(|row| incoming.row(row).unwrap());
    let stats = incoming.finish().unwrap();
    assert!(pipeline.judge(geometry, &stats, arena.as_mut(), &mut |_| ()).is_ok());
    memory.is_damaged.set(true);
    let damaged = |error: Option<InferError>| matches!(error, Some(InferError::Model(_)));
    assert!(damaged(pipeline.begin(geometry, arena.as_mut()).err()));
    assert!(damaged(pipeline.judge(geometry, &stats, arena.as_mut(), &mut |_| ()).err()));
    assert!(damaged(pipeline.input(arena.as_ref()).err()));
    assert!(damaged(pipeline.engine().features(arena.as_ref()).err()));
    assert!(damaged(pipeline.engine().map(arena.as_ref(), &mut [0.0; 16]).err()));
}
