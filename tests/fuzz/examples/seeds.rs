//! Writes the seeds that the fuzz targets start from, each a small file made here: nobody's X-ray
//! is among them.
//!
//! `cargo run --manifest-path tests/fuzz/Cargo.toml --example seeds`. Inputs that once broke a
//! target are among them under `found-*`: with the same damage in today's form where they are made
//! here, and left alone where they are not.

use edge_core::kernels::layout::{BLOCK, DEPTH};
use edge_core::packed::{self, Packed, PackedError};
use edge_model::aligned::AlignedBytes;
use edge_model::model_file::{ModelFile, seal};
use edge_model::pack::pack;
use image::{GrayImage, ImageFormat};
use phantoms::Label;
use png::{BitDepth, ColorType};
use std::io::Cursor;
use std::path::Path;
use test_support::narrow::narrow;
use test_support::{model, picture};
use tract_onnx::pb::ModelProto;

fn main() -> std::io::Result<()> {
    write("decode", &pictures())?;
    write("frame_stream", &streams())?;
    write("model_file", &models())?;
    write("packed", &packed())?;
    // What these two read is not a file's form: any bytes are sizes, choices and pixels to them.
    write("metadata", &noise(4, 96))?;
    let mut preprocess = noise(6, 192);
    // Sizes and choices that are allowed, and pixels behind them: a run that reaches the end.
    preprocess.extend(
        noise(2, 192)
            .split_off(2)
            .into_iter()
            .map(|(name, noise)| (format!("whole-{name}"), [&[0x40; 64], &noise[..]].concat())),
    );
    write("preprocess", &preprocess)
}

type Seed = (String, Vec<u8>);

fn write(target: &str, seeds: &[Seed]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    std::fs::create_dir_all(&folder)?;
    seeds.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}

/// Every format in every form that is told apart, whole and damaged.
fn pictures() -> Vec<Seed> {
    let mut seeds: Vec<(&str, Vec<u8>)> = vec![
        ("phantom.png", phantom(ImageFormat::Png)),
        ("phantom.jpg", phantom(ImageFormat::Jpeg)),
        ("lying.jpg", picture::jpeg(40, 32, Some(picture::exif(6)))),
        ("no-tables.jpg", picture::without_tables(&picture::jpeg(40, 32, None))),
        ("phantom.bmp", phantom(ImageFormat::Bmp)),
        ("phantom.webp", phantom(ImageFormat::WebP)),
        ("grey.tiff", picture::tiff(40, 32, 1)),
        ("white-is-zero.tiff", picture::tiff(40, 32, 0)),
        ("one-pixel.png", picture::png(1, 1)),
        ("one-bit.png", picture::black_png(64, 32)),
        ("animated.png", picture::animated_png()),
        ("rgb.jpg", picture::flat_jpeg(3, 0)),
        ("ycbcr.jpg", picture::flat_jpeg(3, 1)),
        ("cmyk.jpg", picture::flat_jpeg(4, 0)),
        ("progressive.jpg", picture::flat_progressive_jpeg()),
        ("zeros", vec![0; 64]),
    ];
    for (name, colour, depth, bytes) in [
        ("grey16.png", ColorType::Grayscale, BitDepth::Sixteen, 2),
        ("grey-alpha8.png", ColorType::GrayscaleAlpha, BitDepth::Eight, 2),
        ("grey-alpha16.png", ColorType::GrayscaleAlpha, BitDepth::Sixteen, 4),
        ("rgb8.png", ColorType::Rgb, BitDepth::Eight, 3),
        ("rgba8.png", ColorType::Rgba, BitDepth::Eight, 4),
        ("rgb16.png", ColorType::Rgb, BitDepth::Sixteen, 6),
        ("rgba16.png", ColorType::Rgba, BitDepth::Sixteen, 8),
    ] {
        // A repeated ramp: every sample takes several values, and the file stays small.
        let samples: Vec<u8> = (0..32 * 32 * bytes).map(|at| (at % 40 * 6) as u8).collect();
        seeds.push((name, picture::png_of(32, colour, depth, &samples)));
    }
    seeds.push(("palette.png", palette()));
    for whole in ["phantom.png", "phantom.jpg"] {
        let (_, bytes) = seeds.iter().find(|(name, _)| *name == whole).expect("made above");
        let half = bytes[..bytes.len() / 2].to_vec();
        seeds.push((if whole.ends_with("png") { "cut.png" } else { "cut.jpg" }, half));
    }
    seeds.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Streams of a program, behind two bytes that say what is expected and how long the pieces are.
fn streams() -> Vec<Seed> {
    let y4m = |header: &str, bytes: usize| {
        let frame = || [b"FRAME\n".to_vec(), (0..bytes).map(|at| (at % 251) as u8).collect()].concat();
        [format!("YUV4MPEG2 {header}\n").into_bytes(), frame(), frame()].concat()
    };
    let (yuv, grey) = (32 * 32 + 2 * 16 * 16, 32 * 32);
    let cut = y4m("W32 H32 Cmono", grey)[..1100].to_vec();
    let seeds = [
        ("y4m-420", 0, 100, y4m("W32 H32 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG", yuv)),
        ("y4m-mono", 0, 1, y4m("W32 H32 Cmono", grey)),
        ("y4m-422", 0, 255, y4m("H32 W33 C422", 33 * 32 + 2 * 17 * 32)),
        ("y4m-of-the-size", 1, 7, y4m("W32 H32 Cmono", grey)),
        ("y4m-cut", 0, 64, cut),
        ("y4m-ten-bits", 0, 9, y4m("W32 H32 C420p10", grey)),
        ("raw", 1, 33, vec![9; 2 * grey]),
        ("raw-with-chroma", 0x15, 200, vec![9; 3 * (33 * 32 + 5)]),
        ("text", 0, 3, b"usage: camera [options]\n".to_vec()),
    ];
    seeds.map(|(name, raw, piece, stream)| (name.to_owned(), [vec![raw, piece], stream].concat())).into()
}

fn phantom(format: ImageFormat) -> Vec<u8> {
    let drawn = phantoms::draw(Label::Pneumonia, 1, 48);
    let image = GrayImage::from_raw(48, 48, drawn.bytes().to_vec()).expect("48 x 48, grey");
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("written to memory");
    bytes.into_inner()
}

/// Four colours, one of them half transparent.
fn palette() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 32, 32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Two);
    encoder.set_palette(vec![0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 255]);
    encoder.set_trns(vec![255, 128]);
    let mut writer = encoder.write_header().expect("a fitting header");
    writer.write_image_data(&[0b00_01_10_11; 8 * 32]).expect("all rows");
    drop(writer);
    bytes
}

