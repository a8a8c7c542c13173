//! The program and its jobs, in a repository with a plot and a branch that moves Redis
//! and opens a port.

mod github;
mod gitlab;
mod repository;

use repository::Repository;

/// What the program prints for the branch, as a reviewer reads it.
const COMMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jobs/comment.md");

#[test]
fn the_comment_says_what_the_branch_does() {
    let repository = Repository::new();
    let said = repository.program(&["main", "branch", "stageplot.toml"]);
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    if std::env::var_os("STAGEPLOT_BLESS").is_some() {
        std::fs::write(COMMENT, &said.stdout).expect("written");
    }
    assert_eq!(said.stdout, comment());
    for says in [
        "**data at stake**",
        "the Internet can now reach 3478/udp on media",
        "can now reach 6379/tcp on media",
    ] {
        assert!(said.stdout.contains(says), "{says}: {}", said.stdout);
    }
}

fn comment() -> String {
    std::fs::read_to_string(COMMENT).expect("STAGEPLOT_BLESS=1 writes it")
}

/// The line that a comment on the plot begins with.
const MARKER: &str = "<!-- stageplot live stageplot.toml -->\n";

/// The same comment, of the commits that a job compares.
fn comment_of_job() -> String {
    comment().replace("From `main` to `branch`.", "From `HEAD^1` to `HEAD`.")
}

#[test]
fn where_nothing_changes_no_rule_is_broken() {
    let repository = Repository::new();
    repository.commit("words", &[("stageplot.toml", &format!("# Words.\n{}", repository::BEFORE))]);
    let said = repository.program(&["main", "HEAD", "stageplot.toml"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(
        said.stdout.starts_with(&format!("{MARKER}## Stageplot live: nothing changes\n")),
        "{}",
        said.stdout
    );
}

#[test]
fn the_lock_beside_the_plot_counts() {
    let repository = Repository::new();
    let digest = format!("sha256:{}", "5".repeat(64));
    repository.commit(
        "locked",
        &[("stageplot.lock", &format!("version = 1\n[images]\n\"redis:7-alpine\" = \"{digest}\"\n"))],
    );
    let said = repository.program(&["main", "locked", "stageplot.toml"]);
    assert!(said.stdout.contains(&format!("redis:7-alpine@{digest}")), "{said:?}");
}

#[test]
fn a_first_plot_is_a_new_stack() {
    let repository = Repository::new();
    let said = repository.program(&["empty", "main", "stageplot.toml"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(said.stdout.starts_with(&format!("{MARKER}## Stageplot: a new stack\n")), "{}", said.stdout);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let repository = Repository::new();
    repository.commit("mistake", &[("stageplot.toml", &repository::BEFORE.replace("roles", "rolls"))]);
    for (arguments, says) in [
        (["main", "mistake", "stageplot.toml"], "in mistake:stageplot.toml:\nerror[unknown-field]: 9:1: "),
        (["main", "nowhere", "stageplot.toml"], "nowhere"),
        (["main", "branch", "stageplt.toml"], "there is no stageplt.toml in branch"),
        (["main", "--help", "stageplot.toml"], "usage"),
    ] {
        let said = repository.program(&arguments);
        assert_eq!((said.status.code(), said.stdout.as_str()), (Some(1), ""), "{said:?}");
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
}
