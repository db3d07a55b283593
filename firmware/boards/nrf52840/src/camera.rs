//! Frames over USB: the board is a serial port (CDC-ACM), the host sends packets as
//! [`firmware::serial`] has them.
//!
//! USB lets its sender wait, so rows are taken only where the loop's queue has room for them. A
//! host that goes away is a lost camera until one is there again.

use edge_core::ports::SourceError;
use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_nrf::Peri;
use embassy_nrf::bind_interrupts;
use embassy_nrf::peripherals::USBD;
use embassy_nrf::usb::vbus_detect::{self, HardwareVbusDetect};
use embassy_nrf::usb::{Driver, InterruptHandler};
use embassy_time::{Duration, Instant, Timer};
use embassy_usb::class::cdc_acm::CdcAcmClass;
use embassy_usb::driver::EndpointError;
use firmware::rows::Sender;
use firmware::serial::{Decoder, LONGEST_PAYLOAD, LONGEST_ROW, READY, TAKEN};
use static_cell::StaticCell;
use usb::{Buffers, PACKET};

pub const QUEUE: usize = 6;

/// How long after a request the host may be silent before it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

bind_interrupts!(struct Interrupts {
    USBD => InterruptHandler<USBD>;
    CLOCK_POWER => vbus_detect::InterruptHandler;
});

type Usb = Driver<'static, HardwareVbusDetect>;

/// Starts [`run`]: the port's parts may not change their interrupt, so they are made where they
/// stay.
#[embassy_executor::task]
pub async fn start(usb: Peri<'static, USBD>, sender: Sender<'static, LONGEST_ROW>) {
    // SAFETY: this is a task of embassy's executor.
    let spawner = unsafe { Spawner::for_current_executor() }.await;
    if let Ok(task) = run(usb, sender) {
        spawner.spawn(task);
    }
}

#[embassy_executor::task]
async fn run(usb: Peri<'static, USBD>, mut sender: Sender<'static, LONGEST_ROW>) {
    static BUFFERS: StaticCell<Buffers<'static>> = StaticCell::new();
    static DECODER: StaticCell<Decoder<LONGEST_PAYLOAD>> = StaticCell::new();

    let driver: Usb = Driver::new(usb, Interrupts, HardwareVbusDetect::new(Interrupts));
    let (mut device, mut port) = usb::device(driver, usb::config(), BUFFERS.init_with(Buffers::new));
    let decoder = DECODER.init(Decoder::new());
    let frames = async {
        loop {
            sender.fail(SourceError::Lost);
            port.wait_connection().await;
            sender.recover();
            let _ = talk(&mut port, decoder, &mut sender).await;
            decoder.void(&mut sender);
        }
    };
    join(device.run(), frames).await;
}

/// Asks for frames and hands their rows on, until the host goes away.
async fn talk(
    port: &mut CdcAcmClass<'static, Usb>,
    decoder: &mut Decoder<LONGEST_PAYLOAD>,
    sender: &mut Sender<'static, LONGEST_ROW>,
) -> Result<(), EndpointError> {
    let mut packet = [0; PACKET];
    let mut asked: Option<Instant> = None;
    loop {
        if sender.is_wanted() {
            if asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                port.write_packet(&[READY]).await?;
                asked = Some(Instant::now());
            }
        } else {
            asked = None;
        }
        let length = match select(port.read_packet(&mut packet), Timer::after_millis(2)).await {
            Either::First(length) => length?,
            Either::Second(()) => continue,
        };
        let mut rest = packet.get(..length).unwrap_or(&[]);
        while !rest.is_empty() {
            while !sender.has_room() {
                Timer::after_millis(1).await;
            }
            let taken = decoder.take(rest, sender);
            rest = rest.get(taken..).unwrap_or(&[]);
            if decoder.taken() {
                port.write_packet(&[TAKEN]).await?;
            }
        }
    }
}
