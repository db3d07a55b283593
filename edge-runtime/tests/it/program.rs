//! The program as its users meet it: output for people and for programs, order, exit codes, pipes.

use crate::support::{Bench, assert_contains, model, picture, process, program, run};
use edge_model::drawings::DRAWINGS;
use edge_model::engine::EngineKind;
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;

#[test]
fn json_has_all_that_a_log_needs() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(90, 80));
    let line = bench.classify(&film).clean().answer();
    let sha = edge_model::model_file::sha256_hex(&std::fs::read(&bench.model).unwrap());
    assert_eq!(line["path"], *film);
    assert_eq!(line["model_sha256"], sha);
    assert_eq!(line["model_name"], "random");
    assert_eq!(line["model_version"], "0.0.1");
    // Numbers come back as the very f32 that they were.
    let number = |value: &Value| value.to_string().parse::<f32>().unwrap();
    assert_eq!(number(&line["thresholds"]["negative_below"]), 0.3);
    assert_eq!(number(&line["thresholds"]["positive_above"]), 0.7);
    let metadata = model::metadata(32);
    let decision = edge_core::decide(number(&line["logit"]), &metadata.calibration, &metadata.thresholds);
    assert_eq!(Some(number(&line["score"])), decision.score);
    assert_eq!(line["state"], decision.state.name());
    assert_eq!(line["reason"], decision.reason.to_string());
    assert_eq!(line["reason_code"], decision.reason.code());
    assert_eq!(line["frame_sha256"].as_str().unwrap().len(), 64);
    assert!(line["latency_us"].as_f64().unwrap() > 0.0);
}

/// What the test above compares does depend on the model: another one gives another hash and
/// another logit.
#[test]
fn another_model_gives_another_answer() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(90, 80));
    let other = bench.file("other.onnx", model::small(2));
    let a = &bench.classify(&film).json()[0];
    let b = &bench.run_with(&other, ["classify", "--json", &film]).json()[0];
    assert_eq!(a["path"], b["path"]);
    assert_ne!(a["model_sha256"], b["model_sha256"]);
    assert_ne!(a["logit"], b["logit"]);
}

#[test]
fn a_refused_picture_is_an_answer() {
    let bench = Bench::new();
    let line = bench.classify(&bench.file("black.png", picture::black_png(64, 64))).ended(0).answer();
    assert_eq!((&line["state"], &line["reason_code"]), (&Value::from("INVALID"), &Value::from(13)));
    assert_eq!((&line["score"], &line["logit"]), (&Value::Null, &Value::Null));
}

#[test]
fn folders_are_read_recursively_and_sorted_by_extension_in_any_case() {
    let bench = Bench::new();
    for name in
        ["f/b.png", "f/a.JPG", "f/c/x.jpeg", "f/c/y.txt", "f/noextension", "f/d.TIF", "f/e.bmp", "f/g.webp"]
    {
        bench.file(name, picture::png(64, 64));
    }
    // What a Macintosh leaves beside them on a stick.
    bench.file("f/._a.JPG", b"\0\x05\x16\x07");
    let run = bench.classify(&bench.path("f")).ended(0);
    let folder = bench.path("f/");
    let paths: Vec<_> =
        run.json().iter().map(|line| line["path"].as_str().unwrap().replace(&folder, "")).collect();
    assert_eq!(paths, ["a.JPG", "b.png", "c/x.jpeg", "d.TIF", "e.bmp", "g.webp"]);
}

#[test]
fn standard_input() {
    let bench = Bench::new();
    let piped = |bytes: Vec<u8>| {
        run(program().args(["--model", &bench.model, "classify", "--json", "-"]).write_stdin(bytes))
    };
    let pipe = &piped(picture::png(64, 64)).ended(0).json()[0];
    let file = &bench.classify(&bench.file("film.png", picture::png(64, 64))).json()[0];
    assert_eq!((&pipe["path"], &pipe["logit"]), (&Value::from("-"), &file["logit"]));
    let nothing = piped(vec![]).ended(3);
    assert_eq!(nothing.stderr, "error: -: the file is empty (0 bytes); copy it again from its source\n");
}

#[test]
fn the_table_says_which_model_and_what_it_is_not() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(64, 64));
    let run = bench.run(["classify", &film]);
    let sha = edge_model::model_file::sha256_hex(&std::fs::read(&bench.model).unwrap());
    let model = ["random 0.0.1", &sha[..12], "0.300", "0.700", "Tests only."];
    assert_contains(&run.stdout, &model);
    assert_contains(&run.stdout, &["film.png", "it is not a diagnosis"]);
    assert!(!run.stdout.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn colours_where_asked_for_and_never_with_no_color() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(64, 64));
    let with = |set: &str, unset: &str| {
        let mut command = program();
        command.env_remove(unset).env(set, "1").args(["--model", &bench.model, "classify", &film]);
        run(&mut command).stdout.contains('\u{1b}')
    };
    assert!(with("CLICOLOR_FORCE", "NO_COLOR"));
    assert!(!with("NO_COLOR", "CLICOLOR_FORCE"));
}

#[cfg(unix)]
#[test]
fn a_file_name_cannot_steer_the_terminal() {
    let bench = Bench::new();
    let film = bench.file("a\u{1b}[31m\nNEGATIVE.png", picture::png(64, 64));
    let run = bench.run(["classify", &film]);
    assert!(!run.stdout.contains('\u{1b}'));
    assert!(run.stdout.contains('\u{fffd}'));
}

