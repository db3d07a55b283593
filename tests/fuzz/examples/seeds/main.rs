//! Writes the seeds that the fuzz targets start from, each a small file made here: nobody's X-ray
//! is among them.
//!
//! `cargo run --manifest-path tests/fuzz/Cargo.toml --example seeds`. Inputs that once broke a
//! target are among them under `found-*`: with the same damage in today's form where they are made
//! here, and left alone where they are not.

mod archive;
mod programs;

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
use test_support::dicom::{self, element, number};
use test_support::narrow::narrow;
use test_support::{model, picture};
use tract_onnx::pb::ModelProto;

fn main() -> std::io::Result<()> {
    write("archive", &archive::answers())?;
    write("bundle", &programs::bundles())?;
    write("decode", &pictures())?;
    write("delivered", &programs::logs())?;
    write("dicom", &dicom_files())?;
    write("frame_stream", &streams())?;
    write("model_file", &models())?;
    write("packed", &packed())?;
    write("request", &programs::requests())?;
    write("status", &programs::statuses())?;
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

/// DICOM in every transfer syntax that is read, with each way to grey, whole and damaged.
fn dicom_files() -> Vec<Seed> {
    const SIDE: u16 = 32;
    let form = |bits| dicom::form(SIDE, SIDE, bits);
    let samples: Vec<u16> = (0..SIDE * SIDE).map(|at| at * 4).collect();
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let grey: Vec<u8> = samples.iter().map(|sample| (sample >> 4) as u8).collect();
    let plain = |more: &[Vec<u8>]| dicom::radiograph(SIDE, SIDE, &samples, more);
    let coded = |syntax: &str, bits, pixels: &[u8]| {
        let elements = [form(bits), vec![dicom::fragment(pixels)]].concat();
        dicom::file(&format!("1.2.840.10008.1.2.{syntax}"), &elements)
    };
    let text = |group, number, vr, value: &str| element(group, number, vr, value.as_bytes());
    let lut = [
        element(0x28, 0x3002, b"US", &[4, 0, 0, 0, 12, 0]),
        element(0x28, 0x3006, b"OW", &[0, 0, 0, 4, 0, 8, 0xFF, 0x0F]),
    ];
    let item = [&[0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF][..], &lut.concat()].concat();
    let lut = [item, vec![0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]].concat();
    let window = |function: &str| {
        plain(&[
            text(0x28, 0x1050, b"DS", "2000\\100"),
            text(0x28, 0x1051, b"DS", "900.5\\7"),
            text(0x28, 0x1052, b"DS", "-10"),
            text(0x28, 0x1053, b"DS", "0.5"),
            text(0x28, 0x1056, b"LO", function),
        ])
    };
    let said = plain(&[
        text(8, 0x20, b"DA", "20260131"),
        text(8, 0x50, b"SH", "A-4711"),
        text(8, 0x60, b"CS", "CR"),
        text(0x10, 0x10, b"PN", "Nobody^At All"),
        text(0x10, 0x30, b"DA", "20220131"),
        text(0x18, 0x15, b"CS", "CHEST"),
        text(0x18, 0x5101, b"CS", "LL"),
        text(0x20, 0x0D, b"UI", "1.2.3.4"),
        text(0x20, 0x20, b"CS", "A\\F"),
    ]);
    let mut colour = vec![number(2, 3), text(0x28, 4, b"CS", "YBR_FULL"), number(6, 1)];
    colour.extend([
        number(0x10, SIDE),
        number(0x11, SIDE),
        number(0x100, 8),
        number(0x101, 8),
        number(0x102, 7),
    ]);
    colour.push(element(0x7FE0, 0x10, b"OB", &grey.repeat(3)));
    let mut inverted = plain(&[number(0x103, 1)]);
    let at = inverted.windows(11).position(|text| text == b"MONOCHROME2").expect("written above");
    inverted[at + 10] = b'1';
    let mut deflated = Vec::new();
    let behind = plain(&[])[132 + 12 + 28..].to_vec();
    let mut deflate = flate2::read::DeflateEncoder::new(&behind[..], flate2::Compression::best());
    std::io::Read::read_to_end(&mut deflate, &mut deflated).expect("from memory");
    let deflated = [dicom::file("1.2.840.10008.1.2.1.99", &[]), deflated].concat();
    // Two planes of runs, the higher bytes first.
    let runs = |value: u8| [0x81u8, value].repeat(8);
    let header: Vec<u8> = [2u32, 64, 80].iter().flat_map(|n| n.to_le_bytes()).chain([0; 52]).collect();
    let rle = [header, runs(7), runs(200)].concat();
    let mut jpeg_ls = Vec::new();
    jpegls::encode(&samples, SIDE.into(), SIDE.into(), &mut jpeg_ls).expect("in memory");
    let options = dicom_toolkit_jpeg2000::EncodeOptions { num_decomposition_levels: 2, ..Default::default() };
    let jpeg_2000 = dicom_toolkit_jpeg2000::encode(&bytes, SIDE.into(), SIDE.into(), 1, 12, false, &options);
    let mut jpeg = Cursor::new(Vec::new());
    let image = GrayImage::from_raw(SIDE.into(), SIDE.into(), grey).expect("of its size");
    image.write_to(&mut jpeg, ImageFormat::Jpeg).expect("written to memory");
    let whole = plain(&[]);
    let meta = 132 + 12 + 28;
    vec![
        ("no-preamble", whole[132..].to_vec()),
        ("no-meta", said[meta..].to_vec()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("plain", whole),
        ("said", said),
        ("window", window("LINEAR")),
        ("sigmoid", window("SIGMOID")),
        ("voi-lut", plain(&[element(0x28, 0x3010, b"SQ", &lut)])),
        ("modality-lut", plain(&[element(0x28, 0x3000, b"SQ", &lut)])),
        ("inverted-signed", inverted),
        ("colour", dicom::file("1.2.840.10008.1.2.1", &colour)),
        ("deflated", deflated),
        ("rle", coded("5", 12, &rle)),
        ("jpeg", coded("4.50", 8, &jpeg.into_inner())),
        ("jpeg-lossless", coded("4.70", 12, &flat_lossless_jpeg(SIDE))),
        ("jpeg-ls", coded("4.80", 12, &jpeg_ls)),
        ("jpeg-2000", coded("4.90", 12, &jpeg_2000.expect("encodes"))),
    ]
    .into_iter()
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .collect()
}

/// A lossless JPEG (T.81 annex H) of 12 bits whose every difference is 0, one bit each.
fn flat_lossless_jpeg(side: u16) -> Vec<u8> {
    let [high, low] = side.to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8];
    bytes.extend([0xFF, 0xC4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0xFF, 0xC3, 0, 11, 12, high, low, high, low, 1, 1, 0x11, 0]);
    bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0]);
    bytes.extend(vec![0; usize::from(side) * usize::from(side) / 8]);
    bytes.extend([0xFF, 0xD9]);
    bytes
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
