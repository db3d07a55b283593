//! Sources of frames that need no camera: what a name stands for, a watched folder, a replay of
//! files.

use crate::support::{assert_contains, picture};
use allocation_counter::measure;
use edge_runtime::capture::{
    CaptureError, CaptureOptions, Crop, Encoding, Folder, Replay, Source, SourceSpec, open,
};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Long enough for what must come, on the slowest machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Several listings: what comes wrongly would come in it.
const A_WHILE: Duration = Duration::from_millis(700);

struct Watched {
    folder: TempDir,
    source: Folder,
}

impl Watched {
    fn new(options: CaptureOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let source = Folder::new(folder.path(), &options);
        Self { folder, source }
    }

    /// With nothing in it at first.
    fn empty(options: CaptureOptions) -> Self {
        let mut watched = Self::new(options);
        watched.nothing();
        watched
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Name and width of the next picture.
    fn comes(&mut self) -> (String, u16) {
        let shot = self.source.next(PATIENCE).unwrap();
        (shot.name.to_owned(), shot.frame.geometry().width())
    }

    fn nothing(&mut self) {
        let error = fails(&mut self.source, A_WHILE);
        assert!(matches!(error, CaptureError::Nothing), "{error}");
    }
}

/// The error that comes next.
fn fails(source: &mut dyn Source, wait: Duration) -> CaptureError {
    source.next(wait).map(|shot| shot.name.to_owned()).unwrap_err()
}

/// A short quiet time.
fn soon() -> CaptureOptions {
    CaptureOptions { quiet_ms: 50, ..Default::default() }
}

fn named(name: &str, width: u16) -> (String, u16) {
    (name.to_owned(), width)
}

#[test]
fn files_there_at_the_start_are_left_alone_and_new_ones_come_once() {
    let mut watched = Watched::new(soon());
    watched.put("old.png", &picture::png(40, 40));
    watched.nothing();
    watched.put("new.png", &picture::png(41, 40));
    assert_eq!(watched.comes(), named("new.png", 41));
    watched.nothing();
    watched.put("NEWER.JPG", &picture::jpeg(42, 40, None));
    assert_eq!(watched.comes(), named("NEWER.JPG", 42));
    // The same name with another picture is another file.
    watched.put("new.png", &picture::png(43, 40));
    assert_eq!(watched.comes(), named("new.png", 43));
}

#[test]
fn the_oldest_comes_first_whatever_the_names() {
    let mut watched = Watched::new(CaptureOptions { existing: true, quiet_ms: 0, ..Default::default() });
    for (name, width, age) in [("a.png", 40, 10), ("b.png", 41, 30), ("c.png", 42, 20)] {
        let path = watched.put(name, &picture::png(width, 40));
        let time = SystemTime::now() - Duration::from_secs(age);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    let order = [watched.comes().0, watched.comes().0, watched.comes().0];
    assert_eq!(order, ["b.png", "c.png", "a.png"]);
    watched.nothing();
}

#[test]
fn a_half_written_file_is_waited_for() {
    for whole in [picture::png(100, 90), picture::jpeg(100, 90, None)] {
        let mut watched = Watched::empty(soon());
        let name = if whole[0] == 0xFF { "film.jpg" } else { "film.png" };
        // The last cut takes the end of the pixels, not only what follows them.
        for part in [0, 10, whole.len() / 2, whole.len() - 20] {
            watched.put(name, &whole[..part]);
            watched.nothing();
        }
        watched.put(name, &whole);
        assert_eq!(watched.comes(), named(name, 100));
        watched.nothing();
    }
}

#[test]
fn a_file_that_still_changes_is_not_read_though_it_decodes() {
    let mut watched = Watched::empty(CaptureOptions { quiet_ms: 3_600_000, ..Default::default() });
    watched.put("film.png", &picture::png(40, 40));
    watched.nothing();
}

#[test]
fn a_file_that_never_decodes_is_reported_once_and_others_come() {
    let mut watched = Watched::empty(CaptureOptions { quiet_ms: 0, give_up_ms: 100, ..Default::default() });
    watched.put("bad.png", b"no picture");
    let error = fails(&mut watched.source, PATIENCE);
    assert_eq!(error.reason(), Some(edge_core::Reason::UnreadKind), "sending it again would not help");
    let expected = "bad.png: expected a picture (JPEG, PNG, TIFF, BMP, WebP, DICOM), got unknown content";
    assert_contains(&error.to_string(), &[expected]);
    watched.nothing();
    watched.put("good.png", &picture::png(40, 40));
    assert_eq!(watched.comes(), named("good.png", 40));
    watched.put("bad.png", &picture::png(41, 40));
    assert_eq!(watched.comes(), named("bad.png", 41), "mended");
    watched.put("cut.png", &picture::png(40, 40)[..60]);
    assert_eq!(fails(&mut watched.source, PATIENCE).reason(), Some(edge_core::Reason::DamagedFrame));
}

#[test]
fn what_is_no_picture_file_is_ignored() {
    let mut watched = Watched::empty(soon());
    watched.put("notes.txt", &picture::png(40, 40));
    watched.put(".hidden.png", &picture::png(40, 40));
    fs::create_dir(watched.folder.path().join("folder.png")).unwrap();
    std::os::unix::fs::symlink("nowhere", watched.folder.path().join("dangling.png")).unwrap();
    fs::remove_file(watched.put("removed.png", &picture::png(40, 40))).unwrap();
    watched.nothing();
    watched.put("film.png", &picture::png(40, 40));
    assert_eq!(watched.comes(), named("film.png", 40));
}

#[test]
fn a_folder_that_vanishes_is_lost_until_it_is_back_and_its_old_files_stay_old() {
    let base = TempDir::new().unwrap();
    let path = base.path().join("films");
    let mut source = Folder::new(&path, &soon());
    let lost = |source: &mut Folder, wait| {
        let error = fails(source, wait);
        assert!(matches!(error, CaptureError::Lost { .. }), "{error}");
        assert_contains(&error.to_string(), &["the folder cannot be listed: No such file"]);
    };
    lost(&mut source, A_WHILE);
    lost(&mut source, Duration::ZERO);
    fs::create_dir(&path).unwrap();
    assert!(matches!(source.next(A_WHILE), Err(CaptureError::Nothing)));
    fs::write(path.join("one.png"), picture::png(40, 40)).unwrap();
    assert_eq!(source.next(PATIENCE).unwrap().name, "one.png");
    let away = base.path().join("away");
    fs::rename(&path, &away).unwrap();
    lost(&mut source, A_WHILE);
    fs::write(away.join("two.png"), picture::png(40, 40)).unwrap();
    fs::rename(&away, &path).unwrap();
    assert_eq!(source.next(PATIENCE).unwrap().name, "two.png");
    assert!(matches!(source.next(A_WHILE), Err(CaptureError::Nothing)));
}

#[test]
fn stamps_of_files_advance_and_frames_are_cut() {
    let crop = Some(Crop { x: 3, y: 5, width: 40, height: 36 });
    let options = CaptureOptions { crop, existing: true, quiet_ms: 0, ..Default::default() };
    let mut watched = Watched::new(options);
    watched.put("a.png", &picture::png(64, 50));
    watched.put("b.png", &picture::png(42, 50));
    watched.put("c.png", &picture::png(43, 41));
    let expected: Vec<u8> =
        image::imageops::crop_imm(&picture::gradient(64, 50), 3, 5, 40, 36).to_image().into_raw();
    let first = watched.source.next(PATIENCE).unwrap();
    assert_eq!(first.frame.rows().collect::<Vec<_>>().concat(), expected);
    let (before, taken) = (first.stamp, first.taken_ms);
    let error = fails(&mut watched.source, PATIENCE).to_string();
    assert_contains(&error, &["b.png: the rectangle 40x36 at 3,5 cannot be cut"]);
    let third = watched.source.next(PATIENCE).unwrap();
    assert!(third.stamp.sequence > before.sequence && third.stamp.micros > before.micros);
    assert!(third.taken_ms >= taken);
}

/// Pictures `b`, `a/c` and `a/b`, 41, 42 and 43 pixels wide.
fn films() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    for (name, width) in [("b.png", 41), ("a/c.png", 42), ("a/b.png", 43)] {
        fs::write(folder.path().join(name), picture::png(width, 40)).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), b"no picture").unwrap();
    folder
}

