//! The far side of the emulated camera: the driver `vivid` loops what is put into its output node
//! to its capture node.

#![allow(unsafe_code, reason = "V4L2 is ioctls and mapped memory")]

use anyhow::{Context, bail, ensure};
use moq_v4l::v4l2::{self, vidioc};
use moq_v4l::{Device, sys};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::fs;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Control: what goes into the output comes out of the camera.
const LOOP: u32 = 0x00f0_f025;
/// Control: which text is drawn into the picture; 2 is none.
const TEXT: u32 = 0x00f0_f001;

/// Longest wait for the driver to take a picture, in milliseconds.
const WAIT_MS: i32 = 5000;

/// Between two times that a control is set: shorter than a frame.
const PAUSE: Duration = Duration::from_millis(5);

/// Pixel format, width and height.
pub type Form = (String, u32, u32);

pub struct Screen {
    device: Device,
    form: Form,
    buffers: [Buffer; 2],
    /// The buffer that the driver shows, where one was queued.
    shown: Option<usize>,
}

struct Buffer {
    start: *mut c_void,
    length: usize,
}

impl Screen {
    pub fn open(form: Form) -> anyhow::Result<Self> {
        for (id, value) in [(LOOP, 1), (TEXT, 2)] {
            control(id, value)?;
        }
        let device = node("vid-out")?;
        // SAFETY: all-zero is a value of each of these plain C structs.
        let mut format: sys::v4l2_format = unsafe { std::mem::zeroed() };
        format.type_ = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT;
        let fourcc: [u8; 4] = form.0.as_bytes().try_into().context("a pixel format has four characters")?;
        format.fmt.pix = sys::v4l2_pix_format {
            width: form.1,
            height: form.2,
            pixelformat: u32::from_le_bytes(fourcc),
            field: sys::v4l2_field_V4L2_FIELD_NONE,
            // SAFETY: as above.
            ..unsafe { std::mem::zeroed() }
        };
        call(&device, vidioc::VIDIOC_S_FMT, &mut format, "VIDIOC_S_FMT")?;
        // SAFETY: the call above has filled in the variant for single-planar formats.
        let pix = unsafe { format.fmt.pix };
        let got = (pix.pixelformat.to_le_bytes(), pix.width, pix.height);
        ensure!(got == (fourcc, form.1, form.2), "the driver made {got:?} of {form:?}");
        // SAFETY: as above.
        let mut request: sys::v4l2_requestbuffers = unsafe { std::mem::zeroed() };
        (request.count, request.type_, request.memory) = (2, format.type_, sys::v4l2_memory_V4L2_MEMORY_MMAP);
        call(&device, vidioc::VIDIOC_REQBUFS, &mut request, "VIDIOC_REQBUFS")?;
        let buffers = [Buffer::map(&device, 0)?, Buffer::map(&device, 1)?];
        Ok(Self { device, form, buffers, shown: None })
    }

    pub fn form(&self) -> &Form {
        &self.form
    }

    pub fn show(&mut self, picture: &[u8]) -> anyhow::Result<()> {
        let next = self.shown.map_or(0, |shown| 1 - shown);
        let buffer = &mut self.buffers[next];
        ensure!(
            picture.len() == buffer.length,
            "a picture of {} bytes in a buffer of {}",
            picture.len(),
            buffer.length
        );
        // SAFETY: the mapping is `length` bytes, lives as long as the buffer, and the driver does not read
        // it before it is queued below, or any more after it was dequeued.
        unsafe { std::slice::from_raw_parts_mut(buffer.start.cast::<u8>(), buffer.length) }
            .copy_from_slice(picture);
        let mut queue = description(next);
        queue.bytesused = u32::try_from(picture.len())?;
        call(&self.device, vidioc::VIDIOC_QBUF, &mut queue, "VIDIOC_QBUF")?;
        match self.shown.replace(next) {
            // The driver gives the old one back when it takes the new one.
            Some(old) => {
                let ready = self.device.handle().poll(nix::libc::POLLOUT, WAIT_MS).context("poll failed")?;
                ensure!(ready > 0, "the driver does not take the picture");
                call(&self.device, vidioc::VIDIOC_DQBUF, &mut description(old), "VIDIOC_DQBUF")
            }
            None => {
                let mut kind = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT;
                call(&self.device, vidioc::VIDIOC_STREAMON, &mut kind, "VIDIOC_STREAMON")
            }
        }
    }
}

impl Buffer {
    fn map(device: &Device, index: usize) -> anyhow::Result<Self> {
        let mut buffer = description(index);
        call(device, vidioc::VIDIOC_QUERYBUF, &mut buffer, "VIDIOC_QUERYBUF")?;
        let length = buffer.length as usize;
        // SAFETY: VIDIOC_QUERYBUF of a buffer of this memory type fills in the offset.
        let offset = unsafe { buffer.m.offset }.into();
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches no other memory.
        let start =
            unsafe { mmap(std::ptr::null_mut(), length, access, MapFlags::SHARED, file(device), offset) };
        Ok(Self { start: start.context("cannot map a buffer")?, length })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing borrows from it.
        // A mapping that cannot be undone stays until the process ends.
        let _ = unsafe { munmap(self.start, self.length) };
    }
}

/// A control that is set to 1 again and again until this is dropped: what acts once acts on every
/// frame.
pub struct Often {
    end: Arc<AtomicBool>,
}

impl Often {
    pub fn begin(id: u32) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let ended = end.clone();
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                if let Err(error) = control(id, 1) {
                    eprintln!("agent: {error:#}");
                }
                std::thread::sleep(PAUSE);
            }
        });
        Self { end }
    }
}

impl Drop for Often {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

pub fn control(id: u32, value: i32) -> anyhow::Result<()> {
    let mut control = sys::v4l2_control { id, value };
    call(&node("vid-cap")?, vidioc::VIDIOC_S_CTRL, &mut control, "VIDIOC_S_CTRL")
}

fn description(index: usize) -> sys::v4l2_buffer {
    sys::v4l2_buffer {
        index: index as u32,
        type_: sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT,
        memory: sys::v4l2_memory_V4L2_MEMORY_MMAP,
        field: sys::v4l2_field_V4L2_FIELD_NONE,
        // SAFETY: all-zero is a value of this plain C struct.
        ..unsafe { std::mem::zeroed() }
    }
}

/// The driver's node whose name ends so; numbers change when the driver is bound anew.
fn node(end: &str) -> anyhow::Result<Device> {
    for entry in fs::read_dir("/sys/class/video4linux").context("no camera driver")?.flatten() {
        let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        if name.trim().ends_with(end) {
            let path = format!("/dev/{}", entry.file_name().to_string_lossy());
            let device = Device::with_path(&path).with_context(|| format!("cannot open {path}"))?;
            // The program under test must not keep our side of the camera open.
            fcntl_setfd(file(&device), FdFlags::CLOEXEC)?;
            return Ok(device);
        }
    }
    bail!("the camera driver has no node {end}")
}

fn file(device: &Device) -> BorrowedFd<'_> {
    // SAFETY: the device's handle is open for as long as `device` lives.
    unsafe { BorrowedFd::borrow_raw(device.handle().fd()) }
}

fn call<T>(device: &Device, request: vidioc::_IOC_TYPE, argument: &mut T, name: &str) -> anyhow::Result<()> {
    // SAFETY: every caller pairs a request with the C struct that it takes, which `argument` is.
    let result = unsafe { v4l2::ioctl(device.handle().fd(), request, std::ptr::from_mut(argument).cast()) };
    result.with_context(|| format!("{name} failed"))
}
