//! Servers that say again what they were sent: no report holds it.

use futures_util::{StreamExt as _, stream};
use stageplot_topology::Probe;

use crate::http::answer;
use crate::server::{Server, Wire};
use crate::stage::{KEY, PASSWORD, Stage};

/// What a server makes of what it heard.
type Echo = fn(&str) -> String;

const REDIS: &[(&str, Echo)] = &[
    ("an error", |heard| format!("-ERR unknown command {}\r\n", flat(heard))),
    ("a refusal", |heard| format!("-WRONGPASS {}\r\n", flat(heard))),
    ("a code", |heard| format!("-{}\r\n", flat(heard).replace(' ', ""))),
    ("a word", |heard| format!("+{}\r\n", flat(heard))),
    ("a text", |heard| format!("${}\r\n{heard}\r\n", heard.len())),
    ("itself", str::to_owned),
    ("a broken protocol", |heard| format!("!{heard}")),
];

const HTTP: &[(&str, Echo)] = &[
    ("itself", str::to_owned),
    ("a page", |heard| answer(200, "", heard)),
    ("a list", |heard| answer(200, "", &format!("{{\"rooms\":\"{}\"}}", flat(heard)))),
    ("an error", |heard| answer(500, "", heard)),
    ("a refusal", |heard| answer(401, "", heard)),
    ("an absence", |heard| answer(404, "", heard)),
    ("a redirect", |heard| answer(302, &format!("location: /{}\r\n", flat(heard).replace(' ', "")), "")),
    ("a status line", |heard| format!("HTTP/1.1 500 {}\r\ncontent-length: 0\r\n\r\n", flat(heard))),
];

fn flat(heard: &str) -> String {
    heard.replace("\r\n", " ")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_was_sent_is_in_no_report() {
    let stage = &Stage::behind_http();
    let redis: fn(&Probe) -> bool = |probe| matches!(probe, Probe::RedisPing { .. });
    let livekit: [fn(&Probe) -> bool; 3] = [
        |probe| matches!(probe, Probe::LivekitKeys),
        |probe| matches!(probe, Probe::LivekitToken),
        |probe| matches!(probe, Probe::LivekitJoin),
    ];
    // A value that is cut off where a line is full is one, too.
    let paddings = [0].into_iter().chain((280..400).step_by(12));
    let of_redis =
        paddings.flat_map(|padding| REDIS.iter().map(move |echo| (redis, echo, padding, PASSWORD)));
    let of_http = livekit.into_iter().flat_map(|is| HTTP.iter().map(move |echo| (is, echo, 0, TOKEN)));
    let all = stream::iter(of_redis.chain(of_http)).map(|(is, (name, echo), padding, sent)| async move {
        let heard = hears(stage, is, *echo, padding).await;
        assert!(heard.contains(sent), "{name}: nothing was to be kept secret in {heard}");
    });
    all.buffer_unordered(12).collect::<()>().await;
}

/// How every token begins: `{"` in Base64.
const TOKEN: &str = "eyJ";

/// Has a server say again what it hears after so much else, and looks for it in what is
/// observed; what it heard.
async fn hears(stage: &Stage, is: impl Fn(&Probe) -> bool, echo: Echo, padding: usize) -> String {
    let (told, mut heard) = tokio::sync::mpsc::channel(64);
    let server = Server::new(move |mut line| {
        let told = told.clone();
        async move {
            loop {
                let heard = String::from_utf8_lossy(&line.hear().await).into_owned();
                let _ = told.send(heard.clone()).await;
                let said = echo(&format!("{}{heard}", "x".repeat(padding)));
                if heard.is_empty() || !line.say(said.as_bytes()).await {
                    return line.stream.reset();
                }
            }
        }
    })
    .await;
    let mut trial = stage.trial(is, server.at);
    trial.deadline = crate::stage::DEADLINE;
    let seen = format!("{:?}", stage.observe(trial).await);
    let mut all = String::new();
    while let Ok(heard) = heard.try_recv() {
        all.push_str(&heard);
    }
    for secret in [PASSWORD, KEY] {
        let parts = secret.as_bytes().windows(8).map(|part| std::str::from_utf8(part).expect("ASCII"));
        for part in parts {
            assert!(!seen.contains(part), "{part:?} of a secret in {seen}");
        }
    }
    assert!(!seen.contains(TOKEN), "a token in {seen}");
    all
}
