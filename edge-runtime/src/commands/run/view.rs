//! What is seen of the device on its standard output: words for a person, a line of JSON a picture for
//! a program.

use crate::report::{self, Output};
use edge_core::State;
use edge_model::prevalence::PriorShift;
use edge_runtime::capture::now_ms;
use edge_runtime::config::{self, Config};
use edge_runtime::log::{Context, Hash};
use edge_runtime::run::{JudgedFrame, StepReport};
use edge_runtime::signal::{self, Terminal};
use serde::Serialize;
use std::io::{self, IsTerminal, Stdout};

/// What is seen on the screen: for a person what the lights show in words, for a program every
/// answered frame.
pub(super) struct View {
    context: Context,
    /// A person's; none for a program.
    terminal: Option<Terminal<Stdout>>,
    /// Whether names of files may be kept.
    names: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    shown: Option<State>,
    shown_reason: Option<String>,
    state: State,
    score: Option<f32>,
    logit: Option<f32>,
    reason: String,
    reason_code: u8,
    frame_sha256: Option<String>,
    #[serde(flatten)]
    case: Option<CaseLine<'a>>,
    latency_us: u128,
    model_sha256: &'a str,
    model_version: &'a str,
    /// A site's limit of what is familiar; none where the model's own holds.
    familiar_widened_to: Option<i32>,
    negative_below: f32,
    positive_above: f32,
    /// By which score and thresholds were moved; none where they are the model's own.
    prior: Option<PriorShift>,
}

/// Of a file in a watched folder: whose it is, and what is shown of its case when its turn comes.
#[derive(Serialize)]
struct CaseLine<'a> {
    /// Where names may be kept; else their hashes.
    name: Option<&'a str>,
    name_sha256: Option<Hash>,
    study: Option<&'a str>,
    study_sha256: Option<Hash>,
    pictures: u16,
    case_state: State,
    /// Whose answer `shown` is, as `study` has it: it may be another's. Neither where it is
    /// nobody's, such as a fault, or a reminder of answers that nobody has acknowledged.
    shown_study: Option<&'a str>,
    shown_study_sha256: Option<Hash>,
    /// Cases whose turn is still to come, and those that were shown and need a person.
    waiting: u32,
    need_person: u32,
}

impl View {
    pub fn new(config: &Config, context: &Context, output: Output) -> Self {
        let out = io::stdout();
        let (live, colours) = (out.is_terminal(), report::colours());
        let terminal = match output {
            Output::Json => None,
            Output::Text => {
                let config::Device { name, language } = &config.device;
                Some(Terminal::new(out, live, colours, name, *language))
            }
        };
        let names = config.log.names;
        let terminal = terminal.map(|terminal| if names { terminal.with_names() } else { terminal });
        Self { context: context.clone(), terminal, names }
    }

    /// A file's name, or its hash where names may not be kept: standard error is a service's journal.
    pub fn name(&self, name: &str) -> String {
        if self.names { name.to_owned() } else { format!("#{:.12}", Hash::of(name.as_bytes()).to_string()) }
    }

    fn case<'a>(&self, report: &'a StepReport) -> Option<CaseLine<'a>> {
        let (name, case) = report.answered.as_ref()?.case.as_ref()?;
        let cases = report.cases.as_ref()?;
        let whose = report.shown.and_then(|shown| cases.whose(shown.state));
        let told = |text: &'a str| {
            if self.names { (Some(text), None) } else { (None, Some(Hash::of(text.as_bytes()))) }
        };
        let ((name, name_sha256), (study, study_sha256)) = (told(name), told(&case.study));
        let (shown_study, shown_study_sha256) = whose.map(|case| told(&case.study)).unwrap_or_default();
        Some(CaseLine {
            name,
            name_sha256,
            study,
            study_sha256,
            pictures: case.pictures,
            case_state: case.answer.state,
            shown_study,
            shown_study_sha256,
            waiting: cases.view.waiting,
            need_person: cases.view.need_person,
        })
    }

    /// An error says that a program does not take the lines; whoever only looks may go away.
    pub fn show(&mut self, report: &StepReport) -> io::Result<()> {
        let context = &self.context;
        if let Some(terminal) = &mut self.terminal {
            let answer = signal::ScreenLine {
                shown: report.shown,
                score: report.score,
                thresholds: context.thresholds,
                model_sha256: &context.model_sha256,
                cases: report.cases.as_ref(),
            };
            // A screen that has gone ends no device.
            let _ = terminal.show(&answer, now_ms());
            return Ok(());
        }
        let Some(JudgedFrame { decision, input, latency, .. }) = &report.answered else { return Ok(()) };
        report::json(&Line {
            shown: report.shown.map(|shown| shown.state),
            shown_reason: report.shown.map(|shown| shown.reason.to_string()),
            state: decision.state,
            score: decision.score,
            logit: decision.logit,
            reason: decision.reason.to_string(),
            reason_code: decision.reason.code(),
            frame_sha256: input.map(|input| input.to_string()),
            case: self.case(report),
            latency_us: latency.as_micros(),
            model_sha256: &context.model_sha256,
            model_version: &context.model_version,
            familiar_widened_to: context.familiar_widened_to,
            negative_below: context.thresholds.negative_below,
            positive_above: context.thresholds.positive_above,
            prior: context.prior,
        })
    }
}
