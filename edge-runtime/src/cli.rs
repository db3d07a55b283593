//! The command line: subcommands, options, help.

use crate::report::Output;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use edge_model::engine::EngineKind;
use edge_runtime::capture::{Crop, Encoding, SourceSpec};
use edge_runtime::setup::{CONFIGURATION, Lines, ScreenUse, Site};
use std::path::PathBuf;
use texts::Language;

const EXAMPLES: &str = "\
Examples:
  edge-runtime                                  classify the built-in demonstration frames
  edge-runtime classify film.png                one picture
  edge-runtime classify --json films/ > log     a folder, one JSON object a line
  edge-runtime classify film.png --heatmap a.png  what the network looked at, drawn over the picture
  scan | edge-runtime classify -                one picture from standard input
  edge-runtime --model new.onnx about           what a model says of itself
  edge-runtime --model new.onnx pack new.packed one flat file for devices
  edge-runtime inspect new.packed               its layers, arena and metadata
  edge-runtime setup                            asks for camera, lights and language, writes the configuration
  edge-runtime doctor                           what is wrong with this device, and what to do
  edge-runtime check-config device.toml         what a device would find of its configuration
  edge-runtime model install new.bundle         a signed model, tried at the device's next start
  edge-runtime self-test                        does this machine compute what it must?
  edge-runtime lights --config device.toml test every lamp, for an engineer to see
  edge-runtime devices                          cameras and GPIO lines of this machine

Exit codes:
  0  every picture got an answer (whichever)
  1  anything else went wrong, such as results that could not be written
  2  the command line is wrong
  3  some pictures could not be read or got no answer; the others were answered
  4  the model was refused
  5  the configuration, the self-test or the log is not as it must be; each reason is listed

It supports a decision; it is not a diagnosis. See `edge-runtime about` for the intended use.";

