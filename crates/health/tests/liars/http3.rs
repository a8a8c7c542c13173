//! HTTP/3: sessions of QUIC that are none, or somebody else's.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use stageplot_health::Cause::*;
use stageplot_topology::Probe;

use crate::chain::{Authority, Shown};
use crate::datagram::datagrams;
use crate::stage::{Case, End, NAME, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn http3_is_spoken_by_who_is_trusted() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = known.file();
    let stage = &Stage::behind_https().trusting(file.path());
    let (h3, other): (&[&[u8]], &[&[u8]]) = (&[b"h3"], &[b"doq"]);
    let cases = [
        ("honest", quic(&known.chain(NAME), h3), End::Passed),
        ("another protocol", quic(&known.chain(NAME), other), End::Failed(TlsRefused)),
        ("another name", quic(&known.chain("other.example.com"), h3), End::Failed(CertificateName)),
        ("ended", quic(&known.with_ended_leaf(NAME), h3), End::Failed(CertificateExpired)),
        ("incomplete", quic(&known.chain(NAME).alone(), h3), End::Failed(ChainIncomplete)),
        ("untrusted", quic(&unknown.chain(NAME), h3), End::Failed(CertificateUntrusted)),
        ("mute", datagrams(|_, _| Vec::new()).await, End::Failed(Silence)),
        ("text", datagrams(|_, _| vec![b"hello".to_vec()]).await, End::Failed(Silence)),
        ("an echo", datagrams(|heard, _| vec![heard.to_vec()]).await, End::Failed(Silence)),
        ("garbage without end", datagrams(|_, _| vec![vec![0xff; 1200]; 2000]).await, End::Failed(Silence)),
    ];
    let is = |probe: &Probe| matches!(probe, Probe::Http3Session { .. });
    stage.hold(cases.map(|(name, at, end)| async move { Case::new(name, stage.trial(is, at), end) })).await;
}

/// A server that has sessions and says nothing in them.
fn quic(shown: &Shown, protocols: &[&[u8]]) -> SocketAddr {
    let config = QuicServerConfig::try_from(shown.speaking(protocols)).expect("TLS 1.3");
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    let endpoint = quinn::Endpoint::server(config, ([127, 0, 0, 1], 0).into()).expect("a port");
    let at = endpoint.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(async move {
                if let Ok(session) = incoming.await {
                    session.closed().await;
                }
            });
        }
    });
    at
}
