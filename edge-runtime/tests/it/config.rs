//! The configuration: the shipped file is the default and names every key; what is wrong is refused
//! in words that help.

use edge_runtime::capture::{LIBCAMERA, SourceSpec};
use edge_runtime::config::{Config, Configuration};
use std::collections::BTreeSet;

const SHIPPED: &str = include_str!("../../packaging/pneumoscope.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, "test.toml").map_err(|error| error.to_string())
}

/// The shipped file with its examples switched on: a comment that is a key begins without a space.
fn with_examples() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') && !key.is_empty() => key.to_owned(),
        _ => line.to_owned(),
    };
    SHIPPED.lines().map(on).collect::<Vec<_>>().join("\n")
}

/// The keys that the program itself knows in a table: it lists them when it refuses one.
fn known(table: &str) -> BTreeSet<String> {
    let text = if table.is_empty() { "zzz = 1".into() } else { format!("[{table}]\nzzz = 1") };
    let error = parse(&text).unwrap_err();
    let (_, names) = error.split_once("known here: ").expect(&error);
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_shipped_file_is_the_default() {
    assert_eq!(parse(SHIPPED), Ok(Config::default()));
    assert_eq!(parse(""), Ok(Config::default()));
}

#[test]
fn the_shipped_file_names_every_key() {
    let shipped: toml::Table = with_examples().parse().unwrap();
    let tables: BTreeSet<_> = shipped.keys().cloned().collect();
    assert_eq!(tables, known(""));
    for table in &tables {
        let keys: BTreeSet<_> = shipped[table].as_table().unwrap().keys().cloned().collect();
        assert_eq!(keys, known(table), "[{table}]");
    }
}

/// Examples that were not valid would be worse than none; and all of them are read.
#[test]
fn its_examples_are_valid_and_none_is_a_default() {
    // All but one: a site file and a prevalence exclude each other.
    let (site, prevalence) = ("\nsite = ", "\nprevalence = ");
    let examples = with_examples();
    assert!(examples.contains(site) && examples.contains(prevalence));
    let other = parse(&examples.replace(site, "\n#")).unwrap();
    assert_eq!((other.site.prevalence, &other.model.site), (Some(0.1), &None));
    assert!(parse(&examples).unwrap_err().contains("expected one of them, got both"));
    let config = parse(&examples.replace(prevalence, "\n#")).unwrap();
    assert_eq!(config.lights.lines().count(), 6);
    let capture = &config.capture;
    assert!(capture.format.is_some() && capture.width.is_some() && capture.crop.is_some());
    assert!(config.model.file.is_some() && config.model.site.is_some());
    // What is written comes back the same.
    assert_eq!(parse(&toml::to_string(&config).unwrap()), Ok(config));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (value, got) in [
        ("300", "integer `300`"),
        ("-1", "integer `-1`"),
        ("2.5", "floating point"),
        ("\"3\"", "string \"3\""),
    ] {
        let expected = format!("test.toml:2: expected a whole number from 1 to 255, got {got}");
        assert_refused(&format!("[decision]\nagree_frames = {value}"), &expected);
    }
    let source = "test.toml:2: expected a source such as v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:DIR or exec:PROGRAM";
    let cases = [
        ("[decison]\nmode = \"button\"", "test.toml:1: there is no key `decison`; did you mean `decision`?"),
        (
            "\n[decision]\nagre_frames = 2",
            "test.toml:3: there is no key `agre_frames`; did you mean `agree_frames`?",
        ),
        (
            "[device]\nlanguage = \"de\"",
            "test.toml:2: expected a language, one of en, fr, es, pt, sw; got \"de\"",
        ),
        ("[decision]\nmode = \"buton\"", "test.toml:2: there is no value `buton`; did you mean `button`?"),
        ("[capture]\nwidth = 9", "test.toml:2: expected a whole number from 32 to 8000, got integer `9`"),
        (
            "[capture]\nformat = \"H264\"",
            "test.toml:2: there is no value `H264`; known here: GREY, NV12, YU12, YUYV, UYVY, RGB3, MJPEG",
        ),
        ("[capture]\nsource = \"webcam\"", source),
        ("[capture]\nsource = \"folder:\"", source),
        (
            "[capture]\nsource = \"exec:\"",
            "[capture]: source = \"exec:\" needs the program that gives the frames, a word each",
        ),
        (
            "[capture]\ncommand = \"ffmpeg -i x\"",
            "test.toml:2: expected a sequence, got string \"ffmpeg -i x\"",
        ),
        ("[capture]\nsettle_ms = 60001", "expected a whole number from 0 to 60000, got integer `60001`"),
        ("[capture]\ncrop = { x = 1, y = 2, widht = 3, height = 4 }", "test.toml:2: there is no key `widht`"),
        (
            "[model]\nengine = \"abacus\"",
            "test.toml:2: expected one of tract, core, tract-stock, got string \"abacus\"",
        ),
        ("[lights]\nred = { chip = \"pl061\" }", "test.toml:2: expected a line as { name = \"GPIO17\" } or"),
        ("[lights]\nred = { name = \"A\", line = 3 }", "got name and line"),
        ("[lights]\nred = { nane = \"A\" }", "test.toml:2: there is no key `nane`; did you mean `name`?"),
        ("[lights]\nred = { name = \"A\" }", "got 1 of the three"),
        (
            "[site]\nprevalence = 1.5",
            "test.toml:2: expected a share from 0.0001 to 0.9999, got floating point `1.5`",
        ),
        ("[site]\nprevalence = 0.0", "expected a share from 0.0001 to 0.9999, got floating point `0.0`"),
        ("[site]\nprevalence = nan", "expected a share from 0.0001 to 0.9999"),
        ("[site]\nprevalence = \"rare\"", "expected a share from 0.0001 to 0.9999, got string"),
        ("[decision]\nmode = \"button\"", "needs the line of the button"),
        ("[screen]\nacknowledge = \"a.json\"", "[screen] acknowledge needs the folder"),
        (
            "[lights]\nheartbeat = { name = \"A\" }\nbuzzer = { name = \"A\", active_low = true }",
            "heartbeat and buzzer are on one line, `A`",
        ),
        (
            "[decision]\ninterval_ms = 1500",
            "expected interval_ms below stale_after_ms, got 1500 and 1500; each answer would be too old",
        ),
        (
            "[lights]\nbutton = { name = \"B\" }\n[decision]\nmode = \"button\"\nagree_frames = 61",
            "expected hold_ms above 30000, the time of agree_frames frames interval_ms apart, got 30000",
        ),
        (
            "[lights]\nbutton = { name = \"B\" }\n[capture]\nsource = \"replay:films\"\n[decision]\nmode = \"button\"",
            "mode = \"button\" asks a camera; a replay has no picture for the moment of a press",
        ),
        ("[log\n", "test.toml:1: "),
        ("[log]\nkeep = 1\nkeep = 2", "test.toml:3: "),
    ];
    for (text, expected) in cases {
        assert_refused(text, expected);
    }
}

#[track_caller]
fn assert_refused(text: &str, expected: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.contains(expected), "{text}\n  expected {expected}\n  got      {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// A source on the command line is held to the same bounds.
#[test]
fn what_is_changed_later_is_checked_again() {
    let mut config = parse("[capture]\nsource = \"folder:films\"\n[decision]\ninterval_ms = 60000").unwrap();
    assert_eq!(config.check(), Ok(()));
    config.capture.source = "v4l2:/dev/video0".parse().unwrap();
    assert!(config.check().unwrap_err().contains("expected interval_ms below stale_after_ms"));
}

/// Files are answered one by one: neither bound holds for a folder.
#[test]
fn a_folder_needs_no_pace() {
    let folder = "[capture]\nsource = \"folder:films\"\n[decision]\ninterval_ms = 60000";
    assert!(parse(folder).is_ok());
    let button = "[lights]\nbutton = { name = \"B\" }\n[decision]\nmode = \"button\"\nagree_frames = 60";
    assert!(parse(button).is_ok());
}

#[test]
fn a_name_that_is_near_to_none_gets_no_guess() {
    let error = parse("[log]\nzzz = 1").unwrap_err();
    assert!(!error.contains("did you mean"), "{error}");
}

#[test]
fn relative_paths_are_taken_from_the_files_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("device.toml");
    let text = "[model]\nfile = \"m.onnx\"\n[capture]\nsource = \"replay:films\"\ncommand = [\"./cam\", \"./x\"]\n\
                [log]\nfile = \"/var/log/l\"\n[screen]\nfolder = \"run\"\nacknowledge = \"/run/a.json\"";
    std::fs::write(&file, text).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.model.file, Some(folder.path().join("m.onnx")));
    let films = SourceSpec::Replay { path: folder.path().join("films"), repeat: false };
    assert_eq!(config.capture.source, films);
    assert_eq!(config.log.file.to_str(), Some("/var/log/l"));
    assert_eq!(config.screen.folder, Some(folder.path().join("run")));
    assert_eq!(config.screen.acknowledge, Some("/run/a.json".into()));
    let program = folder.path().join("./cam").to_string_lossy().into_owned();
    assert_eq!(config.capture.command, [program, "./x".to_owned()], "the program alone is a path");
    let error = Config::load(&folder.path().join("absent.toml")).unwrap_err().to_string();
    assert!(error.contains("absent.toml: cannot be read"), "{error}");
}

