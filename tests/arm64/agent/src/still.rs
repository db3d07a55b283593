//! Runs a program under ptrace and, while a file says so, falsifies what its camera's driver
//! answers: the driver can be told to fail in many ways, but not to stand still.

use anyhow::{Context, bail};
use moq_v4l::sys::v4l2_buffer;
use moq_v4l::v4l2::vidioc::VIDIOC_DQBUF;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::mem::offset_of;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The file that says what is to be wrong, in one word; no file, nothing wrong.
const FAULT: &str = "/run/still";

/// Number of the system call ioctl on this machine.
const IOCTL: u64 = 29;

/// What a frame tells of itself, as bytes of the driver's struct.
#[derive(Clone, Copy, Default)]
struct Told {
    sequence: [u8; 4],
    timestamp: [u8; 16],
}

/// Runs the program to its end, with its exit status as our own.
pub fn run(command: &[String]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no program was named")?;
    // What ends the program ends this one after it; whoever sends it means both.
    let mut ours = SigSet::empty();
    ours.add(Signal::SIGTERM);
    ours.thread_block()?;
    let mut command = Command::new(program);
    command.args(arguments);
    // The program itself is ended as ever.
    let trace = move || ours.thread_unblock().and_then(|()| ptrace::traceme()).map_err(Into::into);
    #[allow(unsafe_code, reason = "the one way to run something between fork and exec")]
    // SAFETY: the closure is two system calls, which are allowed between fork and exec.
    unsafe {
        command.pre_exec(trace)
    };
    let child = Pid::from_raw(command.spawn().context("cannot start it")?.id().cast_signed());
    waitpid(child, None)?;
    ptrace::setoptions(
        child,
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL,
    )?;
    ptrace::syscall(child, None)?;
    watch(child)
}

/// Passes everything on, except the answers that are to be false.
fn watch(child: Pid) -> anyhow::Result<ExitCode> {
    let mut calls = Calls::default();
    loop {
        match waitpid(None, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(pid, code) if pid == child => return Ok(ExitCode::from(u8::try_from(code)?)),
            WaitStatus::Signaled(pid, signal, _) if pid == child => bail!("it was ended by {signal}"),
            WaitStatus::PtraceSyscall(pid) => match calls.stopped(pid) {
                Ok(true) => go_on(pid, None)?,
                Ok(false) => calls.held.push(pid),
                Err(error) => {
                    eprintln!("agent: cannot falsify an answer: {error:#}");
                    go_on(pid, None)?;
                }
            },
            // A new thread begins with this signal.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) | WaitStatus::PtraceEvent(pid, ..) => go_on(pid, None)?,
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal))?,
            _ => {}
        }
        // Other threads come by here all the time, so this is looked at often.
        if !calls.held.is_empty() && fault() != "hang" {
            for pid in calls.held.drain(..) {
                go_on(pid, None)?;
            }
        }
    }
}

fn fault() -> String {
    fs::read_to_string(FAULT).unwrap_or_default().trim().into()
}

fn go_on(thread: Pid, signal: Option<Signal>) -> anyhow::Result<()> {
    match ptrace::syscall(thread, signal) {
        // It was killed meanwhile; waiting for it tells.
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => bail!("cannot let thread {thread} go on: {error}"),
    }
}

/// The calls for a frame that are under way, and the last frame that was told truly.
#[derive(Default)]
struct Calls {
    /// Where the driver will write of each thread's frame.
    waiting: HashMap<Pid, u64>,
    last: Told,
    /// Threads whose call does not return.
    held: Vec<Pid>,
}

impl Calls {
    /// A thread stands at the beginning or the end of a system call; returns whether it may go on.
    fn stopped(&mut self, thread: Pid) -> anyhow::Result<bool> {
        let info = ptrace::syscall_info(thread)?;
        if info.op == nix::libc::PTRACE_SYSCALL_INFO_ENTRY {
            #[allow(unsafe_code, reason = "the kernel says which variant of the union it filled in")]
            // SAFETY: `op` is that of this variant.
            let entry = unsafe { info.u.entry };
            if entry.nr == IOCTL && entry.args[1] == VIDIOC_DQBUF {
                self.waiting.insert(thread, entry.args[2]);
            }
            return Ok(true);
        }
        let Some(buffer) = self.waiting.remove(&thread) else { return Ok(true) };
        #[allow(unsafe_code, reason = "the kernel says which variant of the union it filled in")]
        // SAFETY: what is no entry here is the exit that belongs to it.
        let failed = unsafe { info.u.exit.is_error } != 0;
        if failed {
            return Ok(true);
        }
        let sequence = buffer + offset_of!(v4l2_buffer, sequence) as u64;
        let timestamp = buffer + offset_of!(v4l2_buffer, timestamp) as u64;
        match fault().as_str() {
            "" => {
                read(thread, sequence, &mut self.last.sequence)?;
                read(thread, timestamp, &mut self.last.timestamp)?;
            }
            "sequence" => write(thread, sequence, &self.last.sequence)?,
            "timestamp" => write(thread, timestamp, &self.last.timestamp)?,
            "both" => {
                write(thread, sequence, &self.last.sequence)?;
                write(thread, timestamp, &self.last.timestamp)?;
            }
            // As after a change of format: fewer bytes than were agreed.
            "short" => {
                write(thread, buffer + offset_of!(v4l2_buffer, bytesused) as u64, &64_u32.to_le_bytes())?
            }
            // The driver never answers.
            "hang" => return Ok(false),
            other => bail!("{FAULT} says {other:?}; it may say sequence, timestamp, both, short or hang"),
        }
        Ok(true)
    }
}

fn read(process: Pid, at: u64, bytes: &mut [u8]) -> anyhow::Result<()> {
    let far = RemoteIoVec { base: usize::try_from(at)?, len: bytes.len() };
    let length = far.len;
    let read = process_vm_readv(process, &mut [IoSliceMut::new(bytes)], &[far])?;
    anyhow::ensure!(read == length, "{read} of {length} bytes were read");
    Ok(())
}

fn write(process: Pid, at: u64, bytes: &[u8]) -> anyhow::Result<()> {
    let far = RemoteIoVec { base: usize::try_from(at)?, len: bytes.len() };
    let written = process_vm_writev(process, &[IoSlice::new(bytes)], &[far])?;
    anyhow::ensure!(written == bytes.len(), "{written} of {} bytes were written", bytes.len());
    Ok(())
}
