//! PNGs as `pnmtopng` writes and `pngtopnm` reads them, both with libpng: colour type x depth x
//! interlace x transparency x gamma.

use super::{Pnm, Tally, drawn, run, samples};
use edge_model::decode::decode;

/// What libpng reads, over black; `alpha` where it is known, since pngtopnm does not show that of one
/// transparent colour.
fn judged(png: &[u8], alpha: Option<Pnm>) -> Pnm {
    let colours = Pnm::read(&run("pngtopnm", &[], png));
    let alpha = alpha.unwrap_or_else(|| Pnm::read(&run("pngtopnm", &["-alpha"], png)));
    let full = u64::from(colours.full) * u64::from(alpha.full);
    let over_black = |(at, &sample): (usize, &u16)| {
        let product = u64::from(sample) * u64::from(alpha.samples[at / colours.channels]);
        ((product * 65535 + full / 2) / full) as u16
    };
    let samples = colours.samples.iter().enumerate().map(over_black).collect();
    Pnm { full: 65535, samples, ..colours }
}

/// The drawing in `steps` of grey or colour.
fn of_depth(steps: u16, colour: bool) -> Pnm {
    let drawn = drawn(61, 47, colour).with_full(steps);
    if steps < 256 {
        return drawn;
    }
    // Samples of 16 bits that are not all multiples of 257.
    let unlike = |(at, &v): (usize, &u16)| v.saturating_sub((at % 13) as u16);
    Pnm { samples: drawn.samples.iter().enumerate().map(unlike).collect(), ..drawn }
}

#[test]
#[ignore = "needs pnmtopng and pngtopnm: cargo xtask test codecs"]
fn every_colour_type_depth_and_transparency_is_as_libpng_reads_it() {
    let mut tally = Tally::default();
    let alpha_file = tempfile::NamedTempFile::new().unwrap();
    let alpha_path = alpha_file.path().to_str().unwrap();
    for colour in [false, true] {
        // 12 and 10 bits become 16 with the chunk sBIT; few steps of colour become a palette.
        for steps in [1, 3, 15, 255, 1023, 4095, 65535] {
            let picture = of_depth(steps, colour);
            let mut alpha = drawn(61, 47, false).with_full(steps);
            alpha.samples.reverse();
            std::fs::write(alpha_path, alpha.bytes()).unwrap();
            let pixel = picture.samples[picture.channels * 700..][..picture.channels].to_vec();
            let of =
                |at: usize| format!("{:04x}", u32::from(pixel[at % pixel.len()]) * 65535 / u32::from(steps));
            let opaque = |p: &[u16]| u16::from(p != pixel);
            let samples = picture.samples.chunks(picture.channels).map(opaque).collect();
            let of_one_colour = Pnm { channels: 1, full: 1, samples, ..picture.clone() };
            let one_colour = format!("=rgb:{}/{}/{}", of(0), of(1), of(2));
            for options in [
                &[][..],
                &["-transparent", &one_colour],
                &["-alpha", alpha_path],
                &["-gamma", "0.45"],
                &["-force"],
                &["-downscale"],
            ] {
                for interlace in [&[][..], &["-interlace"]] {
                    let png = run("pnmtopng", &[options, interlace].concat(), &picture.bytes());
                    let name = format!("{steps} steps, colour {colour}, {options:?} {interlace:?}");
                    let alpha = options.contains(&"-transparent").then(|| of_one_colour.clone());
                    tally.file(&name, decode, &png, &judged(&png, alpha), 0.51);
                }
            }
        }
    }
    tally.assert(2 * 7 * 6 * 2, &[]);
}

#[test]
#[ignore = "needs pngtopnm: cargo xtask test codecs"]
fn a_planted_shift_of_one_step_is_found() {
    let png = run("pnmtopng", &[], &of_depth(255, true).bytes());
    let mut judge = judged(&png, None);
    assert!(samples(&decode(&png).unwrap()).distance(&judge).unwrap() < 0.1);
    judge.samples[1234] -= 257;
    assert!(samples(&decode(&png).unwrap()).distance(&judge).unwrap() > 0.9);
}
