//! How deep the map of a picture is at each place, and how much of that lies in a part of it.

/// A part of a picture: left, top, right and bottom, 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part([f64; 4]);

impl Part {
    /// What lies an eighth of a side or more from every edge. On a frontal film that was framed as
    /// usual the lungs are in it, and labels, collimator and corners are not. It is the same for
    /// every film and no outline of anybody's lungs.
    pub const CHEST: Self = Self([0.125, 0.125, 0.875, 0.875]);

    /// The nine parts of a third of each side, row by row.
    pub fn ninths() -> [Self; 9] {
        std::array::from_fn(|number| {
            let (column, row) = ((number % 3) as f64, (number / 3) as f64);
            Self([column, row, column + 1.0, row + 1.0].map(|third| third / 3.0))
        })
    }

    /// Share of the picture's area.
    pub fn area(self) -> f64 {
        let [left, top, right, bottom] = self.0;
        (right - left) * (bottom - top)
    }

    /// Its columns and rows in a picture of these sizes.
    pub fn pixels(self, width: usize, height: usize) -> [std::ops::Range<usize>; 2] {
        let [left, top, right, bottom] = self.0;
        let at = |place: f64, size: usize| (place * size as f64).round() as usize;
        [at(left, width)..at(right, width), at(top, height)..at(bottom, height)]
    }
}

/// How much each place of a picture moved an answer, in either direction; rows from the top.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heat {
    width: usize,
    places: Vec<f64>,
}

impl Heat {
    /// From each place's share of a logit, as many in a row as `width`. None where no place has
    /// any.
    pub fn of(width: usize, shares: impl Iterator<Item = f64>) -> Option<Self> {
        let places: Vec<f64> = shares.map(f64::abs).collect();
        let total: f64 = places.iter().sum();
        (width > 0 && total > 0.0 && total.is_finite()).then_some(Self { width, places })
    }

    /// Share of the heat that lies in a part; a place that is partly in it counts by its area.
    pub fn share_in(&self, part: Part) -> f64 {
        let [left, top, right, bottom] = part.0;
        let (columns, rows) = (self.width, self.places.len() / self.width);
        let inside = |at: usize, count: usize, from: f64, to: f64| {
            let (begin, end) = (at as f64, (at + 1) as f64);
            ((to * count as f64).min(end) - (from * count as f64).max(begin)).max(0.0)
        };
        let within = |(at, heat): (usize, &f64)| {
            heat * inside(at % columns, columns, left, right) * inside(at / columns, rows, top, bottom)
        };
        self.places.iter().enumerate().map(within).sum::<f64>() / self.places.iter().sum::<f64>()
    }

    /// The numbers of the hottest and the coldest of the [`Part::ninths`]; of equals the first.
    pub fn extremes(&self) -> [usize; 2] {
        let shares = Part::ninths().map(|part| self.share_in(part));
        let beyond = |better: fn(f64, f64) -> bool| {
            (1..shares.len()).fold(0, |best, i| if better(shares[i], shares[best]) { i } else { best })
        };
        [beyond(|a, b| a > b), beyond(|a, b| a < b)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat<const N: usize>(width: usize, shares: [f64; N]) -> Heat {
        Heat::of(width, shares.into_iter()).unwrap()
    }

    #[test]
    fn shares_go_by_area_and_do_not_mind_the_direction() {
        let even = heat(8, [-2.0; 64]);
        assert_eq!(even.share_in(Part::CHEST), 36.0 / 64.0);
        assert_eq!(Part::CHEST.area(), 36.0 / 64.0);
        for part in Part::ninths() {
            assert!(
                (even.share_in(part) - 1.0 / 9.0).abs() < 1e-12 && (part.area() - 1.0 / 9.0).abs() < 1e-12
            );
        }
        // Two by two: a ninth at the corner holds (2/3)^2 of a place, the middle one a ninth of each.
        let corners = heat(2, [3.0, 0.0, 0.0, -1.0]);
        let shares = Part::ninths().map(|part| corners.share_in(part));
        for (share, expected) in shares.iter().zip([3.0, 1.5, 0.0, 1.5, 1.0, 0.5, 0.0, 0.5, 1.0]) {
            assert!((share - expected / 9.0).abs() < 1e-12, "{shares:?}");
        }
        assert_eq!(Heat::of(2, [0.0; 4].into_iter()), None);
    }

    #[test]
    fn the_hottest_ninth_is_found_in_its_row_and_column() {
        for hot in 0..9 {
            let (column, row) = (1 + hot % 3 * 3, 1 + hot / 3 * 3);
            let shares = (0..81).map(|at| if (at % 9, at / 9) == (column, row) { -5.0 } else { 1.0 });
            let found = Heat::of(9, shares).unwrap();
            assert_eq!(found.extremes(), [hot, usize::from(hot == 0)], "{hot}");
        }
    }

    #[test]
    fn parts_are_whole_pixels_and_leave_none_out() {
        let columns: Vec<usize> =
            Part::ninths()[3..6].iter().flat_map(|p| p.pixels(100, 50)[0].clone()).collect();
        assert_eq!(columns, (0..100).collect::<Vec<_>>());
        assert_eq!(Part::ninths()[7].pixels(100, 50), [33..67, 33..50]);
    }
}
