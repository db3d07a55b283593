//! Pictures in the forms that cameras send.

use anyhow::{bail, ensure};
use edge_core::frame::PixelFormat;
use edge_model::decode;

#[derive(Clone)]
pub struct Picture {
    /// Four characters that name the form.
    pub fourcc: &'static str,
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// The forms that [`Picture::of`] makes. The luminance is kept as it is in each but the last.
pub const FORMS: [&str; 6] = ["GREY", "YUYV", "UYVY", "NV12", "YU12", "RGB3"];

impl Picture {
    /// A picture, which must be 8-bit grey, in one of [`FORMS`], without colour.
    pub fn of(picture: &decode::Picture, fourcc: &str) -> anyhow::Result<Self> {
        let frame = picture.frame();
        let geometry = frame.geometry();
        let format = geometry.format();
        ensure!(format == PixelFormat::Gray8, "expected an 8-bit grey picture, got {format:?}");
        let grey = picture.bytes();
        let bytes = match fourcc {
            "GREY" => grey.to_vec(),
            "YUYV" => grey.iter().flat_map(|&y| [y, 128]).collect(),
            "UYVY" => grey.iter().flat_map(|&y| [128, y]).collect(),
            // Two samples of colour for four pixels, together or apart.
            "NV12" | "YU12" => [grey, &vec![128; grey.len() / 2]].concat(),
            "RGB3" => grey.iter().flat_map(|&y| [y, y, y]).collect(),
            other => bail!("expected one of {FORMS:?}, got {other:?}"),
        };
        let fourcc = FORMS.into_iter().find(|form| *form == fourcc).unwrap_or("GREY");
        Ok(Self { fourcc, width: geometry.width().into(), height: geometry.height().into(), bytes })
    }
}
