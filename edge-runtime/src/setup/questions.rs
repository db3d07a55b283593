//! Questions on a terminal: each with what holds now, asked again until the answer is one.

use super::delivery::{Delivery, Site, or_none};
use super::wishes::{Lines, Wishes};
use crate::capture::{CameraInfo, Crop, SourceSpec};
use crate::config::{self, Config};
use std::io::{self, BufRead, ErrorKind, Write};
use std::path::Path;
use std::str::FromStr;
use texts::Language;

/// Whoever answers, and where the questions are written.
#[derive(Debug)]
pub struct Questions<R, W> {
    input: R,
    output: W,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    pub fn new(input: R, output: W) -> Self {
        Self { input, output }
    }

    /// Asks for all that `given` does not say. `now` is what holds; `look` takes a picture through
    /// a source and says what is on it.
    ///
    /// # Errors
    /// The answers ended, or the terminal is gone.
    pub fn ask_all(
        &mut self,
        given: Wishes,
        now: &Config,
        cameras: &[CameraInfo],
        mut look: impl FnMut(&SourceSpec, Option<Crop>, &Path) -> Result<String, String>,
    ) -> io::Result<Wishes> {
        writeln!(self.output, "Enter alone leaves a value as it is.\n")?;
        let mut wishes = given;
        if wishes.name.is_none() {
            wishes.name = self.ask("Name of this device", &now.device.name, |text| Ok(text.to_owned()))?;
        }
        if wishes.language.is_none() {
            let all = Language::ALL.map(|language| format!("{language} {}", language.native_name()));
            writeln!(self.output, "Languages: {}", all.join(", "))?;
            wishes.language = self.ask("Language of the terminal", now.device.language.code(), parsed)?;
        }
        if wishes.source.is_none() {
            wishes.source = self.source(now, cameras)?;
        }
        let source = wishes.source.as_ref().unwrap_or(&now.capture.source).clone();
        if wishes.crop.is_none() && source.is_live() {
            self.look(&source, None, &mut look)?;
            let crop = now.capture.crop.map_or("none".to_owned(), |crop| crop.to_string());
            let question =
                "Rectangle of the film as X,Y,WIDTH,HEIGHT in pixels, or none for the whole picture";
            wishes.crop = self.ask(question, &crop, Wishes::crop)?;
            if let Some(Some(crop)) = wishes.crop {
                self.look(&source, Some(crop), &mut look)?;
            }
        }
        if wishes.lines.is_none() {
            let lines: Vec<_> = now.lights.lines().map(|(key, line)| format!("{key}={line}")).collect();
            let lines = if lines.is_empty() { "none".to_owned() } else { lines.join(", ") };
            let question = "Lines of the lights: none, raspberry-pi, or such as \
                            red=GPIO17,amber=GPIO27,green=GPIO22,heartbeat=GPIO23,button=GPIO25:low";
            wishes.lines = self.ask(question, &lines, parsed::<Lines>)?;
        }
        if wishes.prevalence.is_none() && now.model.site.is_none() {
            let share = now.site.prevalence.map_or("none".to_owned(), |share| share.to_string());
            let question =
                "Share of patients here that have the disease, such as 0.1, or none for the model's own";
            wishes.prevalence = self.ask(question, &share, Wishes::prevalence)?;
        }
        if wishes.screen.is_none() {
            let now = match &now.screen {
                config::Screen { folder: None, .. } => "off",
                config::Screen { acknowledge: None, .. } => "on",
                _ => "acknowledge",
            };
            let question = "Pages for a screen (package pneumoscope-screen): off, on, or acknowledge, \
                            where a tap says that an answer was seen";
            wishes.screen = self.ask(question, now, parsed)?;
        }
        Ok(wishes)
    }

