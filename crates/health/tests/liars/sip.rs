//! SIP over UDP: silence, garbage, and answers to something else.

use std::net::SocketAddr;

use stageplot_health::Cause::{Silence, SipError, WrongProtocol};
use stageplot_topology::Probe;

use crate::datagram::datagrams;
use crate::stage::{Case, End, Stage};

/// What is made of the request: the answers.
type Answer = fn(&str) -> Vec<String>;

/// An answer with the headers that one copies from its request (RFC 3261, section 8.2.6.2).
fn answer(status: &str, request: &str) -> String {
    let copied = |line: &&str| {
        ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(&format!("{name}:")))
    };
    let copied: Vec<_> = request.split("\r\n").filter(copied).collect();
    format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", copied.join("\r\n"))
}

const ANSWERS: &[(&str, Answer, End)] = &[
    ("honest", |request| vec![answer("200 OK", request)], End::Passed),
    (
        "honest, after a while",
        |request| vec![answer("100 Trying", request), answer("200 OK", request)],
        End::Passed,
    ),
    (
        "honest, after garbage",
        |request| vec!["hello".to_owned(), String::new(), answer("200 OK", request)],
        End::Passed,
    ),
    ("mute", |_| vec![], End::Failed(Silence)),
    ("on it without end", |request| vec![answer("100 Trying", request)], End::Failed(Silence)),
    ("an echo", |request| vec![request.to_owned()], End::Failed(WrongProtocol)),
    ("empty datagrams", |_| vec![String::new()], End::Failed(WrongProtocol)),
    ("longer than anything", |_| vec!["SIP/2.0 ".repeat(7000)], End::Failed(WrongProtocol)),
    ("HTTP", |_| vec!["HTTP/1.1 200 OK\r\n\r\n".to_owned()], End::Failed(WrongProtocol)),
    (
        "half an answer",
        |request| vec![answer("200 OK", request)[..40].to_owned()],
        End::Failed(WrongProtocol),
    ),
    (
        "to another call",
        |request| vec![answer("200 OK", &request.replace("Call-ID: ", "Call-ID: x"))],
        End::Failed(WrongProtocol),
    ),
    (
        "to another request",
        |request| vec![answer("200 OK", &request.replace("1 OPTIONS", "1 INVITE"))],
        End::Failed(WrongProtocol),
    ),
    ("no such number", |request| vec![answer("404 Not Found", request)], End::Failed(SipError)),
    ("overloaded", |request| vec![answer("503 Service Unavailable", request)], End::Failed(SipError)),
    ("elsewhere", |request| vec![answer("302 Moved", request)], End::Failed(SipError)),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_one_to_what_was_asked() {
    let stage = &Stage::calling();
    let asks = |probe: &Probe| matches!(probe, Probe::SipOptions);
    let cases = ANSWERS.iter().map(|(name, answer, end)| async move {
        let at: SocketAddr = datagrams(move |request, _| {
            let request = std::str::from_utf8(request).expect("SIP is text");
            answer(request).into_iter().map(String::into_bytes).collect()
        })
        .await;
        Case::new(*name, stage.trial(asks, at), *end).late_unless_passed()
    });
    stage.hold(cases).await;
}
