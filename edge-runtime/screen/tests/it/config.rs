//! The configuration: the packaged file is the default, and what is wrong is said with what is right.

use base::config::Configuration;
use screen::config::Config;

const PACKAGED: &str = include_str!("../../packaging/screen.toml");

fn read(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("screen.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(&file).map_err(|error| error.to_string())
}

#[test]
fn the_packaged_file_is_the_default_with_every_key() {
    assert_eq!(read(PACKAGED).unwrap(), Config::default());
    assert_eq!(read("").unwrap(), Config::default());
    let all = toml::Table::try_from(Config::default()).unwrap();
    let packaged: toml::Table = PACKAGED.parse().unwrap();
    assert_eq!(packaged, all, "a key is missing there, or has another value");
    // Its examples are good ones.
    let examples: String = PACKAGED
        .lines()
        .filter(|line| !["listen =", "names ="].iter().any(|key| line.starts_with(key)))
        .map(|line| format!("{}\n", if line.contains(" = ") { line.trim_start_matches('#') } else { line }))
        .collect();
    assert!(read(&examples).is_ok(), "{:?}", read(&examples));
}

#[test]
fn what_is_wrong_is_said_with_what_was_expected() {
    for (text, parts) in [
        ("[server]\nlisten = []", &["server.listen", "expected 1 to 8", "got 0"][..]),
        ("[server]\nlisten = [\"localhost\"]", &["screen.toml:2", "invalid socket address"]),
        ("[server]\nlisen = []", &["screen.toml:2", "there is no key `lisen`", "`listen`"]),
        ("[server]\nnames = [\"a:1\"]", &["server.names", "\"a:1\"", "leave out port"]),
        ("[display]\nlanguage = \"de\"", &["en, fr, es, pt, sw", "\"de\""]),
        ("[display]\nutc_offset = \"3\"", &["+03:00", "\"3\""]),
        ("[display]\nutc_offset = \"+15:00\"", &["-14:59 to +14:59"]),
        ("[access]\nsession_minutes = 0", &["1 to 10080", "got 0"]),
        ("[access]\npin = \"123456\"", &["there is no key `pin`"]),
    ] {
        let error = read(text).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
}

#[test]
fn local_time_is_ahead_of_utc_by_the_offset() {
    let local = |offset: &str| {
        let text = format!("[display]\nutc_offset = {offset:?}");
        read(&text).unwrap().display.utc_offset.local(1_795_987_200_000).unwrap()
    };
    let told = |day: &str, time: &str| (day.to_owned(), time.to_owned());
    assert_eq!(local("+00:00"), told("2026-11-29", "21:20"));
    assert_eq!(local("+03:00"), told("2026-11-30", "00:20"));
    assert_eq!(local("-04:30"), told("2026-11-29", "16:50"));
    let offset = Config::default().display.utc_offset;
    assert_eq!(offset.local(u64::MAX), None);
}

#[test]
fn help_has_examples_and_a_missing_file_is_said() {
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(crate::support::program()).args(arguments).output();
        let output = output.unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, told) = run(&["--help"]);
    assert!(code == Some(0) && told.contains("Examples:") && told.contains("set-pin"), "{told}");
    let (code, told) = run(&["--config", "/nothing.toml", "check-config"]);
    assert!(code == Some(5) && told.contains("/nothing.toml"), "{told}");
}
