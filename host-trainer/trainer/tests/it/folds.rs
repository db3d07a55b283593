//! Folds as a user runs them: trained once, gathered whole, and what an export makes of them.

use crate::support::SMALL_TEACHER;
use edge_model::model_file::ModelFile;
use std::path::Path;
use std::process::{Command, Output};
use trainer::folds::figures::Figures;
use trainer::folds::{FIGURES, IN_RUN, PREDICTIONS, read, write};
use trainer::run::Run;

/// The options that data and networks of the folds and of the run share.
const SMALL: [&str; 6] = ["--phantoms", "120", "--side", "32", "--epochs", "1"];

fn trainer(arguments: &[&str], more: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args(arguments).args(more).output().unwrap()
}

#[track_caller]
fn works(arguments: &[&str], more: &[&str]) -> String {
    let output = trainer(arguments, more);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], more: &[&str]) -> String {
    let output = trainer(arguments, more);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_folds_are_trained_once_and_an_export_takes_them_for_new_patients() {
    let place = tempfile::tempdir().unwrap();
    let (folds, run) = (place.path().join("folds"), place.path().join("run"));
    let asked = ["folds", "--kind", "patient", "--n", "3", "--out", text(&folds)];
    works(&asked, &SMALL);
    let rows = read(&folds.join(PREDICTIONS)).unwrap();
    assert_eq!(rows.len(), 120, "every picture once");
    for number in 1..=3 {
        let fold = Run::open(&folds.join(format!("fold-{number}"))).unwrap();
        let mine = rows.iter().filter(|row| row.fold == number);
        assert!(mine.clone().count() >= 38);
        assert!(
            mine.clone().all(|row| fold.split.validation.contains(&row.id)),
            "judged by who had not seen it"
        );
    }
    // Conditions are three different pictures.
    assert!(rows.iter().any(|row| row.plain != row.shifted && row.shifted != row.film));
    let figures: Figures = serde_json::from_slice(&std::fs::read(folds.join(FIGURES)).unwrap()).unwrap();
    assert_eq!((figures.folds.len(), figures.conditions.len()), (3, 3));

    // Begun again, what is finished stays, and what is lost is made again to the same bytes.
    let third = folds.join("fold-3").join(PREDICTIONS);
    let (before, kept) = (std::fs::read(&third).unwrap(), folds.join("fold-1").join(PREDICTIONS));
    let stamp = std::fs::metadata(&kept).unwrap().modified().unwrap();
    std::fs::remove_file(&third).unwrap();
    works(&asked, &SMALL);
    assert_eq!(std::fs::read(&third).unwrap(), before);
    assert_eq!(std::fs::metadata(&kept).unwrap().modified().unwrap(), stamp);
    assert!(refused(&asked, &[&SMALL[..], &["--fold", "1/3"]].concat()).contains("--fold"));

    assert!(refused(&asked, &["--teacher", "lite0"]).contains("--recipe"));

    // The export: nobody who is reported on was fitted on.
    let at = ["--run", text(&run)];
    works(&[&["train"], &at[..]].concat(), &SMALL);
    works(&[&["quantize"], &at[..]].concat(), &[]);
    let export = [&["export"], &at[..]].concat();
    works(&export, &[]);
    let model = || ModelFile::load(run.join("model.onnx")).unwrap();
    let own = model();
    assert!(own.metadata().fitted_on.contains("the same that are reported on"));
    assert!(!run.join(IN_RUN).exists());
    let with = ["--out-of-fold", text(&folds)];
    works(&export, &with);
    let reported = Run::open(&run).unwrap().split.validation;
    let mine: Vec<_> = rows.iter().filter(|row| !reported.contains(&row.id)).collect();
    let fitted = model();
    let about = &fitted.metadata().fitted_on;
    assert!(
        about.starts_with(&format!("{} pictures", mine.len())) && about.contains("of this recipe"),
        "{about}"
    );
    assert_eq!(fitted.fitted_prevalence(), Some(0.5));
    assert!(fitted.metadata().chosen_for.contains("new patients"));
    assert!(run.join(IN_RUN).exists());

    // What the reported patients' networks said changes nothing; what others said does.
    let changed = |of_reported: bool| {
        let mut changed = rows.clone();
        for row in changed.iter_mut().filter(|row| reported.contains(&row.id) == of_reported) {
            row.plain = -3.0 * row.plain + 1.0;
        }
        write(&folds.join(PREDICTIONS), &changed).unwrap();
        works(&export, &with);
        model().metadata().calibration != fitted.metadata().calibration
    };
    assert!(!changed(true) && changed(false));
    // Labels of other data are found.
    let mut wrong = rows.clone();
    wrong[5].label = 1 - wrong[5].label;
    write(&folds.join(PREDICTIONS), &wrong).unwrap();
    assert!(refused(&export, &with).contains("of other data"));
}

/// A small network, of a teacher.
const TAUGHT: &str = "
seed = 1
[train]
side = 32
epochs = 1
draws = 1
teachers = ['small']
";

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_each_fold_has_a_teacher_that_has_not_seen_its_patients_either() {
    let place = tempfile::tempdir().unwrap();
    let (folds, file) = (place.path().join("folds"), place.path().join("recipe.toml"));
    std::fs::write(&file, format!("{TAUGHT}{SMALL_TEACHER}")).unwrap();
    let asked = ["folds", "--kind", "patient", "--n", "2", "--out", text(&folds), "--recipe", text(&file)];
    works(&asked, &["--phantoms", "80"]);
    assert_eq!(read(&folds.join(PREDICTIONS)).unwrap().len(), 80, "every picture once");
    let [first, second] = [1, 2].map(|number| {
        let folder = folds.join(format!("fold-{number}"));
        let (fold, teacher) = (Run::open(&folder), Run::open(&folder.join("teachers/small-s1")));
        let (fold, teacher) = (fold.unwrap(), teacher.unwrap());
        assert_eq!(teacher.split.validation, fold.split.validation);
        fold
    });
    assert!(first.split.validation.iter().all(|id| second.split.train.contains(id)));
    let taught = |fold: &Run| fold.recipe.taught.clone().unwrap().teachers;
    assert_ne!(taught(&first), taught(&second), "one teacher of both folds has seen the patients of each");
}
