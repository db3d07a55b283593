//! The kernel's side of a camera: V4L2 calls with their argument's type, and buffers that can be
//! read only while they are ours.
//!
//! This is the one file here with `unsafe`. Its safe surface is built so that nothing outside can
//! break memory: a call and its argument are paired in one list, a buffer's bytes are read only
//! while it is marked as ours, and giving it back to the driver takes the whole stream, so that no
//! slice of it is left. The streams of `moq-v4l` are not used, because they panic when a
//! camera that was unplugged is closed.
#![allow(unsafe_code)]

use moq_v4l::sys as c;
use moq_v4l::v4l2::vidioc::{self, _IOC_TYPE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

const CAPTURE: u32 = c::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
const MMAP: u32 = c::v4l2_memory_V4L2_MEMORY_MMAP;

/// A C structure that is valid with every byte zero.
///
/// # Safety
/// Integers, arrays of them, raw pointers and unions of these only.
unsafe trait Plain: Sized {
    fn zeroed() -> Self {
        // SAFETY: what the trait promises.
        unsafe { std::mem::zeroed() }
    }
}

/// A V4L2 call and the type of its argument.
struct Call<T>(_IOC_TYPE, PhantomData<T>);

macro_rules! calls {
    ($($number:ident($argument:ty);)*) => {
        $(const $number: Call<$argument> = {
            // The number carries the size of the argument that the kernel reads and writes.
            assert!((vidioc::$number >> 16) as usize & 0x3FFF == size_of::<$argument>());
            Call(vidioc::$number, PhantomData)
        };)*
    };
}

macro_rules! plain {
    // SAFETY: each is a C structure of integers, or an integer, as its definition in the kernel's header shows.
    ($($structure:ty),*) => { $(unsafe impl Plain for $structure {})* };
}

plain!(i32, c::v4l2_capability, c::v4l2_fmtdesc, c::v4l2_frmsizeenum, c::v4l2_format, c::v4l2_input);
plain!(c::v4l2_requestbuffers, c::v4l2_buffer, c::v4l2_event, c::v4l2_event_subscription);

calls! {
    VIDIOC_QUERYCAP(c::v4l2_capability);
    VIDIOC_ENUM_FMT(c::v4l2_fmtdesc);
    VIDIOC_ENUM_FRAMESIZES(c::v4l2_frmsizeenum);
    VIDIOC_G_FMT(c::v4l2_format);
    VIDIOC_S_FMT(c::v4l2_format);
    VIDIOC_G_INPUT(i32);
    VIDIOC_ENUMINPUT(c::v4l2_input);
    VIDIOC_REQBUFS(c::v4l2_requestbuffers);
    VIDIOC_QUERYBUF(c::v4l2_buffer);
    VIDIOC_QBUF(c::v4l2_buffer);
    VIDIOC_DQBUF(c::v4l2_buffer);
    VIDIOC_STREAMON(i32);
    VIDIOC_STREAMOFF(i32);
    VIDIOC_SUBSCRIBE_EVENT(c::v4l2_event_subscription);
    VIDIOC_DQEVENT(c::v4l2_event);
}

/// What a device node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub card: String,
    pub driver: String,
    pub bus: String,
    /// V4L2's `device_caps`.
    capabilities: u32,
}

impl Card {
    /// Whether it gives pictures in the way that is understood here.
    pub fn captures(&self) -> bool {
        let needed = c::V4L2_CAP_VIDEO_CAPTURE | c::V4L2_CAP_STREAMING;
        self.capabilities & needed == needed
    }

    /// Whether it gives pictures with each plane in a buffer of its own, which is not understood
    /// here.
    pub fn captures_planes_apart(&self) -> bool {
        self.capabilities & c::V4L2_CAP_VIDEO_CAPTURE_MPLANE != 0
    }
}

/// The sizes in which a camera gives a format, in pixels.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizes {
    Unknown,
    Discrete(Vec<(u32, u32)>),
    /// Anything from the first to the second.
    Range((u32, u32), (u32, u32)),
}

