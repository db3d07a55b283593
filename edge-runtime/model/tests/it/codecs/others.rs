//! TIFF, BMP and WebP as libtiff, netpbm and libwebp write and read them.

use super::{Pnm, Tally, drawn, run, try_run};
use edge_model::decode::decode;

#[test]
#[ignore = "needs pamtotiff and tifftopnm: cargo xtask test codecs"]
fn tiff_is_as_libtiff_reads_it() {
    let mut tally = Tally::default();
    for (steps, colour) in [(255, false), (65535, false), (255, true), (65535, true), (1, false), (15, false)]
    {
        let picture = drawn(61, 47, colour).with_full(steps);
        for coding in [
            &["-none"][..],
            &["-packbits"],
            &["-lzw"],
            &["-lzw", "-predictor=2"],
            &["-flate"],
            &["-flate", "-predictor=2"],
            &["-adobeflate"],
        ] {
            for layout in [&[][..], &["-rowsperstrip=5"], &["-minisblack"], &["-miniswhite"], &["-lsb2msb"]] {
                let polarity = layout.iter().any(|option| option.starts_with("-minis"));
                if colour && polarity {
                    continue; // only greyscale has one
                }
                let kept_from_palettes: &[&str] = if colour { &["-truecolor"] } else { &[] };
                let options = [coding, layout, kept_from_palettes].concat();
                let file = tempfile::NamedTempFile::new().unwrap();
                // It seeks in what it writes.
                let shell = format!("pamtotiff {} > {}", options.join(" "), file.path().display());
                if try_run("sh", &["-c", &shell], &picture.bytes()).is_none() {
                    continue; // a predictor for samples of few bits
                }
                let tiff = std::fs::read(file.path()).unwrap();
                let judge = Pnm::read(&run("tifftopnm", &[file.path().to_str().unwrap()], &[]));
                let name = format!("{steps} steps, colour {colour}, {options:?}");
                tally.file(&name, decode, &tiff, &judge, 0.51);
            }
        }
    }
    let may_be = [
        ("1 steps, colour false", "1 bits a sample"),
        ("15 steps, colour false", "4 bits a sample"),
        ("-lsb2msb", "bits in reverse order"),
    ];
    tally.assert(84, &may_be);
}

#[test]
#[ignore = "needs ppmtobmp and bmptopnm: cargo xtask test codecs"]
fn bmp_is_as_netpbm_reads_it() {
    let mut tally = Tally::default();
    for (width, height) in [(61, 47), (64, 48), (33, 32)] {
        for (steps, colour) in [(1, false), (15, false), (255, false), (255, true)] {
            let picture = drawn(width, height, colour).with_full(steps);
            for kind in ["-windows", "-os2"] {
                let bmp = run("ppmtobmp", &[kind], &picture.bytes());
                let judge = Pnm::read(&run("bmptopnm", &[], &bmp));
                tally.file(&format!("{width} {steps} {colour} {kind}"), decode, &bmp, &judge, 0.51);
            }
        }
    }
    tally.assert(3 * 4 * 2, &[]);
}

#[test]
#[ignore = "needs cwebp and dwebp: cargo xtask test codecs"]
fn webp_is_as_libwebp_reads_it() {
    let mut tally = Tally::default();
    for (width, height) in [(61, 47), (96, 80), (200, 150)] {
        for colour in [false, true] {
            let picture = drawn(width, height, colour);
            for (options, most) in [
                (&["-lossless"][..], 0.0),
                (&["-near_lossless", "60"], 0.0),
                (&["-q", "90"], 2.0),
                (&["-q", "40", "-sharp_yuv"], 2.0),
                (&["-q", "75", "-segments", "1", "-f", "0"], 2.0),
            ] {
                let webp =
                    run("cwebp", &[options, &["-quiet", "-o", "-", "--", "-"]].concat(), &picture.bytes());
                let judge = Pnm::read(&run("dwebp", &["-quiet", "-ppm", "-o", "-", "--", "-"], &webp));
                tally.file(&format!("{width} {colour} {options:?}"), decode, &webp, &judge, most);
            }
        }
    }
    tally.assert(3 * 2 * 5, &[]);
}

/// Wherever such a file is cut: an error, or the same picture where only what follows it is lost.
#[test]
#[ignore = "needs netpbm and webp: cargo xtask test codecs"]
fn what_is_cut_short_is_refused() {
    let picture = drawn(61, 47, true).bytes();
    let files = [
        ("tiff", run("sh", &["-c", "F=$(mktemp); pamtotiff -lzw -truecolor > $F; cat $F; rm $F"], &picture)),
        ("bmp", run("ppmtobmp", &[], &picture)),
        ("webp", run("cwebp", &["-quiet", "-q", "90", "-o", "-", "--", "-"], &picture)),
        ("lossless", run("cwebp", &["-quiet", "-lossless", "-o", "-", "--", "-"], &picture)),
    ];
    for (name, whole) in files {
        let decoded = decode(&whole).unwrap();
        for length in (0..whole.len()).step_by(7).chain(whole.len() - 20..whole.len()) {
            if let Ok(cut) = decode(&whole[..length]) {
                assert_eq!(cut, decoded, "{name} cut to {length} of {}", whole.len());
            }
        }
    }
}
