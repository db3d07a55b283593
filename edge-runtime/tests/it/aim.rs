//! `aim` and `devices`: what one sets a camera up with.

use crate::support::{Bench, assert_contains, mode, picture, program, run};
use edge_model::decode;
use image::imageops::crop_imm;
use phantoms::Label;
use serde_json::Value;

#[test]
fn aim_shows_the_picture_the_rectangle_and_the_answer_on_what_is_in_it() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(300, 200));
    let part = crop_imm(&picture::gradient(300, 200), 30, 20, 100, 90).to_image();
    let alone = bench.path("part.png");
    part.save(&alone).unwrap();
    let out = bench.path("preview.png");
    let source = format!("replay:{film}");
    let aim = ["aim", "--source", &source, "--crop", "30,20,100,90", "--out", &out];
    let got = bench.run(aim.into_iter().chain(["--json"])).clean();
    let (aimed, classified) = (&got.json()[0], &bench.classify(&alone).json()[0]);
    for key in ["state", "score", "reason", "reason_code", "model_sha256"] {
        assert_eq!(aimed[key], classified[key], "{key}: the same as for the part alone");
    }
    assert_eq!((&aimed["width"], &aimed["height"]), (&Value::from(300), &Value::from(200)));
    assert!(aimed["mean"].as_u64().unwrap() > 0 && aimed["deviation"].as_u64().unwrap() > 0);

    assert_eq!(mode(&out), 0o600, "a picture of a patient");
    let preview = image::open(&out).unwrap().into_rgb8();
    assert!(preview.height() > 200, "text stands below");
    assert_eq!(preview.get_pixel(30, 60).0, [255, 255, 0], "the rectangle's edge");
    let grey = picture::gradient(300, 200).get_pixel(80, 60).0[0];
    assert_eq!(preview.get_pixel(80, 60).0, [grey; 3], "what is inside is shown as it is");

    let text = bench.run(aim).ended(0).stdout;
    assert_contains(&text, &["300x200, judged: the rectangle 100x90 at 30,20", "mean ", "sharpness "]);
    assert_contains(&text, &["Written: ", "not a diagnosis"]);
}

/// The gate's figures are those that it judges by: a chest is above each limit, and the same upside
/// down is not.
#[test]
fn aim_shows_the_gates_figures_beside_their_limits() {
    let bench = Bench::new();
    let look = |name: &str| {
        let source = format!("replay:{}", bench.path(name));
        let out = bench.path("preview.png");
        run(program().args(["aim", "--json", "--source", &source, "--out", &out])).json().remove(0)
    };
    let chest = phantoms::draw(Label::Normal, 1, 224);
    let path = bench.path("chest.png");
    picture::save(&chest, path.as_ref());
    let image = image::open(&path).unwrap();
    image.flipv().save(bench.path("turned.png")).unwrap();
    let above = |aimed: &Value| {
        [("sharpness", "min_sharpness"), ("layout", "min_layout"), ("features", "min_features")].map(
            |(figure, limit)| aimed[figure].as_i64().is_some_and(|got| got >= aimed[limit].as_i64().unwrap()),
        )
    };
    let (chest, turned) = (look("chest.png"), look("turned.png"));
    assert_eq!(above(&chest), [true; 3], "{chest}");
    assert_ne!(above(&turned), [true; 3], "{turned}");
    assert_eq!(turned["state"], "INVALID");
}

#[test]
fn aim_takes_the_whole_picture_of_a_folder_that_has_one() {
    let bench = Bench::new();
    bench.file("films/film.png", picture::png(90, 80));
    let out = bench.path("preview.png");
    let source = format!("folder:{}", bench.path("films"));
    let got = bench.run(["aim", "--json", "--source", &source, "--out", &out]).clean();
    assert_eq!(got.json()[0]["crop"], Value::Null);
    assert!(decode::open(&out).is_ok());
}

#[test]
fn aim_says_what_is_wrong() {
    let bench = Bench::new();
    let film = bench.file("film.png", picture::png(90, 80));
    let out = bench.path("preview.png");
    let source = format!("replay:{film}");
    let aim = |source: &str, crop: &str| {
        let got = bench.run(["aim", "--source", source, "--crop", crop, "--out", &out]);
        assert!(!std::fs::exists(&out).unwrap(), "no preview of a failure");
        got
    };
    assert_eq!(
        aim(&source, "60,0,40,40").ended(1).stderr,
        "error: --crop 40x40 at 60,0: expected a rectangle within the picture of 90x80; choose a smaller one\n"
    );
    let expected = "expected x,y,width,height in whole pixels such as 200,100,1024,768, got `1,2,3`";
    aim(&source, "1,2,3").refused(2, expected);
    aim("film.png", "0,0,40,40").refused(2, "expected a source such as v4l2:/dev/video0");
}

