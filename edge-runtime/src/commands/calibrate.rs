//! `edge-runtime calibrate`: thresholds for this site, from pictures that a person has read here.

use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use edge_core::{Reason, State};
use edge_model::classify::{Classifier, Inference};
use edge_model::decode;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use edge_runtime::log::{Entry, Reader};
use edge_runtime::site::{
    self, Case, FORMAT, Familiarity, Judged, LoggedPictures, Operating, Rate, Rule, SiteFile, Targets,
    WidenError, Widening,
};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const HELP: &str = "\
The list is CSV with a header: `path` (or `name`), `label` (NORMAL or PNEUMONIA, or 0 or 1), and perhaps `score`. Scores come
from the column `score` where there is one: they must be this model's. With --log they come from a device's log, joined by the
picture's path or file name; the last decision on a picture counts. A row that fits two pictures of the log, and two rows that fit
one, are refused. Else each picture is classified now, its path taken from the list's folder.

A picture that the model refers as unfamiliar counts for nothing (a column `score` does not tell which are), unless
--widen-familiar lets it in: then a device with the site file answers on it. That takes --choose bound, a log or the pictures
themselves, and of those that it lets in at least 189 ill and 73 healthy (at the usual shares): with fewer, not even a model
without an error could be shown to keep to them. The intervals on these very pictures must keep to the shares, and the lower
end of their AUC's to 0.9; else nothing is written. What the gate refuses stays INVALID.

One picture a patient, please: intervals count pictures as independent. Sensitivity and specificity have Wilson's 95 % intervals;
predictive values follow by Bayes' rule at --prevalence, with intervals from both. Without --prevalence the share in the list
is taken, which is right only if the list holds the patients as they came.

Examples:
  edge-runtime calibrate --labels site.csv                              only the table
  edge-runtime calibrate --labels site.csv --prevalence 0.08 --out site.toml
  edge-runtime calibrate --labels read.csv --log device.log --max-missed 0.05 --choose bound --out site.toml
  edge-runtime calibrate --labels read.csv --log device.log --choose bound --widen-familiar 0.05 --out site.toml

With too few pictures it refuses, and says how many are needed.";

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Calibrate {
    /// The pictures that were read, and what they show.
    #[arg(long, value_name = "CSV")]
    labels: PathBuf,
    /// Take the scores from this log.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Share of patients here that have the disease. [default: the share in the list]
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
    /// Greatest share of the ill that may be called NEGATIVE.
    #[arg(long, value_name = "SHARE", default_value_t = Targets::default().max_missed)]
    max_missed: f64,
    /// Greatest share of the healthy that may be called POSITIVE.
    #[arg(long, value_name = "SHARE", default_value_t = Targets::default().max_false_alarms)]
    max_false_alarms: f64,
    /// What must keep to these shares: the estimate, or the upper bound of its 95 % interval.
    #[arg(long, value_name = "WHAT", default_value = "estimate", value_parser = rule())]
    choose: Rule,
    /// Have pictures answered that the model refers as unfamiliar, so that at most this share of the list
    /// stays so.
    #[arg(long, value_name = "SHARE")]
    widen_familiar: Option<f64>,
    /// Where it was made, in free words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    site: String,
    /// Who made it, in free words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    by: String,
    /// The site file to write; without it only the table is shown.
    #[arg(long, value_name = "TOML")]
    out: Option<PathBuf>,
}

fn rule() -> impl TypedValueParser<Value = Rule> {
    let names = PossibleValuesParser::new(["estimate", "bound"]);
    names.map(|name| if name == "bound" { Rule::Bound } else { Rule::Estimate })
}

#[derive(Serialize)]
struct CalibrateOutput<'a> {
    table: &'a [Operating],
    chosen: &'a SiteFile,
    /// Pictures of the list without a score, and why; they do not count.
    left_out: &'a [LeftOut],
    out: Option<String>,
    notice: &'static str,
}

