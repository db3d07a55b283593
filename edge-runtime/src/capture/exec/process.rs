//! A program as a process: started so that it does not outlive the device, ended with all that it
//! has started.
//!
//! It is the leader of a group of its own, and whatever ends it is sent to the group. When the
//! device dies, however suddenly, the kernel kills the leader (`PR_SET_PDEATHSIG`). What the leader
//! has started is then not reached by this: a process that writes to the pipe ends by `SIGPIPE`,
//! systemd ends what is left in the service's control group, and outside of a service one that does
//! not write lives on. Nor does the kernel do it for a program that is set-user-ID.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process_group};
use rustix::process::{set_parent_process_death_signal, waitid};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A program that runs, or has ended and is not yet waited for. Whoever drops it has ended it
/// before.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    /// Starts a program: its standard output and error are pipes, its input is empty. It lives no
    /// longer than the thread that calls this.
    pub fn start(words: &[String]) -> io::Result<Self> {
        let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The service manager's socket is for the device.
        for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] {
            command.env_remove(name);
        }
        let device = getpid();
        let bind = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The device may have died before the kernel knew that it is to tell.
            if getppid() == Some(device) { Ok(()) } else { Err(Errno::SRCH.into()) }
        };
        #[allow(unsafe_code, reason = "the one way to run something between fork and exec")]
        // SAFETY: the closure is two system calls without memory of their own, which are allowed there.
        unsafe {
            command.pre_exec(bind)
        };
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        Ok(Self { child, pid })
    }

    /// Its standard output and error; none where they were taken.
    pub fn pipes(&mut self) -> (Option<std::process::ChildStdout>, Option<std::process::ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Whether the program itself has ended. Its number stays taken until [`Process::wait`].
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Sends a signal to the program and to all of its group.
    pub fn signal(&self, signal: Signal) {
        // An error says that none of them is left.
        let _ = kill_process_group(self.pid, signal);
    }

    /// Waits for its end, without a limit.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}
