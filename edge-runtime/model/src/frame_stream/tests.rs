use super::*;

fn y4m(header: &str, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = format!("YUV4MPEG2 {header}\n").into_bytes();
    for frame in frames {
        stream.extend_from_slice(b"FRAME\n");
        stream.extend_from_slice(frame);
    }
    stream
}

/// What has come of a frame that is incomplete, or why the stream cannot go on.
type End = Result<Option<(usize, usize)>, StreamError>;

/// All frames of a stream that comes in pieces of this size, and what was the matter in the end.
fn split(expected: Option<StreamFormat>, stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, End) {
    let (mut splitter, mut frame, mut frames) = (FrameSplitter::new(expected), Vec::new(), Vec::new());
    for mut bytes in stream.chunks(piece) {
        while !bytes.is_empty() {
            match splitter.push(bytes, &mut frame) {
                Ok(step) => {
                    bytes = &bytes[step.used..];
                    frames.extend(step.frame.map(|_| std::mem::take(&mut frame)));
                }
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    (frames, Ok(splitter.progress()))
}

fn grey(width: u32, height: u32, more: usize) -> StreamFormat {
    StreamFormat::new(Geometry::new(width, height, PixelFormat::Gray8).unwrap(), more).unwrap()
}

fn some_frames(bytes: usize) -> Vec<Vec<u8>> {
    // Line ends, and words of the form itself, are pixels like any.
    let pixel = |seed: usize, at: usize| b"FRAME\n YUV4MPEG2\n"[(seed + at * 7) % 17];
    (0..3).map(|seed| (0..bytes).map(|at| pixel(seed, at)).collect()).collect()
}

#[test]
fn frames_come_out_as_they_went_in_whatever_the_pieces() {
    for (header, bytes) in [
        ("W34 H32 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG", 34 * 32 + 2 * 17 * 16),
        ("W33 H35 C420mpeg2 XCOLORRANGE=LIMITED", 33 * 35 + 2 * 17 * 18),
        ("H32 W33", 33 * 32 + 2 * 17 * 16),
        ("W33 H32 C422", 33 * 32 + 2 * 17 * 32),
        ("W33 H32 C444 It", 3 * 33 * 32),
        ("W33 H32 C411", 33 * 32 + 2 * 9 * 32),
        ("W33 H32 Cmono", 33 * 32),
    ] {
        let frames = some_frames(bytes);
        let stream = y4m(header, &frames);
        for piece in [1, 3, 1000, stream.len()] {
            assert_eq!(
                split(None, &stream, piece),
                (frames.clone(), Ok(Some((0, bytes)))),
                "{header} {piece}"
            );
        }
        let (part, left) = split(None, &stream[..stream.len() - 1], 100);
        assert_eq!((part.len(), left), (2, Ok(Some((bytes - 1, bytes)))), "the last frame is cut");
    }
    let frames = some_frames(33 * 32 + 5);
    for piece in [1, 3, 1000] {
        let raw = frames.concat();
        assert_eq!(split(Some(grey(33, 32, 5)), &raw, piece), (frames.clone(), Ok(Some((0, 33 * 32 + 5)))));
    }
}

#[test]
fn a_frame_line_may_say_more() {
    let stream = [b"YUV4MPEG2 W32 H32 Cmono\nFRAME Ip Xcomment\n".to_vec(), vec![1; 1024]].concat();
    assert_eq!(split(None, &stream, 7).0, [vec![1; 1024]]);
}

#[test]
fn what_begins_like_y4m_and_is_not_is_a_raw_frame() {
    let mut raw = vec![9; 1024];
    raw[..6].copy_from_slice(b"YUV4MP");
    for piece in [1, 4, 1024] {
        assert_eq!(split(Some(grey(32, 32, 0)), &raw, piece).0, [raw.clone()]);
    }
}

#[test]
fn luminance_lies_at_the_front() {
    let format = parse_header(b"YUV4MPEG2 W34 H32").unwrap();
    let bytes: Vec<u8> = (0..format.frame_bytes()).map(|at| if at < 34 * 32 { 7 } else { 200 }).collect();
    assert!(format.frame(&bytes).unwrap().rows().all(|row| row == [7; 34]));
    assert!(format.frame(&bytes[..34 * 32 - 1]).is_err());
}

#[test]
fn each_thing_that_is_wrong_is_named_with_what_to_do() {
    let long = format!("W32 H32 X{}", "x".repeat(300));
    let frame = || vec![0; 1024];
    let cases: [(Option<StreamFormat>, Vec<u8>, &str); 16] = [
        (
            None,
            b"\x00\x01garbage".to_vec(),
            "which begins with YUV4MPEG2, got `\\x00\\x01garbage`; have the program",
        ),
        (None, b"YUV4MPEG3 W32 H32\n".to_vec(), "got `YUV4MPEG3 W32 H32\\n`"),
        (None, y4m("W32", &[]), "expected W and H with whole numbers in the Y4M header, got `W32`"),
        (None, y4m("W32 H+32", &[]), "got `W32 H+32`"),
        (None, y4m("W32 Hx", &[]), "got `W32 Hx`"),
        (None, y4m("W32 H99999999999999", &[]), "got `W32 H99999999999999`"),
        (None, y4m("W16 H32", &[]), "sides of 32 to 8000 pixels, got 16x32"),
        (None, y4m("W8001 H32", &[]), "got 8001x32"),
        (None, y4m("W8000 H8000", &[]), "frames of at most 64 MB; have the program write smaller ones"),
        (
            None,
            y4m("W32 H32 C420p10", &[]),
            "got `420p10`; have the program convert them (ffmpeg: -pix_fmt yuv420p)",
        ),
        (None, y4m("W32 H32 C444alpha", &[]), "got `444alpha`"),
        (
            None,
            y4m(&long, &[]),
            "a line of at most 256 bytes in the Y4M stream, got `YUV4MPEG2 W32 H32 Xxxxxx...",
        ),
        (
            None,
            [y4m("W32 H32 Cmono", &[frame()]), b"oops".to_vec()].concat(),
            "got `oops`; the program writes",
        ),
        (None, [y4m("W32 H32 Cmono", &[]), b"FRAMES\n".to_vec()].concat(), "got `FRAMES`"),
        (None, [y4m("W32 H32 Cmono", &[]), b"FRA\n".to_vec()].concat(), "got `FRA`"),
        (Some(grey(64, 48, 0)), y4m("W48 H64", &[]), "frames of 64x48 pixels, the Y4M header says 48x64"),
    ];
    for (expected, stream, says) in cases {
        // In one piece: what is quoted is what has come.
        let error = split(expected, &stream, stream.len()).1.unwrap_err().to_string();
        assert!(error.contains(says), "expected `{says}` in: {error}");
        assert!(split(expected, &stream, 1).1.is_err(), "{says}: byte by byte");
    }
}

/// The header's size alone takes no memory: a program that promises much and sends little.
#[test]
fn memory_grows_with_what_comes() {
    let stream = y4m("W7000 H6000", &[vec![0; 1000]]);
    let (mut splitter, mut frame) = (FrameSplitter::new(None), Vec::new());
    splitter.push(&stream, &mut frame).unwrap();
    assert!(frame.capacity() < 1 << 16 && splitter.progress() == Some((1000, 63_000_000)));
}
