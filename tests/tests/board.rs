//! The device on an emulated board.

use conformance::board::{Guest, Picture, Request, guest};
use edge_runtime::phantom::{self, Label};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        Trial::test("boots", || boots().map_err(|e| Failed::from(format!("{e:#}")))).with_ignored_flag(true),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn boots() -> anyhow::Result<()> {
    let files = PathBuf::from(std::env::var_os("PNEUMOSCOPE_BOARD").unwrap());
    let disk = tempfile::NamedTempFile::new()?;
    guest::new_disk(disk.path())?;
    let t = Instant::now();
    let mut g = Guest::boot(&files, disk.path())?;
    eprintln!("booted in {:?}, guest {:?}", t.elapsed(), g.last);
    let p = phantom::draw(Label::Pneumonia, 1, 224);
    let step = |g: &mut Guest, what: &str, r: Request, b: &[u8]| {
        let t = Instant::now();
        match g.ask(r, b) {
            Ok(a) => eprintln!(
                "{what}: {:?} guest {} us; {:?} {}",
                t.elapsed(),
                g.last.1 - g.last.0,
                a.code,
                String::from_utf8_lossy(&a.bytes).chars().take(1500).collect::<String>()
            ),
            Err(e) => eprintln!("{what}: {e:#}"),
        }
    };
    for f in ["GREY", "YUYV", "NV12"] {
        let p = Picture::of(&p, f)?;
        step(
            &mut g,
            f,
            Request::Show { fourcc: p.fourcc.into(), width: p.width, height: p.height },
            &p.bytes,
        );
        step(
            &mut g,
            f,
            Request::Show { fourcc: p.fourcc.into(), width: p.width, height: p.height },
            &p.bytes,
        );
    }
    let run = |s: &str| Request::Run { command: s.split(' ').map(String::from).collect() };
    step(&mut g, "about", run("/bin/edge-runtime about"), &[]);
    step(&mut g, "bench", run("/bin/edge-runtime bench --frames 3 --side 256"), &[]);
    step(&mut g, "demo", run("/bin/edge-runtime"), &[]);
    step(&mut g, "sleep", Request::Sleep { ms: 5000 }, &[]);
    step(&mut g, "lights", Request::Lights, &[]);
    step(&mut g, "hold", Request::Hold { chip: "9030000.pl061".into(), line: 2 }, &[]);
    step(&mut g, "fill", Request::Fill { path: "/log/fill".into() }, &[]);
    step(&mut g, "remove", Request::Remove { path: "/log/fill".into() }, &[]);
    step(&mut g, "ro", Request::ReadOnly, &[]);
    step(&mut g, "write", Request::Write { path: "/log/x".into() }, b"x");
    step(&mut g, "rw", Request::Writable, &[]);
    step(&mut g, "write", Request::Write { path: "/log/x".into() }, b"x");
    step(&mut g, "clock", Request::SetClock { seconds: 0 }, &[]);
    let d = |driver: &str, device: &str, bound| Request::Driver {
        driver: driver.into(),
        device: device.into(),
        bound,
    };
    step(&mut g, "hide", Request::Hide, &[]);
    step(&mut g, "unbind", d("platform/drivers/vivid", "vivid.0", false), &[]);
    step(&mut g, "bind", d("platform/drivers/vivid", "vivid.0", true), &[]);
    step(&mut g, "gpio unbind", d("amba/drivers/pl061_gpio", "9030000.pl061", false), &[]);
    step(&mut g, "gpio bind", d("amba/drivers/pl061_gpio", "9030000.pl061", true), &[]);
    step(&mut g, "release", Request::Release, &[]);
    step(&mut g, "lights", Request::Lights, &[]);
    eprintln!("{:?}", g.lights());
    eprintln!("{}", g.seen());
    eprintln!("console {}", g.console());
    g.power_off()
}
