//! The job for GitHub: taken by actionlint, and run step by step.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Output, Program, Scratch, run, want};

use crate::repository::Repository;

const WORKFLOW: &str = include_str!("../../github.yml");

fn lint(workflow: &str, actionlint: &Program) -> Output {
    let scratch = Scratch::new();
    let file = scratch.path().join("stageplot.yml");
    fs::write(&file, workflow).expect("written");
    run(actionlint.command().arg("-no-color").arg(file), Duration::from_secs(60))
}

#[test]
fn actionlint_takes_it() {
    let actionlint = want!(Program::named("actionlint"));
    // It asks shellcheck about scripts where it finds one.
    want!(Program::named("shellcheck"));
    lint(WORKFLOW, &actionlint).success();
    for (right, wrong) in [
        ("runs-on: ubuntu-latest", "runs-on: ubuntu-newest"),
        ("outputs.code", "outputs.cod.x"),
        ("steps.compare", "steps.compar"),
        (">comment.md || code=$?", ">$comment.md || code=$?"),
    ] {
        assert!(WORKFLOW.contains(right));
        assert!(!lint(&WORKFLOW.replace(right, wrong), &actionlint).succeeded(), "it takes {wrong}");
    }
}

/// The job as the runner sees it, which knows no more of expressions than there are.
struct Job<'a> {
    repository: &'a Repository,
    /// What `gh` answers when it is asked for comments.
    comments: &'a str,
}

/// Answers with the comments there are, of which it takes those that `--jq` selects, and
/// keeps what it was told to do.
const GH: &str = r#"#!/bin/sh
[ "$GH_TOKEN" = secret ] || exit 4
case "$*" in
  *--jq*) [ "$2 $3 $4" = "--paginate repos/team/plot/issues/7/comments --jq" ] && jq -r "$5" "$COMMENTS" ;;
  *) printf '%s\n' "$*" >"$COMMENTS.told"; cp "${7#body=@}" "$COMMENTS.body" ;;
esac
"#;

impl Job<'_> {
    /// Runs all steps, until one fails: its name and exit code.
    fn run(&self) -> Option<(String, Option<i32>)> {
        let path = |name: &str| self.repository.path().join(name).display().to_string();
        fs::write(path("comments"), self.comments).expect("written");
        let workflow: Value = serde_saphyr::from_str(WORKFLOW).expect("YAML");
        let steps = workflow["jobs"]["comment"]["steps"].as_array().expect("steps");
        for step in steps {
            let Some(script) = step["run"].as_str() else {
                let known = ["actions/checkout@v4", "actions/cache@v4"];
                assert!(known.contains(&step["uses"].as_str().expect("an action")), "{step}");
                continue;
            };
            let mut env = vec![
                ("RUNNER_TEMP", path("runner")),
                ("GITHUB_STEP_SUMMARY", path("summary")),
                ("GITHUB_OUTPUT", path("output")),
                ("COMMENTS", path("comments")),
            ];
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                let output = || fs::read_to_string(path("output")).expect("an output");
                let value = match value.as_str().expect("a text") {
                    "${{ github.token }}" => "secret".to_owned(),
                    "${{ github.repository }}" => "team/plot".to_owned(),
                    "${{ github.event.pull_request.number }}" => "7".to_owned(),
                    "${{ steps.compare.outputs.code }}" => output().trim().replace("code=", ""),
                    other => panic!("{other}"),
                };
                env.push((name, value));
            }
            let said = self.repository.script(script, &env, &[("gh", GH)]);
            if !said.succeeded() {
                println!("{said:?}");
                return Some((step["name"].as_str().expect("a name").to_owned(), said.status.code()));
            }
        }
        None
    }

    fn kept(&self, name: &str) -> String {
        fs::read_to_string(self.repository.path().join(name)).expect(name)
    }
}

#[test]
fn it_comments_and_then_fails_where_a_rule_is_broken() {
    want!(Program::named("jq"));
    let repository = Repository::new();
    let job = Job { repository: &repository, comments: "[]" };
    assert_eq!(job.run(), Some(("Hold it against the rules".to_owned(), Some(3))));
    assert_eq!(
        job.kept("comments.told"),
        "api --silent --method POST repos/team/plot/issues/7/comments --field body=@comment.md\n"
    );
    assert_eq!(job.kept("comments.body"), crate::comment_of_job());
    assert_eq!(job.kept("summary"), crate::comment_of_job());
}

#[test]
fn it_writes_its_own_comment_anew() {
    want!(Program::named("jq"));
    let repository = Repository::new();
    let comments = r###"[
        { "id": 1, "user": { "login": "ann" }, "body": "<!-- stageplot live stageplot.toml -->\nwhat is it?" },
        { "id": 2, "user": { "login": "github-actions[bot]" }, "body": "coverage: 90 %" },
        { "id": 3, "user": { "login": "github-actions[bot]" }, "body": "<!-- stageplot live eu/stageplot.toml -->\n## Stageplot" },
        { "id": 4, "user": { "login": "github-actions[bot]" }, "body": "<!-- stageplot live stageplot.toml -->\n## Stageplot" }
    ]"###;
    let job = Job { repository: &repository, comments };
    job.run();
    assert_eq!(
        job.kept("comments.told"),
        "api --silent --method PATCH repos/team/plot/issues/comments/4 --field body=@comment.md\n"
    );
}

#[test]
fn it_says_nothing_of_a_plot_with_mistakes_and_fails() {
    let repository = Repository::new();
    repository.commit("mistake", &[("stageplot.toml", "name = 1\n")]);
    let job = Job { repository: &repository, comments: "[]" };
    assert_eq!(job.run(), Some(("Compare".to_owned(), Some(1))));
    assert!(!repository.path().join("comments.told").exists());
}
