//! What a file says of how its values become grey: lookup tables and windows (PS3.3 C.11.1, C.11.2).

/// A lookup table of a sequence's item (0028,3006): outputs from input `first` on; inputs beyond an end
/// have the output there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lut {
    pub first: i32,
    pub outputs: Vec<u16>,
    /// Bits of an output, 8 to 16.
    pub bits: u32,
}

impl Lut {
    /// The output of an input.
    pub fn output(&self, input: f64) -> f64 {
        let last = self.outputs.len().saturating_sub(1);
        let place = (input - f64::from(self.first)).clamp(0.0, last as f64) as usize;
        f64::from(self.outputs.get(place).copied().unwrap_or_default())
    }

    /// The greatest output that its bits allow.
    pub fn most(&self) -> f64 {
        f64::from((1u32 << self.bits) - 1)
    }
}

/// How values become grey between the ends of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Function {
    #[default]
    Linear,
    LinearExact,
    Sigmoid,
}

/// A window (0028,1050) and (0028,1051), the first where there are several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub centre: f64,
    pub width: f64,
    pub function: Function,
}

impl Window {
    /// Whether the formulas below are defined for it.
    pub fn is_valid(&self) -> bool {
        let least = if self.function == Function::Linear { 1.0 } else { f64::MIN_POSITIVE };
        self.centre.is_finite() && self.width.is_finite() && self.width >= least
    }

    /// Grey in 0..=1 of a value (PS3.3 C.11.2.1.2 and C.11.2.1.3).
    pub fn grey(&self, value: f64) -> f64 {
        let (centre, width) = match self.function {
            Function::Linear => (self.centre - 0.5, self.width - 1.0),
            Function::LinearExact => (self.centre, self.width),
            Function::Sigmoid => return 1.0 / (1.0 + (-4.0 * (value - self.centre) / self.width).exp()),
        };
        match () {
            () if value <= centre - width / 2.0 => 0.0,
            () if value > centre + width / 2.0 => 1.0,
            () => (value - centre) / width + 0.5,
        }
    }
}
