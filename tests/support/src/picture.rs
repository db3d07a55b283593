//! Files made byte by byte, so that each fault is exactly the one that a test is about.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma};
use std::io::Cursor;

/// A picture with contrast and no symmetry, so that a turn or a swap shows.
pub fn gradient(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        Luma([(40 + x * 120 / width + y * 60 / height + (x * y) % 7) as u8])
    })
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    of_format(width, height, image::ImageFormat::Png)
}

/// The same in a format that `image` writes.
pub fn of_format(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    gradient(width, height).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The same as an uncompressed TIFF of one strip, little-endian; `polarity` is 1, or 0 where white is
/// zero.
pub fn tiff(width: u32, height: u32, polarity: u32) -> Vec<u8> {
    let samples = gradient(width, height).into_raw().into_iter();
    let samples: Vec<u8> = samples.map(|v| if polarity == 0 { 255 - v } else { v }).collect();
    tiff_of(width, height, polarity, 8, &samples)
}

/// One of these samples of so many bits, as they are stored.
pub fn tiff_of(width: u32, height: u32, polarity: u32, bits: u32, samples: &[u8]) -> Vec<u8> {
    let length = samples.len() as u32;
    let entries = [
        (256, width),
        (257, height),
        (258, bits), // of a sample
        (259, 1),    // uncompressed
        (262, polarity),
        (273, 8), // where the strip begins
        (277, 1), // samples a pixel
        (278, height),
        (279, length),
    ];
    let mut bytes = b"II*\0".to_vec();
    bytes.extend((8 + length).to_le_bytes());
    bytes.extend(samples);
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend([u16::to_le_bytes(tag), u16::to_le_bytes(4)].concat()); // a number of 32 bits
        bytes.extend([1, value].map(u32::to_le_bytes).concat());
    }
    bytes.extend([0; 4]); // no other page
    bytes
}

/// A JPEG without its Huffman tables, as cameras send it in MJPEG.
pub fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (jpeg[..2].to_vec(), 2);
    loop {
        let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        match jpeg[at + 1] {
            0xC4 => {}
            0xDA => return [&bytes, &jpeg[at..]].concat(),
            _ => bytes.extend(&jpeg[at..at + length]),
        }
        at += length;
    }
}

/// A greyscale JPEG; `exif` is a whole Exif block.
pub fn jpeg(width: u32, height: u32, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.encode(&gradient(width, height), width, height, ExtendedColorType::L8).unwrap();
    bytes
}

/// A PNG of raw samples in any colour type and depth, big-endian, as the `png` crate writes it.
pub fn png_of(side: u32, colour: png::ColorType, depth: png::BitDepth, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    bytes
}

/// A PNG of 16 bits whose samples use the lower 12 of them, without a word of it.
pub fn low_png(side: u32) -> Vec<u8> {
    let samples: Vec<u8> = (0..side * side).flat_map(|at| ((at % 4096) as u16).to_be_bytes()).collect();
    png_of(side, png::ColorType::Grayscale, png::BitDepth::Sixteen, &samples)
}

/// A grey PNG whose every pixel is transparent, as an export with an unused alpha channel writes it.
pub fn transparent_png(side: u32) -> Vec<u8> {
    let samples: Vec<u8> = gradient(side, side).into_raw().into_iter().flat_map(|grey| [grey, 0]).collect();
    png_of(side, png::ColorType::GrayscaleAlpha, png::BitDepth::Eight, &samples)
}

/// An animated PNG of two frames.
pub fn animated_png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for _ in 0..2 {
        writer.write_image_data(gradient(64, 64).as_raw()).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

/// A whole 1-bit PNG of any size: black, hence small.
pub fn black_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let rows = vec![0; width.div_ceil(8) as usize * height as usize];
    encoder.write_header().unwrap().write_image_data(&rows).unwrap();
    bytes
}

/// A valid baseline JPEG of 32 x 32 flat pixels with the given number of components: every block is
/// "no difference, end of block", two zero bits. Adobe's marker says what three or four of them
/// are: 0 is RGB or CMYK, 1 YCbCr, 2 YCCK.
pub fn flat_jpeg(components: u8, adobe_transform: u8) -> Vec<u8> {
    flat_jpeg_of(0xC0, 63, components, adobe_transform)
}

/// The same as a progressive JPEG of its first scan only, the means: every block is one zero bit.
pub fn flat_progressive_jpeg() -> Vec<u8> {
    flat_jpeg_of(0xC2, 0, 1, 0)
}

fn flat_jpeg_of(frame: u8, last_coefficient: u8, components: u8, adobe_transform: u8) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8]| {
        jpeg.extend([0xFF, marker]);
        jpeg.extend((body.len() as u16 + 2).to_be_bytes());
        jpeg.extend(body);
    };
    segment(0xEE, &[&b"Adobe\x00\x64\x00\x00\x00\x00"[..], &[adobe_transform]].concat());
    segment(0xDB, &[vec![0], vec![1; 64]].concat());
    let each = |entry: fn(u8) -> Vec<u8>| (1..=components).flat_map(entry).collect::<Vec<_>>();
    segment(frame, &[vec![8, 0, 32, 0, 32, components], each(|c| vec![c, 0x11, 0])].concat());
    for class in [0x00, 0x10] {
        // One code of one bit: category 0 for the mean, end of block for the rest.
        segment(0xC4, &[vec![class, 1], vec![0; 15], vec![0]].concat());
    }
    segment(0xDA, &[vec![components], each(|c| vec![c, 0x00]), vec![0, last_coefficient, 0]].concat());
    let bits_a_block = if last_coefficient == 0 { 1 } else { 2 };
    jpeg.extend(vec![0; 16 * usize::from(components) * bits_a_block / 8]);
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

/// An Exif block that holds nothing but an orientation.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

/// Writes a drawn picture as a PNG file.
pub fn save(picture: &edge_model::decode::Picture, path: &std::path::Path) {
    let geometry = picture.frame().geometry();
    let (width, height) = (geometry.width().into(), geometry.height().into());
    assert_eq!(geometry.format(), edge_core::PixelFormat::Gray8);
    GrayImage::from_raw(width, height, picture.bytes().to_vec()).unwrap().save(path).unwrap();
}
