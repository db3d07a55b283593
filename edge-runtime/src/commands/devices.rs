//! `edge-runtime devices`: what this machine has for a camera and for lights, under the names that
//! a configuration uses.

use crate::outcome::Outcome;
use crate::report;
use crate::report::Output;
use anyhow::Result;
use edge_runtime::capture::{CameraInfo, FormatInfo, Sizes, cameras};
use edge_runtime::signal::gpio;
use gpiocdev::chip::{Chip, chips};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

#[derive(Serialize)]
struct Devices {
    cameras: Vec<CameraInfo>,
    gpio_chips: Vec<ChipInfo>,
}

#[derive(Serialize)]
struct ChipInfo {
    path: PathBuf,
    label: String,
    lines: Vec<LineInfo>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct LineInfo {
    offset: u32,
    /// Empty where the board gives it none.
    name: String,
    /// Who uses it; null where it is free.
    used_by: Option<String>,
}

pub fn run(output: Output) -> Result<Outcome> {
    // Chips cannot be found where /dev cannot be listed: then there is nothing to show either.
    let gpio_chips = chips().unwrap_or_default().into_iter().map(chip).collect();
    let devices = Devices { cameras: cameras(), gpio_chips };
    report::answer(output, &devices, |out| {
        writeln!(out, "Cameras")?;
        if devices.cameras.is_empty() {
            writeln!(out, "There is none: no /dev/video* gives pictures.")?;
        }
        for camera in &devices.cameras {
            writeln!(out, "\n{}", show_camera(camera))?;
        }
        writeln!(out, "\nGPIO chips")?;
        if devices.gpio_chips.is_empty() {
            writeln!(out, "There is none: no /dev/gpiochip*.")?;
        }
        for chip in &devices.gpio_chips {
            writeln!(out, "\n{}", show_chip(chip))?;
        }
        Ok(())
    })
}

/// A chip; one that cannot be asked is listed with its problem.
fn chip(path: PathBuf) -> ChipInfo {
    let line = |line: gpiocdev::line::Info| LineInfo {
        offset: line.offset,
        name: line.name,
        used_by: line.used.then_some(line.consumer),
    };
    let asked = Chip::from_path(&path).and_then(|chip| {
        let lines: Result<_, _> = chip.line_info_iter()?.map(|info| info.map(line)).collect();
        Ok((chip.info()?.label, lines?))
    });
    let (label, lines, problem) = match asked {
        Ok((label, lines)) => (label, lines, None),
        Err(error) => (String::new(), Vec::new(), Some(gpio::explained(&error))),
    };
    ChipInfo { path, label, lines, problem }
}

fn show_camera(camera: &CameraInfo) -> String {
    let mut rows = vec![(camera.path.display().to_string(), camera.card.clone())];
    if !camera.card.is_empty() {
        rows.push((
            "  source".to_owned(),
            format!("v4l2:{0}, v4l2:{1} or v4l2:{2}", camera.path.display(), camera.card, camera.bus),
        ));
        rows.push(("  driver".to_owned(), camera.driver.clone()));
    }
    rows.extend(camera.problem.iter().map(|problem| ("  problem".to_owned(), problem.clone())));
    let (known, unknown): (Vec<_>, Vec<_>) = camera.formats.iter().partition(|f| f.format.is_some());
    rows.extend(known.into_iter().map(|format| (format!("  {}", format.fourcc), show_format(format))));
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(|format| format.fourcc.as_str()).collect();
        rows.push(("  not usable".to_owned(), names.join(" ")));
    }
    report::pairs(rows)
}

fn show_format(format: &FormatInfo) -> String {
    let sizes = match &format.sizes {
        Sizes::Unknown => "sizes not listed".to_owned(),
        Sizes::Discrete(sizes) => {
            let sizes: Vec<_> = sizes.iter().map(|(width, height)| format!("{width}x{height}")).collect();
            sizes.join(", ")
        }
        Sizes::Range(least, most) => format!("{}x{} to {}x{}", least.0, least.1, most.0, most.1),
    };
    format!("{}; {sizes}", format.description)
}

fn show_chip(chip: &ChipInfo) -> String {
    let mut rows = vec![(chip.path.display().to_string(), format!("label {}", chip.label))];
    rows.extend(chip.problem.iter().map(|problem| ("  problem".to_owned(), problem.clone())));
    rows.extend(chip.lines.iter().map(|line| {
        let name = if line.name.is_empty() { "without a name" } else { &line.name };
        let used = line.used_by.as_ref().map_or(String::new(), |user| format!(", in use by `{user}`"));
        (format!("  line {}", line.offset), format!("{name}{used}"))
    }));
    report::pairs(rows)
}