/// The form that camera and program agreed on; sizes in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub fourcc: [u8; 4],
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next; 0 for compressed formats.
    pub stride: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    pub frame: bool,
    pub event: bool,
    /// The camera is gone or has stopped.
    pub broken: bool,
}

#[derive(Debug)]
pub struct Node(OwnedFd);

impl Node {
    /// Opens it without ever waiting for it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    fn call<T: Plain>(&self, call: &Call<T>, argument: &mut T) -> io::Result<()> {
        loop {
            let pointer = std::ptr::from_mut(argument).cast::<c_void>();
            // SAFETY: the call is one of the list above, where it stands with the type that the kernel
            // expects behind the pointer, and the size in its number was checked. Structures hold
            // no pointers that the kernel follows: buffers are those of mmap, of the type with
            // one plane.
            match unsafe { moq_v4l::v4l2::ioctl(self.0.as_raw_fd(), call.0, pointer) } {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    pub fn card(&self) -> io::Result<Card> {
        let mut caps = c::v4l2_capability::zeroed();
        self.call(&VIDIOC_QUERYCAP, &mut caps)?;
        let has_own = caps.capabilities & c::V4L2_CAP_DEVICE_CAPS != 0;
        Ok(Card {
            card: text(&caps.card),
            driver: text(&caps.driver),
            bus: text(&caps.bus_info),
            capabilities: if has_own { caps.device_caps } else { caps.capabilities },
        })
    }

    /// The formats it can give, four characters and a description each.
    pub fn formats(&self) -> Vec<([u8; 4], String)> {
        let one = |index| {
            let mut format = c::v4l2_fmtdesc { index, type_: CAPTURE, ..Plain::zeroed() };
            self.call(&VIDIOC_ENUM_FMT, &mut format).ok()?;
            Some((format.pixelformat.to_le_bytes(), text(&format.description)))
        };
        (0..MOST_LISTED).map_while(one).collect()
    }

    pub fn sizes(&self, fourcc: [u8; 4]) -> Sizes {
        let mut found = Vec::new();
        for index in 0..MOST_LISTED {
            let pixel_format = u32::from_le_bytes(fourcc);
            let mut size = c::v4l2_frmsizeenum { index, pixel_format, ..Plain::zeroed() };
            if self.call(&VIDIOC_ENUM_FRAMESIZES, &mut size).is_err() {
                break;
            }
            if size.type_ != c::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
                // SAFETY: both members are structures of integers, valid whatever the bytes.
                let s = unsafe { size.__bindgen_anon_1.stepwise };
                return Sizes::Range((s.min_width, s.min_height), (s.max_width, s.max_height));
            }
            // SAFETY: as above.
            let s = unsafe { size.__bindgen_anon_1.discrete };
            found.push((s.width, s.height));
        }
        if found.is_empty() { Sizes::Unknown } else { Sizes::Discrete(found) }
    }

    pub fn format(&self) -> io::Result<Format> {
        let mut format = c::v4l2_format { type_: CAPTURE, ..Plain::zeroed() };
        self.call(&VIDIOC_G_FMT, &mut format)?;
        Ok(read(&format))
    }

    /// Asks for a form; the answer is what it will give.
    pub fn set_format(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Format> {
        let mut format = c::v4l2_format { type_: CAPTURE, ..Plain::zeroed() };
        format.fmt.pix = c::v4l2_pix_format {
            width,
            height,
            pixelformat: u32::from_le_bytes(fourcc),
            field: c::v4l2_field_V4L2_FIELD_ANY,
            // SAFETY: as `Plain` promises for the union that holds it.
            ..unsafe { std::mem::zeroed() }
        };
        self.call(&VIDIOC_S_FMT, &mut format)?;
        Ok(read(&format))
    }

    /// Number of the input that is switched on; none where it has no inputs.
    pub fn input(&self) -> Option<u32> {
        let mut index = 0;
        self.call(&VIDIOC_G_INPUT, &mut index).ok()?;
        index.try_into().ok()
    }

    /// Whether something comes in on an input, as far as the driver can tell.
    pub fn has_signal(&self, input: u32) -> io::Result<bool> {
        let mut answer = c::v4l2_input { index: input, ..Plain::zeroed() };
        self.call(&VIDIOC_ENUMINPUT, &mut answer)?;
        let no_signal = c::V4L2_IN_ST_NO_POWER
            | c::V4L2_IN_ST_NO_SIGNAL
            | c::V4L2_IN_ST_NO_H_LOCK
            | c::V4L2_IN_ST_NO_V_LOCK
            | c::V4L2_IN_ST_NO_SYNC
            | c::V4L2_IN_ST_NO_CARRIER;
        Ok(answer.status & no_signal == 0)
    }

    /// Asks to be told when signal or form of the source change; many drivers cannot.
    pub fn watch_source(&self) -> io::Result<()> {
        let mut wish = c::v4l2_event_subscription { type_: c::V4L2_EVENT_SOURCE_CHANGE, ..Plain::zeroed() };
        self.call(&VIDIOC_SUBSCRIBE_EVENT, &mut wish)
    }

    pub fn drain_events(&self) {
        let mut event = c::v4l2_event::zeroed();
        for _ in 0..MOST_LISTED {
            if self.call(&VIDIOC_DQEVENT, &mut event).is_err() {
                break;
            }
        }
    }

    /// Waits for a frame or an event, at most `wait`; returns early on a signal to the process.
    pub fn wait(&self, wait: Duration) -> io::Result<Ready> {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN | PollFlags::PRI)];
        match poll(&mut fds, Some(&Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 }))) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let got = fds[0].revents();
        Ok(Ready {
            frame: got.contains(PollFlags::IN),
            event: got.contains(PollFlags::PRI),
            broken: got.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
        })
    }
}

