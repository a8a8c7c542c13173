//! HTTP: health checks, redirects, Caddy's administration, LiveKit's API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stageplot_health::Cause::*;
use stageplot_health::Trial;
use stageplot_topology::Probe;

use crate::checks::{Checks, Stranger};
use crate::server::{Manner, Server, filled};
use crate::stage::{Case, DEADLINE, End, NAME, Stage};

/// Every check that is asked in plain HTTP.
const KINDS: [&str; 5] = ["health", "redirect", "upstreams", "keys", "token"];

fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    let is = |probe: &Probe| match kind {
        "health" => matches!(probe, Probe::HttpGet { .. }),
        "redirect" => matches!(probe, Probe::HttpsRedirect),
        "balance" => matches!(probe, Probe::CaddyBalance { .. }),
        "upstreams" => matches!(probe, Probe::CaddyUpstreams),
        "keys" => matches!(probe, Probe::LivekitKeys),
        "token" => matches!(probe, Probe::LivekitToken),
        _ => matches!(probe, Probe::TcpConnect),
    };
    stage.trial(is, at)
}

const CHUNK: &[u8] = &filled::<{ 5 + 0x400 + 2 }>(b"400\r\n");
const HINT: &[u8] = &filled::<1000>(b"\r\nHTTP/1.1 103 Early Hints\r\nlink: ");

