//! The suite `kernel-sets`: every set of kernels for this kind of machine has run. `cargo test`
//! passes where this processor lacks one, because its tests show as ignored there; a change to that
//! set is then tested by nothing.

use std::collections::BTreeSet;

use toolbox::{host, process};

use toolbox::outcome::{Outcome, run_counted};

pub fn run() -> anyhow::Result<Outcome> {
    let tests = || {
        let mut cargo = host::cargo("test");
        cargo.args(["--test", "kernels", "--"]);
        cargo
    };
    let listed = process::output(tests().args(["--list", "--ignored"]))?;
    match absent(&listed) {
        None => run_counted(&mut tests()),
        Some(sets) => {
            Ok(Outcome::NotRun(format!("this processor cannot run {sets}; run it on one that can")))
        }
    }
}

/// The sets whose tests are listed as ignored: `[why] SET::OPERATOR: test`.
fn absent(listed: &str) -> Option<String> {
    let set = |line: &str| Some(line.split_once("] ")?.1.split_once("::")?.0.to_owned());
    let sets: BTreeSet<String> = listed.lines().filter_map(set).collect();
    (!sets.is_empty()).then(|| sets.into_iter().collect::<Vec<_>>().join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_are_listed_as_ignored_are_named_once() {
        let listed = "[this machine cannot run it] vnni::pointwise: test\n\
                      [this machine cannot run it] vnni::add: test\n\
                      [this machine cannot run it] avx2::add: test\n";
        assert_eq!(absent(listed).as_deref(), Some("avx2 and vnni"));
        assert_eq!(absent(""), None);
    }
}