/// Entries of any list that are asked for at most: a broken driver must not keep us for ever.
const MOST_LISTED: u32 = 256;

fn read(format: &c::v4l2_format) -> Format {
    // SAFETY: the form of a capture device with one plane; a structure of integers, valid whatever the
    // bytes.
    let pix = unsafe { format.fmt.pix };
    Format {
        fourcc: pix.pixelformat.to_le_bytes(),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline,
    }
}

/// A C string's text, whatever is behind its end.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&b| b == 0).next().unwrap_or_default()).into_owned()
}

/// A buffer that the driver has filled and that is ours until it is queued again.
#[derive(Debug)]
pub struct Filled {
    index: usize,
    used: usize,
    pub damaged: bool,
    /// The driver's number of the frame; it wraps.
    pub sequence: u32,
    /// The driver's time of the frame, in microseconds.
    pub micros: u64,
    /// Whether that time is `CLOCK_MONOTONIC`'s.
    pub monotonic: bool,
}

#[cfg(test)]
impl Filled {
    /// A frame of which only the time counts.
    pub fn of_time(micros: u64, monotonic: bool) -> Self {
        Self { micros, monotonic, ..Self::of_number(0) }
    }

    /// A frame without a time.
    pub fn of_number(sequence: u32) -> Self {
        Self { index: 0, used: 0, damaged: false, sequence, micros: 0, monotonic: false }
    }
}

#[derive(Debug)]
struct Mapping {
    address: *mut c_void,
    length: usize,
    /// Taken from the driver and not given back: nobody writes to it.
    ours: bool,
}

// SAFETY: memory that belongs to the process, whichever thread reads it.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `Stream::start` mapped exactly this; slices of it borrow the stream, so none is left.
        // Fails for wrong arguments only, and then nothing is unmapped.
        let _ = unsafe { munmap(self.address, self.length) };
    }
}

/// A camera that runs, with its buffers. Dropping it stops the camera; an error then says that it
/// has stopped already.
#[derive(Debug)]
pub struct Stream {
    // Before `node`: unmapped first, closed last.
    buffers: Vec<Mapping>,
    node: Node,
    queued: usize,
}

