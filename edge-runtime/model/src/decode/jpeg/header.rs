//! What a JPEG says before its first scan: coding, size, components, colours (ITU-T T.81, B.2.2).

use super::super::outcome::DecodeError;

/// One component of a frame: its identifier and how many samples it has for each unit of the
/// picture, across and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub id: u8,
    pub across: u8,
    pub down: u8,
}

/// A frame header of 8 bits a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub width: u16,
    pub height: u16,
    pub components: Vec<Component>,
}

impl FrameHeader {
    /// Reads the body of the segment `marker`, a frame header (SOF) or another that tells a coding (DAC,
    /// DHP, EXP). What is not baseline, extended or progressive of 8 bits a sample is refused by name.
    pub fn read(marker: u8, body: &[u8]) -> Result<Self, DecodeError> {
        match marker {
            0xC0..=0xC2 => {}
            0xC3 => return Err(coding("lossless JPEG")),
            0xF7 => return Err(coding("JPEG-LS")),
            0xC9..=0xCC => return Err(coding("arithmetic coding")),
            _ => return Err(coding("hierarchical coding")),
        }
        let &[precision, h1, h0, w1, w0, count, ref components @ ..] = body else {
            return Err(damaged("a frame header that is too short"));
        };
        if precision != 8 {
            return Err(coding(format!("{precision} bits a sample")));
        }
        let (components, []) = components.as_chunks::<3>() else {
            return Err(damaged("a frame header of the wrong length"));
        };
        if components.len() != usize::from(count) {
            return Err(damaged("a frame header of the wrong length"));
        }
        let component =
            |&[id, sampling, _]: &[u8; 3]| Component { id, across: sampling >> 4, down: sampling & 15 };
        let components: Vec<_> = components.iter().map(component).collect();
        if components.is_empty() || components.iter().any(|c| c.across == 0 || c.down == 0) {
            return Err(damaged("a frame header without samples"));
        }
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        if height == 0 {
            return Err(coding("a height that is told behind the picture (DNL)"));
        }
        Ok(Self { width, height, components })
    }

    /// Whether `jpeg-decoder` takes the blocks of a scan of this component alone for as many as there
    /// are: it counts those of the whole picture, up to the whole units. That differs where the
    /// component is coarser than another, but not the coarsest.
    pub fn counts_blocks_of(&self, component: Component) -> bool {
        let counted = |side: u16, samples: u8, of: fn(&Component) -> u8| {
            let most = self.components.iter().map(of).max().map_or(1, u32::from);
            let (side, samples) = (u32::from(side), u32::from(samples));
            let there_are = (side * samples).div_ceil(most).div_ceil(8);
            there_are == side.div_ceil(8).min(side.div_ceil(8 * most) * samples)
        };
        counted(self.width, component.across, |c| c.across)
            && counted(self.height, component.down, |c| c.down)
    }
}

/// What the components mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColourModel {
    Grey,
    YCbCr,
    Rgb,
    /// One without a defined luminance here, by its name.
    Other(&'static str),
}

impl ColourModel {
    /// As libjpeg tells it: by a JFIF marker, then Adobe's, then the components' identifiers.
    pub fn of(components: &[Component], jfif: bool, adobe_transform: Option<u8>) -> Self {
        match components {
            [_] => Self::Grey,
            [a, b, c] => match adobe_transform {
                _ if jfif => Self::YCbCr,
                Some(0) => Self::Rgb,
                None if [a.id, b.id, c.id] == *b"RGB" => Self::Rgb,
                _ => Self::YCbCr,
            },
            [..] if components.len() == 4 => match adobe_transform {
                None | Some(0) => Self::Other("CMYK"),
                Some(_) => Self::Other("YCCK"),
            },
            [..] if components.len() == 2 => Self::Other("two components"),
            _ => Self::Other("more than four components"),
        }
    }
}

pub(super) fn damaged(what: impl Into<String>) -> DecodeError {
    DecodeError::damaged("JPEG", what)
}

/// The refusal of a file for how it is coded.
pub(super) fn coding(got: impl Into<String>) -> DecodeError {
    DecodeError::Coding { format: "JPEG", got: got.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: (u16, u16), samplings: &[(u8, u8)]) -> FrameHeader {
        let component = |(id, &(across, down)): (u8, _)| Component { id, across, down };
        let components = (1..).zip(samplings).map(component).collect();
        FrameHeader { width: size.0, height: size.1, components }
    }

    #[test]
    fn colours_are_told_as_libjpeg_tells_them() {
        let components =
            |ids: &[u8]| -> Vec<_> { ids.iter().map(|&id| Component { id, across: 1, down: 1 }).collect() };
        for (ids, jfif, adobe, expected) in [
            (&[7][..], false, Some(0), ColourModel::Grey),
            (&[1, 2, 3], false, None, ColourModel::YCbCr),
            (b"RGB", false, None, ColourModel::Rgb),
            (b"RGB", true, None, ColourModel::YCbCr),
            (b"RGB", false, Some(1), ColourModel::YCbCr),
            (&[1, 2, 3], false, Some(0), ColourModel::Rgb),
            (&[1, 2, 3], true, Some(0), ColourModel::YCbCr),
            (&[0, 1, 2], false, None, ColourModel::YCbCr),
            (&[1, 2, 3, 4], true, None, ColourModel::Other("CMYK")),
            (&[1, 2, 3, 4], false, Some(2), ColourModel::Other("YCCK")),
            (&[1, 2], false, None, ColourModel::Other("two components")),
        ] {
            assert_eq!(ColourModel::of(&components(ids), jfif, adobe), expected, "{ids:?} {jfif} {adobe:?}");
        }
    }

    #[test]
    fn a_scan_of_one_component_has_as_many_blocks_as_the_decoder_counts_or_is_refused() {
        // 4:2:0, 4:1:1, greyscale of any sampling: the finest and the coarsest are counted rightly.
        for samplings in [&[(2, 2), (1, 1), (1, 1)][..], &[(4, 1), (1, 1), (1, 1)], &[(2, 2)]] {
            for width in 490..520 {
                let frame = frame((width, width), samplings);
                assert!(frame.components.iter().all(|&c| frame.counts_blocks_of(c)), "{width}");
            }
        }
        // 122 columns of samples are 16 blocks; 124.5 are 16 too, of 17 in four whole units.
        let between = [(4, 1), (2, 1), (1, 1)];
        assert!(frame((512, 64), &between).counts_blocks_of(Component { id: 2, across: 2, down: 1 }));
        assert!(!frame((490, 64), &between).counts_blocks_of(Component { id: 2, across: 2, down: 1 }));
    }

    #[test]
    fn codings_are_refused_by_name() {
        let body = |precision: u8| vec![precision, 0, 64, 0, 64, 1, 1, 0x11, 0];
        assert_eq!(FrameHeader::read(0xC0, &body(8)).ok(), Some(frame((64, 64), &[(1, 1)])));
        for (marker, precision, name) in [
            (0xC1, 12, "12 bits a sample"),
            (0xC3, 16, "lossless JPEG"),
            (0xC5, 8, "hierarchical coding"),
            (0xC9, 8, "arithmetic coding"),
            (0xCA, 8, "arithmetic coding"),
            (0xF7, 8, "JPEG-LS"),
        ] {
            let error = FrameHeader::read(marker, &body(precision)).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        assert!(FrameHeader::read(0xC0, &body(8)[..8]).is_err());
        assert!(FrameHeader::read(0xC0, &[8, 0, 64, 0, 64, 0]).is_err());
    }
}
