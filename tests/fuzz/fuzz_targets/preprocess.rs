//! Any size, format, scratch memory and rows through preprocess, gate and decide: the network's
//! input as its plain definition gives it, or an error that names the mistake; rows that stream in
//! give the same as the frame in memory.
#![no_main]

use arbitrary::Arbitrary;
use edge_core::decide::Decision;
use edge_core::frame::FrameError;
use edge_core::gate::{GateThresholds, LAYOUT_CELLS, MAX_CHANNELS, QualityMetrics};
use edge_core::preprocess::{MAX_OUTPUT_SIDE, PreprocessError, preprocess};
use edge_core::{Frame, Geometry, PixelFormat, PixelStats, Preprocess, Reason, Scratch, State};
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;
use test_support::reference;

/// Pixels of a picture above which one run would take so long that few are made.
const MOST_PIXELS: usize = 1 << 16;
/// Pixels times cells up to which the plain definition, which visits every pixel for every cell, is
/// worth its time.
const MOST_STEPS: usize = 1 << 16;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    width: Side,
    height: Side,
    format: u8,
    side: Cells,
    stride_padding: u8,
    /// Whether anything is wrong beside the sizes; most runs should reach the end.
    mistakes: Option<Mistakes>,
    limits: (u16, u16, u16, u16),
    pixels: &'a [u8],
}

/// A length in pixels: mostly one that is allowed.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Side {
    Near(u8),
    Allowed(u16),
    Any(u32),
}

impl Side {
    fn pixels(self) -> u32 {
        match self {
            Side::Near(more) => 28 + u32::from(more),
            Side::Allowed(pixels) => 32 + u32::from(pixels) % 7969,
            Side::Any(pixels) => pixels,
        }
    }
}

/// The side of the network's input: mostly one that is allowed.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Cells {
    Small(u8),
    Any(u16),
}

/// Wrong lengths: of the three scratch slices, the output, one row, and the number of rows.
#[derive(Arbitrary, Clone, Copy, Debug, Default)]
struct Mistakes {
    row: i8,
    line: i8,
    cells: i8,
    output: i8,
    row_bytes: i8,
    rows: i8,
}

/// Memory for one run, filled with what an earlier picture may have left there.
struct Memory {
    row: Vec<u32>,
    line: Vec<u64>,
    cells: Vec<u16>,
    output: Vec<u8>,
}

impl Memory {
    fn new(side: u16, mistakes: Mistakes) -> Self {
        let (n, cells) = (usize::from(side), usize::from(side) * usize::from(side));
        Self {
            row: vec![0xAAAA_AAAA; off(n, mistakes.row)],
            line: vec![u64::MAX; off(n, mistakes.line)],
            cells: vec![0xAAAA; off(cells, mistakes.cells)],
            output: vec![0xAA; off(cells, mistakes.output)],
        }
    }

    fn fits(&self, side: u16) -> bool {
        let (n, cells) = (usize::from(side), usize::from(side) * usize::from(side));
        self.row.len() >= n && self.line.len() >= n && self.cells.len() >= cells
    }
}

fn off(length: usize, by: i8) -> usize {
    length.saturating_add_signed(by.into())
}

fuzz_target!(|input: Input| {
    use PixelFormat::*;
    let (width, height) = (input.width.pixels(), input.height.pixels());
    let format = [Gray8, Gray16, Rgb8, Rgb16, Yuyv, Uyvy][usize::from(input.format) % 6];
    let geometry = match Geometry::new(width, height, format) {
        Ok(geometry) => geometry,
        Err(error) => {
            assert_one_line(&error);
            return assert_eq!(error, FrameError::Size { width, height });
        }
    };
    if width as usize * height as usize > MOST_PIXELS {
        return;
    }
    let side = match input.side {
        Cells::Small(side) => u16::from(side) % MAX_OUTPUT_SIDE + 1,
        Cells::Any(side) => side,
    };
    // Only the side's square is made in memory below.
    let memory_side = side.min(MAX_OUTPUT_SIDE + 1);
    let row_bytes = geometry.row_bytes();
    let pattern = if input.pixels.is_empty() { &[0x80][..] } else { input.pixels };
    let packed: Vec<u8> =
        pattern.iter().copied().cycle().take(row_bytes * usize::from(geometry.height())).collect();
    let rows = || packed.chunks(row_bytes);

    if let Some(mistakes) = input.mistakes {
        let mut memory = Memory::new(memory_side, mistakes);
        return with_mistakes(geometry, side, &mut memory, mistakes, &packed);
    }

    let mut streamed = Memory::new(memory_side, Mistakes::default());
    let stats = match stream(geometry, side, &mut streamed, rows()) {
        Ok(stats) => stats,
        Err(error) => return assert_eq!(error, PreprocessError::Side { got: side }),
    };
    if planted_fault() {
        streamed.output[0] ^= 1;
    }

    // The same picture as a frame in memory, with padding between its rows.
    let stride = row_bytes + usize::from(input.stride_padding);
    let mut padded: Vec<u8> =
        rows().flat_map(|row| row.iter().copied().chain((row_bytes..stride).map(|_| 0xEE))).collect();
    padded.truncate(padded.len() - (stride - row_bytes)); // the last row needs none
    let frame = Frame::new(geometry, stride, &padded).expect("rows, padding and all");
    let mut whole = Memory::new(side, Mistakes::default());
    let scratch = Scratch { row: &mut whole.row, line: &mut whole.line, cells: &mut whole.cells };
    assert_eq!(preprocess(&frame, side, scratch, &mut whole.output), Ok(stats));
    assert_eq!((&whole.cells, &whole.output), (&streamed.cells, &streamed.output));

    if width as usize * height as usize * whole.cells.len() <= MOST_STEPS {
        assert_eq!(reference::area_standardise(&frame, side), (whole.cells, whole.output));
    }
    judge(geometry, &stats, &streamed.output, input.limits);
});