/// Whoever listens where HTTP should be, and does not speak it to the end.
pub(crate) const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence after a status line", Manner::Says(b"HTTP/1.1 200 OK\r\n"), TooSlow),
    ("silence in a body", Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), TooSlow),
    ("drips", Manner::Drips(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in the head", Manner::Breaks(b"HTTP/1.1 200 OK\r\nserver: Caddy\r\n"), ClosedEarly),
    ("closes in the body", Manner::Breaks(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), ClosedEarly),
    (
        "closes in a chunk",
        Manner::Breaks(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc"),
        ClosedEarly,
    ),
    ("resets", Manner::Resets, ClosedEarly),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("Redis", Manner::Says(b"-ERR unknown command 'GET'\r\n"), WrongProtocol),
    ("TLS", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32"), WrongProtocol),
    ("HTTP/2", Manner::First(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), WrongProtocol),
    ("zeros without end", Manner::Floods(b"", b"\0"), WrongProtocol),
    ("a header without end", Manner::Floods(b"HTTP/1.1 200 OK\r\nx: ", b"y"), TooMuch),
    ("headers without end", Manner::Floods(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), TooMuch),
    ("a body without end", Manner::Floods(b"HTTP/1.1 200 OK\r\n\r\n", b"{"), TooMuch),
    (
        "chunks without end",
        Manner::Floods(b"HTTP/1.1 301 Moved\r\ntransfer-encoding: chunked\r\n\r\n", CHUNK),
        TooMuch,
    ),
    (
        "answers on the way without end",
        Manner::Floods(b"HTTP/1.1 103 Early Hints\r\nlink: y\r\n", HINT),
        TooMuch,
    ),
    (
        "a length that fits no number",
        Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n"),
        WrongProtocol,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_http_passes_no_check_of_it() {
    Checks { kinds: &KINDS, trial, strangers: STRANGERS }.hold(&Stage::behind_https()).await;
}

/// Servers that speak HTTP: the kind of check, a status, headers, a body, the end.
const SPEAKERS: &[(&str, u16, &str, &str, End)] = &[
    ("health", 200, "", "OK", End::Passed),
    ("health", 204, "", "", End::Passed),
    ("health", 301, "location: https://elsewhere.example.com/\r\n", "", End::Failed(HttpStatus)),
    ("health", 401, "", "", End::Failed(HttpStatus)),
    ("health", 404, "", "Not Found", End::Failed(HttpStatus)),
    ("health", 406, "", "Not Ready", End::Failed(HttpStatus)),
    ("health", 500, "", "", End::Failed(HttpStatus)),
    ("health", 503, "", "", End::Failed(HttpStatus)),
    ("redirect", 308, "location: https://live.example.com/\r\n", "", End::Passed),
    ("redirect", 301, "location: https://LIVE.example.com/rooms\r\n", "", End::Passed),
    ("redirect", 200, "", "welcome", End::Failed(NoRedirect)),
    ("redirect", 200, "location: https://live.example.com/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 304, "location: https://live.example.com/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: /\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: http://live.example.com/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: https://elsewhere.example.com/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: https://live.example.com.evil.example/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: https://live.example.com@evil.example/\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 308, "location: \u{fc}\r\n", "", End::Failed(NoRedirect)),
    ("redirect", 502, "", "", End::Failed(NoRedirect)),
    ("upstreams", 200, "", r#"[{"address":"203.0.113.11:7880","num_requests":0,"fails":0}]"#, End::Passed),
    ("upstreams", 200, "", r#"[{"address":"203.0.113.11:7880","fails":3}]"#, End::Degraded(UpstreamDown)),
    ("upstreams", 200, "", "[]", End::Failed(UpstreamUnknown)),
    ("upstreams", 200, "", r#"[{"address":"203.0.113.11:78800"}]"#, End::Failed(UpstreamUnknown)),
    ("upstreams", 200, "", "", End::Failed(WrongProtocol)),
    ("upstreams", 200, "", "<html>", End::Failed(WrongProtocol)),
    ("upstreams", 200, "", r#"{"address":"203.0.113.11:7880"}"#, End::Failed(WrongProtocol)),
    ("upstreams", 200, "", r#"[{"address":"203.0.113.11:7880","fails":-1}]"#, End::Failed(WrongProtocol)),
    ("upstreams", 403, "", r#"{"error":"host not allowed"}"#, End::Failed(HttpStatus)),
    ("upstreams", 500, "", r#"[{"address":"203.0.113.11:7880"}]"#, End::Failed(HttpStatus)),
    ("keys", 200, "", r#"{"rooms":[]}"#, End::Passed),
    ("keys", 200, "", "{}", End::Passed),
    ("keys", 200, "", "", End::Failed(WrongProtocol)),
    ("keys", 200, "", "welcome", End::Failed(WrongProtocol)),
    ("keys", 200, "", r#"{"rooms":"all"}"#, End::Failed(WrongProtocol)),
    ("keys", 401, "", r#"{"code":"unauthenticated","msg":"invalid token"}"#, End::Failed(KeyRejected)),
    ("keys", 401, "", "invalid token: token is not valid yet (nbf)", End::Failed(ClockSkew)),
    ("keys", 404, "", "", End::Failed(LivekitUnready)),
    ("keys", 406, "", "", End::Failed(LivekitUnready)),
    ("keys", 500, "", "", End::Failed(LivekitUnready)),
    ("keys", 503, "", "", End::Failed(LivekitUnready)),
    ("token", 200, "", "success", End::Passed),
    ("token", 200, "", "", End::Failed(WrongProtocol)),
    ("token", 200, "", "<html>success", End::Failed(WrongProtocol)),
    ("token", 301, "location: https://elsewhere.example.com/\r\n", "", End::Failed(LivekitUnready)),
    ("token", 401, "", "invalid token", End::Failed(KeyRejected)),
    ("token", 401, "", "token is expired (exp)", End::Failed(ClockSkew)),
    ("token", 404, "", "requested room does not exist", End::Failed(LivekitUnready)),
    ("token", 406, "", "", End::Failed(LivekitUnready)),
    ("token", 500, "", "", End::Failed(LivekitUnready)),
    ("token", 503, "", "", End::Failed(LivekitUnready)),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_http_says_is_held_against_what_it_should() {
    let stage = &Stage::behind_https();
    stage
        .hold(SPEAKERS.iter().map(|(kind, status, headers, body, end)| async move {
            let answer = answer(*status, headers, body);
            let server = speaking(answer).await;
            Case::new(format!("{kind}, {status} {headers}{body}"), trial(stage, kind, server.at), *end)
                .by(server)
        }))
        .await;
}

/// Edges that hand requests to LiveKit on two nodes: a status, and who answers, in turn.
const BALANCERS: &[(u16, &[&str], End)] = &[
    (200, &["203.0.113.11:7880", "203.0.113.12:7880"], End::Passed),
    (204, &["203.0.113.11:7880", "203.0.113.11:7880", "203.0.113.12:7880"], End::Passed),
    (200, &["203.0.113.11:7880"], End::Degraded(UpstreamUnused)),
    (200, &["203.0.113.11:7880", "203.0.113.99:7880"], End::Degraded(UpstreamUnused)),
    (200, &["203.0.113.11:7880", "203.0.113.12:78800"], End::Degraded(UpstreamUnused)),
    (200, &["203.0.113.99:7880", "203.0.113.11:7880", "203.0.113.12:7880"], End::Failed(UpstreamUnknown)),
    (200, &[""], End::Failed(UpstreamUnknown)),
    (200, &["203.0.113.11:7880", ""], End::Failed(UpstreamUnknown)),
    (502, &["203.0.113.11:7880", "203.0.113.12:7880"], End::Failed(UpstreamDown)),
    (503, &[""], End::Failed(UpstreamDown)),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_leaves_an_upstream_out_is_told() {
    let stage = &Stage::balanced();
    stage
        .hold(BALANCERS.iter().map(|&(status, upstreams, end)| async move {
            let asked = Arc::new(AtomicUsize::new(0));
            let server = Server::new(move |mut line| {
                let upstream = upstreams[asked.fetch_add(1, Ordering::Relaxed) % upstreams.len()];
                async move {
                    line.hear().await;
                    let told = if upstream.is_empty() { "" } else { &format!("upstream: {upstream}\r\n") };
                    line.say(answer(status, told, "").as_bytes()).await;
                    line.wait().await;
                }
            })
            .await;
            Case::new(format!("{status} by {upstreams:?}"), trial(stage, "balance", server.at), end)
                .by(server)
        }))
        .await;
    Checks { kinds: &["balance"], trial, strangers: STRANGERS }.hold(stage).await;
}

/// … by IPv6 too, and where rooms are made by hand alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_made_by_hand_is_missed_by_livekit_alone() {
    let stage = &Stage::with_rooms_by_hand();
    let answers = [
        ("requested room does not exist", End::Passed),
        ("", End::Failed(LivekitUnready)),
        ("404 page not found", End::Failed(LivekitUnready)),
    ];
    stage
        .hold(answers.map(|(body, end)| async move {
            let told = answer(404, "", body);
            let server = Server::v6(move |mut line| {
                let told = told.clone();
                async move {
                    line.hear().await;
                    line.say(told.as_bytes()).await;
                    line.wait().await;
                }
            })
            .await;
            Case::new(body, trial(stage, "token", server.at), end).by(server)
        }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_taken_is_one() {
    let stage = Stage::behind_https();
    let server = Server::that(Manner::Mute).await;
    let case = Case::new("tcp", trial(&stage, "tcp", server.at), End::Passed);
    stage.hold([std::future::ready(case)]).await;
    Checks { kinds: &["tcp"], trial, strangers: &[] }.hold(&stage).await;
}

#[tokio::test]
async fn the_redirect_is_asked_for_by_its_name() {
    let stage = Stage::behind_https();
    let (heard, mut asked) = tokio::sync::mpsc::channel(1);
    let server = Server::new(move |mut line| {
        let heard = heard.clone();
        async move {
            let request = line.hear().await;
            let _ = heard.send(String::from_utf8_lossy(&request).into_owned()).await;
        }
    })
    .await;
    let _ = stage.observe(trial(&stage, "redirect", server.at)).await;
    let asked = tokio::time::timeout(DEADLINE, asked.recv()).await.ok().flatten().expect("a request");
    assert!(
        asked.starts_with("GET / HTTP/1.1\r\n") && asked.contains(&format!("host: {NAME}\r\n")),
        "{asked}"
    );
}

/// A server that answers everything with the same words.
async fn speaking(answer: String) -> Server {
    Server::new(move |mut line| {
        let answer = answer.clone();
        async move {
            line.hear().await;
            line.say(answer.as_bytes()).await;
            line.wait().await;
        }
    })
    .await
}

/// An answer with its length, which a status without a body has not.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = if matches!(status, 204 | 304) {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    format!("HTTP/1.1 {status} Told\r\n{length}{headers}\r\n{body}")
}