impl Stream {
    /// Maps about `count` buffers, queues and starts; an error is what was asked and the answer.
    pub fn start(node: Node, count: u32) -> Result<Self, (&'static str, io::Error)> {
        let mut request = c::v4l2_requestbuffers { count, type_: CAPTURE, memory: MMAP, ..Plain::zeroed() };
        node.call(&VIDIOC_REQBUFS, &mut request).map_err(|error| ("VIDIOC_REQBUFS", error))?;
        let mut stream = Self { buffers: Vec::new(), node, queued: 0 };
        for index in 0..request.count {
            let mapping = stream.map(index)?;
            stream.buffers.push(mapping);
            stream.give(index as usize).map_err(|error| ("VIDIOC_QBUF", error))?;
        }
        let mut kind = CAPTURE as i32;
        stream.node.call(&VIDIOC_STREAMON, &mut kind).map_err(|error| ("VIDIOC_STREAMON", error))?;
        Ok(stream)
    }

    fn map(&self, index: u32) -> Result<Mapping, (&'static str, io::Error)> {
        let mut buffer = c::v4l2_buffer { index, type_: CAPTURE, memory: MMAP, ..Plain::zeroed() };
        self.node.call(&VIDIOC_QUERYBUF, &mut buffer).map_err(|error| ("VIDIOC_QUERYBUF", error))?;
        let length = buffer.length as usize;
        // SAFETY: the kernel chooses an address that nothing else uses; the union's integer is valid
        // whatever its bytes.
        let address = unsafe {
            let offset = u64::from(buffer.m.offset);
            mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &self.node.0, offset)
        };
        Ok(Mapping { address: address.map_err(|error| ("mmap", error.into()))?, length, ours: true })
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Buffers that the driver may fill, or has filled and we have not taken.
    pub fn queued(&self) -> usize {
        self.queued
    }

    fn give(&mut self, index: usize) -> io::Result<()> {
        let Some(mapping) = self.buffers.get_mut(index).filter(|mapping| mapping.ours) else { return Ok(()) };
        let mut buffer =
            c::v4l2_buffer { index: index as u32, type_: CAPTURE, memory: MMAP, ..Plain::zeroed() };
        mapping.ours = false;
        self.node.call(&VIDIOC_QBUF, &mut buffer)?;
        self.queued += 1;
        Ok(())
    }

    pub fn queue(&mut self, filled: Filled) -> io::Result<()> {
        self.give(filled.index)
    }

    /// Takes the oldest buffer that is full, if there is one. Never waits.
    pub fn dequeue(&mut self) -> io::Result<Option<Filled>> {
        let mut buffer = c::v4l2_buffer { type_: CAPTURE, memory: MMAP, ..Plain::zeroed() };
        match self.node.call(&VIDIOC_DQBUF, &mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            other => other?,
        }
        self.queued = self.queued.saturating_sub(1);
        if let Some(mapping) = self.buffers.get_mut(buffer.index as usize) {
            mapping.ours = true;
        }
        let clock = buffer.flags & c::V4L2_BUF_FLAG_TIMESTAMP_MASK;
        let time = buffer.timestamp;
        Ok(Some(Filled {
            index: buffer.index as usize,
            used: buffer.bytesused as usize,
            damaged: buffer.flags & c::V4L2_BUF_FLAG_ERROR != 0,
            sequence: buffer.sequence,
            // Any bits that a driver may put there: the value is compared, and believed only where it is
            // plausible.
            micros: (time.tv_sec as u64).wrapping_mul(1_000_000).wrapping_add(time.tv_usec as u64),
            monotonic: clock == c::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
        }))
    }

    /// The bytes that the driver says it filled, as far as the buffer goes.
    pub fn bytes(&self, filled: &Filled) -> &[u8] {
        let Some(mapping) = self.buffers.get(filled.index).filter(|mapping| mapping.ours) else { return &[] };
        // SAFETY: a live mapping of that length, readable. The driver does not write to it, because it was
        // dequeued, and it is queued again only by `give`, which borrows the stream exclusively
        // while the slice borrows it too.
        let whole = unsafe { std::slice::from_raw_parts(mapping.address.cast::<u8>(), mapping.length) };
        &whole[..filled.used.min(whole.len())]
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut kind = CAPTURE as i32;
        let _ = self.node.call(&VIDIOC_STREAMOFF, &mut kind);
    }
}