/// The source of that name, with the other options at their defaults.
fn open_named(spec: &str) -> Result<Box<dyn Source + Send>, Box<dyn std::error::Error>> {
    Ok(open(&CaptureOptions { source: spec.parse()?, ..Default::default() })?)
}

fn replayed(source: &mut dyn Source, frames: usize) -> Vec<String> {
    (0..frames).map(|_| source.next(Duration::ZERO).unwrap().name.to_owned()).collect()
}

#[test]
fn a_replay_ends_after_its_last_file_or_begins_again() {
    let films = films();
    fs::write(films.path().join("a/._b.png"), b"\0\x05\x16\x07").unwrap();
    let mut once = Replay::new(films.path(), &CaptureOptions::default()).unwrap();
    assert_eq!(replayed(&mut once, 3), ["a/b.png", "a/c.png", "b.png"]);
    for _ in 0..2 {
        let end = fails(&mut once, Duration::ZERO);
        assert!(matches!(end, CaptureError::End), "{end}");
        assert_eq!(end.reason(), None);
    }
    let spec = format!("replay:{}?loop", films.path().display());
    let mut looped = open_named(&spec).unwrap();
    assert_eq!(replayed(&mut *looped, 5), ["a/b.png", "a/c.png", "b.png", "a/b.png", "a/c.png"]);
    assert_eq!(looped.name(), format!("replay:{}", films.path().display()));
    let one = films.path().join("b.png");
    let mut one = Replay::new(&one, &CaptureOptions { repeat: true, ..Default::default() }).unwrap();
    assert_eq!((one.pictures(), replayed(&mut one, 2)), (1, vec!["b.png".to_owned(), "b.png".to_owned()]));
}

