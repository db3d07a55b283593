//! Runs a program under ptrace and, while a file says so, falsifies what its camera's driver answers: the driver can be told to
//! fail in many ways, but not to stand still.

use anyhow::{Context, bail};
use moq_v4l::sys::v4l2_buffer;
use moq_v4l::v4l2::vidioc::VIDIOC_DQBUF;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::mem::offset_of;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

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
    let mut command = Command::new(program);
    command.args(arguments);
    let trace = || ptrace::traceme().map_err(Into::into);
    #[allow(unsafe_code, reason = "the one way to run something between fork and exec")]
    // SAFETY: the closure is one system call, which is allowed between fork and exec.
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
    // Where each thread's frame will be written, while it waits for one.
    let mut waiting: HashMap<Pid, u64> = HashMap::new();
    let mut last = Told::default();
    loop {
        let thread = match waitpid(None, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(pid, code) if pid == child => return Ok(ExitCode::from(u8::try_from(code)?)),
            WaitStatus::Signaled(pid, signal, _) if pid == child => bail!("it was ended by {signal}"),
            WaitStatus::PtraceSyscall(pid) => {
                if let Err(error) = at_call(pid, &mut waiting, &mut last) {
                    eprintln!("agent: cannot falsify an answer: {error:#}");
                }
                pid
            }
            WaitStatus::Stopped(pid, signal) => {
                let new_thread = signal == Signal::SIGSTOP;
                go_on(pid, (!new_thread).then_some(signal))?;
                continue;
            }
            WaitStatus::PtraceEvent(pid, ..) => pid,
            _ => continue,
        };
        go_on(thread, None)?;
    }
}

fn go_on(thread: Pid, signal: Option<Signal>) -> anyhow::Result<()> {
    match ptrace::syscall(thread, signal) {
        // It was killed meanwhile; waiting for it tells.
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => bail!("cannot let thread {thread} go on: {error}"),
    }
}

/// A thread stands at the beginning or the end of a system call.
fn at_call(thread: Pid, waiting: &mut HashMap<Pid, u64>, last: &mut Told) -> anyhow::Result<()> {
    let info = ptrace::syscall_info(thread)?;
    if info.op == nix::libc::PTRACE_SYSCALL_INFO_ENTRY {
        #[allow(unsafe_code, reason = "the kernel says which variant of the union it filled in")]
        // SAFETY: `op` is that of this variant.
        let entry = unsafe { info.u.entry };
        if entry.nr == IOCTL && entry.args[1] == VIDIOC_DQBUF {
            waiting.insert(thread, entry.args[2]);
        }
        return Ok(());
    }
    let Some(buffer) = waiting.remove(&thread) else { return Ok(()) };
    #[allow(unsafe_code, reason = "the kernel says which variant of the union it filled in")]
    // SAFETY: what is no entry here is the exit that belongs to it.
    let failed = unsafe { info.u.exit.is_error } != 0;
    if failed {
        return Ok(());
    }
    let sequence = buffer + offset_of!(v4l2_buffer, sequence) as u64;
    let timestamp = buffer + offset_of!(v4l2_buffer, timestamp) as u64;
    let fault = fs::read_to_string(FAULT).unwrap_or_default();
    match fault.trim() {
        "" => {
            read(thread, sequence, &mut last.sequence)?;
            read(thread, timestamp, &mut last.timestamp)?;
        }
        "sequence" => write(thread, sequence, &last.sequence)?,
        "timestamp" => write(thread, timestamp, &last.timestamp)?,
        "both" => {
            write(thread, sequence, &last.sequence)?;
            write(thread, timestamp, &last.timestamp)?;
        }
        // As after a change of format: fewer bytes than were agreed.
        "short" => write(thread, buffer + offset_of!(v4l2_buffer, bytesused) as u64, &64_u32.to_le_bytes())?,
        // The driver never answers.
        "hang" => {
            while fs::exists(FAULT).unwrap_or(false) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        other => bail!("{FAULT} says {other:?}; it may say sequence, timestamp, both, short or hang"),
    }
    Ok(())
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