/// What the device's document says to write is taken, each piece by itself.
#[test]
fn every_line_that_the_document_says_to_write_is_valid() {
    let document = include_str!("../../../docs/DEVICE.md");
    let blocks: Vec<_> =
        document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let configs = blocks.iter().map(|block| match block.starts_with('[') {
        true => parse(block).unwrap(),
        false => parse(&format!("[capture]\n{block}")).unwrap(),
    });
    let configs: Vec<_> = configs.collect();
    let programs = configs.iter().filter_map(|config| config.capture.words()?.first().map(String::as_str));
    assert_eq!(programs.collect::<Vec<_>>(), ["rpicam-vid", "ffmpeg", "gst-launch-1.0"]);
    let modules: Vec<_> = configs.iter().filter(|config| config.capture.size().is_some()).collect();
    let words = format!("command = {:?}", modules[0].capture.command);
    assert!(LIBCAMERA.contains(&words) && SHIPPED.contains(&words), "one line for a camera module: {words}");
    assert!(configs.iter().any(|config| config.lights.lines().count() == 6), "the lines of a Raspberry Pi");
}

proptest::proptest! {
    #[test]
    fn any_text_gives_a_value_or_an_error(text in "(\\[[a-z]{0,9}\\]|[a-z_]{0,9}|=|\\{|\\}|\"|[0-9.-]{0,4}|\\n|.){0,40}") {
        let _ = parse(&text);
    }
}
