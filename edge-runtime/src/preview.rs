//! A picture for people: the whole frame, all but the rectangle darkened, what the network looked
//! at in red and blue, and text below it.

use crate::capture::Crop;
use edge_core::Frame;
use edge_model::activation::ActivationMap;
use embedded_graphics::Drawable;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{MonoTextStyle, ascii::FONT_10X20};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::{Primitive, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use image::{ImageFormat, Rgb, RgbImage};
use std::convert::Infallible;
use std::io::Cursor;

/// Least width, so that lines of text have room below the smallest picture.
const LEAST_WIDTH: u32 = 640;
/// Pixels between two lines of text, and around all of them.
const LINE: u32 = 24;
const MARGIN: u32 = 8;
const CHARACTER: u32 = 10;
/// The rectangle's line, in pixels.
const STROKE: u32 = 3;

/// Draws the frame and writes `lines` below it, broken where they do not fit. A rectangle that is
/// not within the frame is not drawn. A map is laid over what was judged, the rectangle or the
/// whole.
pub fn draw(frame: &Frame, crop: Option<Crop>, map: Option<&ActivationMap>, lines: &[String]) -> RgbImage {
    let (width, height) = (u32::from(frame.geometry().width()), u32::from(frame.geometry().height()));
    let page = width.max(LEAST_WIDTH);
    let columns = ((page - 2 * MARGIN) / CHARACTER) as usize;
    let lines: Vec<String> = lines.iter().flat_map(|line| wrap(line, columns)).collect();
    let text = LINE * lines.len() as u32 + 2 * MARGIN;
    let mut page = Page(RgbImage::new(page, height + text));

    let crop = crop.filter(|crop| frame.crop(crop.x, crop.y, crop.width, crop.height).is_ok());
    let rectangle = crop.map(|crop| {
        Rectangle::new(Point::new(crop.x as i32, crop.y as i32), Size::new(crop.width, crop.height))
    });
    let format = frame.geometry().format();
    let judged = rectangle.unwrap_or(Rectangle::new(Point::zero(), Size::new(width, height)));
    let coloured = |at: Point, value: u8| match map.filter(|_| judged.contains(at)) {
        Some(map) => {
            let along = |at: i32, from: i32, size: u32| ((at - from) as f32 + 0.5) / size as f32;
            let x = along(at.x, judged.top_left.x, judged.size.width);
            Rgb(map.tint(value, x, along(at.y, judged.top_left.y, judged.size.height)))
        }
        None => Rgb([value; 3]),
    };
    for (y, row) in (0..).zip(frame.rows()) {
        for (x, pixel) in (0..).zip(row.chunks_exact(format.bytes_per_pixel())) {
            let outside = rectangle.is_some_and(|inside| !inside.contains(Point::new(x, y)));
            let value = (format.luminance(pixel) >> if outside { 9 } else { 8 }) as u8;
            page.0.put_pixel(x as u32, y as u32, coloured(Point::new(x, y), value));
        }
    }
    if let Some(rectangle) = rectangle {
        let style = PrimitiveStyle::with_stroke(Rgb888::YELLOW, STROKE);
        let Ok(()) = rectangle.into_styled(style).draw(&mut page);
    }
    let style = MonoTextStyle::new(&FONT_10X20, Rgb888::WHITE);
    for (row, line) in (0..).zip(&lines) {
        let at = Point::new(MARGIN as i32, (height + MARGIN + row * LINE) as i32);
        let Ok(_) = Text::with_baseline(line, at, style, Baseline::Top).draw(&mut page);
    }
    page.0
}

pub fn png(picture: &RgbImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// Breaks a line between words, and a word that is longer than a line wherever it must be.
fn wrap(line: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let pieces = line.split(' ').flat_map(|word| {
        let letters: Vec<char> = word.chars().collect();
        letters.chunks(columns.max(1)).map(|piece| piece.iter().collect()).collect::<Vec<String>>()
    });
    for piece in pieces {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(&piece),
            Some(last) if last.chars().count() + 1 + piece.chars().count() <= columns => {
                last.push(' ');
                last.push_str(&piece);
            }
            _ => lines.push(piece),
        }
    }
    lines
}

/// What `embedded-graphics` draws on.
struct Page(RgbImage);

impl OriginDimensions for Page {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Page {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            if let (Ok(x), Ok(y)) = (at.x.try_into(), at.y.try_into())
                && let Some(pixel) = self.0.get_pixel_mut_checked(x, y)
            {
                *pixel = Rgb([colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::{Geometry, PixelFormat};

    fn page(crop: Option<Crop>, lines: &[&str]) -> RgbImage {
        let bytes = vec![200; 100 * 80];
        let geometry = Geometry::new(100, 80, PixelFormat::Gray8).unwrap();
        let lines: Vec<_> = lines.iter().map(|&line| line.to_owned()).collect();
        draw(&Frame::packed(geometry, &bytes).unwrap(), crop, None, &lines)
    }

    #[test]
    fn what_is_outside_the_rectangle_is_darker_and_its_edge_is_yellow() {
        let page = page(Some(Crop { x: 20, y: 10, width: 50, height: 40 }), &[]);
        let at = |x, y| page.get_pixel(x, y).0;
        assert_eq!([at(10, 5), at(80, 30), at(40, 60)], [[100; 3]; 3]);
        assert_eq!(at(45, 30), [200; 3]);
        assert_eq!([at(20, 30), at(69, 30), at(45, 10), at(45, 49)], [[255, 255, 0]; 4]);
    }

    #[test]
    fn text_stands_below_the_picture_and_is_broken_where_it_does_not_fit() {
        let lit = |lines: &[&str]| {
            let page = page(None, lines);
            let lit = page.rows().skip(80).flatten().filter(|pixel| pixel.0 == [255; 3]).count();
            (page.height(), lit)
        };
        assert_eq!(lit(&[]), (96, 0));
        let (one, ink) = lit(&["score 0.123"]);
        assert!(one == 96 + 24 && ink > 100, "{one} {ink}");
        assert_eq!(lit(&["score 0.123 "; 2]), (96 + 48, 2 * ink));
        assert_eq!(lit(&[&"word ".repeat(30)]).0, 96 + 3 * 24);
        assert_eq!(lit(&[&"w".repeat(150)]).0, 96 + 3 * 24);
    }

    #[test]
    fn a_rectangle_beyond_the_picture_is_not_drawn() {
        let beyond = Crop { x: u32::MAX, y: 0, width: u32::MAX, height: 40 };
        assert_eq!(page(Some(beyond), &["x"]), page(None, &["x"]));
    }
}
