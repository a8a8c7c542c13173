//! Rooms that an app creates: answers that are none, tokens that are no good, rooms that
//! stay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stageplot_health::Cause::*;
use stageplot_health::{Trial, What};
use stageplot_topology::Probe;

use crate::checks::Checks;
use crate::http::{STRANGERS, answer};
use crate::livekit::{KEPT, REMOVED};
use crate::server::{Line, Manner, Server};
use crate::stage::{Case, End, Stage};

/// Where clients of the stage's edge come in.
const OWN: &str = "ws://203.0.113.10";

fn trial(stage: &Stage, _: &str, at: SocketAddr) -> Trial {
    let mut trial = stage.trial(|probe| matches!(probe, Probe::LivekitJoin), at);
    let service = stage.livekit();
    trial.what = What::Probe(Probe::CreateRoom { service, path: "/api/rooms".to_owned() });
    trial
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_http_creates_no_room() {
    Checks { kinds: &["create"], trial, strangers: STRANGERS }.hold(&Stage::behind_http()).await;
}

/// Whose answers an edge hands on: what the app says, and what LiveKit says of the token and
/// of the room's end.
#[derive(Clone)]
struct Behind {
    app: String,
    livekit: String,
    removal: Manner,
}

impl Behind {
    /// An app that answers so, in front of a LiveKit that takes one token.
    fn app(status: u16, body: &str) -> Self {
        Self { app: answer(status, "", body), livekit: answer(200, "", "success"), removal: REMOVED }
    }

    fn honest() -> Self {
        Self::app(201, &format!(r#"{{"token":"{TOKEN}","url":"{OWN}/"}}"#))
    }

    fn livekit(status: u16, body: &str) -> Self {
        Self { livekit: answer(status, "", body), ..Self::honest() }
    }

    fn removal(removal: Manner) -> Self {
        Self { removal, ..Self::honest() }
    }

    /// Answers what is asked, and counts the rooms that it is told to remove.
    async fn serve(self, mut line: Line, removed: Arc<AtomicUsize>) {
        let heard = String::from_utf8_lossy(&line.hear().await).into_owned();
        let path = heard.split(' ').nth(1).unwrap_or_default();
        let said = match path.split_once('?').map_or(path, |(path, _)| path) {
            "/api/rooms" => {
                assert!(heard.contains(r#"{"room_name":"stageplot-check-"#), "{heard}");
                self.app
            }
            "/rtc/validate" if path.ends_with(&format!("?access_token={TOKEN}")) => self.livekit,
            "/rtc/validate" => answer(401, "", "invalid token"),
            "/twirp/livekit.RoomService/DeleteRoom" => {
                removed.fetch_add(1, Ordering::Relaxed);
                return line.act(self.removal).await;
            }
            other => panic!("nobody was to ask for {other}"),
        };
        line.say(said.as_bytes()).await;
        line.wait().await;
    }
}

/// The token that LiveKit takes.
const TOKEN: &str = "a.good.token";

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_created_where_its_token_is_taken() {
    let stage = &Stage::behind_http();
    let told = |members: &str| Behind::app(200, &format!("{{{members}}}"));
    let good = format!(r#""token":"{TOKEN}""#);
    let cases: Vec<(&str, Behind, End)> = vec![
        ("honest", Behind::honest(), End::Passed),
        ("by another name", told(&format!(r#"{good},"server_url":"{OWN}""#)), End::Passed),
        ("nothing", Behind::app(200, ""), End::Failed(WrongProtocol)),
        ("a page", Behind::app(200, "<html>welcome</html>"), End::Failed(WrongProtocol)),
        ("no token", told(&format!(r#""url":"{OWN}""#)), End::Failed(WrongProtocol)),
        ("a token that is none", told(&format!(r#""token":null,"url":"{OWN}""#)), End::Failed(WrongProtocol)),
        ("a list", Behind::app(200, &format!("[{{{good}}}]")), End::Failed(WrongProtocol)),
        ("a token of another key", told(&format!(r#""token":"x","url":"{OWN}""#)), End::Failed(KeyRejected)),
        (
            "a token of two lines",
            told(&format!(r#""token":"x\r\ny","url":"{OWN}""#)),
            End::Failed(KeyRejected),
        ),
        ("nowhere", told(&good), End::Failed(RoomElsewhere)),
        ("elsewhere", told(&format!(r#"{good},"url":"wss://192.0.2.1""#)), End::Failed(RoomElsewhere)),
        (
            "a name that begins so",
            told(&format!(r#"{good},"url":"{OWN}.evil.example""#)),
            End::Failed(RoomElsewhere),
        ),
        (
            "here and elsewhere",
            told(&format!(r#"{good},"url":"{OWN}","server_url":"wss://192.0.2.1""#)),
            End::Failed(RoomElsewhere),
        ),
        ("302", Behind::app(302, ""), End::Failed(HttpStatus)),
        ("401", Behind::app(401, ""), End::Failed(HttpStatus)),
        ("404", Behind::app(404, ""), End::Failed(HttpStatus)),
        ("500", Behind::app(500, ""), End::Failed(HttpStatus)),
        ("LiveKit says something else", Behind::livekit(200, "welcome"), End::Failed(LivekitUnready)),
        (
            "LiveKit knows no such room",
            Behind::livekit(404, "requested room does not exist"),
            End::Failed(JoinRefused),
        ),
        ("LiveKit's clock", Behind::livekit(401, "token is expired (exp)"), End::Failed(ClockSkew)),
        ("LiveKit is gone", Behind::livekit(502, ""), End::Failed(LivekitUnready)),
    ];
    let mut servers = Vec::new();
    let mut rows = Vec::new();
    for (name, behind, end) in cases {
        let (server, removed) = serve(behind).await;
        rows.push(std::future::ready(Case::new(name, trial(stage, "", server.at), end).by(server)));
        servers.push((name, removed));
    }
    stage.hold(rows).await;
    for (name, removed) in servers {
        assert_eq!(removed.load(Ordering::Relaxed), 1, "{name}: the room is removed");
    }
}

/// A room that cannot be removed is left behind, and told of.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_stays_is_told_of() {
    let stage = &Stage::behind_http();
    let cases = KEPT.iter().map(|removal| async move {
        let (server, _) = serve(Behind::removal(*removal)).await;
        let end = End::Degraded(RoomLeft);
        Case::new(format!("{removal:?}"), trial(stage, "", server.at), end).by(server)
    });
    stage.hold(cases).await;
}

async fn serve(behind: Behind) -> (Server, Arc<AtomicUsize>) {
    let removed = Arc::new(AtomicUsize::new(0));
    let counter = removed.clone();
    (Server::new(move |line| behind.clone().serve(line, counter.clone())).await, removed)
}
