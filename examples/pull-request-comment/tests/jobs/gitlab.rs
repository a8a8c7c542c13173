//! The job for GitLab: taken by GitLab's schema and by shellcheck, and run against a
//! server that answers as its API does.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Output, Program, Scratch, run, want};

use crate::repository::Repository;

const PIPELINE: &str = include_str!("../../gitlab.yml");

const SOON: Duration = Duration::from_secs(60);

/// The job's script, as the runner puts it together.
fn script() -> String {
    let pipeline: Value = serde_saphyr::from_str(PIPELINE).expect("YAML");
    let job = &pipeline["stageplot"];
    let lines =
        ["before_script", "script"].into_iter().flat_map(|part| job[part].as_array().expect("a script"));
    lines.map(|line| format!("{}\n", line.as_str().expect("a text"))).collect()
}

fn validate(pipeline: &str, validator: &Program) -> Output {
    let scratch = Scratch::new();
    let file = scratch.path().join("gitlab.yml");
    fs::write(&file, pipeline).expect("written");
    run(validator.command().args(["--builtin-schema", "vendor.gitlab-ci"]).arg(file), SOON)
}

#[test]
fn the_schema_and_shellcheck_take_it() {
    let validator = want!(Program::named("check-jsonschema"));
    validate(PIPELINE, &validator).success();
    for (right, wrong) in
        [("  rules:", "  rule:"), ("when: always", "when: ever"), ("GIT_DEPTH: \"0\"", "GIT_DEPTH: [0]")]
    {
        assert!(PIPELINE.contains(right));
        assert!(!validate(&PIPELINE.replace(right, wrong), &validator).succeeded(), "it takes {wrong}");
    }
    let shellcheck = want!(Program::named("shellcheck"));
    let scratch = Scratch::new();
    let file = scratch.path().join("script");
    fs::write(&file, script()).expect("written");
    run(shellcheck.command().args(["--shell", "bash"]).arg(file), SOON).success();
}

/// Answers requests until the job ends, and keeps those that are no questions.
struct Api {
    address: String,
}

impl Api {
    fn start(notes: &'static str) -> (Self, std::sync::mpsc::Receiver<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (told, requests) = std::sync::mpsc::channel();
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (line, body) = request(&stream);
                let answer = if line.contains("/user ") { r#"{"id": 5}"# } else { notes };
                let _ = write!(
                    &stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                    answer.len()
                );
                if !line.starts_with("GET ") {
                    let _ = told.send((line, body));
                }
            }
        });
        (Self { address }, requests)
    }
}

/// A request's first line and its body; one without the token has another line.
fn request(stream: &TcpStream) -> (String, String) {
    let _ = stream.set_read_timeout(Some(SOON));
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut known) = (String::new(), 0, false);
    let _ = reader.read_line(&mut first);
    loop {
        let mut header = String::new();
        let _ = reader.read_line(&mut header);
        let header = header.trim_end();
        known |= header == "PRIVATE-TOKEN: secret";
        if let Some(value) = header.strip_prefix("Content-Length: ") {
            length = value.parse().expect("a length");
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let first = if known { first.trim_end().to_owned() } else { format!("without a token: {first}") };
    (first, String::from_utf8(body).expect("text"))
}

/// Runs the job on the branch, where there are these notes; its exit code, and what it
/// tells the API to do.
fn run_job(notes: &'static str) -> (Option<i32>, Vec<(String, String)>) {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "branch"]);
    let (api, requests) = Api::start(notes);
    let env = [
        ("CI_API_V4_URL", api.address),
        ("CI_MERGE_REQUEST_PROJECT_ID", "3".to_owned()),
        ("CI_MERGE_REQUEST_IID", "7".to_owned()),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", repository.git(&["merge-base", "main", "branch"])),
        ("STAGEPLOT_TOKEN", "secret".to_owned()),
    ];
    let said = repository.script(&script(), &env, &[("apt-get", "#!/bin/sh\n")]);
    println!("{said:?}");
    (said.status.code(), requests.try_iter().collect())
}

#[test]
fn it_comments_and_then_fails_where_a_rule_is_broken() {
    want!(Program::named("jq"));
    let notes = r###"[{ "id": 1, "author": { "id": 4 }, "body": "<!-- stageplot live stageplot.toml -->\nwhat is it?" }]"###;
    let (code, requests) = run_job(notes);
    assert_eq!(code, Some(3));
    let [(line, body)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(line, "POST /projects/3/merge_requests/7/notes HTTP/1.1");
    let start = "body=%3C!--%20stageplot%20live%20stageplot.toml%20--%3E%0A%23%23%20Stageplot%20live%3A%20data%20at%20stake";
    let body = body.replace('+', "%20").replace("%21", "!");
    assert!(body.starts_with(start), "{body}");
}

#[test]
fn it_writes_its_own_comment_anew() {
    want!(Program::named("jq"));
    let notes = r###"[
        { "id": 1, "author": { "id": 4 }, "body": "<!-- stageplot live stageplot.toml -->\nwhat is it?" },
        { "id": 8, "author": { "id": 5 }, "body": "<!-- stageplot live eu/stageplot.toml -->\n## Stageplot" },
        { "id": 9, "author": { "id": 5 }, "body": "<!-- stageplot live stageplot.toml -->\n## Stageplot" }
    ]"###;
    let (code, requests) = run_job(notes);
    assert_eq!((code, requests.len()), (Some(3), 1));
    assert_eq!(requests[0].0, "PUT /projects/3/merge_requests/7/notes/9 HTTP/1.1");
}
