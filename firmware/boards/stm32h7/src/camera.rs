//! The OV7725 on DCMI: a ring of a few rows that DMA fills, emptied into the loop's queue. The
//! frame is never held.
//!
//! DCMI takes one frame a request (its snapshot mode). Fewer bytes than a frame's are a row that
//! does not come in time; more are still in the ring when the frame should be over; both void the
//! frame. After a fault the camera is set up anew.

use crate::caches;
use core::cell::UnsafeCell;
use core::future::poll_fn;
use core::mem::MaybeUninit;
use core::task::Poll;
use edge_core::Geometry;
use edge_core::agree::FrameStamp;
use edge_core::ports::SourceError;
use embassy_stm32::dma::{self, ReadableRingBuffer, TransferOptions};
use embassy_stm32::gpio::Output;
use embassy_stm32::i2c::{I2c, Master};
use embassy_stm32::mode::Blocking;
use embassy_stm32::pac;
use embassy_stm32::pac::dcmi::regs::Cr;
use embassy_time::{Delay, Duration, Timer, with_timeout};
use firmware::bring_up::{self, Pattern, TestSensor};
use firmware::capture::{FrameError, Sensor};
use firmware::rows::Sender;
use firmware::sensors::ov7725::{self, FORMAT, HEIGHT, WIDTH};
use firmware::stm32h7::dcmi;
use hardware::run_camera;

pub const ROW: usize = WIDTH as usize * FORMAT.bytes_per_pixel();
/// Places in the queue to the loop: the ring's rows and some more.
pub const QUEUE: usize = 14;

/// Words of a row, and of the ring.
const WORDS: usize = ROW / 4;
const RING: usize = dcmi::RING_ROWS * WORDS;

/// Longer than a frame takes, and than a row.
const FRAME_TIMEOUT: Duration = Duration::from_millis(400);
const ROW_TIMEOUT: Duration = Duration::from_millis(20);

pub struct Camera {
    pub bus: I2c<'static, Blocking, Master>,
    pub reset: Output<'static>,
    pub power_down: Output<'static>,
    pub dma: dma::Channel<'static>,
    pub sender: Sender<'static, ROW>,
}

/// In the region that DMA reaches; its lines of the cache are its own.
#[repr(align(32))]
struct Ring(UnsafeCell<MaybeUninit<[u32; RING]>>);

// SAFETY: the camera's one task takes it.
unsafe impl Sync for Ring {}

#[unsafe(link_section = ".bulk.ring")]
static RING_WORDS: Ring = Ring(UnsafeCell::new(MaybeUninit::uninit()));

#[embassy_executor::task]
pub async fn run(camera: Camera) -> ! {
    // SAFETY: this task is started once, and takes it once; all zeros are words.
    let ring: &'static mut [u32] = unsafe {
        RING_WORDS.0.get().cast::<u32>().write_bytes(0, RING);
        &mut *RING_WORDS.0.get().cast::<[u32; RING]>()
    };
    caches::write_out(ring.as_ptr_range());
    run_camera(Ov7725 { camera, ring }).await
}

struct Ov7725 {
    camera: Camera,
    ring: &'static mut [u32],
}

impl Sensor<ROW> for Ov7725 {
    /// Out of sleep and reset, and its registers.
    async fn wake(&mut self) -> bool {
        let Camera { bus, reset, power_down, .. } = &mut self.camera;
        power_down.set_low();
        reset.set_low();
        Timer::after_millis(10).await;
        reset.set_high();
        Timer::after_millis(20).await;
        ov7725::configure(bus, &mut Delay).is_ok()
    }

    fn answers(&mut self) -> bool {
        ov7725::check(&mut self.camera.bus).is_ok()
    }

    fn sender(&mut self) -> &mut Sender<'static, ROW> {
        &mut self.camera.sender
    }

    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
        let (registers, words) = (pac::DCMI, &mut *self.ring);
        let Camera { dma, sender, .. } = &mut self.camera;
        let geometry = Geometry::new(WIDTH.into(), HEIGHT.into(), FORMAT).map_err(|_| FrameError::Silent)?;
        let source = registers.dr().as_ptr().cast::<u32>();
        let bytes = words.as_ptr_range();
        // SAFETY: the channel and the ring are this task's, and the source is DCMI's data register,
        // a word wide.
        let mut ring = unsafe {
            ReadableRingBuffer::new(
                dma.reborrow(),
                dcmi::DMA_REQUEST,
                source,
                words,
                TransferOptions::default(),
            )
        };
        registers.icr().write(|flags| {
            flags.set_frame_isc(true);
            flags.set_ovr_isc(true);
            flags.set_err_isc(true);
        });
        ring.start();
        // Stops it however this ends.
        let _stop = Capture::start();
        let mut row = [0_u32; WORDS];
        for number in 0..HEIGHT {
            let limit = if number == 0 { FRAME_TIMEOUT } else { ROW_TIMEOUT };
            let came = with_timeout(limit, whole_row(&mut ring)).await;
            // What the cache holds of the ring is from the last time around.
            caches::forget(bytes.clone());
            match came {
                Ok(true) if ring.read(&mut row).is_ok_and(|(words, _)| words == WORDS) => {}
                Ok(_) => return Err(FrameError::Void(SourceError::Overrun)),
                Err(_) if number == 0 => return Err(FrameError::Silent),
                Err(_) => return Err(FrameError::Void(SourceError::Damaged)),
            }
            if registers.ris().read().ovr_ris() {
                return Err(FrameError::Void(SourceError::Overrun));
            }
            if number == 0 {
                sender.begin(geometry, FrameStamp { sequence, micros: hardware::micros() });
            }
            sender.row(bytemuck::cast_slice(&row));
        }
        // Until the picture is over; then there must be nothing left.
        Timer::after_millis(2).await;
        if ring.len().is_ok_and(|left| left == 0) {
            sender.end();
            Ok(())
        } else {
            Err(FrameError::Void(SourceError::Damaged))
        }
    }
}

impl TestSensor<ROW> for Ov7725 {
    const IDENTITY: u16 = ov7725::IDENTITY;
    const PATTERN: Pattern = Pattern::Bars;

    fn identity(&mut self) -> Option<u16> {
        bring_up::identity(ov7725::IDENTITY, ov7725::check(&mut self.camera.bus))
    }

    fn show_pattern(&mut self) -> bool {
        ov7725::show_pattern(&mut self.camera.bus).is_ok()
    }
}

/// DCMI at work; dropped, it stops.
struct Capture;

impl Capture {
    fn start() -> Self {
        // Polarities and mode must stand before it is enabled.
        pac::DCMI.cr().write_value(Cr(dcmi::AT_REST));
        pac::DCMI.cr().write_value(Cr(dcmi::AT_WORK));
        Self
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        pac::DCMI.cr().write_value(Cr(dcmi::AT_REST));
    }
}

/// Waits until a row is in the ring; false where DMA has run over rows that were not taken.
async fn whole_row(ring: &mut ReadableRingBuffer<'_, u32>) -> bool {
    poll_fn(|context| {
        ring.set_waker(context.waker());
        match ring.len() {
            Ok(words) if words < WORDS => Poll::Pending,
            length => Poll::Ready(length.is_ok()),
        }
    })
    .await
}
