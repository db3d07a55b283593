//! Decoding held to the libraries that everybody's viewers use: libjpeg-turbo, libpng, libtiff,
//! netpbm, libwebp. They write hundreds of files of pictures drawn here, and read them too; each must
//! come out the same, or be refused by the name of what it is.
//!
//! `cargo xtask test codecs` installs the tools and runs this.

mod jpeg;
mod jpeg_markers;
mod markers;
mod others;
mod png;
mod pnm;

use edge_core::PixelFormat;
use edge_model::decode::{DecodeError, Picture};
use phantoms::Label;
use pnm::Pnm;
use std::io::Write;
use std::process::{Command, Stdio};

type Decoder = fn(&[u8]) -> Result<Picture, DecodeError>;

/// What `program` makes of `input`; none where it refuses.
fn try_run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{program}: {e}; cargo xtask test codecs"));
    let mut to = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || to.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap(); // a program that has seen enough closes its input
    // With 2 djpeg says that it warned of something and read it.
    let warned = program == "djpeg" && output.status.code() == Some(2);
    (output.status.success() || warned).then_some(output.stdout)
}

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    try_run(program, arguments, input).unwrap_or_else(|| panic!("{program} {arguments:?} failed"))
}

/// A drawn chest in colours that tell the channels apart, or in grey, of any size.
fn drawn(width: usize, height: usize, colour: bool) -> Pnm {
    let side = width.max(height);
    let chest = phantoms::pixels(Label::Pneumonia, 3, side as u16);
    let mut samples = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let grey = u16::from(chest[y * side + x]);
        let [red, blue] = [(x * 96 / width) as u16, (y * 96 / height) as u16];
        let slope = grey * 5 / 8;
        if colour {
            samples.extend([48 + slope - red / 2, 32 + slope, 40 + slope / 2 + blue]);
        } else {
            samples.push(grey);
        }
    }
    Pnm { width, height, channels: if colour { 3 } else { 1 }, full: 255, samples }
}

/// A picture's samples, as the file's own formats have them.
fn samples(picture: &Picture) -> Pnm {
    let geometry = picture.geometry();
    let (channels, wide) = match geometry.format() {
        PixelFormat::Gray8 => (1, false),
        PixelFormat::Rgb8 => (3, false),
        PixelFormat::Gray16 => (1, true),
        PixelFormat::Rgb16 => (3, true),
        other => panic!("no file gives {other:?}"),
    };
    let bytes = picture.bytes();
    let samples = match wide {
        true => bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
        false => bytes.iter().map(|&byte| byte.into()).collect(),
    };
    let (width, height) = (geometry.width().into(), geometry.height().into());
    Pnm { width, height, channels, full: if wide { 65535 } else { 255 }, samples }
}

/// What became of the files of a matrix.
#[derive(Debug, Default)]
struct Tally {
    right: usize,
    /// The texts of refusals, with the file's name.
    refused: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Tally {
    /// Compares what `decode` makes of a file with what the judge makes of it, at most `most` steps of
    /// 255 apart.
    fn file(&mut self, name: &str, decode: Decoder, bytes: &[u8], judge: &Pnm, most: f64) {
        match decode(bytes) {
            Ok(picture) => match samples(&picture).distance(judge) {
                Some(distance) if distance <= most => self.right += 1,
                Some(distance) => self.wrong.push(format!("{name}: {distance} steps")),
                None => self.wrong.push(format!("{name}: another size")),
            },
            Err(error) => self.refused.push((name.to_owned(), error.to_string())),
        }
    }

    /// Nothing wrong, at least `least` right; refused only what `may_be` names, with its text.
    fn assert(&self, least: usize, may_be: &[(&str, &str)]) {
        let named = |(name, text): &&(String, String)| {
            !may_be.iter().any(|(of, says)| name.contains(of) && text.contains(says))
        };
        let unexpected: Vec<_> = self.refused.iter().filter(named).collect();
        println!("{} right, {} refused: {:#?}", self.right, self.refused.len(), self.refused);
        assert!(self.wrong.is_empty(), "{} wrong: {:#?}", self.wrong.len(), self.wrong);
        assert!(unexpected.is_empty(), "{} refused: {unexpected:#?}", unexpected.len());
        assert!(self.right >= least, "{} right, at least {least} expected", self.right);
    }
}