#[test]
fn usage_errors_exit_with_2_and_help_names_the_codes() {
    for wrong in [&["classify"][..], &["bench", "--frames", "0"], &["bench", "--engine", "none"]] {
        run(program().args(wrong)).ended(2);
    }
    let help = run(program().arg("--help")).ended(0).stdout;
    assert_contains(&help, &["Examples:", "Exit codes:", "4  the model was refused"]);
    assert_contains(&help, &["it is not a diagnosis"]);
}

/// Each reason to refuse a model has its own text (edge-model's tests); of all of them the program
/// makes one line, and ends with 4.
#[test]
fn a_refused_model_is_one_line_and_exit_code_4() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(64, 64));
    let refused = |bad: &str, why: &str| {
        let run = bench.run_with(bad, ["classify", &film]).ended(4);
        assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 1), "{}", run.stderr);
        let expected = format!("error: model {bad} was refused: {why}");
        assert!(run.stderr.starts_with(&expected), "expected {expected}\nin       {}", run.stderr);
    };
    refused(&bench.path("nothing.onnx"), "cannot be read: ");
    refused(
        &bench.file("empty.onnx", b""),
        "expected an ONNX model, but it holds no graph; copy the file again",
    );
    let whole = model::small(1);
    refused(&bench.file("cut.onnx", &whole[..whole.len() / 2]), "expected an ONNX model, but ");
    let twice = model::changed(|proto| proto.metadata_props.push(proto.metadata_props[0].clone()));
    refused(&bench.file("twice.onnx", twice), "metadata `pneumoscope.format` is there more than once; ");
    let unheard =
        model::changed(|proto| proto.graph.as_mut().unwrap().node[0].op_type = "Unheard".to_owned());
    let unheard = bench.file("unheard.onnx", unheard);
    bench.run_with(&unheard, ["classify", &film]).refused(4, "tract cannot compute this model (");
}

#[test]
fn bench_measures_each_engine() {
    let bench = Bench::new();
    let lines = bench.run(["bench", "--json", "--frames", "7", "--side", "64"]).ended(0).json();
    let engines: Vec<_> = lines.iter().map(|line| line["engine"].as_str().unwrap()).collect();
    assert_eq!(engines, EngineKind::ALL.map(EngineKind::name));
    for line in lines {
        assert_eq!(line["frames"], 7);
        for stage in ["preprocess", "infer"] {
            let at = |what: &str| line[format!("{stage}_us_{what}")].as_f64().unwrap();
            assert!(0.0 < at("median") && at("median") <= at("p99"), "{line}");
        }
    }
}

#[test]
fn about_shows_model_engines_and_limits() {
    let bench = Bench::new();
    let text = bench.run(["about"]).ended(0).stdout;
    assert_contains(&text, &[env!("CARGO_PKG_VERSION"), "tract", "random 0.0.1", "Tests only."]);
    assert_contains(&text, &["32 to 8000 pixels", "area-standardise/1"]);
    let json = bench.run(["about", "--json"]).answer();
    assert_eq!(json["model"]["pneumoscope.name"], "random");
    // The test model's convolutions are all of forms that the kernels cover; stock tract has no kernels
    // to speak of.
    let kernels = edge_core::kernels::best().name();
    assert_contains(&text, &[&format!("4 of 4 by kernels `{kernels}`")]);
    let names = ["stem", "depthwise", "expand", "last"];
    assert_eq!(json["engine"], "tract");
    let convolutions = serde_json::json!({ "kernels": kernels, "by_kernels": names, "by_tract": [] });
    assert_eq!(json["convolutions"], convolutions);
    let stock = bench.run(["--engine", "tract-stock", "about", "--json"]).answer();
    assert_eq!((&stock["engine"], &stock["convolutions"]), (&Value::from("tract-stock"), &Value::Null));
    assert_eq!(json["intended_use"], "Tests only.");
}

/// Without a subcommand and without `--model`: the drawn frames through the model that is built in.
#[test]
fn the_demonstration_runs_the_shipped_model() {
    let sha = crate::support::shipped().sha256().to_owned();
    let lines = run(program().arg("--json")).ended(0).json();
    assert_eq!(lines.len(), DRAWINGS.len());
    for line in &lines {
        assert_eq!(line["model_sha256"], sha);
        assert!(line["score"].is_number(), "a drawn frame must pass the gate: {line}");
    }
    let text = run(&mut program()).ended(0).stdout;
    assert_contains(&text, &[&sha[..12], "drawings, not X-rays", "it is not a diagnosis"]);
}

/// `edge-runtime classify ... | head -1`: the reader leaves, the program ends quietly.
#[test]
fn a_closed_pipe_is_no_panic() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(64, 64));
    let mut child = process()
        .args(["--model", &bench.model, "classify", "--json"])
        .args(std::iter::repeat_n(&film, 600)) // more than a pipe holds
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(1), ""));
}

#[test]
fn every_engine_classifies_alike() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(90, 80));
    let expected = bench.classify(&film).json()[0]["logit"].clone();
    assert!(expected.is_number());
    for engine in EngineKind::ALL {
        let run = bench.run(["--engine", engine.name(), "classify", "--json", &film]).ended(0);
        assert_eq!(run.json()[0]["logit"], expected, "{engine}");
    }
    // The names are listed.
    bench.run(["--engine", "abacus", "classify", &film]).refused(2, "tract-stock");
}
