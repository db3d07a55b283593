//! A USB controller with a cable in its other end: a driver as a chip has one, whose packets a test
//! writes and reads.

use embassy_usb::class::cdc_acm::CdcAcmClass;
use embassy_usb::driver::{
    Bus, ControlPipe, Direction, Driver, Endpoint, EndpointAddress, EndpointAllocError, EndpointError,
    EndpointIn, EndpointInfo, EndpointOut, EndpointType, Event, Unsupported,
};
use embassy_usb::{Config, UsbDevice};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use usb::PACKET;

/// How the controller hands out endpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wiring {
    Right,
    /// Both endpoints to the host are number 1.
    OneAddressTwice,
}

/// How a control transfer ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Data(Vec<u8>),
    Accepted,
    /// The device stalled: it does not know the request.
    Stalled,
    /// Nothing came at all.
    Silent,
}

#[derive(Default)]
struct Wire {
    events: VecDeque<Event>,
    setups: VecDeque<[u8; 8]>,
    to_device: Vec<u8>,
    data: Vec<u8>,
    answer: Option<Answer>,
    address: u8,
    enabled: BTreeSet<u8>,
}

type Shared = Rc<RefCell<Wire>>;

/// Ready when `look` finds something. A test polls until all is quiet, so no one is woken.
async fn until<T>(wire: &Shared, look: impl Fn(&mut Wire) -> Option<T>) -> T {
    std::future::poll_fn(|_| look(&mut wire.borrow_mut()).map_or(Poll::Pending, Poll::Ready)).await
}

struct Controller {
    wire: Shared,
    wiring: Wiring,
    taken: [u8; 2],
}

impl Controller {
    fn endpoint(&mut self, direction: Direction, kind: EndpointType, packet: u16, interval: u8) -> Port {
        let count = &mut self.taken[usize::from(direction == Direction::In)];
        *count = if self.wiring == Wiring::OneAddressTwice { 1 } else { *count + 1 };
        let info = EndpointInfo {
            addr: EndpointAddress::from_parts(usize::from(*count), direction),
            ep_type: kind,
            max_packet_size: packet,
            interval_ms: interval,
        };
        Port { wire: self.wire.clone(), info }
    }
}

impl<'d> Driver<'d> for Controller {
    type EndpointOut = Port;
    type EndpointIn = Port;
    type ControlPipe = Pipe;
    type Bus = Cable;

    fn alloc_endpoint_out(
        &mut self,
        kind: EndpointType,
        _address: Option<EndpointAddress>,
        packet: u16,
        interval: u8,
    ) -> Result<Port, EndpointAllocError> {
        Ok(self.endpoint(Direction::Out, kind, packet, interval))
    }

    fn alloc_endpoint_in(
        &mut self,
        kind: EndpointType,
        _address: Option<EndpointAddress>,
        packet: u16,
        interval: u8,
    ) -> Result<Port, EndpointAllocError> {
        Ok(self.endpoint(Direction::In, kind, packet, interval))
    }

    fn start(self, packet: u16) -> (Cable, Pipe) {
        assert_eq!(usize::from(packet), PACKET);
        (Cable(self.wire.clone()), Pipe(self.wire))
    }
}

struct Cable(Shared);

impl Bus for Cable {
    async fn enable(&mut self) {}

    async fn disable(&mut self) {}

    async fn poll(&mut self) -> Event {
        until(&self.0, |wire| wire.events.pop_front()).await
    }

    fn endpoint_set_enabled(&mut self, address: EndpointAddress, enabled: bool) {
        let wire = &mut self.0.borrow_mut().enabled;
        if enabled {
            wire.insert(address.into());
        } else {
            wire.remove(&address.into());
        }
    }

    fn endpoint_set_stalled(&mut self, _address: EndpointAddress, _stalled: bool) {}

    fn endpoint_is_stalled(&mut self, _address: EndpointAddress) -> bool {
        false
    }

    async fn remote_wakeup(&mut self) -> Result<(), Unsupported> {
        Err(Unsupported)
    }
}

struct Pipe(Shared);