/// Whatever this machine has: both outputs tell the same, and what there is none of is said in
/// words.
#[test]
fn devices_lists_what_there_is_and_says_so_where_there_is_none() {
    let json = &run(program().args(["devices", "--json"])).clean().json()[0];
    let text = run(program().arg("devices")).clean().stdout;
    for (key, none) in [
        ("cameras", "There is none: no /dev/video* gives pictures."),
        ("gpio_chips", "There is none: no /dev/gpiochip*."),
    ] {
        let found = json[key].as_array().unwrap();
        assert_eq!(text.contains(none), found.is_empty(), "{text}");
        for device in found {
            assert_contains(&text, &[device["path"].as_str().unwrap()]);
        }
    }
}

/// What the network looked at is the same bytes whichever engine computed it, is laid over what was
/// judged, and is nothing where the gate refused the picture before the network.
#[test]
fn a_heat_map_is_the_same_on_every_engine() {
    let bench = Bench::new();
    let chest = phantoms::draw(Label::Pneumonia, 1, 224);
    let film = bench.path("chest.png");
    picture::save(&chest, film.as_ref());
    let drawn = |engine: &str| {
        let out = bench.path(&format!("{engine}.png"));
        bench.run(["classify", &film, "--engine", engine, "--heatmap", &out]).ended(0);
        assert_eq!(mode(&out), 0o600, "a picture of a patient");
        std::fs::read(out).unwrap()
    };
    let [core, tract, stock] = ["core", "tract", "tract-stock"].map(drawn);
    assert!(core == tract && core == stock, "the map depends on the engine");
    let coloured = |bytes: &[u8]| {
        let page = image::load_from_memory(bytes).unwrap().into_rgb8();
        page.rows().take(224).flatten().filter(|pixel| pixel.0[0] != pixel.0[2]).count()
    };
    assert!(coloured(&core) > 224 * 224 / 2, "{}", coloured(&core));

    let (source, preview) = (format!("replay:{film}"), bench.path("preview.png"));
    let aim = |more: &[&str]| {
        let aim = ["aim", "--source", &source, "--crop", "0,0,224,224", "--out", &preview];
        bench.run(aim.iter().chain(more).copied()).ended(0);
        coloured(&std::fs::read(&preview).unwrap())
    };
    assert!(aim(&[]) < 4 * 224 * 4, "no colour but the rectangle's");
    assert!(aim(&["--heatmap"]) > 224 * 224 / 2);

    let dark = bench.path("dark.png");
    image::GrayImage::new(64, 64).save(&dark).unwrap();
    let out = bench.path("none.png");
    let refused = bench.run(["classify", &dark, "--heatmap", &out]);
    assert_contains(&refused.stderr, &["none.png is not written: the gate refused it before the network"]);
    assert!(!std::path::Path::new(&out).exists());
    // A part of a picture is judged as the device's rectangle would have it.
    let seen = |words: &[&str]| {
        bench.run([&["classify", "--json", &film], words].concat()).clean().answer()["frame_sha256"]
            .to_string()
    };
    assert_ne!(seen(&["--crop", "20,20,180,180"]), seen(&[]));
    assert_eq!(seen(&["--crop", "0,0,224,224"]), seen(&[]));
    let outside = bench.run(["classify", &film, "--crop", "100,100,180,180"]);
    assert_contains(&outside.stderr, &["the rectangle 180x180 at 100,100 cannot be cut"]);
    let both = bench.run(["classify", &film, &dark, "--heatmap", &out]);
    assert_contains(&both.stderr, &["--heatmap: expected one picture, got 2; name one file"]);
    // Not the file is to blame where the drawing cannot be written.
    let nowhere = bench.path("nowhere/drawn.png");
    let undrawn = bench.run(["classify", "--json", &film, "--heatmap", &nowhere]).ended(3);
    assert_eq!(undrawn.json()[0]["fault"], true, "{}", undrawn.stdout);
}
