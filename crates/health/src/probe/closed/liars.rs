//! Ports that lie to whoever sweeps them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use stageplot_topology::{NetworkSpec, NodeSpec, Plot, Redis, SecretRef, Topology};
use tokio::net::TcpListener;

use super::*;
use crate::probe::{Progress, late};
use crate::run::attempt;
use crate::{Options, Outcome, Secrets, Stand, Trial, closed, tls, trials};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Two nodes with a container each.
fn topology() -> Topology {
    let node = |ip: &str| NodeSpec::private(ip.parse().expect("an address")).role("cache");
    let password = Some(SecretRef::env("REDIS_PASSWORD"));
    let redis = Redis { password, primary: vec!["front".parse().expect("a name")], ..Redis::default() };
    let plot = Plot::new("live".parse().expect("a name"))
        .network("lan", NetworkSpec::new(["10.0.0.0/24".parse().expect("a network")]))
        .service("cache", redis)
        .node("front", node("10.0.0.1"))
        .node("back", node("10.0.0.2"));
    plot.build().expect("a sound plot").topology
}

fn scene(options: Options) -> Scene {
    let trust = tls::Trust::new(&[]).expect("authorities");
    Scene::new(Arc::new(topology()), Secrets::none(), trust, options)
}

#[tokio::test]
async fn a_port_is_open_where_it_takes_a_connection_whatever_comes_of_it() {
    let scene = scene(Options::default());
    let says = async |at| knock(&scene, at, None).await.expect("a socket");
    let mute = TcpListener::bind((LOOPBACK, 0)).await.expect("a port");
    assert!(says(mute.local_addr().expect("an address")).await == Answer::Accepted, "mute");

    let resets = TcpListener::bind((LOOPBACK, 0)).await.expect("a port");
    let at = resets.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = resets.accept().await {
            dropped(stream);
        }
    });
    assert!(says(at).await == Answer::Accepted, "resets");

    // Taken, so that nobody else listens there meanwhile.
    let nobody = TcpSocket::new_v4().expect("a socket");
    nobody.bind((LOOPBACK, 0).into()).expect("a port");
    let at = nobody.local_addr().expect("an address");
    assert!(says(at).await == Answer::Refused, "nobody");

    // Whose queue is full says nothing.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((LOOPBACK, 0).into()).expect("a port");
    let full = socket.listen(1).expect("a listener");
    let at = full.local_addr().expect("an address");
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(at)).await {
        queued.push(stream);
    }
    assert!(says(at).await == Answer::Silent, "a full queue");
}

#[tokio::test]
async fn a_datagram_passed_where_its_own_tag_comes_back_from() {
    let (tag, other) = (Tag::random().expect("a tag"), Tag::random().expect("a tag"));
    let asks = UdpSocket::bind((LOOPBACK, 0)).await.expect("a port");
    let at = asks.local_addr().expect("an address");
    let answers = async |from: IpAddr, words: &[u8]| {
        let socket = UdpSocket::bind((from, 0)).await.expect("a port");
        socket.send_to(words, at).await.expect("sent");
        socket.local_addr().expect("an address").port()
    };
    answers(LOOPBACK, &other.answer()).await;
    answers(LOOPBACK, &tag.question()).await;
    answers(LOOPBACK, &tag.answer()[..31]).await;
    answers(LOOPBACK, &[&tag.answer()[..], b"."].concat()).await;
    answers(LOOPBACK, &[0xff; 1400]).await;
    answers(LOOPBACK, b"").await;
    // Somebody else's word for it.
    answers(Ipv4Addr::new(127, 0, 0, 2).into(), &tag.answer()).await;
    let honest = answers(LOOPBACK, &tag.answer()).await;
    asks.readable().await.expect("a socket");
    let mut passed = BTreeSet::new();
    hear(&asks, LOOPBACK, tag, &mut passed);
    assert_eq!(passed, BTreeSet::from([honest]));
}

#[tokio::test]
async fn a_sweep_that_is_cut_off_has_found_nothing() {
    let options = Options { deadline: Some(Duration::from_millis(50)), ..Options::default() };
    let scene = scene(options);
    let stand = Stand::Node(scene.topology.nodes()[0].id);
    let sweeps = closed(&scene.topology, stand);
    assert_eq!(sweeps.len(), 3);
    let cut = |trial: &Trial| late(trial, &Progress::new(), Duration::ZERO);
    for trial in &sweeps {
        let problem = cut(trial);
        assert_eq!((problem.outcome, problem.cause), (Outcome::NotTried, Cause::TooSlow), "{}", trial.id);
    }
    let asked = trials(&scene.topology, stand, false);
    assert_eq!(cut(&asked[0]).outcome, Outcome::Failed, "who is asked has not answered");

    // … as where another one changes how this machine routes.
    let _held = scene.routing.lock().await;
    let routed = sweeps.iter().find(|trial| trial.id.contains("containers")).expect("a sweep");
    let seen = attempt(&scene, routed).await;
    let cause = seen.problem.map(|problem| problem.cause);
    assert_eq!((seen.outcome, cause), (Outcome::NotTried, Some(Cause::TooSlow)));
}