/// Begins, hands over all rows and finishes.
fn stream<'r>(
    geometry: Geometry,
    side: u16,
    memory: &mut Memory,
    rows: impl Iterator<Item = &'r [u8]>,
) -> Result<PixelStats, PreprocessError> {
    let scratch = Scratch { row: &mut memory.row, line: &mut memory.line, cells: &mut memory.cells };
    let mut run = Preprocess::begin(geometry, side, scratch)?;
    for row in rows {
        run.row(row)?;
    }
    run.finish(&mut memory.output)
}

/// A caller that gets lengths wrong is told so, and told right.
fn with_mistakes(geometry: Geometry, side: u16, memory: &mut Memory, mistakes: Mistakes, packed: &[u8]) {
    let cells = usize::from(side) * usize::from(side);
    let fits = memory.fits(side);
    let rows = off(usize::from(geometry.height()), mistakes.rows);
    let row_bytes = off(geometry.row_bytes(), mistakes.row_bytes);
    let row = vec![packed[0]; row_bytes];
    let output = memory.output.len();
    let result = stream(geometry, side, memory, std::iter::repeat_n(&row[..], rows));
    match result {
        Err(PreprocessError::Side { got }) => assert!(got == side && (side == 0 || side > MAX_OUTPUT_SIDE)),
        Err(PreprocessError::Scratch { .. }) => assert!(!fits),
        Err(PreprocessError::RowBytes { expected, got }) => {
            assert_eq!((expected, got), (geometry.row_bytes(), row_bytes));
            assert_ne!(mistakes.row_bytes, 0);
        }
        Err(PreprocessError::Rows { expected, .. }) => {
            assert_eq!(expected, geometry.height());
            assert_ne!(mistakes.rows, 0);
        }
        Err(PreprocessError::Output { expected, got }) => {
            assert_eq!((expected, got), (cells, output));
            assert_ne!(mistakes.output, 0);
        }
        Err(other) => panic!("an error that this target does not know: {other}"),
        Ok(_) => {
            assert!(fits && (1..=MAX_OUTPUT_SIDE).contains(&side));
            assert_eq!((mistakes.row_bytes, mistakes.rows, output), (0, 0, cells));
        }
    }
    if let Err(error) = result {
        assert_one_line(&error);
    }
}

/// The gate's answer fits its limits, and a refusal shows no score.
fn judge(
    geometry: Geometry,
    stats: &PixelStats,
    picture: &[u8],
    (min_mean, max_mean, min_deviation, longer): (u16, u16, u16, u16),
) {
    let max_elongation_permille = 1000 + u32::from(longer);
    let mut limits: GateThresholds<Vec<i8>> = GateThresholds {
        min_mean,
        max_mean,
        min_deviation,
        max_elongation_permille,
        ..GateThresholds::open()
    };
    // Weights of any kind, and as many as there must be or not.
    limits.layout.weights = picture.iter().take(LAYOUT_CELLS).map(|&byte| byte as i8).collect();
    limits.features.weights = picture.iter().take(16 * MAX_CHANNELS).map(|&byte| byte as i8).collect();
    limits.layout.least = i32::from(longer) - 30_000;
    let mut figures = QualityMetrics::of(geometry, stats, picture, &limits);
    let _ = figures.judge_features(picture, &limits);
    match figures.judge(&limits) {
        Ok(()) => assert!(
            (min_mean..=max_mean).contains(&stats.mean)
                && stats.deviation >= min_deviation
                && geometry.elongation_permille() <= max_elongation_permille
                && figures.layout >= limits.layout.least
        ),
        Err(reason) => {
            let broken = match reason {
                Reason::Elongated(got, limit) => got > limit,
                Reason::Dark(got, limit) | Reason::LowContrast(got, limit) => got < limit,
                Reason::Bright(got, limit) => got > limit,
                Reason::UnlikeLayout(got, limit) => got < limit,
                _ => false,
            };
            assert!(broken, "{reason:?}");
            assert_one_line(&reason);
            let decision = Decision::refused(reason);
            assert_eq!((decision.state, decision.logit, decision.score), (State::Invalid, None, None));
        }
    }
}