#[derive(Serialize)]
struct LeftOut {
    line: u64,
    name: String,
    #[serde(flatten)]
    cause: Unscored,
}

pub fn run(model: &ModelFile, engine: EngineKind, options: &Calibrate, output: Output) -> Result<Outcome> {
    let labels = options.labels.display();
    let file = File::open(&options.labels).with_context(|| format!("cannot read {labels}"))?;
    let cases = site::read(file).with_context(|| format!("{labels} cannot be used"))?;
    let (judged, mut left_out) = score(model, engine, options, &cases)?;
    let &Calibrate { max_missed, max_false_alarms, choose: rule, .. } = options;
    let targets = Targets { max_missed, max_false_alarms, rule };
    for LeftOut { line, name, cause } in left_out.iter().filter(|left| !left.cause.refused) {
        report::error(&format!("{labels}, line {line}: {name}: {}; left out", cause.why));
    }
    let pictures: Vec<Judged> = judged.iter().map(|(_, picture)| *picture).collect();
    let own = model.metadata().gate.familiar.least;
    let answered_as_widened =
        |p: &Judged| matches!(p.familiarity, Some(Familiarity::AtLeast(limit)) if limit < own);
    ensure!(
        options.widen_familiar.is_some() || !pictures.iter().any(answered_as_widened),
        "the log was written under a widened limit of what is familiar and does not tell which pictures the \
         model itself would refer; add --widen-familiar, or measure the pictures in their folder"
    );
    let widening = "nothing is widened";
    let least = match options.widen_familiar {
        Some(_) if rule != Rule::Bound => return Err(WidenError::Rule).context(widening),
        Some(share) => site::widened_limit(&pictures, own, share).context(widening)?,
        None => own,
    };
    let (familiar, unfamiliar): (Vec<_>, Vec<_>) = judged.iter().partition(|(_, p)| p.is_familiar(least));
    left_out.extend(unfamiliar.into_iter().map(|(case, _)| LeftOut {
        line: case.line,
        name: case.name.clone(),
        cause: Unscored { why: "unfamiliar: a device refers it".to_owned(), refused: true },
    }));
    let scored: Vec<(f32, bool)> = familiar.into_iter().map(|(_, p)| (p.score, p.label)).collect();
    let chosen = site::choose(&scored, &targets).with_context(|| format!("no thresholds from {labels}"))?;
    let widen = |share| site::widen(&pictures, (own, least), share, &chosen, &targets);
    let widening: Option<Widening> = options.widen_familiar.map(widen).transpose().context(widening)?;

    let positives = scored.iter().filter(|(_, label)| *label).count();
    let prevalence = options.prevalence.unwrap_or(positives as f64 / scored.len() as f64);
    ensure!(
        prevalence > 0.0 && prevalence < 1.0,
        "--prevalence: expected a share between 0 and 1, got {prevalence}"
    );
    let row = |threshold, negative: bool| {
        let called = move |score| if negative { score >= threshold } else { score > threshold };
        Operating::new(threshold, &scored, prevalence, called)
            .ok_or_else(|| anyhow!("no pictures of both kinds"))
    };
    let site = SiteFile {
        format: FORMAT,
        model_sha256: model.sha256().to_owned(),
        model: format!("{} {}", model.metadata().name, model.metadata().version),
        site: options.site.clone(),
        by: options.by.clone(),
        date: jiff::Timestamp::try_from(std::time::SystemTime::now())?
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
        positives,
        negatives: scored.len() - positives,
        prevalence,
        negative_below: chosen.negative_below,
        positive_above: chosen.positive_above,
        targets,
        negative_light: row(chosen.negative_below, true)?,
        positive_light: row(chosen.positive_above, false)?,
        widening,
    };
    let table = (1..20).map(|i| row(i as f32 / 20.0, false)).collect::<Result<Vec<_>>>()?;
    if let Some(out) = &options.out {
        site.save(out)?;
    }
    let answer = CalibrateOutput {
        table: &table,
        chosen: &site,
        left_out: &left_out,
        out: options.out.as_ref().map(|out| out.display().to_string()),
        notice: report::NOTICE,
    };
    report::answer(output, &answer, |out| print(out, &answer, model, options))?;
    let complete = left_out.iter().all(|left| left.cause.refused);
    Ok(if complete { Outcome::Complete } else { Outcome::Incomplete })
}

