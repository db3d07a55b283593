//! What a board's checklist says, put together from the lines of its log: a table, and a picture.

use anyhow::Context;
use board_config::Board;
use comfy_table::{Table, presets};
use emulation::chip::Line;
use serde::Serialize;
use std::path::Path;

/// A check's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub check: String,
    /// `passed`, `failed` or `skipped`.
    pub outcome: String,
    pub expected: String,
    pub came: String,
    /// The wires to look at with their pins, such as `d3 (GP9)`.
    pub wires: Vec<String>,
    /// What may be wrong; empty where nothing is.
    pub look: String,
}

/// Grey pixels as they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    /// None where it has not come.
    pixels: Vec<Option<u8>>,
}

/// All that came so far.
#[derive(Debug, Default, Serialize)]
pub struct Checklist {
    /// The firmware's version, from its first line.
    pub firmware: Option<String>,
    pub checks: Vec<Check>,
    /// The last line came.
    pub done: bool,
    #[serde(skip)]
    pub picture: Option<Picture>,
}

impl Checklist {
    /// Takes the next line of the log; the check that it says, if it says one.
    pub fn take(&mut self, line: &Line, board: &Board) -> Option<&Check> {
        match line.kind() {
            // The board started anew: but for the watchdog's line after it, nothing counts.
            "bring-up" => {
                *self = Self { firmware: line.get("firmware").map(Into::into), ..Self::default() };
                None
            }
            "check" => {
                self.checks.push(check(line, board)?);
                self.checks.last()
            }
            "picture" => {
                let [width, height] = ["width", "height"].map(|key| line.number(key));
                let (width, height) = (u16::try_from(width?).ok()?, u16::try_from(height?).ok()?);
                let pixels = vec![None; usize::from(width) * usize::from(height)];
                self.picture = Some(Picture { width: width.into(), height: height.into(), pixels });
                None
            }
            "pixels" => {
                let picture = self.picture.as_mut()?;
                let start = line.number("row")? * u64::from(picture.width) + line.number("column")?;
                let (_, values) = line.text.split_once("values=[")?;
                let values = values.trim_end_matches(']').split(", ").map(|value| value.parse().ok());
                for (at, value) in (usize::try_from(start).ok()?..).zip(values) {
                    *picture.pixels.get_mut(at)? = value;
                }
                None
            }
            "done" => {
                self.done = true;
                None
            }
            _ => None,
        }
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.outcome == "failed").count()
    }

    /// All checks, a line each.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["Check", "Result", "Expected", "Came", "Wires", "Look at"]);
        for Check { check, outcome, expected, came, wires, look } in &self.checks {
            let result = if outcome == "failed" { "FAILED" } else { outcome.as_str() };
            table.add_row([check, result, expected, came, &wires.join(", "), look]);
        }
        table
    }
}

fn check(line: &Line, board: &Board) -> Option<Check> {
    // In words, so it comes last.
    let (_, look) = line.text.split_once(" look=")?;
    let with_pin = |wire: &str| match board.wires.get(wire) {
        Some(pin) => format!("{wire} ({pin})"),
        None => wire.to_owned(),
    };
    let word = |key: &str| line.get(key).map(ToOwned::to_owned);
    Some(Check {
        check: word("check")?,
        outcome: word("outcome")?,
        expected: word("expected")?,
        came: word("came")?,
        wires: line.get("wires")?.split(',').filter(|wire| !wire.is_empty()).map(with_pin).collect(),
        look: look.to_owned(),
    })
}

impl Picture {
    /// Pixels that have not come.
    pub fn missing(&self) -> usize {
        self.pixels.iter().filter(|pixel| pixel.is_none()).count()
    }

    /// Writes it as PNG, black where pixels are missing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Grayscale);
        let pixels: Vec<u8> = self.pixels.iter().map(|pixel| pixel.unwrap_or(0)).collect();
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        edge_model::files::write(path, &file).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emulation::chip::{Chip, IN_USE};
    use std::collections::BTreeMap;
    use std::sync::PoisonError;

    fn line(text: &str) -> Line {
        Line { time: "7".into(), text: text.into() }
    }

    fn board() -> Board {
        board_config::find(&flash::boards_folder(), "rp2350").unwrap().1
    }

    fn of(lines: &[&str]) -> Checklist {
        let (mut list, board) = (Checklist::default(), board());
        for text in lines {
            list.take(&line(text), &board);
        }
        list
    }

    const START: &str = "bring-up firmware=0.1.0 board=rp2350";
    const GOOD: &str = "check=records outcome=passed expected=kept came=kept wires=, look=";
    const BAD: &str =
        "check=pattern outcome=failed expected=244 came=0 wires=d3, look=this data line is always low";

