//! The USB device of a board without a camera: one serial port (CDC-ACM), by which a host sends
//! frames. It is built here over any driver, so that the tests see the very descriptors that a
//! board gives.
#![no_std]

use embassy_usb::class::cdc_acm::{CdcAcmClass, State};
use embassy_usb::driver::Driver;
use embassy_usb::{Builder, Config, UsbDevice, UsbVersion};

/// Bytes of a packet, of the port's and of control transfers': the most at full speed (USB 2.0,
/// sections 5.5.3 and 5.8.3).
pub const PACKET: usize = 64;

/// For tests only: pid.codes' number for that. A product has its own.
const VENDOR: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;

/// What the device keeps for as long as it runs.
pub struct Buffers<'d> {
    /// The descriptors of the configuration, 70 bytes.
    configuration: [u8; 128],
    control: [u8; PACKET],
    state: State<'d>,
}

impl Buffers<'_> {
    pub const fn new() -> Self {
        Self { configuration: [0; 128], control: [0; PACKET], state: State::new() }
    }
}

impl Default for Buffers<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Who the device says it is.
pub fn config() -> Config<'static> {
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("Pneumoscope");
    config.product = Some("frames");
    config.max_packet_size_0 = PACKET as u8;
    // From 2.1 on a device owes a BOS descriptor; Windows refuses one that has none.
    config.bcd_usb = UsbVersion::Two;
    config
}

/// The device, which is to be run, and its port.
pub fn device<'d, D: Driver<'d>>(
    driver: D,
    config: Config<'d>,
    buffers: &'d mut Buffers<'d>,
) -> (UsbDevice<'d, D>, CdcAcmClass<'d, D>) {
    let Buffers { configuration, control, state } = buffers;
    let mut builder = Builder::new(driver, config, configuration, &mut [], &mut [], control);
    let port = CdcAcmClass::new(&mut builder, state, PACKET as u16);
    (builder.build(), port)
}
