//! What a diff foretells is what happens: for every field of a plot, containers are
//! looked at before and after a change of it was really brought in.

mod bench;
mod data;
mod fields;
mod row;
mod rows;
mod seen;
mod stack;

use std::collections::BTreeSet;

use bench::Bench;
use stack::Stack;
use stageplot_tests::{Missing, want};

/// Every field has a row, and every row a field.
#[test]
fn every_field_has_a_row() {
    let fields = fields::all();
    let trials = rows::trials();
    let paths = trials.iter().flat_map(|(_, trial)| trial.rows.iter().map(|row| row.path()));
    let (mut tried, mut unknown) = (BTreeSet::new(), Vec::new());
    for path in paths {
        match fields::of(path, &fields) {
            Some(field) => drop(tried.insert(field)),
            None => unknown.push(path),
        }
    }
    let missing: Vec<_> = fields.iter().filter(|field| !tried.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "fields without a row: {missing:#?}");
    assert!(unknown.is_empty(), "rows that set no field of the schema: {unknown:#?}");
}

/// Every row changes its plot; both can be rendered, and compared.
#[test]
fn every_row_is_a_plot() {
    for (name, trial) in rows::trials() {
        let base = Stack::new(&trial.plot);
        assert!(base.foretold(&base).is_empty(), "{name}");
        for row in &trial.rows {
            let [before, after] = row.plots(&trial.plot);
            assert_ne!(before, after, "{name}: {}", row.path());
            let _ = Stack::new(&before).foretold(&Stack::new(&after));
        }
    }
}

/// A test for each trial, of its name.
macro_rules! tried {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                want!(try_all(&stringify!($name).replace('_', "-")));
            }
        )+

        /// A trial that nobody runs proves nothing.
        #[test]
        fn every_trial_is_run() {
            let run: BTreeSet<_> = [$(stringify!($name).replace('_', "-")),+].into();
            let trials: BTreeSet<_> = rows::trials().iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(run, trials);
        }
    };
}

tried! { app edge egress grafana ingress ion_sfu livekit plot postgres prometheus redis rtmp sip }

/// Brings in each row of a trial, and takes it back, and compares.
fn try_all(name: &str) -> Result<(), Missing> {
    let trial = rows::trials().into_iter().find(|(own, _)| *own == name).expect("a trial").1;
    let mut bench = Bench::new(Stack::new(&trial.plot), trial.images)?;
    let (mut wrong, mut lost) = (Vec::new(), BTreeSet::new());
    for row in &trial.rows {
        let [before, after] = row.plots(&trial.plot).map(|plot| Stack::new(&plot));
        let what = format!("{} = {}", row.path(), row.value());
        for (way, to) in [("for", &before), ("to", &after), ("back from", &before)] {
            let outcome = bench.step(to.clone());
            wrong.extend(outcome.wrong.iter().map(|line| format!("{way} {what}: {line}")));
            lost.extend(outcome.lost.iter().map(|service| format!("{service}, {way} {what}")));
        }
    }
    println!("{name}: {} rows, {} changes, data lost {lost:#?}", trial.rows.len(), bench.steps());
    assert!(wrong.is_empty(), "{} times not as foretold:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(lost.is_empty(), !trial.loses, "whether data is lost is seen");
    Ok(())
}
