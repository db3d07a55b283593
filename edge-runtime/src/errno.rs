//! What an error number of the kernel means for a camera and for a GPIO line, and what to do: one
//! table. The kernel's own words ("No space left on device") mislead here.

use rustix::io::Errno;
use std::fmt;
use std::io;

/// What was asked for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Camera,
    GpioLine,
}

/// What happened, and what to do, of a camera and of a GPIO line.
pub type Meaning = (&'static str, &'static str);

/// By number; the first column is a camera's, the second a GPIO line's.
pub const TABLE: [(Errno, Meaning, Meaning); 15] = [
    (
        Errno::BUSY,
        (
            "another program uses the camera",
            "end it (`fuser -v /dev/video*` names it; two services, a browser)",
        ),
        (
            "another program or a driver uses the line",
            "end it, or choose another line (`edge-runtime devices` says who)",
        ),
    ),
    (
        Errno::ACCESS,
        (
            "this user may not open the camera",
            "add it to the group video (`usermod -aG video USER`) and log in again",
        ),
        (
            "this user may not open the chip",
            "add it to the group gpio (`usermod -aG gpio USER`) and log in again",
        ),
    ),
    (
        Errno::PERM,
        (
            "the camera is forbidden to this process",
            "look at DeviceAllow= of its service, or at its container",
        ),
        (
            "the chip is forbidden to this process, or the line was not asked for as an output",
            "look at DeviceAllow= of its service, or at its container",
        ),
    ),
    (
        Errno::NOENT,
        ("there is no such camera", "plug it in; `edge-runtime devices` lists those that are there"),
        ("there is no such chip", "`edge-runtime devices` lists those that are there"),
    ),
    (
        Errno::NODEV,
        (
            "the camera was unplugged, or has reset itself",
            "check its cable and its supply of power; it is looked for again",
        ),
        ("the chip is gone", "check its cable, where it is a USB or I2C expander; it is looked for again"),
    ),
    (
        Errno::NXIO,
        (
            "there is no camera behind this node",
            "unplug it and plug it in again; `edge-runtime devices` says which nodes are cameras",
        ),
        (
            "there is no chip behind this node, or it has no such line",
            "`edge-runtime devices` lists chips and lines",
        ),
    ),
    (
        Errno::IO,
        (
            "the camera does not answer on its bus",
            "check cable and supply of power; use another port, without a hub",
        ),
        ("the chip does not answer on its bus", "check wiring and supply of power of the expander"),
    ),
    (
        Errno::PIPE,
        (
            "the camera refused the request, or its parts are not linked to each other",
            "unplug it and plug it in again; one on a ribbon cable needs libcamera (a source `exec:`)",
        ),
        ("the chip refused the request", "switch the expander off and on"),
    ),
    (
        Errno::PROTO,
        (
            "the camera's USB transfer failed",
            "use another cable, a port of the board itself, a shorter cable",
        ),
        ("the chip's bus transfer failed", "check the wiring of the expander"),
    ),
    (
        Errno::TIMEDOUT,
        ("the camera did not answer in time", "unplug it and plug it in again; check its supply of power"),
        ("the chip did not answer in time", "check wiring and supply of power of the expander"),
    ),
    (
        Errno::INVAL,
        (
            "the camera does not take this format, size or request",
            "leave out format, width and height, or choose of what `edge-runtime devices` lists",
        ),
        (
            "the chip does not take this line as an output or input, or has no line of that number",
            "choose another line of what `edge-runtime devices` lists",
        ),
    ),
    (
        Errno::NOTTY,
        ("this is no Video4Linux device", "name a camera that `edge-runtime devices` lists"),
        (
            "this is no GPIO chip, or the kernel is older than 5.10",
            "name a chip that `edge-runtime devices` lists",
        ),
    ),
    (
        Errno::NOSPC,
        (
            "the USB bus has no bandwidth left for this camera (it is not a matter of a disk)",
            "choose format = \"MJPEG\" or a smaller size, unplug other cameras, or use a port of another bus",
        ),
        ("the chip has no room for one more line", "end other programs that use its lines"),
    ),
    (
        Errno::NOMEM,
        (
            "the kernel has no memory for the camera's buffers",
            "choose a smaller size, or give CMA more memory (cma= on the kernel's command line)",
        ),
        ("the kernel has no memory for the line", "end other programs"),
    ),
    (
        Errno::MFILE,
        ("this process has too many files open", "restart the device; report this"),
        ("this process has too many files open", "restart the device; report this"),
    ),
];