    #[test]
    fn wires_get_their_pins_and_words_stay_whole() {
        let list = of(&[
            START,
            GOOD,
            BAD,
            "check=watchdog outcome=passed expected=reset came=reset wires=, look=",
            "done",
        ]);
        assert_eq!((list.firmware.as_deref(), list.done, list.failed()), (Some("0.1.0"), true, 1));
        let pattern = &list.checks[1];
        assert_eq!(
            (pattern.wires.as_slice(), pattern.look.as_str()),
            (&["d3 (GP9)".into()][..], "this data line is always low")
        );
        assert!(list.checks[0].wires.is_empty());
        let table = list.table().to_string();
        assert!(table.contains("FAILED") && table.contains("d3 (GP9)"), "{table}");
        let json = serde_json::to_value(&list).unwrap();
        assert_eq!((&json["checks"][1]["wires"][0], &json["done"]), (&"d3 (GP9)".into(), &true.into()));
    }

    /// Rows of the wiring table: a wire, and its pin on each board.
    fn documented(text: &str) -> Vec<Vec<&str>> {
        let (_, table) = text.split_once("| wire |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('|').map(str::trim).skip(1).take(4).collect()).collect()
    }

    #[test]
    fn the_wiring_table_has_the_pins_of_the_boards() {
        let folder = flash::boards_folder();
        let text = std::fs::read_to_string(folder.join("../../docs/BRING-UP.md")).unwrap();
        let rows = documented(&text);
        for (column, name) in ["stm32h7", "rp2350", "nrf52840"].into_iter().enumerate() {
            let wires = board_config::find(&folder, name).unwrap().1.wires;
            let pins = rows.iter().map(|row| (row[0].to_owned(), row[column + 1].to_owned()));
            assert_eq!(pins.filter(|(_, pin)| !pin.is_empty()).collect::<BTreeMap<_, _>>(), wires, "{name}");
        }
        assert!(rows.len() >= 20);
    }

    #[test]
    fn what_was_before_a_start_does_not_count_and_a_cut_line_is_none() {
        let list = of(&[START, BAD, START, GOOD]);
        assert_eq!((list.checks.len(), list.failed(), list.done), (1, 0, false));
        for length in 0..GOOD.len() - 1 {
            assert!(of(&[START, &GOOD[..length]]).checks.is_empty(), "{length}");
        }
    }

    #[test]
    fn a_picture_is_what_came_and_says_what_is_missing() {
        let rows = [
            "pixels row=0 column=0 values=[1, 2]",
            "pixels row=0 column=2 values=[3]",
            "pixels row=1 column=1 values=[250, 9]",
        ];
        let list = of(&[&["picture width=3 height=2"], &rows[..]].concat());
        let picture = list.picture.unwrap();
        assert_eq!(picture.missing(), 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        picture.write(&path).unwrap();
        let read = image::open(&path).unwrap().into_luma8();
        assert_eq!((read.dimensions(), read.into_raw()), ((3, 2), vec![1, 2, 3, 0, 250, 9]));
        // Beyond its end nothing is written.
        let list = of(&["picture width=3 height=2", "pixels row=2 column=0 values=[1]"]);
        assert_eq!(list.picture.unwrap().missing(), 6);
    }

    /// The whole way of a line, from the checklist on a chip through its log: each check, the
    /// watchdog's over a reset, and the picture.
    #[test]
    #[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
    fn an_emulated_chip_goes_through_the_checklist() {
        const SIZE: (u32, u32) = (150, 40);
        let _alone = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(".cache/chip");
        std::fs::create_dir_all(toolbox::root().join(folder)).unwrap();
        let pixels: Vec<u8> = (0..SIZE.0 * SIZE.1).map(|at| (at * 7 / 5) as u8).collect();
        std::fs::write(toolbox::root().join(folder).join("ramp.rows"), &pixels).unwrap();
        let frame = format!(
            "quiet 6000\npress\nframe {}/ramp.rows {} {} gray8 1\n",
            folder.display(),
            SIZE.0,
            SIZE.1
        );
        let chip = Chip::bring_up("an386").unwrap();
        let go = |script: &str| {
            let run = chip.run(folder, &chip.flash(&[]).unwrap(), script).unwrap();
            assert_eq!((run.status, run.complaint.as_str()), (0, ""));
            let mut list = Checklist::default();
            for line in &run.log {
                list.take(line, &chip.board);
            }
            list
        };
        let outcomes = |list: &Checklist| {
            let failed = list.checks.iter().filter(|check| check.outcome == "failed");
            failed.map(|check| format!("{} {}", check.check, check.wires.join(","))).collect::<Vec<_>>()
        };
        let good = go(&frame);
        assert_eq!((outcomes(&good), good.checks.len(), good.done), (vec![], 11, true), "{}", good.table());
        let last = good.checks.last().unwrap();
        assert_eq!((last.check.as_str(), last.outcome.as_str()), ("watchdog", "passed"));
        let picture = good.picture.unwrap();
        assert_eq!((picture.width, picture.height), SIZE);
        assert_eq!(picture.pixels, pixels.into_iter().map(Some).collect::<Vec<_>>());
        // A line that does not follow, and a button that nobody presses.
        let bad = go(&format!("break green\n{}", frame.replace("press\n", "quiet 30000\n")));
        assert_eq!(outcomes(&bad), ["lamp-green green", "button button"]);
    }
}
