//! Drawn pictures that every program brings along, for its self-test and for demonstrations.
//!
//! They are phantoms (the package `phantoms` draws them), no X-rays and nobody's. Each is a golden
//! frame: what onnxruntime makes of it stands in `models/pneumonia/golden.json` under its name. A
//! test draws them again and compares.

use crate::decode::{DecodeError, Picture, decode};

/// One of the drawn pictures.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    /// Its name among the golden frames.
    pub name: &'static str,
    /// Whether lungs with pneumonia were drawn.
    pub ill: bool,
    png: &'static [u8],
}

impl Drawing {
    /// Its pixels: a square of 8-bit grey.
    ///
    /// # Errors
    /// The program is damaged.
    pub fn picture(&self) -> Result<Picture, DecodeError> {
        decode(self.png)
    }
}

/// The picture of the self-test.
pub const GOLDEN: Drawing = ill("pneumonia-00", include_bytes!("../assets/pneumonia-00.png"));

/// All of them, the healthy first.
pub const DRAWINGS: [Drawing; 6] = [
    clear("normal-00", include_bytes!("../assets/normal-00.png")),
    clear("normal-01", include_bytes!("../assets/normal-01.png")),
    clear("normal-02", include_bytes!("../assets/normal-02.png")),
    GOLDEN,
    ill("pneumonia-01", include_bytes!("../assets/pneumonia-01.png")),
    ill("pneumonia-02", include_bytes!("../assets/pneumonia-02.png")),
];

const fn clear(name: &'static str, png: &'static [u8]) -> Drawing {
    Drawing { name, ill: false, png }
}

const fn ill(name: &'static str, png: &'static [u8]) -> Drawing {
    Drawing { name, ill: true, png }
}
