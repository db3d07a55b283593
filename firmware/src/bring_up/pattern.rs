//! A camera's test pattern, row by row: a data line that is stuck or in another's place shows in
//! every row, a pixel or a row that is lost in those behind it.

use super::line::{Line, Value};

const NAME: &str = "pattern";
/// The data lines, from the lowest bit.
const DATA: [&str; 8] = ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"];

/// What a camera shows as its test pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One bit that walks from the lowest to the highest, a place a pixel, and then a pixel of
    /// zero: nine bytes, again and again. HM01B0, TEST_PATTERN_MODE 0x11; the order is that of
    /// `hm01b0_test_walking1s_check_data_sanity` in Himax's driver.
    WalkingOnes,
    /// Eight upright bars, each darker than the one before, as YUYV. OV7725, COM3 and DSP_CTRL3.
    /// Their very levels are taken from no source: so two data lines in each other's place are
    /// found only where they put the bars out of order.
    Bars,
}

/// Bytes after which walking ones begin again.
const WALK: usize = 9;
const BARS: usize = 8;
/// How far apart two bars are at least, and two rows of one bar at most.
const STEP: u8 = 3;
const NOISE: u8 = 2;

impl Pattern {
    /// Holds `rows`, of one length, against the pattern.
    pub(super) fn check<'r>(self, rows: impl Iterator<Item = &'r [u8]> + Clone) -> Line {
        let (mut ever, mut always) = (0_u8, u8::MAX);
        for byte in rows.clone().flatten() {
            ever |= byte;
            always &= byte;
        }
        let Some(first) = rows.clone().next() else {
            return Line::skipped(NAME, "no row came");
        };
        // Each bit moves in every pattern: one that does not makes every row wrong.
        let stuck = !ever | always;
        let model = Model::of(self, first, !stuck);
        let (mut count, mut right, mut wrong) = (0, 0, None);
        for row in rows.clone() {
            count += 1;
            if stuck == 0 && model.fits(row) {
                right += 1;
            } else {
                wrong = wrong.or(Some(row));
            }
        }
        let Some(row) = wrong else { return Line::passed(NAME, Value::Number(count)) };
        let (wires, look) = if ever == always {
            ([DATA[0], DATA[7]], "no data line moves: the plug, the camera's supply, or its pattern is off")
        } else if let Some(line) = bit(!ever) {
            ([line, ""], "this data line is always low: not connected, or a short to ground")
        } else if let Some(line) = bit(always) {
            ([line, ""], "this data line is always high: a short to the supply")
        } else if let Some(swapped) = model.swapped(row) {
            (swapped, "these two data lines are in each other's place")
        } else {
            (
                ["pclk", "href"],
                "pixels are lost or come twice, or the pattern is off: the clocks' lines, long wires, ground",
            )
        };
        Line::failed(NAME, Value::Number(count), Value::Number(right), wires, look)
    }
}

/// The name of the lowest line whose bit is set.
fn bit(bits: u8) -> Option<&'static str> {
    DATA.get(bits.trailing_zeros() as usize).copied()
}

/// What the rows must be, after the first of them.
enum Model<'r> {
    /// The place of the first pixel in the walk.
    Walk(usize),
    /// The luminance of the bars' middles.
    Bars { first: &'r [u8] },
}

impl<'r> Model<'r> {
    /// `live` are the bits that move at all: the place in the walk is found by them.
    fn of(pattern: Pattern, first: &'r [u8], live: u8) -> Self {
        match pattern {
            Pattern::Bars => Self::Bars { first },
            Pattern::WalkingOnes => {
                let agree = |place: &usize| {
                    (*place..).zip(first).filter(|(place, byte)| (walk(*place) ^ **byte) & live == 0).count()
                };
                Self::Walk((0..WALK).max_by_key(agree).unwrap_or(0))
            }
        }
    }

    fn fits(&self, row: &[u8]) -> bool {
        match self {
            Self::Walk(place) => (*place..).zip(row).all(|(place, byte)| walk(place) == *byte),
            Self::Bars { first } => {
                let (here, there) = (middles(row), middles(first));
                falls(here) && here.iter().zip(there).all(|(a, b)| a.abs_diff(b) <= NOISE)
            }
        }
    }

    /// Two lines which put into each other's place make a row fit.
    fn swapped(&self, row: &[u8]) -> Option<[&'static str; 2]> {
        let mut pairs = (0..8).flat_map(|low| (low + 1..8).map(move |high| (low, high)));
        let fits = |(low, high): &(usize, usize)| match self {
            Self::Walk(place) => {
                (*place..).zip(row).all(|(place, byte)| walk(place) == swap(*byte, *low, *high))
            }
            Self::Bars { .. } => falls(middles(row).map(|level| swap(level, *low, *high))),
        };
        let (low, high) = pairs.by_ref().find(fits)?;
        // Where two pairs would do, neither is named.
        if pairs.any(|pair| fits(&pair)) { None } else { Some([*DATA.get(low)?, *DATA.get(high)?]) }
    }
}

fn walk(place: usize) -> u8 {
    1_u8.checked_shl((place % WALK) as u32).unwrap_or(0)
}

fn swap(byte: u8, low: usize, high: usize) -> u8 {
    let differ = (byte >> low ^ byte >> high) & 1;
    byte ^ (differ << low | differ << high)
}

/// The luminance in the middle of each bar; zero where the row is too short.
fn middles(row: &[u8]) -> [u8; BARS] {
    let pixels = row.len() / 2;
    core::array::from_fn(|bar| row.get(2 * ((2 * bar + 1) * pixels / (2 * BARS))).copied().unwrap_or(0))
}

fn falls(levels: [u8; BARS]) -> bool {
    levels.windows(2).all(|pair| matches!(pair, [before, after] if before.saturating_sub(*after) >= STEP))
}
