//! The kernel's side of a camera: V4L2 calls with their argument's type.
//!
//! Its safe surface is built so that nothing outside can break memory: a call and its argument are
//! paired in one list. What is mapped is in `buffers`.
#![allow(unsafe_code)]

use moq_v4l::sys as c;
use moq_v4l::v4l2::vidioc::{self, _IOC_TYPE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::c_void;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

pub const CAPTURE: u32 = c::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
pub const MMAP: u32 = c::v4l2_memory_V4L2_MEMORY_MMAP;

/// A C structure that is valid with every byte zero.
///
/// # Safety
/// Integers, arrays of them, raw pointers and unions of these only.
pub unsafe trait Plain: Sized {
    fn zeroed() -> Self {
        // SAFETY: what the trait promises.
        unsafe { std::mem::zeroed() }
    }
}

/// A V4L2 call and the type of its argument.
pub struct Call<T>(_IOC_TYPE, PhantomData<T>);

macro_rules! calls {
    ($($number:ident($argument:ty);)*) => {
        $(pub const $number: Call<$argument> = {
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
plain!(c::v4l2_frmivalenum);

calls! {
    VIDIOC_QUERYCAP(c::v4l2_capability);
    VIDIOC_ENUM_FMT(c::v4l2_fmtdesc);
    VIDIOC_ENUM_FRAMESIZES(c::v4l2_frmsizeenum);
    VIDIOC_ENUM_FRAMEINTERVALS(c::v4l2_frmivalenum);
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

    /// Whether it is one link of a chain that somebody else must set up, as a bare sensor's is.
    pub fn is_media_controlled(&self) -> bool {
        self.capabilities & c::V4L2_CAP_IO_MC != 0
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

    pub fn call<T: Plain>(&self, call: &Call<T>, argument: &mut T) -> io::Result<()> {
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

    /// Most frames in 1000 seconds that it gives of a format in a size; none where it does not say.
    pub fn rate(&self, fourcc: [u8; 4], (width, height): (u32, u32)) -> Option<u64> {
        let mut fastest = None;
        for index in 0..MOST_LISTED {
            let pixel_format = u32::from_le_bytes(fourcc);
            let mut interval = c::v4l2_frmivalenum { index, pixel_format, width, height, ..Plain::zeroed() };
            if self.call(&VIDIOC_ENUM_FRAMEINTERVALS, &mut interval).is_err() {
                break;
            }
            // SAFETY: both members are structures of integers and begin with such a fraction, the shortest
            // interval of a range; valid whatever the bytes.
            let shortest = unsafe { interval.__bindgen_anon_1.discrete };
            let rate = (u64::from(shortest.denominator) * 1000).checked_div(shortest.numerator.into());
            fastest = fastest.max(rate);
            if interval.type_ != c::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
                break;
            }
        }
        fastest
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

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
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
