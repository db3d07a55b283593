//! The golden frames: inputs of the network, side x side bytes each. Phantoms as a device would see
//! them, and extremes that no camera gives but an engine must agree on: constants, edges, noise.

use edge_core::Scratch;
use edge_model::model_file::ModelFile;
use phantoms::{Label, draw};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fs;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenFrame {
    /// Unique; the order of names is the order of frames.
    pub name: String,
    /// The network's input, rows from the top.
    pub input: Vec<u8>,
}

/// Phantoms of each class.
const PHANTOMS: u64 = 24;

/// All golden frames for an input of `side`, sorted by name.
pub fn all(side: u16) -> Vec<GoldenFrame> {
    let n = usize::from(side);
    let mut frames = Vec::new();
    let mut add = |name: String, input: Vec<u8>| frames.push(GoldenFrame { name, input });
    for (name, label, seed, size) in phantoms() {
        add(name, phantom(label, seed, size, side));
    }
    let mut noise = ChaCha8Rng::seed_from_u64(7);
    for (name, value) in [("black", 0), ("grey", 128), ("white", 255)] {
        add(format!("extreme-{name}"), vec![value; n * n]);
    }
    let pattern = |f: &dyn Fn(usize, usize) -> u8| (0..n * n).map(|i| f(i % n, i / n)).collect::<Vec<u8>>();
    add("extreme-checks".into(), pattern(&|x, y| if (x + y) % 2 == 0 { 0 } else { 255 }));
    add("extreme-columns".into(), pattern(&|x, _| if x % 4 < 2 { 0 } else { 255 }));
    add("extreme-ramp".into(), pattern(&|x, y| ((x + y) * 255 / (2 * n - 2)) as u8));
    for index in 0..3 {
        let mut bytes = vec![0; n * n];
        noise.fill_bytes(&mut bytes);
        add(format!("extreme-noise-{index}"), bytes);
    }
    frames.sort_by(|a, b| a.name.cmp(&b.name));
    frames
}

/// Writes the golden frames of the shipped model into a folder that has nothing else, one file of
/// bytes each; says how many.
pub fn write_all(folder: &Path) -> anyhow::Result<usize> {
    crate::empty(folder)?;
    let frames = all(ModelFile::load(crate::shipped_model())?.metadata().input_side);
    for frame in &frames {
        fs::write(folder.join(format!("{}.u8", frame.name)), &frame.input)?;
    }
    Ok(frames.len())
}

/// The drawn pictures behind the frames that are phantoms: name, class, seed and side.
pub fn phantoms() -> Vec<(String, Label, u64, u16)> {
    let both = |seed: u64| {
        // Different sizes, so that the preprocessing is part of what is compared.
        let size = 96 + 37 * seed as u16;
        [
            (format!("normal-{seed:02}"), Label::Normal, seed, size),
            (format!("pneumonia-{seed:02}"), Label::Pneumonia, 100 + seed, size),
        ]
    };
    (0..PHANTOMS).flat_map(both).collect()
}

fn phantom(label: Label, seed: u64, size: u16, side: u16) -> Vec<u8> {
    let picture = draw(label, seed, size);
    let n = usize::from(side);
    let (mut row, mut line, mut cells, mut input) = (vec![0; n], vec![0; n], vec![0; n * n], vec![0; n * n]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    edge_core::preprocess(&picture.frame(), side, scratch, &mut input)
        .expect("a drawn picture has rows and fits");
    input
}