/// Each picture that the model judged, with its row of the list.
type JudgedCases<'c> = Vec<(&'c Case, Judged)>;

/// The pictures that the model judged, and those without a score.
fn score<'c>(
    model: &ModelFile,
    engine: EngineKind,
    options: &Calibrate,
    cases: &'c [Case],
) -> Result<(JudgedCases<'c>, Vec<LeftOut>)> {
    let mut logged = options.log.as_deref().map(|log| from_log(log, model)).transpose()?;
    let folder = options.labels.parent().unwrap_or(Path::new(""));
    let mut classifier = None;
    let progress = report::progress(cases.len() as u64, "pictures");
    let (mut scored, mut left_out) = (Vec::new(), Vec::new());
    for case in cases {
        let found = match (&mut logged, case.score) {
            (Some(logged), _) => {
                let labels = options.labels.display();
                let found =
                    logged.take(case.line, &case.name).with_context(|| format!("{labels} cannot be used"))?;
                found.cloned().unwrap_or_else(|| Err(Unscored::wrong("not in the log with this model")))
            }
            (None, Some(score)) => Ok((score, None)),
            (None, None) => {
                let classifier = match &mut classifier {
                    Some(classifier) => classifier,
                    none => none.insert(Classifier::new(model, model::engine(engine, model)?)),
                };
                decode::open(folder.join(&case.name))
                    .map_err(Unscored::wrong)
                    .and_then(|picture| {
                        let classified = classifier.classify_unless(&picture.frame(), picture.refused());
                        classified.map_err(Unscored::wrong)
                    })
                    .and_then(|Inference { decision: d, figures, .. }| {
                        let score = judged(d.state.name(), d.score, d.reason.to_string())?;
                        Ok((score, figures.familiarity.map(Familiarity::Is)))
                    })
            }
        };
        progress.inc(1);
        match found {
            Ok((score, familiarity)) => {
                scored.push((case, Judged { score, label: case.label, familiarity }));
            }
            Err(cause) => left_out.push(LeftOut { line: case.line, name: case.name.clone(), cause }),
        }
    }
    progress.finish_and_clear();
    Ok((scored, left_out))
}

/// Code of the reason that refers a chest of another kind.
const UNFAMILIAR: u8 = Reason::Unfamiliar(0, 0).code();

#[derive(Clone, Serialize)]
struct Unscored {
    why: String,
    /// The gate refused it, or it is unfamiliar: an answer, not an error.
    refused: bool,
}

impl Unscored {
    fn wrong(why: impl ToString) -> Self {
        Self { why: why.to_string(), refused: false }
    }
}

/// The score of a decision, where the picture was judged.
fn judged(state: &str, score: Option<f32>, reason: String) -> Result<f32, Unscored> {
    let refused = state == State::Invalid.name();
    let judged = [State::Positive, State::Negative, State::Refer].iter().any(|s| s.name() == state);
    score.filter(|_| judged).ok_or(Unscored { why: format!("{state}: {reason}"), refused })
}

/// A score, and how familiar its picture is.
type Scored = (f32, Option<Familiarity>);

