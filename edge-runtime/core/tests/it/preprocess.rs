//! Preprocessing: equal to its plain definition, streaming or whole, grey or colour; no input makes
//! it panic.

use edge_core::preprocess::{MAX_OUTPUT_SIDE, PreprocessError};
use edge_core::{Frame, Geometry, PixelFormat, PixelStats, Preprocess, Scratch, preprocess};
use proptest::prelude::*;

/// Memory for one run, filled with what an earlier picture may have left there.
struct Memory {
    row: Vec<u32>,
    line: Vec<u64>,
    cells: Vec<u16>,
}

impl Memory {
    fn new(side: u16) -> Self {
        let side = usize::from(side);
        Self { row: vec![0xAAAA_AAAA; side], line: vec![u64::MAX; side], cells: vec![0xAAAA; side * side] }
    }

    fn scratch(&mut self) -> Scratch<'_> {
        Scratch { row: &mut self.row, line: &mut self.line, cells: &mut self.cells }
    }
}

/// Cells, input and statistics of a frame.
fn run(frame: &Frame, side: u16) -> (Vec<u16>, Vec<u8>, PixelStats) {
    let mut memory = Memory::new(side);
    let mut input = vec![0; usize::from(side) * usize::from(side)];
    let stats = preprocess(frame, side, memory.scratch(), &mut input).unwrap();
    (memory.cells, input, stats)
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    prop::sample::select(PixelFormat::ALL.to_vec())
}

/// A geometry with up to `most` pixels a side and bytes to fill it.
fn pictures(most: u32) -> impl Strategy<Value = (Geometry, Vec<u8>)> {
    (32..=most, 32..=most, formats()).prop_flat_map(|(width, height, format)| {
        let geometry = Geometry::new(width, height, format).unwrap();
        let size = geometry.row_bytes() * usize::from(geometry.height());
        (Just(geometry), prop::collection::vec(any::<u8>(), size))
    })
}

