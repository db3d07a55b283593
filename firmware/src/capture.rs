//! The life of a camera: set up, a frame at each request, set up anew after a fault. What differs
//! from board to board is a [`Sensor`].
//!
//! A camera that nobody asks for a frame is asked for its registers each second: one that was
//! unplugged is a fault before the button is pressed, not after it.

use crate::rows::Sender;
use edge_core::ports::SourceError;

/// Time between two looks whether the loop wants a frame.
const POLL_MS: u32 = 2;
/// Time between two attempts to set a lost camera up, and between two checks of an idle one.
const CHECK_MS: u32 = 1000;

/// Why a camera gave no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Not even its first row came.
    Silent,
    /// It began and is void.
    Void(SourceError),
}

/// A camera whose rows of `ROW` bytes at most go to the loop.
#[expect(async_fn_in_trait, reason = "its futures stay in one task")]
pub trait Sensor<const ROW: usize> {
    /// Sets it up; false where it does not answer.
    async fn wake(&mut self) -> bool;

    /// Whether it still answers on its control bus.
    fn answers(&mut self) -> bool;

    /// One frame, from the camera to the loop. Every wait in it has a limit.
    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError>;

    /// The driver's end of the rows.
    fn sender(&mut self) -> &mut Sender<'static, ROW>;
}