/// A small model in the form of the shipped one, the same without its seal, without its metadata,
/// and cut short. (The shipped one is too large: nearly all changes would fall on weights, which
/// say nothing.)
fn models() -> Vec<Seed> {
    let whole = model::bytes(&model::sealed(8, 1));
    let mut bare = model::unsealed(8, 1);
    bare.metadata_props.clear();
    let seeds = [
        ("cut.onnx", whole[..whole.len() / 2].to_vec()),
        ("sealed.onnx", whole),
        ("unsealed.onnx", model::bytes(&model::unsealed(8, 1))),
        ("bare.onnx", model::bytes(&bare)),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}

/// Three packed models, of which one has weights of 7 bits, one cut short, and one with weights where
/// none may be.
fn packed() -> Vec<Seed> {
    let packed = |side, change: fn(&mut ModelProto)| {
        let mut proto = model::unsealed(side, 1);
        change(&mut proto);
        seal(&mut proto);
        let file = ModelFile::from_bytes(&model::bytes(&proto)).expect("a valid model");
        pack(&file).expect("in the exact form").bytes().to_vec()
    };
    let (small, larger) = (packed(8, |_| ()), packed(16, |_| ()));
    let cut = small[..small.len() / 2].to_vec();
    let padding = with_padding(&small);
    let seeds = [
        ("side-8", small),
        ("side-8-narrow", packed(8, narrow)),
        ("side-16", larger),
        ("cut", cut),
        ("found-padding", padding),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}

/// The model with two weights in what fills up the steps of its first output: one in the first
/// step, its opposite in the next, so that their sum, which the biases say too, is as before.
/// Kernels multiply them with whatever lies beside their input.
fn with_padding(model: &[u8]) -> Vec<u8> {
    let with = |weights: &[(usize, i8)]| {
        let mut bytes = AlignedBytes::copy_of(model);
        weights.iter().for_each(|&(at, weight)| bytes.as_mut()[at] = weight as u8);
        packed::seal(bytes.as_mut());
        bytes
    };
    let is_padding = |at: &usize| {
        let error = Packed::new(with(&[(*at, 1)])).err();
        matches!(error, Some(PackedError::Layer { what: "a weight", .. }))
    };
    // The weights lie behind the plan, whose length stands here.
    let plan = u32::from_le_bytes([model[24], model[25], model[26], model[27]]) as usize;
    let first = (plan..model.len()).find(is_padding).expect("three columns do not fill a step");
    with(&[(first, 1), (first + BLOCK * DEPTH, -1)]).as_ref().to_vec()
}

/// Nothing, zeros, and `count` files of `length` pseudo-random bytes (SplitMix64).
fn noise(count: u64, length: usize) -> Vec<Seed> {
    let random = |seed: u64, at: usize| {
        let mut z = (seed << 32 | at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as u8
    };
    let noise = |seed| (0..length).map(|at| random(seed, at)).collect();
    let fixed = [("nothing".to_owned(), vec![]), ("zeros".to_owned(), vec![0; length])];
    fixed.into_iter().chain((1..=count).map(|seed| (format!("noise-{seed}"), noise(seed)))).collect()
}
