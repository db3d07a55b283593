//! `cargo xtask emulate`: any picture on an emulated chip, beside what `edge-runtime` says of it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use comfy_table::{Table, presets};
use serde::{Deserialize, Serialize};

use toolbox::host;

use crate::chip::{self, Chip, Input, Line};
use crate::machine;

/// What stands below every table of states.
const INTENDED_USE: &str = "An emulated chip. A state supports a decision and is no diagnosis; for frontal chest radiographs of children aged 1 to 5.\n\
                            Thresholds, version and hash of the model are in the log above; its limits in models/pneumonia/MODEL_CARD.md.";

/// Which pictures on which chip.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask emulate chest.png                  on a Cortex-M4F\n  \
                        cargo xtask emulate --board an505 *.png        on a Cortex-M33\n  \
                        cargo xtask emulate --json --log chest.png     one object a picture; the log on standard error\n\n\
                        No hardware is needed, only QEMU. The chip runs the firmware as it is shipped, with the shipped model; each \
                        picture is streamed in row by row as one frame of its camera. Exit status: 0 when chip and host agree to \
                        the last bit on every picture; otherwise 1.")]
pub struct Arguments {
    /// The chip: an386 (Cortex-M4F), an500 (Cortex-M7) or an505 (Cortex-M33).
    #[arg(long, default_value = "an386", value_name = "BOARD")]
    board: String,
    /// Write one JSON object a picture to standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Show the chip's log in any case: with --json on standard error.
    #[arg(long)]
    log: bool,
    /// JPEG or PNG files.
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Record<'a> {
    path: &'a str,
    board: &'a str,
    state: &'a str,
    reason_code: u64,
    /// None where the gate refused the picture.
    logit: Option<f32>,
    /// Executed for the frame, from its first row to its state.
    instructions: u64,
    host: &'a Host,
    agrees: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct Host {
    state: String,
    reason_code: u64,
    logit: Option<f32>,
}

/// Builds, boots, shows, and fails where chip and host differ.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(folder) = arguments.pictures.iter().find(|path| path.is_dir()) {
        bail!("{} is a folder: name its files", folder.display());
    }
    let chip = Chip::build(&arguments.board)?.counting()?;
    let inputs = chip::inputs(&arguments.pictures)?;
    // The drawn ones come first.
    let drawn = inputs.pictures.len() - arguments.pictures.len();
    let mut script = String::from("frames 1\n");
    let mut paths = Vec::new();
    let mut unusable = 0;
    for (input, path) in inputs.pictures[drawn..].iter().zip(&arguments.pictures) {
        match input {
            Input::Rows { rows, width, height, format, .. } => {
                script += &format!("frame {rows} {width} {height} {format} 1\n");
                paths.push(path);
            }
            Input::Error { error, .. } => {
                unusable += 1;
                eprintln!("error: {}: {error}", path.display());
            }
        }
    }
    ensure!(!paths.is_empty(), "there is no picture to classify");
    let hosts = host(&paths)?;
    let run = chip.run(&inputs.folder, &chip.flash(&inputs.bundle)?, &script)?;
    if !arguments.json {
        println!("The log of {}:\n", chip.board.description);
        run.log.iter().for_each(|line| println!("{line}"));
        println!();
    } else if arguments.log {
        run.log.iter().for_each(|line| eprintln!("{line}"));
    }
    ensure!(run.status == 0, "the emulated board ended with status {}: {}", run.status, run.complaint);
    let (frames, counts) = (run.lines("frame").collect::<Vec<_>>(), run.instructions()?);
    let (judged, asked) = (frames.len(), paths.len());
    let complete = judged == asked && counts.len() == asked;
    ensure!(complete, "the chip judged {judged} of {asked} pictures; --log shows its log");
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut records = Vec::new();
    for (((path, line), instructions), host) in paths.iter().zip(frames).zip(counts).zip(&hosts) {
        records.push(record(path, &arguments.board, line, instructions, host)?);
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        for record in &records {
            writeln!(out, "{}", serde_json::to_string(record)?)?;
        }
    } else {
        writeln!(out, "{}", table(&records))?;
        writeln!(out, "{INTENDED_USE}")?;
    }
    let differ = records.iter().filter(|record| !record.agrees).count();
    ensure!(differ == 0, "chip and host differ on {differ} of {} pictures", records.len());
    ensure!(unusable == 0, "{unusable} of the files are no pictures that may be judged");
    Ok(())
}