/// Serves the loop's requests for ever. `delay_ms` waits for so many milliseconds.
pub async fn run<const ROW: usize>(mut sensor: impl Sensor<ROW>, delay_ms: impl AsyncFn(u32)) -> ! {
    let mut sequence = 0_u32;
    loop {
        if !sensor.wake().await {
            sensor.sender().fail(SourceError::Lost);
            delay_ms(CHECK_MS).await;
            continue;
        }
        sensor.sender().recover();
        loop {
            let mut idle_ms = 0;
            while !sensor.sender().is_wanted() && idle_ms < CHECK_MS {
                delay_ms(POLL_MS).await;
                idle_ms += POLL_MS;
            }
            if !sensor.sender().is_wanted() {
                if sensor.answers() {
                    continue;
                }
                sensor.sender().fail(SourceError::Lost);
                break;
            }
            sequence = sequence.wrapping_add(1);
            match sensor.frame(sequence).await {
                Ok(()) => {}
                Err(FrameError::Void(error)) => sensor.sender().fail(error),
                Err(FrameError::Silent) => {
                    let error = if sensor.answers() { SourceError::NoSignal } else { SourceError::Lost };
                    sensor.sender().fail(error);
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Receiver, RowPipe};
    use core::cell::Cell;
    use core::future::{Future, poll_fn};
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use edge_core::agree::FrameStamp;
    use edge_core::ports::{FrameSource, SourceEvent};
    use edge_core::{Geometry, PixelFormat};
    use std::boxed::Box;
    use std::rc::Rc;

    const SIDE: usize = 32;

    #[derive(Clone, Copy, PartialEq)]
    enum Stands {
        Well,
        Unplugged,
        WithoutSignal,
        /// It gives frames that are cut short.
        Cutting,
    }

    /// What is outside of the camera's task.
    struct World {
        stands: Cell<Stands>,
        now_ms: Cell<u32>,
        wakes: Cell<u32>,
        checks: Cell<u32>,
    }

    struct Camera {
        world: Rc<World>,
        sender: Sender<'static, SIDE>,
    }

    impl Camera {
        fn is_there(&self) -> bool {
            self.world.stands.get() != Stands::Unplugged
        }
    }

    impl Sensor<SIDE> for Camera {
        async fn wake(&mut self) -> bool {
            self.world.wakes.set(self.world.wakes.get() + 1);
            self.is_there()
        }

        fn answers(&mut self) -> bool {
            self.world.checks.set(self.world.checks.get() + 1);
            self.is_there()
        }

        async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
            delay_ms(&self.world, 50).await;
            match self.world.stands.get() {
                Stands::Unplugged | Stands::WithoutSignal => return Err(FrameError::Silent),
                Stands::Well | Stands::Cutting => {}
            }
            let geometry = Geometry::new(SIDE as u32, SIDE as u32, PixelFormat::Gray8).unwrap();
            self.sender.begin(geometry, FrameStamp { sequence, micros: 0 });
            if self.world.stands.get() == Stands::Cutting {
                return Err(FrameError::Void(SourceError::Damaged));
            }
            for _ in 0..SIDE {
                self.sender.row(&[7; SIDE]);
                delay_ms(&self.world, 1).await;
            }
            self.sender.end();
            Ok(())
        }

        fn sender(&mut self) -> &mut Sender<'static, SIDE> {
            &mut self.sender
        }
    }

    async fn delay_ms(world: &World, ms: u32) {
        let until = world.now_ms.get() + ms;
        poll_fn(|_| if world.now_ms.get() < until { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Runs a camera's task for as long as `loop_side` runs, which is given what the loop has and a
    /// way to let milliseconds pass: that returns what the loop was told meanwhile, without
    /// `Quiet`.
    fn with(stands: Stands, loop_side: impl FnOnce(&World, &mut dyn FnMut(u32, bool) -> Told)) {
        let pipe = Box::leak(Box::new(RowPipe::<SIDE, 4>::new()));
        let (sender, mut receiver): (_, Receiver<'static, SIDE>) = pipe.split();
        let world = Rc::new(World {
            stands: Cell::new(stands),
            now_ms: Cell::new(0),
            wakes: Cell::new(0),
            checks: Cell::new(0),
        });
        let camera = Camera { world: world.clone(), sender };
        let mut task = pin!(run(camera, async |ms| delay_ms(&world, ms).await));
        let mut context = Context::from_waker(Waker::noop());
        loop_side(&world, &mut |ms, request| {
            let mut told = Told { frames: 0, rows: 0, error: None, errors: 0 };
            if request {
                receiver.request();
            }
            for _ in 0..ms {
                world.now_ms.set(world.now_ms.get() + 1);
                assert!(task.as_mut().poll(&mut context).is_pending());
                // The loop turns more often than rows come.
                for _ in 0..2 {
                    match receiver.poll() {
                        Ok(SourceEvent::Quiet | SourceEvent::Begin(..)) => {}
                        Ok(SourceEvent::Row(row)) => told.rows += usize::from(row == [7; SIDE]),
                        Ok(SourceEvent::End) => told.frames += 1,
                        Err(error) => {
                            (told.error, told.errors) = (Some(error), told.errors + 1);
                            // As the device does while it wants a frame.
                            if request {
                                receiver.request();
                            }
                        }
                    }
                }
            }
            // What lasts is told in the last millisecond too.
            told.error = receiver.poll().err();
            told
        });
    }

    #[derive(Debug, PartialEq)]
    struct Told {
        frames: u32,
        rows: usize,
        /// At the end.
        error: Option<SourceError>,
        /// Polls that gave an error.
        errors: u32,
    }

    impl Told {
        fn nothing() -> Self {
            Self { frames: 0, rows: 0, error: None, errors: 0 }
        }
    }

    #[test]
    fn a_frame_comes_for_each_request_and_none_unasked() {
        with(Stands::Well, |world, pass| {
            assert_eq!(pass(5000, false), Told::nothing());
            assert_eq!(
                (world.wakes.get(), world.checks.get()),
                (1, 4),
                "set up once, then asked each second"
            );
            for _ in 0..3 {
                let told = pass(200, true);
                assert_eq!((told.frames, told.rows, told.errors), (1, SIDE, 0));
            }
            assert_eq!(world.wakes.get(), 1);
        });
    }

    #[test]
    fn a_camera_that_is_lost_while_nobody_asks_is_a_fault_until_it_is_back() {
        with(Stands::Well, |world, pass| {
            pass(3000, false);
            world.stands.set(Stands::Unplugged);
            assert_eq!(pass(1100, false).error, Some(SourceError::Lost));
            assert_eq!(pass(5000, false).error, Some(SourceError::Lost), "it lasts");
            world.stands.set(Stands::Well);
            assert_eq!(pass(1100, false).error, None, "it is over before anybody asks");
            assert_eq!(pass(5000, false), Told::nothing());
            assert_eq!(pass(200, true).frames, 1);
        });
    }

    #[test]
    fn a_camera_that_is_not_there_at_the_start_is_found_without_a_request() {
        with(Stands::Unplugged, |world, pass| {
            assert_eq!(pass(3000, false).error, Some(SourceError::Lost));
            assert_eq!(world.checks.get(), 0, "it is set up anew, not asked");
            world.stands.set(Stands::Well);
            assert_eq!(pass(1100, false).error, None);
        });
    }

    #[test]
    fn a_camera_without_signal_is_one_until_a_frame_comes_and_is_then_asked_again_by_itself() {
        with(Stands::WithoutSignal, |world, pass| {
            assert_eq!(pass(2000, false), Told::nothing(), "only a request shows it");
            assert_eq!(pass(500, true).error, Some(SourceError::NoSignal));
            assert_eq!(pass(3000, false).error, Some(SourceError::NoSignal), "it lasts");
            world.stands.set(Stands::Well);
            let told = pass(500, false);
            assert_eq!((told.frames, told.error), (1, None), "the request still stands");
            world.stands.set(Stands::WithoutSignal);
            pass(500, true);
            world.stands.set(Stands::Unplugged);
            assert_eq!(pass(500, true).error, Some(SourceError::Lost));
        });
    }

    #[test]
    fn a_frame_that_was_cut_is_told_once_and_the_next_one_is_whole() {
        with(Stands::Cutting, |world, pass| {
            assert!(pass(60, true).errors >= 1);
            world.stands.set(Stands::Well);
            pass(200, true);
            assert_eq!(pass(3000, false), Told::nothing(), "no fault stays on an idle device");
            assert_eq!(pass(200, true).frames, 1);
            assert_eq!(world.wakes.get(), 1, "a void frame does not set the camera up anew");
        });
    }
}