fn gray16(width: u32, height: u32, pixels: impl IntoIterator<Item = u16>) -> (Geometry, Vec<u8>) {
    let bytes = pixels.into_iter().flat_map(u16::to_le_bytes).collect();
    (Geometry::new(width, height, PixelFormat::Gray16).unwrap(), bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equals_the_plain_definition((geometry, bytes) in pictures(56), side in 1u16..=70) {
        let frame = Frame::packed(geometry, &bytes).unwrap();
        let (cells, input, _) = run(&frame, side);
        let (expected_cells, expected_input) = test_support::reference::area_standardise(&frame, side);
        prop_assert_eq!(cells, expected_cells);
        prop_assert_eq!(input, expected_input);
    }

    #[test]
    fn rows_that_stream_in_equal_the_whole_frame(
        (geometry, bytes) in pictures(90),
        side in 1u16..=MAX_OUTPUT_SIDE,
        padding in 0usize..9,
    ) {
        let whole = run(&Frame::packed(geometry, &bytes).unwrap(), side);

        let mut memory = Memory::new(side);
        let mut input = vec![0; usize::from(side) * usize::from(side)];
        let mut stream = Preprocess::begin(geometry, side, memory.scratch()).unwrap();
        for row in bytes.chunks(geometry.row_bytes()) {
            stream.row(row).unwrap();
        }
        let stats = stream.finish(&mut input).unwrap();
        prop_assert_eq!((&memory.cells, &input, stats), (&whole.0, &whole.1, whole.2));

        // And the same with padding between the rows, which nothing may look at.
        let mut padded = Vec::new();
        for row in bytes.chunks(geometry.row_bytes()) {
            padded.extend_from_slice(row);
            padded.extend(std::iter::repeat_n(0xFF, padding));
        }
        let padded = Frame::new(geometry, geometry.row_bytes() + padding, &padded).unwrap();
        prop_assert_eq!(run(&padded, side), whole);
    }

    #[test]
    fn grey_stored_as_colour_or_in_16_bits_is_the_same_grey(
        (geometry, bytes) in pictures(64).prop_filter("grey", |(g, _)| g.format() == PixelFormat::Gray8),
        side in 1u16..=64,
    ) {
        let grey = run(&Frame::packed(geometry, &bytes).unwrap(), side);
        let stored_as = |format, copies: usize| {
            let (width, height) = (geometry.width().into(), geometry.height().into());
            let geometry = Geometry::new(width, height, format).unwrap();
            let bytes: Vec<u8> = bytes.iter().flat_map(|&v| std::iter::repeat_n(v, copies)).collect();
            run(&Frame::packed(geometry, &bytes).unwrap(), side)
        };
        prop_assert_eq!(&stored_as(PixelFormat::Rgb8, 3), &grey);
        prop_assert_eq!(&stored_as(PixelFormat::Gray16, 2), &grey); // 0xAB widens to 0xABAB
        prop_assert_eq!(&stored_as(PixelFormat::Rgb16, 6), &grey);
    }

    #[test]
    fn brighter_by_a_constant_gives_exactly_the_same_input(
        pixels in prop::collection::vec(0u16..50_000, 40 * 50),
        brighter in 0u16..15_000,
    ) {
        let (geometry, bytes) = gray16(40, 50, pixels.iter().copied());
        let before = run(&Frame::packed(geometry, &bytes).unwrap(), 32);
        let (geometry, bytes) = gray16(40, 50, pixels.iter().map(|v| v + brighter));
        let after = run(&Frame::packed(geometry, &bytes).unwrap(), 32);
        prop_assert_eq!(before.1, after.1);
        prop_assert_eq!(before.2.mean + brighter, after.2.mean);
    }

    #[test]
    fn more_contrast_changes_the_input_by_a_rounding_step_at_most(
        blocks in prop::collection::vec(0u16..6000, 64),
        factor in 2u16..=9,
        brighter in 0u16..9000,
    ) {
        // Blocks of 8 x 8 pixels, so that averaging leaves contrast.
        let at = |i: usize| blocks[i / 64 / 8 * 8 + i % 64 / 8];
        let (geometry, bytes) = gray16(64, 64, (0..64 * 64).map(at));
        let before = run(&Frame::packed(geometry, &bytes).unwrap(), 32);
        prop_assume!(before.2.deviation >= 1000);
        let (geometry, bytes) = gray16(64, 64, (0..64 * 64).map(|i| at(i) * factor + brighter));
        let after = run(&Frame::packed(geometry, &bytes).unwrap(), 32);
        let worst = before.1.iter().zip(&after.1).map(|(a, b)| a.abs_diff(*b)).max();
        prop_assert!(worst <= Some(1), "{worst:?}");
    }

    /// Whatever a source sends, each call gives a result; a refused row changes nothing, and
    /// `finish` succeeds exactly where the announced number of whole rows came.
    #[test]
    fn damaged_streams_are_errors_and_never_panics(
        (width, height, format) in (32u32..=40, 32u32..=40, formats()),
        side in 0u16..=230,
        lengths in prop::collection::vec(prop_oneof![4 => Just(None), 1 => (0usize..300).prop_map(Some)], 0..50),
        output_length in prop_oneof![3 => Just(None), 1 => (0usize..2000).prop_map(Some)],
        value in any::<u8>(),
    ) {
        let geometry = Geometry::new(width, height, format).unwrap();
        let mut memory = Memory::new(side);
        let mut stream = match Preprocess::begin(geometry, side, memory.scratch()) {
            Ok(stream) => stream,
            Err(error) => {
                prop_assert_eq!(error, PreprocessError::Side { got: side });
                prop_assert!(side == 0 || side > MAX_OUTPUT_SIDE);
                return Ok(());
            }
        };
        let (row, mut taken) = (geometry.row_bytes(), 0);
        for length in lengths {
            let length = length.unwrap_or(row);
            match stream.row(&vec![value; length]) {
                Ok(()) => {
                    prop_assert_eq!(length, row);
                    taken += 1;
                }
                Err(PreprocessError::RowBytes { expected, got }) => {
                    prop_assert_eq!((expected, got), (row, length));
                    prop_assert_ne!(length, row);
                }
                Err(error) => {
                    prop_assert_eq!(error, PreprocessError::Rows { expected: height as u16, got: taken + 1 });
                    prop_assert_eq!(u32::from(taken), height);
                }
            }
        }
        let cells = usize::from(side) * usize::from(side);
        let output_length = output_length.unwrap_or(cells);
        let finished = stream.finish(&mut vec![0; output_length]);
        let complete = u32::from(taken) == height;
        prop_assert_eq!(finished.is_ok(), complete && output_length == cells, "{:?}", finished);
    }

    #[test]
    fn short_scratch_is_an_error(row in 0usize..9, line in 0usize..9, cells in 0usize..65, side in 1u16..=8) {
        let geometry = Geometry::new(32, 32, PixelFormat::Gray8).unwrap();
        let (mut r, mut l, mut c) = (vec![0; row], vec![0; line], vec![0; cells]);
        let scratch = Scratch { row: &mut r, line: &mut l, cells: &mut c };
        let begun = Preprocess::begin(geometry, side, scratch).map(|_| ());
        let n = usize::from(side);
        let fits = row >= n && line >= n && cells >= n * n;
        prop_assert_eq!(begun, if fits { Ok(()) } else { Err(PreprocessError::Scratch { side }) });
    }
}

/// The extremes of size and brightness, where sums are largest.
#[test]
fn largest_and_most_lopsided_pictures_do_not_overflow() {
    for (width, height) in [(8000, 32), (32, 8000), (8000, 1000)] {
        let geometry = Geometry::new(width, height, PixelFormat::Gray16).unwrap();
        let white = vec![0xFF; geometry.row_bytes() * height as usize];
        for side in [1, 128, MAX_OUTPUT_SIDE] {
            let (cells, input, stats) = run(&Frame::packed(geometry, &white).unwrap(), side);
            assert!(cells.iter().all(|&cell| cell == 65535), "{width}x{height} to {side}");
            assert!(input.iter().all(|&value| value == 128));
            assert_eq!(
                stats,
                PixelStats { mean: 65535, deviation: 0, black_permille: 0, white_permille: 1000 }
            );
        }
    }
}

/// Half black, half white is the largest deviation that there is.
#[test]
fn half_black_half_white() {
    let (geometry, bytes) = gray16(64, 64, (0..64 * 64).map(|i| if i % 64 < 32 { 0 } else { 65535 }));
    let (_, input, stats) = run(&Frame::packed(geometry, &bytes).unwrap(), 128);
    assert_eq!(stats, PixelStats { mean: 32768, deviation: 32767, black_permille: 500, white_permille: 500 });
    assert!(input.iter().all(|&v| v == 80 || v == 176), "one deviation to both sides of 128");
}

/// Values worked out by hand: 32 pixels into three cells do not fit evenly, so that the middle cell
/// mixes.
#[test]
fn uneven_cells_take_their_share_of_both_neighbours() {
    // Left half 0, right half 300, into three cells across: the middle one covers half of each.
    let (geometry, bytes) = gray16(32, 32, (0..32 * 32).map(|i| if i % 32 < 16 { 0 } else { 300 }));
    let (cells, input, stats) = run(&Frame::packed(geometry, &bytes).unwrap(), 3);
    assert_eq!(cells, [0, 150, 300].repeat(3));
    // Variance (150^2 + 0 + 150^2) / 3 = 15000, root 122.47; 150 * 48 / 122 = 59.016.
    assert_eq!((stats.mean, stats.deviation), (150, 122));
    assert_eq!(input, [128 - 59, 128, 128 + 59].repeat(3));
}

/// The comparison with the definition bites: one pixel that is off by one is seen.
#[test]
fn a_planted_fault_is_seen() {
    let (geometry, mut bytes) = gray16(33, 47, (0..33 * 47).map(|i| (i * 40) as u16));
    let expected = test_support::reference::area_standardise(&Frame::packed(geometry, &bytes).unwrap(), 40);
    bytes[2 * 700] ^= 0x40;
    let (cells, input, _) = run(&Frame::packed(geometry, &bytes).unwrap(), 40);
    assert_ne!((cells, input), expected);
}