#[test]
fn a_replay_allocates_nothing_a_frame_and_its_stamps_advance() {
    let films = films();
    let options = CaptureOptions { repeat: true, crop: "1,2,36,33".parse().ok(), ..Default::default() };
    let mut replay = Replay::new(films.path(), &options).unwrap();
    let mut last = (0, 0);
    let mut frame = || {
        let shot = replay.next(Duration::ZERO).unwrap();
        let now = (shot.stamp.sequence, shot.stamp.micros);
        assert!(now.0 > last.0 && now.1 > last.1, "{last:?} {now:?}");
        last = now;
    };
    assert_eq!(measure(|| (0..1000).for_each(|_| frame())).count_total, 0);
    let making = measure(|| drop(Replay::new(films.path(), &options)));
    assert!(making.count_total > 0, "the counter counts");
}

#[test]
fn a_replay_is_whole_or_refused() {
    let error = |path: &Path| Replay::new(path, &CaptureOptions::default()).unwrap_err().to_string();
    let folder = TempDir::new().unwrap();
    let expected = "no picture in this folder; expected files ending in .jpg, .jpeg, ";
    assert!(error(folder.path()).contains(expected));
    let films = films();
    assert!(error(&films.path().join("nothing")).contains("cannot be read: "));
    assert!(error(&films.path().join("notes.txt")).contains("notes.txt: expected a picture (JPEG, PNG"));
    // A name may be a patient's, and the log has the error.
    fs::write(films.path().join("a/Mary Banda.png"), &picture::png(40, 40)[..100]).unwrap();
    let said = error(films.path());
    assert!(said.contains(": picture 1 in the order of names: the PNG file is damaged"), "{said}");
    fs::remove_file(films.path().join("a/Mary Banda.png")).unwrap();
    std::os::unix::fs::symlink("nowhere", films.path().join("Mary Banda.png")).unwrap();
    let said = error(films.path());
    assert!(said.contains("No such file") && !said.contains("Banda"), "{said}");
    fs::remove_file(films.path().join("Mary Banda.png")).unwrap();
    let crop = Some("0,0,4000,4000".parse().unwrap());
    let mut replay = Replay::new(films.path(), &CaptureOptions { crop, ..Default::default() }).unwrap();
    let said = replay.next(Duration::ZERO).unwrap_err().to_string();
    assert!(said.contains(": picture 1 in the order of names: the rectangle"), "{said}");
}