/// Classifies chest X-ray pictures with a Pneumoscope model. Without a subcommand: a demonstration.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Model file to use instead of the one that this program was built with.
    #[arg(long, value_name = "FILE", global = true)]
    pub model: Option<PathBuf>,
    /// What computes the network: the answers are the same, the speed is not. [default: tract;
    /// bench measures all]
    #[arg(long, value_name = "NAME", global = true, value_parser = engine_kind())]
    pub engine: Option<EngineKind>,
    /// Write one JSON object a line instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Classify pictures: JPEG, PNG, TIFF, BMP, WebP or DICOM files, folders, or `-` for standard input.
    #[command(after_help = EXAMPLES)]
    Classify {
        /// Files (JPEG, PNG, TIFF, BMP, WebP or DICOM by content), folders (the files with such endings
        /// and DICOM, recursively, sorted), or `-`.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Write a PNG of the one picture with what the network looked at: red speaks for the
        /// positive label, blue against it.
        #[arg(long, value_name = "OUT")]
        heatmap: Option<PathBuf>,
        /// Judge this part of each picture alone, in pixels, as `[capture] crop` has it.
        #[arg(long, value_name = "X,Y,WIDTH,HEIGHT")]
        crop: Option<Crop>,
    },
    /// Be the device: frames from a camera, a watched folder or files, answers on lights, screen
    /// and in the log, until SIGTERM.
    #[command(after_help = RUN)]
    Run(RunOptions),
    /// Write the model as one flat file that devices read in place, weights laid out for their
    /// kernels.
    Pack {
        /// The file to write.
        #[arg(value_name = "OUT")]
        out: PathBuf,
    },
    /// Show a model's layers, their places in the arena, and its metadata.
    Inspect {
        /// An ONNX or a packed model; without it the one of --model, or the built-in one.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Measure preprocessing and inference on this machine, one thread, with every engine or the
    /// one named.
    Bench(BenchOptions),
    /// Check, export or sum up a device's log.
    #[command(subcommand)]
    Log(crate::commands::log::Log),
    /// Choose thresholds from pictures that were read at this site.
    Calibrate(crate::commands::calibrate::Calibrate),
    /// List cameras with their formats, and GPIO chips with their lines.
    Devices,
    /// Take one frame and write it as a PNG with the rectangle and the gate's figures drawn in, to
    /// aim a camera with.
    #[command(after_help = AIM_EXAMPLES)]
    Aim(AimOptions),
    /// Show version, engines, limits, and what the model says of itself; with --config of the model
    /// that this device runs, and why it is this one.
    About {
        /// The device's configuration (TOML); --model and --engine go before what it says.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Install a signed model on this device, list those that are kept, go back to the one before.
    #[command(subcommand)]
    Model(crate::commands::model::Model),
    /// Check a device's configuration: its keys, the model, the site file, the log's folder, the
    /// lines of the lights.
    CheckConfig {
        /// The configuration (TOML).
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write a device's configuration: asks, or takes options; shows what it changes, and checks it.
    #[command(after_help = SETUP_EXAMPLES)]
    Setup(Box<SetupOptions>),
    /// Go through what goes wrong in clinics: camera, picture, lights, log, disk, clock, power,
    /// services; with what to do about each.
    Doctor {
        /// The device's configuration (TOML).
        #[arg(long, value_name = "FILE", default_value = CONFIGURATION)]
        config: PathBuf,
    },
    /// Check this machine: a known picture through the engine, bit by bit; with --config also log,
    /// lights and clock.
    SelfTest {
        /// The device's configuration (TOML); --model and --engine go before what it says.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Light the lamps by hand, while the device's program is not running: safe, test, or one of
    /// the states.
    #[command(after_help = LIGHTS)]
    Lights {
        /// The device's configuration (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// How long a state is shown, in seconds; then the lights are left safe.
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        seconds: u32,
        /// What to show.
        #[arg(value_name = "WHAT")]
        what: Show,
    },
}

const RUN: &str = "\
Examples:
  edge-runtime run --config /etc/pneumoscope/pneumoscope.toml               the device, as systemd runs it
  edge-runtime run --source v4l2:/dev/video0 --log log.jsonl                a camera, to try it
  edge-runtime run --source folder:/srv/xray --log log.jsonl                files as a console writes them
  edge-runtime run --source replay:films --log log.jsonl --frames 100       files, one after the other
  edge-runtime run --json --source replay:films --log log.jsonl             every answered frame as a JSON line

It ends with 0 on SIGTERM, SIGINT, after --frames, or at the end of a replay. A camera that is not there, a full disk or a lost light
do not end it: it shows FAULT and goes on by itself.";

/// What `run` works on. Options go before what the configuration says.
#[derive(Args, Debug)]
pub struct RunOptions {
    /// The device's configuration (TOML); without it every key has its default, see `check-config`.
    #[arg(long, value_name = "FILE", required_unless_present = "source")]
    pub config: Option<PathBuf>,
    /// Where frames come from: v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:DIR, or
    /// 'exec:PROGRAM WORD ...' for a program that writes frames.
    #[arg(long, value_name = "SOURCE", requires = "log")]
    pub source: Option<SourceSpec>,
    /// The log of decisions; its folder must exist.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// End after so many answered frames.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
}

#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Frames to measure.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub frames: u32,
    /// Side of the square frames, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(32..=8000))]
    pub side: u16,
}

const LIGHTS: &str = "\
Examples:
  edge-runtime lights --config device.toml safe                 what systemd runs after the program has ended
  edge-runtime lights --config device.toml test                 two lamps at a time, each named
  edge-runtime lights --config device.toml --seconds 60 refer   one state";

/// What the lamps can be made to show by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// The pattern of a program that has ended; it stays.
    Safe,
    /// Every lamp, two at a time, so that it is no answer.
    Test,
    Positive,
    Negative,
    Refer,
    Invalid,
    Fault,
}

const SETUP_EXAMPLES: &str = "\
Examples:
  sudo edge-runtime setup                                            asks on the terminal
  sudo edge-runtime setup --yes --language fr --source 'v4l2:HD Pro Webcam C920' --lines raspberry-pi
  edge-runtime setup --yes --config device.toml --source folder:/srv/xray --lines none --prevalence 0.1

What an option does not say stays as the file has it, with its comments; where there is no file, the default's text is taken. The file of
before is kept as FILE.bak.";

/// What `setup` writes; what an option does not say stays, or is asked for.
#[derive(Args, Debug)]
pub struct SetupOptions {
    /// The configuration to write.
    #[arg(long, value_name = "FILE", default_value = CONFIGURATION)]
    pub config: PathBuf,
    /// Name of the device, shown on its screen.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What its terminal speaks: en, fr, es, pt or sw.
    #[arg(long, value_name = "CODE")]
    pub language: Option<Language>,
    /// Where frames come from: v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:DIR, or exec: with a
    /// command in the file.
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<SourceSpec>,
    /// The film within the picture, as X,Y,WIDTH,HEIGHT in pixels, or none for the whole picture.
    #[arg(long, value_name = "RECTANGLE")]
    pub crop: Option<String>,
    /// Lines of lights and button: none, raspberry-pi, or such as
    /// red=GPIO17,amber=GPIO27,green=GPIO22,button=GPIO25:low; CHIP#NUMBER where a line has no name.
    #[arg(long, value_name = "LINES")]
    pub lines: Option<Lines>,
    /// Share of patients here that have the disease, or none for the model's own.
    #[arg(long, value_name = "SHARE")]
    pub prevalence: Option<String>,
    /// Pages for a screen on this board (package pneumoscope-screen): off, on, or acknowledge, where
    /// a tap says that an answer was seen.
    #[arg(long, value_name = "USE")]
    pub screen: Option<ScreenUse>,
    /// Where delivery (package pneumoscope-deliver) sends answers by MQTT: mqtts://HOST:PORT,
    /// mqtt://HOST:PORT without encryption, or none.
    #[arg(long, value_name = "BROKER")]
    pub broker: Option<String>,
    /// The archive that gets reports on DICOM files: TITLE@HOST:PORT, or none.
    #[arg(long, value_name = "ARCHIVE")]
    pub archive: Option<String>,
    /// Name of the place in the broker's topics.
    #[arg(long, value_name = "NAME")]
    pub site: Option<Site>,
    /// Ask nothing, and write.
    #[arg(long)]
    pub yes: bool,
}

const AIM_EXAMPLES: &str = "\
Examples:
  edge-runtime aim --source v4l2:/dev/video0 --out preview.png
  edge-runtime aim --source 'v4l2:HD Webcam' --size 1280x960 --crop 200,100,800,760 --out preview.png
  edge-runtime aim --source replay:film.png --crop 0,0,512,512 --out preview.png
  edge-runtime aim --source 'exec:rpicam-vid --nopreview --timeout 0 --codec yuv420 --width 1280 --height 960 --output -' --size 1280x960 --out preview.png

The preview holds the picture: it is the one command that keeps any. Delete it when the camera is aimed.";

#[derive(Args, Debug)]
pub struct AimOptions {
    /// Where the frame comes from: v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:FILE, or
    /// 'exec:PROGRAM WORD ...' for a program that writes frames.
    #[arg(long, value_name = "SOURCE")]
    pub source: SourceSpec,
    /// The part of the picture that holds the film or screen, in pixels.
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT")]
    pub crop: Option<Crop>,
    /// The camera's pixel format: GREY, NV12, YU12, YUYV, UYVY, RGB3 or MJPEG. [default: the best
    /// of the camera's]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Encoding>,
    /// Size to ask the camera for; what it answers counts. Of a program's raw frames. [default: the
    /// smallest that is enough; of a program, what its Y4M stream says]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<(u32, u32)>,
    /// The PNG file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Draw in what the network looked at: red speaks for the positive label, blue against it.
    #[arg(long)]
    pub heatmap: bool,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| "expected WIDTHxHEIGHT in pixels such as 1280x960".to_owned())
}

/// Reads an engine's name; help and errors list all.
fn engine_kind() -> impl TypedValueParser<Value = EngineKind> {
    PossibleValuesParser::new(EngineKind::ALL.map(EngineKind::name))
        .try_map(|name| name.parse::<EngineKind>())
}

impl Cli {
    /// The engine that was named, or the default one.
    pub fn engine(&self) -> EngineKind {
        self.engine.unwrap_or_default()
    }

    pub fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}