/// An error's own words, and what they mean for what was asked.
pub struct Explained<'e>(pub Asked, pub &'e io::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(asked, error) = self;
        write!(f, "{error}")?;
        let number = error.raw_os_error();
        let row = TABLE.iter().find(|(errno, ..)| Some(errno.raw_os_error()) == number);
        match (row, asked) {
            (Some((_, (what, remedy), _)), Asked::Camera)
            | (Some((_, _, (what, remedy))), Asked::GpioLine) => {
                write!(f, ": {what}; {remedy}")
            }
            (None, Asked::Camera) => {
                f.write_str("; unplug the camera and plug it in again, and look into `dmesg`")
            }
            (None, Asked::GpioLine) => f.write_str("; look into `dmesg`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn said(asked: Asked, errno: Errno) -> String {
        Explained(asked, &errno.into()).to_string()
    }

    /// Each says what the kernel says, what that is, and what to do; and no two say the same.
    #[test]
    fn each_number_says_what_happened_and_what_to_do() {
        let remedies = [
            "end ",
            "add ",
            "look ",
            "plug ",
            "check ",
            "unplug ",
            "use ",
            "leave ",
            "choose ",
            "name ",
            "switch ",
            "restart ",
            "`edge-runtime devices`",
        ];
        let mut seen = BTreeSet::new();
        for (errno, camera, line) in TABLE {
            for (asked, (what, remedy)) in [(Asked::Camera, camera), (Asked::GpioLine, line)] {
                assert!(remedies.iter().any(|verb| remedy.starts_with(verb)), "{errno:?}: {remedy}");
                let own = io::Error::from(errno).to_string();
                assert_eq!(said(asked, errno), format!("{own}: {what}; {remedy}"));
                assert!(seen.insert((errno.raw_os_error(), asked == Asked::Camera, what)), "{errno:?} twice");
            }
        }
        let different: BTreeSet<_> = TABLE.iter().map(|(_, (what, _), _)| what).collect();
        assert_eq!(different.len(), TABLE.len(), "two numbers of a camera say the same");
    }

    #[test]
    fn the_commonest_are_there() {
        use Errno as E;
        for errno in [
            E::NOSPC,
            E::BUSY,
            E::ACCESS,
            E::NODEV,
            E::NXIO,
            E::IO,
            E::PIPE,
            E::PROTO,
            E::TIMEDOUT,
            E::INVAL,
            E::NOENT,
            E::NOTTY,
        ] {
            assert_eq!(TABLE.iter().filter(|(known, ..)| *known == errno).count(), 1, "{errno:?}");
        }
        let bandwidth = said(Asked::Camera, E::NOSPC);
        assert!(
            bandwidth.contains("the USB bus has no bandwidth left") && bandwidth.contains("MJPEG"),
            "{bandwidth}"
        );
        assert!(said(Asked::GpioLine, E::ACCESS).contains("group gpio"));
    }

    #[test]
    fn an_unknown_one_says_where_to_look() {
        assert!(said(Asked::Camera, Errno::XDEV).ends_with("look into `dmesg`"));
        let own = Explained(Asked::GpioLine, &io::Error::other("of our own")).to_string();
        assert_eq!(own, "of our own; look into `dmesg`");
    }
}
