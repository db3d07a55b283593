//! An HM01B0's lines over time, in cycles of a chip at 150 MHz: data sheet, section "parallel
//! output". VSYNC, HREF and the data change at PCLK's falling edge; PCLK runs between rows too.

use std::collections::VecDeque;

use firmware::sensors::hm01b0::{FRAME, HEIGHT, LINE, WIDTH};
use pio_camera::{HREF, PCLK, VSYNC};

/// D0 is GP6.
const D0: u32 = 6;
/// Cycles of half a period of PCLK, whose clock is an eighth of 12.5 MHz.
const HALF: u64 = 48;
/// HREF comes so many periods of PCLK into a row.
const LEAD: u32 = 20;
/// From there to its first frame.
const START: u64 = 30_000;

/// What one frame has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    Whole,
    /// This row does not come.
    WithoutRow(u16),
    /// HREF of this row falls after so many bytes.
    ShortRow(u16, u16),
    /// HREF of each row is so many bytes longer than a row.
    LongRows(u16),
    /// Behind it HREF goes on as in rows, until the next frame.
    RowsBehind,
    /// After so many rows the camera starts anew, with the next frame.
    CutAfter(u16),
    /// In this row, after so many bytes, every line falls until the next frame.
    StopsIn(u16, u16),
    /// Neither VSYNC nor HREF.
    Silent,
}

/// The byte of a pixel, another one in each place and frame.
pub fn pixel(frame: u32, row: u32, column: u32) -> u8 {
    let mixed = (frame + 1).wrapping_mul(0x9E37_79B9)
        ^ row.wrapping_mul(0x85EB_CA6B)
        ^ column.wrapping_mul(0xC2B2_AE35);
    (mixed ^ mixed >> 15).wrapping_mul(0x2C1B_3C6D).to_be_bytes()[0]
}

pub fn picture(frame: u32) -> Vec<u8> {
    let rows = 0..u32::from(HEIGHT);
    rows.flat_map(|row| (0..u32::from(WIDTH)).map(move |column| pixel(frame, row, column))).collect()
}

/// The lines' changes, a row at a time.
pub struct Waveform {
    script: VecDeque<Frame>,
    /// Cycles by which each edge comes earlier or later, at most.
    jitter: u64,
    seed: u64,
    /// Number of the frame that comes, and of its row.
    pub frame: u32,
    row: u32,
    /// When the next row begins, without jitter; none before the camera streams.
    at: Option<u64>,
    edges: VecDeque<(u64, u32)>,
}

impl Waveform {
    /// The frames of the script, then whole ones for ever.
    pub fn new(script: &[Frame], jitter: u64) -> Self {
        assert!(2 * jitter < HALF, "edges would change places");
        let script = script.iter().copied().collect();
        Self { script, jitter, seed: 1, frame: 0, row: 0, at: None, edges: VecDeque::new() }
    }

    /// It streams from now on, where it does not yet.
    pub fn start(&mut self, now: u64) {
        self.at.get_or_insert(now + START);
    }

    /// When the next change is.
    pub fn next(&mut self) -> u64 {
        while self.edges.is_empty() {
            let Some(at) = self.at else { return u64::MAX };
            self.at = Some(self.draw_row(at));
        }
        self.edges[0].0
    }

    /// The levels from then on.
    pub fn change(&mut self) -> u32 {
        self.edges.pop_front().expect("`next` has seen to it").1
    }

    /// A row that begins at `at`; gives when it ends.
    fn draw_row(&mut self, mut at: u64) -> u64 {
        let kind = self.script.front().copied().unwrap_or(Frame::Whole);
        let height = match kind {
            Frame::CutAfter(rows) => u32::from(rows),
            _ => u32::from(HEIGHT),
        };
        let width = u32::from(match kind {
            Frame::ShortRow(row, bytes) if u32::from(row) == self.row => bytes,
            Frame::LongRows(more) => WIDTH + more,
            _ => WIDTH,
        });
        let comes = (self.row < height || kind == Frame::RowsBehind)
            && kind != Frame::Silent
            && !matches!(kind, Frame::WithoutRow(row) if u32::from(row) == self.row);
        let vsync = self.row < height && kind != Frame::Silent;
        for period in 0..u32::from(LINE) {
            let column = period.wrapping_sub(LEAD);
            let href = comes && column < width;
            // Between rows the data lines hold anything.
            let byte = pixel(self.frame, self.row, column);
            let low = u32::from(byte) << D0 | u32::from(href) << HREF | u32::from(vsync) << VSYNC;
            let (falls, rises) = (self.shaken(at), self.shaken(at + HALF));
            let stopped = matches!(kind, Frame::StopsIn(row, bytes)
                if (self.row, period) >= (row.into(), LEAD + u32::from(bytes)));
            let levels = if stopped { [0, 0] } else { [low, low | 1 << PCLK] };
            self.edges.extend([(falls, levels[0]), (rises, levels[1])]);
            at += 2 * HALF;
        }
        self.row += 1;
        // A camera that starts anew is low for a row at least.
        let cut = matches!(kind, Frame::CutAfter(_)) && self.row > height;
        if self.row == u32::from(FRAME) || cut {
            self.row = 0;
            self.frame += 1;
            self.script.pop_front();
        }
        at
    }

    fn shaken(&mut self, at: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at - self.jitter + (self.seed >> 33) % (2 * self.jitter + 1)
    }
}
