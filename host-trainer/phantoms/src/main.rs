//! Writes phantoms as PNG files, and one contact sheet of them, for looking at.
//!
//! `cargo run -p phantoms -- OUT_DIR [--count N] [--side PIXELS]`

use anyhow::{Context, Result, ensure};
use clap::Parser;
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use image::GrayImage;
use phantoms::Label;
use std::path::PathBuf;

/// Draws phantoms (synthetic chest radiographs) and writes them as PNG files.
#[derive(Parser)]
#[command(after_help = "Example: cargo run -p phantoms -- phantoms --count 12")]
struct Options {
    /// Folder to write to; made if missing.
    out_dir: PathBuf,
    /// Phantoms of each label.
    #[arg(long, default_value_t = 12)]
    count: u32,
    /// Side of a phantom in pixels.
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u16).range(i64::from(MIN_SIDE)..=i64::from(MAX_SIDE)))]
    side: u16,
    /// Seed of the first phantom.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Phantoms in one row of the contact sheet.
const COLUMNS: u32 = 6;

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(options.count >= 1, "expected --count of 1 or more, got 0");
    std::fs::create_dir_all(&options.out_dir)
        .with_context(|| format!("cannot make the folder {}", options.out_dir.display()))?;
    let mut drawn = Vec::new();
    for (label, name) in [(Label::Normal, "normal"), (Label::Pneumonia, "pneumonia")] {
        for i in 0..options.count {
            let pixels = phantoms::pixels(label, options.seed + u64::from(i), options.side);
            drawn.push((format!("{name}-{i:04}.png"), pixels));
        }
    }

    let rows = options.count.div_ceil(COLUMNS);
    let cell = u32::from(options.side) + 2;
    let mut sheet = GrayImage::new(COLUMNS * cell, 2 * rows * cell);
    for (index, (name, pixels)) in (0u32..).zip(&drawn) {
        let side = u32::from(options.side);
        let image = GrayImage::from_raw(side, side, pixels.clone()).context("not an 8-bit grey picture")?;
        let path = options.out_dir.join(name);
        image.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let (block, place) = (index / options.count, index % options.count);
        let (x, y) = (place % COLUMNS * cell, (block * rows + place / COLUMNS) * cell);
        image::imageops::replace(&mut sheet, &image, i64::from(x), i64::from(y));
    }
    let path = options.out_dir.join("sheet.png");
    sheet.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {} phantoms and {}", drawn.len(), path.display());
    Ok(())
}