#[test]
fn a_name_that_is_no_source_is_refused_with_the_nearest_one() {
    let expected =
        "expected a source such as v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:DIR or exec:PROGRAM, got ";
    let here = TempDir::new().unwrap();
    let here = here.path().to_str().unwrap();
    for (spec, end) in [
        ("v4l:/dev/video0", "`v4l:/dev/video0`; did you mean `v4l2:/dev/video0`?".to_owned()),
        ("V4L2:cam", "`V4L2:cam`; did you mean `v4l2:cam`?".to_owned()),
        ("foldr:x", "`foldr:x`; did you mean `folder:x`?".to_owned()),
        ("reply:x", "`reply:x`; did you mean `replay:x`?".to_owned()),
        ("exce:ffmpeg -i x", "`exce:ffmpeg -i x`; did you mean `exec:ffmpeg -i x`?".to_owned()),
        ("/dev/video0", "`/dev/video0`; did you mean `v4l2:/dev/video0`?".to_owned()),
        (here, format!("`{here}`; did you mean `folder:{here}` or `replay:{here}`?")),
        ("http://x", "`http://x`".to_owned()),
        ("", "``".to_owned()),
    ] {
        let error = spec.parse::<SourceSpec>().unwrap_err();
        assert_eq!(error.to_string(), format!("{expected}{end}"));
    }
    for spec in ["v4l2:", "folder:", "replay:", "replay"] {
        let error = spec.parse::<SourceSpec>().unwrap_err();
        assert!(error.to_string().ends_with("with nothing behind the colon"), "{spec}");
    }
    for spec in ["v4l2:/dev/video99", "v4l2:HD Webcam: front", "folder:/nowhere"] {
        assert_eq!(open_named(spec).unwrap().name(), spec, "absent now is no error");
    }
    for spec in ["v4l2:cam", "folder:x", "replay:x", "replay:x?loop", "exec:", "exec:a b"] {
        assert_eq!(spec.parse::<SourceSpec>().unwrap().to_string(), spec);
    }
}

#[test]
fn options_are_a_table_of_a_configuration() {
    let none: CaptureOptions = toml::from_str("").unwrap();
    assert_eq!(none, CaptureOptions::default());
    let text = "format = 'MJPEG'\nwidth = 1280\nheight = 960\nloop = true\ncrop = { x = 1, y = 2, width = 300, height = 400 }";
    let some: CaptureOptions = toml::from_str(text).unwrap();
    let crop = Crop { x: 1, y: 2, width: 300, height: 400 };
    assert_eq!((some.format, some.size(), some.repeat), (Some(Encoding::Mjpeg), Some((1280, 960)), true));
    assert_eq!((some.crop, some.quiet_ms), (Some(crop), 500));
    let misspelt = toml::from_str::<CaptureOptions>("widht = 1").unwrap_err();
    assert_contains(&misspelt.to_string(), &["unknown field `widht`"]);
    assert!(toml::from_str::<CaptureOptions>("format = 'H264'").is_err());
}

#[test]
fn options_that_no_source_can_meet_are_refused() {
    let error = |options: CaptureOptions| match open(&options) {
        Ok(_) => panic!("{options:?} was taken"),
        Err(error) => error.to_string(),
    };
    let half = error(CaptureOptions { width: Some(640), ..Default::default() });
    assert_eq!(half, "width and height go together; give both, or none to let the camera choose");
    let small = error(CaptureOptions { width: Some(640), height: Some(8), ..Default::default() });
    assert_eq!(small, "width, height: expected sides of 32 to 8000 pixels, got 640x8; choose another size");
    let crop = error(CaptureOptions { crop: "0,0,10,100".parse().ok(), ..Default::default() });
    assert!(crop.starts_with("crop: expected sides of 32 to 8000 pixels, got 10x100"), "{crop}");
}