    /// Asks where delivery sends to. `now` is what holds, all of it; an archive is asked for where the
    /// device watches a folder, since only files have a study.
    ///
    /// # Errors
    /// As of [`Self::ask_all`].
    pub fn ask_delivery(&mut self, given: Delivery, now: &Delivery, folder: bool) -> io::Result<Delivery> {
        let mut wishes = given;
        let or_nobody = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        let broker = |wishes: &Delivery| wishes.broker.clone().or_else(|| now.broker.clone()).flatten();
        let archive = |wishes: &Delivery| wishes.archive.clone().or_else(|| now.archive.clone()).flatten();
        if wishes.broker.is_none() {
            let question = "Broker that gets the answers by MQTT (package pneumoscope-deliver), such as \
                            mqtts://broker.example:8883, or none";
            let holds = or_nobody(broker(&wishes).map(|broker| broker.to_string()));
            wishes.broker = self.ask(question, &holds, or_none)?;
        }
        if wishes.archive.is_none() && folder {
            let question =
                "Archive that gets reports on DICOM files, such as ARCHIVE@pacs.example:11112, or none";
            let holds = or_nobody(archive(&wishes).map(|archive| archive.to_string()));
            wishes.archive = self.ask(question, &holds, or_none)?;
        }
        if wishes.site.is_none() && broker(&wishes).is_some() {
            let holds = now.site.as_ref().map_or(String::new(), Site::to_string);
            wishes.site = self.ask("Name of this place in the broker's topics", &holds, parsed)?;
        }
        Ok(wishes)
    }

    /// Whether somebody says yes; Enter alone does not.
    ///
    /// # Errors
    /// As of [`Self::ask_all`].
    pub fn agrees(&mut self, question: &str) -> io::Result<bool> {
        let answer = self.ask(question, "no", |text| match text {
            "yes" | "y" => Ok(true),
            "no" | "n" => Ok(false),
            other => Err(format!("expected yes or no, got {other:?}")),
        })?;
        Ok(answer == Some(true))
    }

    fn source(&mut self, now: &Config, cameras: &[CameraInfo]) -> io::Result<Option<SourceSpec>> {
        let usable: Vec<_> = cameras.iter().filter(|camera| camera.problem.is_none()).collect();
        for (number, camera) in (1..).zip(&usable) {
            writeln!(self.output, "  {number}  {} ({})", camera.card, camera.path.display())?;
        }
        for camera in cameras.iter().filter(|camera| camera.problem.is_some()) {
            let problem = camera.problem.as_deref().unwrap_or_default();
            writeln!(self.output, "  -  {}: {problem}", camera.path.display())?;
        }
        let choose = |text: &str| match text.parse::<usize>() {
            Ok(number) => {
                let camera = number.checked_sub(1).and_then(|at| usable.get(at));
                let source = camera.map(|camera| SourceSpec::V4l2(camera.card.clone()));
                source.ok_or(format!("expected a number from 1 to {}, got {number}", usable.len()))
            }
            Err(_) => parsed(text),
        };
        let question =
            "Camera: its number here, or v4l2:NAME, folder:DIR; a program's command stands in the file";
        self.ask(question, &now.capture.source.to_string(), choose)
    }

    fn look(
        &mut self,
        source: &SourceSpec,
        crop: Option<Crop>,
        look: &mut impl FnMut(&SourceSpec, Option<Crop>, &Path) -> Result<String, String>,
    ) -> io::Result<()> {
        let question = "Look through the camera now? A file for the picture, such as look.png, or no";
        let file = self.ask(question, "no", |text| Ok(text.to_owned()))?;
        let Some(file) = file.filter(|file| file != "no") else { return Ok(()) };
        match look(source, crop, Path::new(&file)) {
            Ok(said) => writeln!(self.output, "{said}"),
            Err(error) => writeln!(self.output, "That did not work: {error}"),
        }
    }

    /// One question; none where `now` is to stay.
    fn ask<T>(
        &mut self,
        question: &str,
        now: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<Option<T>> {
        loop {
            write!(self.output, "{question} [{now}]: ")?;
            self.output.flush()?;
            let mut answer = String::new();
            if self.input.read_line(&mut answer)? == 0 {
                let ended = "the answers ended before the questions; nothing was written";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, ended));
            }
            match answer.trim() {
                "" => return Ok(None),
                answer => match parse(answer) {
                    Ok(value) => return Ok(Some(value)),
                    Err(why) => writeln!(self.output, "{why}")?,
                },
            }
        }
    }
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