/// The last decision by this model on each picture of a log.
fn from_log(path: &Path, model: &ModelFile) -> Result<LoggedPictures<Result<Scored, Unscored>>> {
    let mut reader = Reader::open(path)?;
    let mut found = LoggedPictures::default();
    for entry in &mut reader {
        let Entry { seq, time, decision, .. } = entry?;
        let Some(decision) = decision.filter(|d| d.model_sha256 == model.sha256()) else { continue };
        // A prevalence moves the score that is told; the model's own is the logit's.
        let of_logit = |logit| model.metadata().calibration.score(logit);
        let own_score = match decision.prior {
            Some(_) => decision.score.and(decision.logit).map(of_logit),
            None => decision.score,
        };
        let own = model.metadata().gate.familiar.least;
        let familiarity = match decision.reason.numbers {
            Some([got, _]) if decision.reason.code == UNFAMILIAR => {
                i32::try_from(got).map(Familiarity::Is).ok()
            }
            _ => Some(Familiarity::AtLeast(decision.familiar_widened_to.unwrap_or(own))),
        };
        let score = judged(&decision.state, own_score, decision.reason.text.clone());
        found.add(seq, time, &decision, score.map(|score| (score, familiarity)));
    }
    let (path, damaged) = (path.display(), reader.damaged());
    ensure!(damaged == 0, "{path} holds {damaged} damaged lines; `edge-runtime log verify` names them");
    Ok(found)
}

fn print(
    out: &mut impl Write,
    answer: &CalibrateOutput,
    model: &ModelFile,
    options: &Calibrate,
) -> io::Result<()> {
    let &CalibrateOutput { table, chosen: site, left_out, .. } = answer;
    let header = ["Score above", "Sensitivity, %", "Specificity, %", "PPV, %", "NPV, %", ""];
    let mut shown = report::table(header, 0..5);
    let percent = |rate: Rate| {
        let [estimate, low, high] = [rate.estimate, rate.low, rate.high].map(|share| 100.0 * share);
        format!("{estimate:.1} ({low:.1} to {high:.1})")
    };
    let optional = |rate: Option<Rate>| rate.map_or("-".to_owned(), percent);
    let mut rows: Vec<(&Operating, &str)> = table.iter().map(|row| (row, "")).collect();
    rows.push((&site.negative_light, "< chosen: NEGATIVE below"));
    rows.push((&site.positive_light, "< chosen: POSITIVE above"));
    rows.sort_by(|(a, _), (b, _)| a.threshold.total_cmp(&b.threshold));
    for (row, mark) in rows {
        shown.add_row([
            format!("{:.4}", row.threshold),
            percent(row.sensitivity),
            percent(row.specificity),
            optional(row.ppv),
            optional(row.npv),
            mark.to_owned(),
        ]);
    }
    writeln!(out, "{shown}\n")?;
    let (low, high) = (site.negative_below, site.positive_above);
    let old = model.metadata().thresholds;
    let (missed, ill) = (site.negative_light.false_negatives, site.positives);
    let (alarms, healthy) = (site.positive_light.false_positives, site.negatives);
    let from = if options.prevalence.is_some() { "as given" } else { "as in the list" };
    let refused = left_out.iter().filter(|left| left.cause.refused).count();
    let pairs = [
        ("Chosen", format!("NEGATIVE below {low:.4}, POSITIVE above {high:.4}; between: REFER")),
        ("Instead of", format!("{:.4} and {:.4}, the model's own", old.negative_below, old.positive_above)),
        ("Chosen for", site.targets.to_string()),
        ("On the list", format!("{missed} of {ill} ill NEGATIVE, {alarms} of {healthy} healthy POSITIVE")),
        ("Prevalence", format!("{:.1} %, {from}", 100.0 * site.prevalence)),
        (
            "Left out",
            format!(
                "{refused} refused by the gate or unfamiliar, {} without a score",
                left_out.len() - refused
            ),
        ),
        (
            "Familiar",
            site.widening.as_ref().map_or("by the model's own limit".to_owned(), ToString::to_string),
        ),
        ("Model", format!("{}, SHA-256 {}", site.model, site.model_sha256)),
        ("Written", answer.out.clone().unwrap_or_else(|| "nothing: give --out".to_owned())),
        (
            "Note",
            "the thresholds are measured on the pictures that they were chosen on: new ones may do worse"
                .to_owned(),
        ),
    ];
    writeln!(out, "{}", report::pairs(pairs))
}
