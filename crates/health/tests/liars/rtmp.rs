//! RTMP: servers that do not speak it, that let anybody publish, or play nothing.

use std::net::SocketAddr;

use stageplot_health::Cause::*;
use stageplot_health::Trial;
use stageplot_topology::Probe;

use crate::checks::{Checks, Stranger};
use crate::http;
use crate::server::{Line, Manner, Server};
use crate::stage::{Case, End, Stage};

fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    let is = |probe: &Probe| match kind {
        "handshake" => matches!(probe, Probe::RtmpHandshake),
        "stranger" => matches!(probe, Probe::RtmpStranger),
        "status" => matches!(probe, Probe::RtmpStatus),
        _ => matches!(probe, Probe::RtmpRoundTrip),
    };
    stage.trial(is, at)
}

/// Whoever listens where RTMP should be, and does not speak it to the end.
const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence after the version", Manner::Says(b"\x03"), TooSlow),
    ("drips", Manner::Drips(b"\x03"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in the handshake", Manner::Breaks(b"\x03abc"), ClosedEarly),
    ("resets", Manner::Resets, ClosedEarly),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("HTTP", Manner::Says(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), WrongProtocol),
    ("TLS", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32"), WrongProtocol),
    ("RTMPE", Manner::Says(&[6; 3073]), WrongProtocol),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_rtmp_passes_no_check_of_it() {
    let checks = |kinds| Checks { kinds, trial, strangers: STRANGERS };
    checks(&["handshake", "stranger"]).hold(&Stage::streaming()).await;
    checks(&["plays"]).hold(&Stage::streaming_to_anybody()).await;
}

/// What a server says to whoever enters, opens a stream, publishes and plays.
#[derive(Clone, Copy)]
struct Answers {
    connect: Said,
    create: Said,
    publish: Said,
    play: Said,
}

#[derive(Clone, Copy)]
enum Said {
    Result,
    Error,
    Status(&'static str),
    /// A picture, in chunks as small as there are.
    Picture,
    Nothing,
    HangsUp,
    /// More than anybody asked for.
    TooLong,
    ManyStreams,
    Garbage,
}

use Said::{Error, Garbage, HangsUp, ManyStreams, Nothing, Picture, Result as Granted, Status, TooLong};

const START: Said = Status("NetStream.Publish.Start");
const WELL: Answers = Answers { connect: Granted, create: Granted, publish: START, play: Picture };

const SERVERS: &[(&str, &str, Answers, End)] = &[
    ("stranger", "sent away", Answers { publish: Status("NetStream.Publish.BadName"), ..WELL }, End::Passed),
    ("stranger", "hung up on", Answers { publish: HangsUp, ..WELL }, End::Passed),
    ("stranger", "let in", WELL, End::Failed(PublishUnasked)),
    ("stranger", "heard by nobody", Answers { publish: Nothing, ..WELL }, End::Failed(TooSlow)),
    ("stranger", "no application", Answers { connect: Error, ..WELL }, End::Failed(PublishRefused)),
    ("stranger", "hung up on before", Answers { connect: HangsUp, ..WELL }, End::Failed(ClosedEarly)),
    ("stranger", "no stream", Answers { create: HangsUp, ..WELL }, End::Failed(ClosedEarly)),
    ("stranger", "another answer", Answers { create: Garbage, ..WELL }, End::Failed(TooSlow)),
    ("stranger", "a long message", Answers { connect: TooLong, ..WELL }, End::Failed(WrongProtocol)),
    ("stranger", "many streams", Answers { connect: ManyStreams, ..WELL }, End::Failed(WrongProtocol)),
    ("plays", "honest", WELL, End::Passed),
    (
        "plays",
        "sends away",
        Answers { publish: Status("NetStream.Publish.BadName"), ..WELL },
        End::Failed(PublishRefused),
    ),
    ("plays", "hangs up", Answers { publish: HangsUp, ..WELL }, End::Failed(PublishRefused)),
    ("plays", "nothing", Answers { play: Nothing, ..WELL }, End::Failed(StreamMissing)),
    ("plays", "words", Answers { play: Status("NetStream.Play.Start"), ..WELL }, End::Failed(StreamMissing)),
    ("plays", "hangs up on players", Answers { play: HangsUp, ..WELL }, End::Failed(StreamMissing)),
];

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_let_in_and_played_or_not() {
    let (asking, open) = (Stage::streaming(), Stage::streaming_to_anybody());
    let cases = SERVERS.iter().map(|(kind, name, answers, end)| {
        let stage = if *kind == "plays" { &open } else { &asking };
        async move {
            let server = Server::new(move |line| serve(line, *answers)).await;
            Case::new(format!("{kind}, {name}"), trial(stage, kind, server.at), *end).by(server)
        }
    });
    // What plays is looked at in half of the time.
    asking.hold(cases).await;
}

/// Serves one connection.
async fn serve(mut line: Line, answers: Answers) {
    let mut heard = Vec::new();
    let hear = async |line: &mut Line, until: &[u8], heard: &mut Vec<u8>| {
        while !heard.windows(until.len()).any(|window| window == until) {
            match line.hear().await {
                more if more.is_empty() => return false,
                more => heard.extend(more),
            }
        }
        true
    };
    while heard.len() < 1537 {
        match line.hear().await {
            more if more.is_empty() => return,
            more => heard.extend(more),
        }
    }
    let hello: Vec<u8> = [&[3][..], &[0; 1536], &heard[1..1537]].concat();
    if !line.say(&hello).await {
        return;
    }
    let calls = [("connect", answers.connect, 1.0), ("createStream", answers.create, 2.0)];
    for (call, said, number) in calls {
        if !hear(&mut line, call.as_bytes(), &mut heard).await || !answer(&mut line, said, number).await {
            return;
        }
    }
    while !heard.windows(7).any(|window| window == b"publish")
        && !heard.windows(4).any(|window| window == b"play")
    {
        match line.hear().await {
            more if more.is_empty() => return,
            more => heard.extend(more),
        }
    }
    let said =
        if heard.windows(7).any(|window| window == b"publish") { answers.publish } else { answers.play };
    if answer(&mut line, said, 0.0).await {
        line.wait().await;
    }
}

/// Says something; `false` where the connection ends by it.
async fn answer(line: &mut Line, said: Said, number: f64) -> bool {
    let command = |name: &str, rest: &[u8]| {
        let values = [&text(name)[..], &[0], &number.to_be_bytes(), &[5], rest].concat();
        chunks(20, &values)
    };
    let bytes = match said {
        Granted => command("_result", &[&[0][..], &1.0_f64.to_be_bytes()].concat()),
        Error => command("_error", &object("description", "no such application")),
        Status(code) => command("onStatus", &object("code", code)),
        Picture => chunks(9, &[0x17; 300]),
        Nothing => Vec::new(),
        HangsUp => return false,
        TooLong => vec![3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0],
        ManyStreams => (2..64)
            .chain(2..64)
            .enumerate()
            .flat_map(|(index, id)| {
                // One byte of a message of two, on each of more streams than there may be.
                let header = [0, 0, 0, 0, 0, 200, 20, 0, 0, 0, 0];
                let id: Vec<u8> = if index < 62 { vec![id] } else { vec![0, id] };
                [&id[..], &header, &[0; 128]].concat()
            })
            .collect(),
        Garbage => chunks(20, b"\x0a\xff\xff\xff\xff"),
    };
    line.say(&bytes).await
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text");
    [&[2][..], &length.to_be_bytes(), text.as_bytes()].concat()
}

fn object(name: &str, value: &str) -> Vec<u8> {
    [&[3][..], &text(name)[1..], &text(value), &[0, 0, 9]].concat()
}

/// A message in pieces of 128 bytes.
fn chunks(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short message").to_be_bytes();
    let mut bytes = [&[3, 0, 0, 0][..], &length[1..], &[kind, 0, 0, 0, 0]].concat();
    for (index, piece) in payload.chunks(128).enumerate() {
        if index > 0 {
            bytes.push(0xc3);
        }
        bytes.extend(piece);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_http_tells_of_no_streams() {
    Checks { kinds: &["status"], trial, strangers: http::STRANGERS }.hold(&Stage::streaming()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_streams_is_of_the_plots_application() {
    let stage = &Stage::streaming();
    let told = |application: &str| {
        format!(
            "<rtmp><server><application><name>{application}</name><live></live></application></server></rtmp>"
        )
    };
    let cases = [
        ("honest", "200 OK", told("live"), End::Passed),
        ("another application", "200 OK", told("vod"), End::Failed(OtherSetting)),
        ("none", "200 OK", "<rtmp/>".to_owned(), End::Failed(OtherSetting)),
        (
            "another document",
            "200 OK",
            "<html><name>live</name></html>".to_owned(),
            End::Failed(WrongProtocol),
        ),
        ("JSON", "200 OK", "{\"rtmp\":{\"application\":\"live\"}}".to_owned(), End::Failed(WrongProtocol)),
        ("an entity within entities", "200 OK", BILLION.to_owned(), End::Failed(WrongProtocol)),
        ("not there", "404 Not Found", told("live"), End::Failed(HttpStatus)),
    ];
    let cases = cases.map(|(name, status, body, end)| async move {
        let response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let response: &'static [u8] = response.into_bytes().leak();
        let server = Server::that(Manner::Says(response)).await;
        Case::new(name, trial(stage, "status", server.at), end).by(server)
    });
    stage.hold(cases).await;
}

/// A document that grows as it is read, where entities are.
const BILLION: &str = "<!DOCTYPE rtmp [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><rtmp>&c;</rtmp>";
