//! STUN in the clear: silence, garbage, and answers to something else.

use std::net::SocketAddr;

use stageplot_health::Cause::{Refused, Silence, StunError, WrongProtocol};
use stageplot_topology::Probe;
use stun_types::message::{
    BINDING, Message, MessageClass, MessageType, MessageWrite as _, MessageWriteVec, TransactionId,
};

use crate::datagram::{bare, datagrams, mapped, refusal};
use crate::stage::{Case, End, Stage};

/// What is made of the request: the answers.
type Answer = fn(&[u8], SocketAddr) -> Vec<Vec<u8>>;

/// An answer to nothing that was asked.
fn stray(class: MessageClass, id: TransactionId) -> Vec<u8> {
    Message::builder(MessageType::from_class_method(class, BINDING), id, MessageWriteVec::new()).finish()
}

fn id(request: &[u8]) -> TransactionId {
    Message::from_bytes(request).expect("a request").transaction_id()
}

/// The method of an answer as another one: of TURN's `Allocate`.
fn allocated(mut answer: Vec<u8>) -> Vec<u8> {
    answer[1] = answer[1] & 0xf0 | 0x03;
    answer
}

const ANSWERS: &[(&str, Answer, End)] = &[
    ("honest", |request, from| vec![mapped(request, from, None)], End::Passed),
    (
        "honest, after garbage",
        |request, from| vec![b"hello".to_vec(), vec![], mapped(request, from, None)],
        End::Passed,
    ),
    ("mute", |_, _| vec![], End::Failed(Silence)),
    ("text", |_, _| vec![b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()], End::Failed(WrongProtocol)),
    ("empty datagrams", |_, _| vec![vec![]], End::Failed(WrongProtocol)),
    ("zeros", |_, _| vec![vec![0; 1500]], End::Failed(WrongProtocol)),
    ("longer than anything", |_, _| vec![vec![0xff; 60000]], End::Failed(WrongProtocol)),
    ("an echo", |request, _| vec![request.to_vec()], End::Failed(WrongProtocol)),
    (
        "half an answer",
        |request, from| vec![mapped(request, from, None)[..24].to_vec()],
        End::Failed(WrongProtocol),
    ),
    (
        "another transaction",
        |_, _| vec![stray(MessageClass::Success, TransactionId::generate())],
        End::Failed(WrongProtocol),
    ),
    (
        "an indication",
        |request, _| vec![stray(MessageClass::Indication, id(request))],
        End::Failed(WrongProtocol),
    ),
    (
        "another method",
        |request, from| vec![allocated(mapped(request, from, None))],
        End::Failed(WrongProtocol),
    ),
    ("garbage without end", |_, _| vec![vec![7; 1200]; 2000], End::Failed(WrongProtocol)),
    ("an error", |request, _| vec![refusal(request, 400)], End::Failed(StunError)),
    ("no address", |request, _| vec![bare(request)], End::Failed(StunError)),
    (
        "an address of no family",
        |request, from| {
            let mut answer = mapped(request, from, None);
            // The header's 20 bytes, the attribute's 4, then one that is 0.
            answer[25] = 9;
            vec![answer]
        },
        End::Failed(StunError),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_one_to_what_was_asked() {
    let stage = &Stage::behind_https();
    let binding = |probe: &Probe| matches!(probe, Probe::StunBinding);
    let cases = ANSWERS.iter().map(|(name, answer, end)| async move {
        let at = datagrams(answer).await;
        Case::new(*name, stage.trial(binding, at), *end).late_unless_passed()
    });
    stage.hold(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_datagram_may_be_lost_and_nobody_is_told_of() {
    let stage = &Stage::behind_https();
    let binding = |probe: &Probe| matches!(probe, Probe::StunBinding);
    let mut heard = 0;
    let second = datagrams(move |request, from| {
        heard += 1;
        if heard == 2 { vec![mapped(request, from, None)] } else { Vec::new() }
    })
    .await;
    let nobody =
        std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let cases = [("answers the second", second, End::Passed), ("nobody", nobody, End::Failed(Refused))];
    stage
        .hold(cases.map(|(name, at, end)| async move { Case::new(name, stage.trial(binding, at), end) }))
        .await;
}
