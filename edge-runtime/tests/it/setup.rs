//! Writing a configuration: its comments stay, nothing else is changed, nothing is lost.

use crate::support::{Bench, assert_contains, program, run};
use edge_runtime::capture::{CameraInfo, Crop, SourceSpec};
use edge_runtime::config::{Config, Configuration};
use edge_runtime::setup::{
    Delivery, Draft, DraftError, Lines, Questions, SHIPPED, SHIPPED_DELIVERY, ScreenUse, Wishes, or_none,
    replace,
};
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use texts::Language;

fn wishes() -> Wishes {
    Wishes {
        name: Some("room \"2\"".into()),
        language: Some(Language::Swahili),
        source: Some(SourceSpec::V4l2("HD Webcam".into())),
        crop: Some(Some(Crop { x: 1, y: 2, width: 300, height: 400 })),
        lines: Some("red=GPIO17,amber=pinctrl#27,green=GPIO22:low".parse().unwrap()),
        prevalence: Some(Some(0.08)),
        screen: Some(ScreenUse::Acknowledges),
    }
}

fn written(text: &str, wishes: &Wishes) -> Draft {
    let mut draft = Draft::new(text).unwrap();
    wishes.apply(&mut draft).unwrap();
    draft
}

#[test]
fn every_wish_is_in_the_file_and_every_comment_stays() {
    let draft = written(SHIPPED, &wishes());
    let config = Config::parse(draft.text(), "test").unwrap();
    let mut expected = Config::default();
    expected.device.name = "room \"2\"".into();
    expected.device.language = Language::Swahili;
    expected.capture.source = SourceSpec::V4l2("HD Webcam".into());
    expected.capture.crop = Some(Crop { x: 1, y: 2, width: 300, height: 400 });
    expected.site.prevalence = Some(0.08);
    expected.screen.folder = Some("/run/pneumoscope".into());
    expected.screen.acknowledge = Some("/run/pneumoscope-screen/acknowledged.json".into());
    expected.lights = toml::from_str(
        "red = { name = \"GPIO17\" }\namber = { chip = \"pinctrl\", line = 27 }\n\
         green = { name = \"GPIO22\", active_low = true }",
    )
    .unwrap();
    assert_eq!(config, expected);
    let comments = |text: &str| {
        text.lines().filter(|line| line.starts_with("# ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(comments(draft.text()), comments(SHIPPED));
    assert_eq!(draft.text().lines().count(), SHIPPED.lines().count(), "lines are replaced, not added");
    assert_eq!(draft.changes().len(), 10);
    // Twice the same is no change, and back again is the default.
    assert_eq!(written(draft.text(), &wishes()).changes(), []);
    let back = Wishes {
        name: Some("pneumoscope".into()),
        language: Some(Language::English),
        source: Some("v4l2:/dev/video0".parse().unwrap()),
        crop: Some(None),
        lines: Some(Lines::default()),
        prevalence: Some(None),
        screen: Some(ScreenUse::Off),
    };
    assert_eq!(Config::parse(written(draft.text(), &back).text(), "test").unwrap(), Config::default());
}

#[test]
fn values_of_several_lines_and_files_without_a_key_are_changed_too() {
    let text = "[device]\nname = \"a\" # mine\n[capture]\ncommand = [\n    \"a\",\n    \"b\", # why\n]\nsource = \"exec:\"\n";
    let mut draft = Draft::new(text).unwrap();
    draft.set("capture", "command", Some(vec!["c".to_owned()].into())).unwrap();
    draft.set("capture", "width", Some(640.into())).unwrap();
    draft.set("site", "prevalence", Some(0.5.into())).unwrap();
    assert_eq!(
        draft.text(),
        "[device]\nname = \"a\" # mine\n[capture]\ncommand = [\"c\"]\nsource = \"exec:\"\nwidth = 640\n\n[site]\nprevalence = 0.5\n"
    );
    let mut draft = Draft::new(text).unwrap();
    draft.set("capture", "command", None).unwrap();
    assert!(draft.text().contains("#command = [\n#    \"a\",\n#    \"b\", # why\n#]\n"), "{}", draft.text());
}

/// A form that the editing of lines cannot follow must be refused, and must not be made worse.
#[test]
fn a_planted_form_that_cannot_be_edited_is_refused_unchanged() {
    for text in ["device = { name = \"a\" }\n", "device.name = \"a\"\n", "[ device ]\n\"name\" = \"a\"\n"] {
        let mut draft = Draft::new(text).unwrap();
        let refused = draft.set("device", "name", Some("b".into()));
        assert_eq!(refused, Err(DraftError::Form { section: "device", key: "name" }), "{text}");
        assert_eq!((draft.text(), draft.changes()), (text, &[][..]));
    }
    let error = Draft::new("[device\n").unwrap_err().to_string();
    assert!(error.starts_with("expected TOML"), "{error}");
}

#[test]
fn lines_are_typed_as_one_would() {
    let told = |text: &str| text.parse::<Lines>().map(|_| ()).unwrap_err();
    assert_eq!("none".parse(), Ok(Lines::default()));
    let pi = written(SHIPPED, &Wishes { lines: Some("raspberry-pi".parse().unwrap()), ..Wishes::default() });
    assert_eq!(Config::parse(pi.text(), "test").unwrap().lights.lines().count(), 4);
    for (text, part) in [
        ("red", "expected none, raspberry-pi, or lines such as red=GPIO17"),
        ("rad=GPIO17", "got \"rad=GPIO17\""),
        ("red=", "got \"red=\""),
        ("red=pinctrl#x", "got \"red=pinctrl#x\""),
        ("red=A,red=B", "red is named twice"),
    ] {
        assert!(told(text).contains(part), "{text}: {}", told(text));
    }
}

fn asked(answers: &str, given: Wishes) -> (std::io::Result<Wishes>, String) {
    let camera = |card: &str, problem: Option<&str>| CameraInfo {
        path: "/dev/video7".into(),
        card: card.into(),
        driver: String::new(),
        bus: String::new(),
        formats: Vec::new(),
        problem: problem.map(str::to_owned),
    };
    let cameras = [camera("Broken", Some("raw frames only")), camera("HD Webcam", None)];
    let mut out = Vec::new();
    let look = |source: &SourceSpec, crop: Option<Crop>, file: &Path| {
        if file == Path::new("bad.png") {
            Err("no light".to_owned())
        } else {
            Ok(format!("looked: {source} {crop:?}"))
        }
    };
    let result =
        Questions::new(Cursor::new(answers), &mut out).ask_all(given, &Config::default(), &cameras, look);
    (result, String::from_utf8(out).unwrap())
}

#[test]
fn questions_are_asked_until_the_answer_is_one() {
    let answers = [
        "room 2",
        "de",
        "sw",
        "2",
        "webcam",
        "1",
        "bad.png",
        "0,0,9",
        "0,0,300,400",
        "look.png",
        "red=GPIO17",
        "7",
        "0.08",
        "maybe",
        "on",
    ];
    let (wishes, said) = asked(&(answers.join("\n") + "\n"), Wishes::default());
    let expected = Wishes {
        name: Some("room 2".into()),
        language: Some(Language::Swahili),
        source: Some(SourceSpec::V4l2("HD Webcam".into())),
        crop: Some(Some(Crop { x: 0, y: 0, width: 300, height: 400 })),
        // That red needs amber and green, the check of the whole says.
        lines: Some("red=GPIO17".parse().unwrap()),
        prevalence: Some(Some(0.08)),
        screen: Some(ScreenUse::On),
    };
    assert_eq!(wishes.unwrap(), expected);
    assert_contains(
        &said,
        &[
            "1  HD Webcam (/dev/video7)",
            "-  /dev/video7: raw frames only",
            "expected a language, one of en, fr, es, pt, sw",
            "expected a number from 1 to 1, got 2",
            "expected a source such as",
            "That did not work: no light",
            "expected x,y,width,height",
            "looked: v4l2:HD Webcam Some(Crop",
            "expected a share from 0.0001 to 0.9999, or none; got \"7\"",
            "expected off, on or acknowledge, got \"maybe\"",
        ],
    );
}

#[test]
fn enter_alone_changes_nothing_and_what_was_given_is_not_asked() {
    let (result, said) = asked(&"\n".repeat(8), Wishes::default());
    assert_eq!(result.unwrap(), Wishes::default());
    assert_contains(&said, &["[pneumoscope]", "[en]", "[v4l2:/dev/video0]", "[none]"]);
    let (result, said) = asked("", wishes());
    assert_eq!(result.unwrap(), wishes());
    assert!(!said.contains('['), "{said}");
    let (result, _) = asked("room 2\n", Wishes::default());
    assert!(result.unwrap_err().to_string().contains("nothing was written"));
}

#[test]
fn the_old_file_stays_beside_the_new_one_with_its_rights() {
    let bench = Bench::new();
    let file = bench.file("device.toml", "old");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = bench.path("link.toml");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (new, old) in [("new", "old"), ("newer", "new")] {
        let backup = replace(Path::new(&link), new).unwrap().unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap(), fs::read_to_string(&backup).unwrap()),
            (new.into(), old.into())
        );
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640, "it may hold a camera's password");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
    let there: Vec<_> = fs::read_dir(bench.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(there.len(), 4, "model, link, file and its backup: {there:?}");
    let error = replace(Path::new("/no/such/folder/device.toml"), "new").unwrap_err().to_string();
    assert_contains(&error, &["/no/such/folder/device.toml was not written", "sudo"]);
}

#[test]
fn the_program_writes_checks_and_says_what_it_did() {
    let bench = Bench::new();
    let file = bench.path("device.toml");
    let setup = |more: &[&str]| run(program().args(["setup", "--config", &file]).args(more));
    fs::create_dir(bench.path("films")).unwrap();
    let first = ["--yes", "--language", "fr", "--source", "folder:films", "--lines", "none"];
    // The default's log lies in /var/lib, which is not here: the check says so, and the file stands.
    let said = setup(&first).stdout;
    assert_contains(
        &said,
        &["A new file", "+ [device] language = \"fr\"", "ok       configuration", "Next:"],
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("# What its terminal speaks") && text.contains("\nlanguage = \"fr\"\n"));
    // A rectangle is of one camera: it goes with it, and stays where the source stays.
    setup(&["--yes", "--crop", "1,2,300,400"]);
    assert!(!setup(&["--yes", "--source", "folder:films"]).stdout.contains("crop"));
    assert_contains(&setup(&["--yes", "--source", "v4l2:cam"]).stdout, &["- [capture] crop"]);
    assert_eq!(setup(&first).stdout.matches("crop").count(), 0);
    let text = fs::read_to_string(&file).unwrap();
    let answer = setup(&["--yes", "--json", "--prevalence", "0.1"]).answer();
    assert_eq!(answer["changes"][0]["after"], "0.1");
    assert_eq!(answer["backup"], format!("{}.bak", fs::canonicalize(&file).unwrap().display()));
    assert_eq!(fs::read_to_string(format!("{file}.bak")).unwrap(), text);
    assert!(setup(&["--yes"]).stdout.contains("is as it was"));
    // What a device would refuse is not written, and nobody is asked where there is no terminal.
    let now = fs::read_to_string(&file).unwrap();
    setup(&["--yes", "--lines", "red=GPIO17"]).refused(5, "red, amber and green together");
    setup(&["--yes", "--crop", "1,2"]).refused(1, "--crop: expected x,y,width,height");
    setup(&["--language", "de"]).refused(2, "expected a language, one of en, fr, es, pt, sw");
    setup(&["--language", "en"]).refused(1, "expected a terminal to ask on");
    assert_eq!(fs::read_to_string(&file).unwrap(), now);
}

fn delivery(broker: &str, archive: &str, site: &str) -> Delivery {
    let broker = or_none(broker).unwrap();
    let archive = or_none(archive).unwrap();
    Delivery { broker: Some(broker), archive: Some(archive), site: Some(site.parse().unwrap()) }
}

#[test]
fn where_delivery_sends_to_is_asked_for_in_three_questions_at_the_most() {
    let asked = |answers: &str, given: Delivery, now: &Delivery, folder| {
        let mut out = Vec::new();
        let result =
            Questions::new(Cursor::new(answers.to_owned()), &mut out).ask_delivery(given, now, folder);
        (result.unwrap(), String::from_utf8(out).unwrap())
    };
    let shipped = Delivery::of(SHIPPED_DELIVERY);
    assert_eq!(shipped, delivery("none", "none", "site"));
    let answers = "http://broker\nbroker.example\nARCHIVE\nARCHIVE@pacs.example:104\ntwo words\nclinic\n";
    let (wishes, said) = asked(answers, Delivery::default(), &shipped, true);
    assert_eq!(wishes, delivery("mqtts://broker.example:8883", "ARCHIVE@pacs.example:104", "clinic"));
    assert_contains(
        &said,
        &[
            "or none [none]: ",
            "expected none, or a broker such as mqtts://broker.example",
            "expected none, or an archive such as ARCHIVE@pacs.example:11112",
            "[site]: expected 1 to 64 letters, digits",
        ],
    );
    // Enter alone leaves all; no place without a broker; no archive without a watched folder.
    let (wishes, said) = asked("\n\n", Delivery::default(), &shipped, true);
    assert!(wishes.is_empty() && !said.contains("place"), "{said}");
    let holds = delivery("mqtt://127.0.0.1", "none", "clinic");
    let (wishes, said) = asked("\n\n", Delivery::default(), &holds, false);
    assert!(
        wishes.is_empty() && said.contains("[mqtt://127.0.0.1:1883]") && said.contains("[clinic]"),
        "{said}"
    );
    assert!(!said.contains("Archive"), "{said}");
    assert_eq!(asked("", holds.clone(), &shipped, true).0, holds);
}

#[test]
fn what_is_sent_where_is_written_beside_the_devices_configuration_and_shown() {
    let bench = Bench::new();
    let file = bench.path("device.toml");
    let setup = |more: &[&str]| run(program().args(["setup", "--config", &file, "--yes"]).args(more));
    let deliver = || fs::read_to_string(bench.path("deliver.toml")).unwrap();
    setup(&["--source", "folder:films"]);
    assert!(!Path::new(&bench.path("deliver.toml")).exists(), "nobody said anything about it");
    let said = setup(&["--broker", "broker.example", "--site", "clinic"]).stdout;
    assert_contains(
        &said,
        &[
            "deliver.toml:\nA new file",
            "+ [mqtt] host = \"broker.example\"",
            "+ [device] site = \"clinic\"",
            "+ [device] config = \"device.toml\"",
            "- [mqtt] enabled = false\n+ [mqtt] enabled = true",
            "warning  delivery",
        ],
    );
    assert!(deliver().contains("# Without TLS everybody on the way"), "the comments stay");
    let answer = setup(&["--json", "--archive", "ARCHIVE@[fe80::1]:104"]).answer();
    assert_eq!(answer["delivery"]["changes"].as_array().unwrap().len(), 4, "{answer}");
    assert_eq!(Delivery::of(&deliver()), delivery("broker.example", "ARCHIVE@[fe80::1]:104", "clinic"));
    setup(&["--broker", "mqtt://127.0.0.1", "--archive", "none"]);
    assert_eq!(Delivery::of(&deliver()), delivery("mqtt://127.0.0.1:1883", "none", "clinic"));
    let before = deliver();
    for wrong in ["a b", "mqtts://", "ftp://a", "a:0", "a:70000", "a:b", ":1", "a/b", "[::1"] {
        setup(&["--broker", wrong]).refused(1, "--broker: expected none, or a broker");
    }
    for wrong in ["a", "@a", "TITLE-OF-17-CHARS@a", "A\\B@a", "A@"] {
        setup(&["--archive", wrong]).refused(1, "--archive: expected none, or an archive");
    }
    setup(&["--site", "two words"]).refused(2, "expected 1 to 64 letters");
    assert_eq!(deliver(), before);
}

#[test]
fn toml_writes_a_line_as_the_shipped_file_does() {
    let draft =
        written(SHIPPED, &Wishes { lines: Some("raspberry-pi".parse().unwrap()), ..Wishes::default() });
    assert!(draft.text().contains("\nred = { name = \"GPIO17\" }\n"), "{}", draft.text());
}
