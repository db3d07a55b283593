//! A camera's buffers, which can be read only while they are ours.
//!
//! Its safe surface is built so that nothing outside can break memory: a buffer's bytes are read only
//! while it is marked as ours, and giving it back to the driver takes the whole stream, so that no
//! slice of it is left. The streams of `moq-v4l` are not used, because they panic when a camera that
//! was unplugged is closed.
#![allow(unsafe_code)]

use super::sys::{CAPTURE, MMAP, Node, Plain};
use super::sys::{
    VIDIOC_DQBUF, VIDIOC_QBUF, VIDIOC_QUERYBUF, VIDIOC_REQBUFS, VIDIOC_STREAMOFF, VIDIOC_STREAMON,
};
use moq_v4l::sys as c;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;

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
            mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &self.node, offset)
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
