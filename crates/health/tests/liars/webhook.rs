//! Webhooks: receivers that believe nobody, or anybody.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use stageplot_health::Cause::*;
use stageplot_health::{Trial, What};
use stageplot_topology::Probe;

use crate::chain::Authority;
use crate::checks::Checks;
use crate::http::STRANGERS;
use crate::server::{Line, Manner, Server, Wire};
use crate::stage::{Case, End, KEY, NAME, Stage};

/// An event sent to a receiver at a URL with this scheme.
fn trial(stage: &Stage, scheme: &str, at: SocketAddr) -> Trial {
    let mut trial = stage.trial(|probe| matches!(probe, Probe::LivekitKeys), at);
    let url = format!("{scheme}://{NAME}/hooks?from=live").parse().expect("a URL");
    trial.what = What::Probe(Probe::Webhook { service: trial.service.expect("LiveKit"), url });
    trial
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_http_receives_nothing() {
    Checks { kinds: &["http"], trial, strangers: STRANGERS }.hold(&Stage::behind_https()).await;
}

/// What is answered to whoever signs well, and to others.
type Receiver = (&'static str, Manner, Manner, End);

const YES: Manner = Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const NO: Manner = Manner::Says(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
const MOVED: Manner = Manner::Says(b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n");
const BROKEN: Manner = Manner::Says(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nno");

const RECEIVERS: &[Receiver] = &[
    ("honest", YES, NO, End::Passed),
    ("believes everybody", YES, YES, End::Failed(WebhookUnsigned)),
    ("believes nobody", NO, NO, End::Failed(WebhookRefused)),
    ("believes others alone", NO, YES, End::Failed(WebhookRefused)),
    ("sends everybody to a login", MOVED, MOVED, End::Failed(WebhookRefused)),
    ("is broken", BROKEN, BROKEN, End::Failed(WebhookRefused)),
    // Whoever signs wrongly learns nothing; neither do we.
    ("falls silent", YES, Manner::Mute, End::Failed(NoAnswer)),
    ("drips", YES, Manner::Drips(b"HTTP/1.1 401 No\r\n"), End::Failed(TooSlow)),
    ("closes", YES, Manner::Breaks(b""), End::Failed(ClosedEarly)),
    ("resets", YES, Manner::Resets, End::Failed(ClosedEarly)),
    ("speaks of something else", YES, Manner::Says(b"+OK\r\n"), End::Failed(WrongProtocol)),
    ("talks without end", YES, Manner::Floods(b"HTTP/1.1 401 No\r\n\r\n", b"no"), End::Failed(TooMuch)),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_believed_by_its_signature() {
    let stage = &Stage::behind_https();
    let cases = RECEIVERS.iter().map(|(name, well, wrongly, end)| async move {
        let server = Server::new(move |line| receive(line, *well, *wrongly)).await;
        Case::new(*name, trial(stage, "http", server.at), *end).by(server)
    });
    stage.hold(cases).await;
}

/// An event is told to nobody who is not trusted.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_behind_tls_is_who_it_says_it_is() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = known.file();
    let stage = &Stage::behind_https().trusting(file.path());
    let cases = [
        ("honest", known.chain(NAME), End::Passed),
        ("another name", known.chain("other.example.com"), End::Failed(CertificateName)),
        ("ended", known.with_ended_leaf(NAME), End::Failed(CertificateExpired)),
        ("untrusted", unknown.chain(NAME), End::Failed(CertificateUntrusted)),
    ];
    let cases = cases.map(|(name, shown, end)| async move {
        let server = Server::new(move |line| {
            let config = shown.config();
            async move {
                if let Ok(line) = line.secure(config).await {
                    receive(line, YES, NO).await;
                }
            }
        });
        Case::new(name, trial(stage, "https", server.await.at), end)
    });
    stage.hold(cases).await;
}

/// Takes an event, and answers whoever signed it well, or did not.
async fn receive<S: Wire>(mut line: Line<S>, well: Manner, wrongly: Manner) {
    let mut heard = String::new();
    // The head and the body may come one after the other.
    while heard.split_once("\r\n\r\n").is_none_or(|(_, body)| body.is_empty()) {
        let more = line.hear().await;
        if more.is_empty() {
            return;
        }
        heard.push_str(&String::from_utf8_lossy(&more));
    }
    line.act(if is_signed(&heard) { well } else { wrongly }).await;
}

/// Whether a request is an event that somebody with LiveKit's key has signed: its token is
/// signed (RFC 7515), names the key, and has the body's digest.
fn is_signed(request: &str) -> bool {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /hooks?from=live HTTP/1.1\r\n"), "{head}");
    let token = head.lines().find_map(|line| line.strip_prefix("authorization: ")).expect("a token");
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    let claims = BASE64_URL_SAFE_NO_PAD.decode(signed.split_once('.').expect("claims").1).expect("Base64");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["iss"], "main");
    assert_eq!(claims["sha256"], BASE64_STANDARD.encode(Sha256::digest(body)));
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()) == signature
}
