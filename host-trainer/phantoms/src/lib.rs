//! Phantoms: drawn frontal chest radiographs of small children, with clear lungs and with
//! pneumonia.
//!
//! There is no X-ray picture and no patient data in them. A child is a handful of measures, drawn
//! by lot: solids of tissue (`body`), hoops and rods of bone (`bones`), trees of vessels
//! (`vessels`), and fluid where the air should be (`disease`). Rays through them give a map of
//! thickness (`canvas`); the film turns it into grey (`film`). No picture of a data set, nor an
//! average of pictures, is stored here.
//!
//! How the measures were found: by looking at the public set of children's films (Kermany et al.
//! 2018), by comparing class means, grey levels and power spectra with it, and last by turning the
//! measures until a network trained on those films put nearly all phantoms on their side. As in
//! that set, the ill are also filmed differently (lying, closer, a flatter film, the head seldom in
//! the field, the heart wider), so a model can tell phantoms apart by more than lungs.
//!
//! What they are for: demonstration, a training set that every checkout has, golden frames. What
//! they are not: evidence of how well a model works on children, least of all for a model that
//! helped to tune them. Only real films with a known outcome can say that.
//!
//! The same label, seed and side give the same bytes on every machine: integer pseudo-random
//! numbers, floats with `+ - * /`, square root and rounding only, `libm` in software for everything
//! else, one thread, fixed order.

mod body;
mod bones;
mod canvas;
mod cloud;
mod disease;
mod film;
mod rng;
#[cfg(all(test, feature = "picture"))]
mod tests;
mod vessels;

use body::Body;
use bones::Bones;
use canvas::{Canvas, Pose};
use cloud::Cloud;
use disease::{Disease, Pattern};
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
#[cfg(feature = "picture")]
use edge_core::{Geometry, PixelFormat};
#[cfg(feature = "picture")]
use edge_model::decode::Picture;
use film::Film;
use rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    Normal,
    /// Pneumonia of one of four patterns: a lobe on the right, on the left, patches, diffuse.
    Pneumonia,
}

/// The pixels of one phantom of `side` x `side`, 8-bit grey, rows from the top; about 2 ms at 224.
///
/// A `side` outside [`MIN_SIDE`]..=[`MAX_SIDE`] becomes the nearer of the two.
pub fn pixels(label: Label, seed: u64, side: u16) -> Vec<u8> {
    let pattern = match label {
        Label::Normal => Pattern::Clear,
        Label::Pneumonia => Pattern::ILL[(Rng::new(seed, 0).bits() % 4) as usize],
    };
    develop(pattern, seed, clamped(side))
}

/// The same as a picture.
#[cfg(feature = "picture")]
pub fn draw(label: Label, seed: u64, side: u16) -> Picture {
    picture(clamped(side), pixels(label, seed, side))
}

#[cfg(feature = "picture")]
fn picture(side: u16, bytes: Vec<u8>) -> Picture {
    let geometry = Geometry::new(side.into(), side.into(), PixelFormat::Gray8);
    // The side was clamped to what a geometry takes, and there are side * side pixels: neither can
    // fail.
    geometry.and_then(|geometry| Picture::new(geometry, bytes)).expect("a clamped side fits")
}

fn clamped(side: u16) -> u16 {
    side.clamp(MIN_SIDE, MAX_SIDE)
}

fn develop(pattern: Pattern, seed: u64, side: u16) -> Vec<u8> {
    let ill = pattern != Pattern::Clear;
    // A stream for each part: a change in one part's use of chance leaves the others as they are.
    let stream = |part: u64| Rng::new(seed, 16 * part + 1 + pattern as u64);
    let body = Body::new(&mut stream(1), ill);
    let bones = Bones::new(&mut stream(2), &body);
    let disease = Disease::new(&mut stream(3), pattern, &body);
    let cloud = Cloud::new(&mut stream(4));
    let film = Film::new(&mut stream(5), ill);

    let mut canvas = Canvas::new(side, pose(&mut stream(6), &body, ill));
    canvas.fill(
        |x, y| [body.flesh(x, y, &cloud), disease.opacity(x, y, &cloud)],
        |x, y, [flesh, opacity]| {
            let solid = flesh - body.hollow(x, y, opacity, &cloud);
            if flesh > 0.0 { solid.max(0.2) + bones.spine(&body, x, y) } else { 0.0 }
        },
    );
    bones.draw(&mut canvas, &body, &mut stream(7));
    vessels::draw(&mut canvas, &body, disease.markings, &mut stream(8));
    film.develop(canvas.thickness, side, &mut stream(9))
}

/// Where the child lies on the film: the cage takes most of the width, the lungs somewhat over half
/// of the height; the ill are filmed closer and less evenly.
fn pose(rng: &mut Rng, body: &Body, ill: bool) -> Pose {
    let angle = rng.about(0.0, if ill { 0.045 } else { 0.03 });
    let (across, down) = if ill { (0.385, 0.60) } else { (0.375, 0.56) };
    let spread = if ill { 1.6 } else { 1.0 };
    let top = if ill { 0.155 } else { 0.185 };
    Pose {
        centre: (rng.about(0.5, 0.015 * spread), rng.about(top, 0.025 * spread)),
        scale: (
            rng.about(across, 0.02 * spread) / body.half_width,
            rng.about(down, 0.03 * spread) / body.dome,
        ),
        turn: (libm::sinf(angle), libm::cosf(angle)),
    }
}
