//! The life of a camera on a board: set up, a frame at each request, set up anew after a fault. What differs is a [`Sensor`].

use edge_core::ports::SourceError;
use embassy_time::Timer;
use firmware::rows::Sender;

pub enum Failure {
    Silent,
    Void(SourceError),
}

/// A camera whose rows of `ROW` bytes at most go to the loop.
#[expect(async_fn_in_trait, reason = "its futures stay in one task")]
pub trait Sensor<const ROW: usize> {
    /// Sets it up; false where it does not answer.
    async fn wake(&mut self) -> bool;

    fn answers(&mut self) -> bool;

    /// One frame, from the camera to the loop. Every wait in it has a limit.
    async fn frame(&mut self, sequence: u32) -> Result<(), Failure>;

    fn sender(&mut self) -> &mut Sender<'static, ROW>;
}

pub async fn live<const ROW: usize>(mut sensor: impl Sensor<ROW>) -> ! {
    let mut sequence = 0_u32;
    loop {
        if !sensor.wake().await {
            sensor.sender().fail(SourceError::Lost);
            Timer::after_secs(1).await;
            continue;
        }
        loop {
            while !sensor.sender().is_wanted() {
                Timer::after_millis(2).await;
            }
            sequence = sequence.wrapping_add(1);
            match sensor.frame(sequence).await {
                Ok(()) => {}
                Err(Failure::Void(error)) => sensor.sender().fail(error),
                Err(Failure::Silent) => {
                    let error = if sensor.answers() { SourceError::NoSignal } else { SourceError::Lost };
                    sensor.sender().fail(error);
                    break;
                }
            }
        }
    }
}