impl ControlPipe for Pipe {
    fn max_packet_size(&self) -> usize {
        PACKET
    }

    async fn setup(&mut self) -> [u8; 8] {
        until(&self.0, |wire| wire.setups.pop_front()).await
    }

    async fn data_out(&mut self, buffer: &mut [u8], _: bool, _: bool) -> Result<usize, EndpointError> {
        let sent = std::mem::take(&mut self.0.borrow_mut().to_device);
        buffer.get_mut(..sent.len()).ok_or(EndpointError::BufferOverflow)?.copy_from_slice(&sent);
        Ok(sent.len())
    }

    async fn data_in(&mut self, data: &[u8], _first: bool, last: bool) -> Result<(), EndpointError> {
        assert!(data.len() <= PACKET);
        let mut wire = self.0.borrow_mut();
        wire.data.extend_from_slice(data);
        if last {
            let data = std::mem::take(&mut wire.data);
            wire.answer = Some(Answer::Data(data));
        }
        Ok(())
    }

    async fn accept(&mut self) {
        self.0.borrow_mut().answer = Some(Answer::Accepted);
    }

    async fn reject(&mut self) {
        self.0.borrow_mut().answer = Some(Answer::Stalled);
    }

    async fn accept_set_address(&mut self, address: u8) {
        self.0.borrow_mut().address = address;
        self.accept().await;
    }
}

/// An endpoint of the port; no frames go through it here.
struct Port {
    wire: Shared,
    info: EndpointInfo,
}

impl Endpoint for Port {
    fn info(&self) -> &EndpointInfo {
        &self.info
    }

    async fn wait_enabled(&mut self) {
        let address = self.info.addr.into();
        until(&self.wire, |wire| wire.enabled.contains(&address).then_some(())).await;
    }
}

impl EndpointIn for Port {
    async fn write(&mut self, _packet: &[u8]) -> Result<(), EndpointError> {
        Ok(())
    }
}

impl EndpointOut for Port {
    async fn read(&mut self, _packet: &mut [u8]) -> Result<usize, EndpointError> {
        pending().await
    }
}

/// A board at the end of a cable, whose device runs whenever it is asked something.
pub struct Board {
    wire: Shared,
    device: Pin<Box<dyn Future<Output = ()>>>,
    port: CdcAcmClass<'static, Controller>,
}

impl Board {
    /// Plugged in: it has power.
    pub fn new(config: Config<'static>, wiring: Wiring) -> Self {
        let wire = Shared::default();
        let driver = Controller { wire: wire.clone(), wiring, taken: [0; 2] };
        let buffers = Box::leak(Box::new(usb::Buffers::new()));
        let (device, port): (UsbDevice<'static, Controller>, _) = usb::device(driver, config, buffers);
        wire.borrow_mut().events.push_back(Event::PowerDetected);
        let mut board = Self { wire, device: Box::pin(run(device)), port };
        board.run();
        board
    }

    pub fn reset(&mut self) {
        self.wire.borrow_mut().events.push_back(Event::Reset);
        self.wire.borrow_mut().address = 0;
        self.run();
    }

    /// A control transfer, with these bytes for the device where it takes any.
    pub fn control(&mut self, setup: [u8; 8], bytes: &[u8]) -> Answer {
        let mut wire = self.wire.borrow_mut();
        wire.to_device = bytes.to_vec();
        wire.setups.push_back(setup);
        drop(wire);
        self.run();
        self.wire.borrow_mut().answer.take().unwrap_or(Answer::Silent)
    }

    pub fn address(&self) -> u8 {
        self.wire.borrow().address
    }

    /// Whether the board's program may use the port.
    pub fn is_open(&mut self) -> bool {
        let waker = Waker::noop();
        pin!(self.port.wait_connection()).poll(&mut Context::from_waker(waker)).is_ready()
    }

    fn run(&mut self) {
        // Everything that is there is taken in one go; a second asks whether it is quiet.
        for _ in 0..2 {
            let running = self.device.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(running.is_pending(), "the device never ends");
        }
    }
}

async fn run(mut device: UsbDevice<'static, Controller>) {
    device.run().await;
}
