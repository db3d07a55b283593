//! Debian's Chromium over the DevTools protocol, by way of a script in Node.

use edge_core::State;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The browser, ended when dropped.
pub struct Browser {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// A browser of its own, with an empty profile and without a display.
    pub fn start() -> Self {
        Self::of(&[])
    }

    /// The one that this command starts, and the page that it shows.
    pub fn of(command: &[String]) -> Self {
        let packages =
            std::env::var("PNEUMOSCOPE_SCREEN_BROWSER").expect("`cargo xtask test screen` sets it");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/browser.mjs");
        let mut node = Command::new("node");
        node.arg(script).arg(packages).args(command).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// Has it do what `browser.mjs` lists, and gives its answer.
    pub fn does(&mut self, what: &str, how: impl Into<Value>) -> Value {
        let (how, mut line) = (how.into(), String::new());
        writeln!(self.stdin.as_mut().unwrap(), "{}", json!({ what: how })).unwrap();
        assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the browser ended");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer.get("failed"), None, "{what} {how}");
        answer["value"].take()
    }

    /// The value of a script's expression.
    pub fn ask(&mut self, expression: &str) -> Value {
        self.does("ask", expression)
    }

    /// What the rules of accessibility, the console and the page's width say against it.
    pub fn complaints(&mut self) -> Vec<String> {
        let list = |value: Value| -> Vec<String> { serde_json::from_value(value).unwrap() };
        let mut all = list(self.does("axe", true));
        all.extend(list(self.does("errors", true)));
        let wide = self.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if wide.as_i64() != Some(0) {
            all.push(format!("the page is {wide} pixels wider than the window"));
        }
        all
    }

    /// The state that is shown, in lower case.
    pub fn state(&mut self) -> Option<String> {
        self.ask("document.querySelector('.word')?.dataset.state").as_str().map(str::to_owned)
    }

    /// Waits until the page shows this state.
    pub fn shows(&mut self, state: State) -> Result<(), Option<String>> {
        self.shows_within(state, 500)
    }

    /// The same, asked so many times.
    pub fn shows_within(&mut self, state: State, times: u32) -> Result<(), Option<String>> {
        match self.shows_class(&state.name().to_lowercase(), times) {
            true => Ok(()),
            false => Err(self.state()),
        }
    }

    /// Whether the page comes to show the answer that the style knows by this class.
    pub fn shows_class(&mut self, class: &str, times: u32) -> bool {
        (0..times).any(|_| {
            let shown = self.state().as_deref() == Some(class);
            if !shown {
                std::thread::sleep(Duration::from_millis(10));
            }
            shown
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Where a page is, at this port of the loopback.
pub fn url(port: u16, path: &str) -> String {
    format!("http://127.0.0.1:{port}{path}")
}