fn host(paths: &[&PathBuf]) -> anyhow::Result<Vec<Host>> {
    let files = paths.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
    let mut program = host::program("edge-runtime")?;
    program.args(["--model", "models/pneumonia/model.onnx", "classify", "--json", "--"]).args(files);
    let printed = machine::output(program)?;
    let hosts = printed.lines().map(serde_json::from_str).collect::<Result<Vec<_>, _>>();
    let hosts = hosts.with_context(|| format!("edge-runtime printed {printed:?}"))?;
    ensure!(hosts.len() == paths.len(), "edge-runtime answered {} of {} pictures", hosts.len(), paths.len());
    Ok(hosts)
}

fn record<'a>(
    path: &'a str,
    board: &'a str,
    line: &'a Line,
    instructions: u64,
    host: &'a Host,
) -> anyhow::Result<Record<'a>> {
    let broken = || format!("the chip's log has a frame without a state: {}", line.text);
    let state = line.get("state").with_context(broken)?;
    let reason_code = line.number("reason").with_context(broken)?;
    let bits = line.number("logit").map(|bits| bits as u32);
    let agrees =
        state == host.state && reason_code == host.reason_code && bits == host.logit.map(f32::to_bits);
    let logit = bits.map(f32::from_bits);
    Ok(Record { path, board, state, reason_code, logit, instructions, host, agrees })
}

fn table(records: &[Record]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["Picture", "Chip", "Logit", "Instructions", "edge-runtime", "Logit", ""]);
    let logit = |logit: Option<f32>| logit.map_or_else(|| "none".into(), |logit| logit.to_string());
    for record in records {
        table.add_row([
            record.path.to_owned(),
            format!("{} ({})", record.state, record.reason_code),
            logit(record.logit),
            grouped(record.instructions),
            format!("{} ({})", record.host.state, record.host.reason_code),
            logit(record.host.logit),
            if record.agrees { "the same, bit by bit".into() } else { "DIFFERENT".to_owned() },
        ]);
    }
    table
}

/// A count with its thousands apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_or_another_reason_is_a_difference() {
        let text = |logit| format!("frame=1 state=NEGATIVE reason=2 logit={logit} at_ms=5");
        let agrees = |text: String, host: &Host| {
            record("a", "an386", &Line { time: String::new(), text }, 7, host).unwrap().agrees
        };
        let host = Host { state: "NEGATIVE".into(), reason_code: 2, logit: Some(-3.5) };
        assert!(agrees(text("0xc0600000"), &host));
        assert!(!agrees(text("0xc0600001"), &host));
        assert!(!agrees(text("0xc0600000").replace("reason=2", "reason=3"), &host));
        assert!(!agrees(text("0xc0600000").replace(" logit=0xc0600000", ""), &host));
        assert!(!agrees(text("0xc0600000"), &Host { logit: None, ..host }));
    }

    #[test]
    #[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
    fn every_chip_says_what_edge_runtime_says_of_files_of_all_kinds() {
        let _in_use = chip::IN_USE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let file = |name| toolbox::root().join("tests/fuzz/seeds/decode").join(name);
        let names =
            ["phantom.png", "phantom.jpg", "rgb8.png", "rgb16.png", "grey16.png", "palette.png", "ycbcr.jpg"];
        for board in ["an386", "an500", "an505"] {
            let on = |names: &[&'static str]| Arguments {
                board: board.into(),
                json: true,
                log: false,
                pictures: names.iter().map(|name| file(*name)).collect(),
            };
            run(&on(&names)).unwrap();
            // A file that is no picture is not passed over.
            let error = run(&on(&["phantom.png", "cut.png"])).unwrap_err().to_string();
            assert!(error.contains("1 of the files are no pictures"), "{error}");
        }
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 20_799_953].map(grouped), ["0", "999", "1,000", "20,799,953"]);
    }
}
