//! Name servers that lie.

use std::net::Ipv4Addr;

use stageplot_health::{Cause, Outcome};
use stageplot_topology::Probe;

use crate::datagram::datagrams;
use crate::stage::{DEADLINE, End, Stage};

/// What a server sends in answer to a question, which is of this type.
type Lie = fn(&[u8], u16) -> Vec<Vec<u8>>;

/// What a question asks for (RFC 1035, section 3.2.2; RFC 3596).
const A: u16 = 1;

/// Response codes (RFC 1035, section 4.1.1).
const SERVER_FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;

/// The address of the edge's node, and another one.
const RIGHT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const STALE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 99);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_lead_where_they_should_pass() {
    let seen = ask(|query, kind| vec![answer(query, 0, if kind == A { &[RIGHT] } else { &[] })]).await;
    assert_eq!(seen, End::Passed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_do_not_are_told() {
    let elsewhere = ask(|query, kind| vec![answer(query, 0, if kind == A { &[STALE] } else { &[] })]).await;
    assert_eq!(elsewhere, End::Failed(Cause::NameElsewhere), "what was once true");
    let both = ask(|query, kind| vec![answer(query, 0, if kind == A { &[RIGHT, STALE] } else { &[] })]).await;
    assert_eq!(both, End::Failed(Cause::NameElsewhere), "one of two");
    for (code, what) in [(NO_SUCH_NAME, "no such name"), (SERVER_FAILURE, "failure"), (REFUSED, "refused")] {
        let seen = ask(move |query, _| vec![answer(query, code, &[])]).await;
        assert_eq!(seen, End::Failed(Cause::NameUnknown), "{what}");
    }
    let nothing = ask(|query, _| vec![answer(query, 0, &[])]).await;
    assert_eq!(nothing, End::Failed(Cause::NameUnknown), "nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_answer_is_none() {
    let cases: [(&str, Lie); 5] = [
        ("nothing", |_, _| Vec::new()),
        ("noise", |_, _| vec![vec![0xff; 512]]),
        ("the question", |query, _| vec![query.to_vec()]),
        ("another question's answer", |query, _| {
            let mut wrong = answer(query, 0, &[RIGHT]);
            wrong[0] ^= 0xff;
            vec![wrong]
        }),
        ("half an answer", |query, _| {
            let whole = answer(query, 0, &[RIGHT]);
            vec![whole[..whole.len() - 6].to_vec()]
        }),
    ];
    for (what, lie) in cases {
        let seen = ask(lie).await;
        assert!(matches!(seen, End::Failed(_)), "{what}: {seen:?}");
    }
}

/// How the check of the edge's name ends at a server that answers so.
async fn ask(lie: impl Fn(&[u8], u16) -> Vec<Vec<u8>> + Send + 'static) -> End {
    let at = datagrams(move |query, _| lie(query, kind(query))).await;
    let stage = Stage::behind_https();
    let is_edge =
        |probe: &Probe| matches!(probe, Probe::Resolves { name, .. } if name.as_str() == crate::stage::NAME);
    let mut trial = stage.trial(is_edge, at);
    trial.deadline = DEADLINE * 4;
    let seen = stage.observe(trial).await;
    assert!(seen.took < DEADLINE * 8, "{seen:?}");
    let cause = seen.problem.as_ref().map(|problem| problem.cause);
    match (seen.outcome, cause) {
        (Outcome::Passed, None) => End::Passed,
        (Outcome::Failed, Some(cause)) => End::Failed(cause),
        (Outcome::Degraded, Some(cause)) => End::Degraded(cause),
        other => panic!("{other:?}: {seen:?}"),
    }
}

/// The type that is asked for: what follows the name, behind the header of 12 bytes.
fn kind(query: &[u8]) -> u16 {
    let mut at = 12;
    while let Some(&length) = query.get(at).filter(|length| **length != 0) {
        at += usize::from(length) + 1;
    }
    query.get(at + 1..at + 3).map_or(0, |kind| u16::from_be_bytes([kind[0], kind[1]]))
}

/// An answer to a query, with these addresses.
fn answer(query: &[u8], code: u8, addresses: &[Ipv4Addr]) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    let question = &query[12..end + 5];
    let mut message = query[..2].to_vec();
    // An answer, recursion asked for and had.
    message.extend([0x81, 0x80 | code, 0, 1]);
    message.extend((addresses.len() as u16).to_be_bytes());
    message.extend([0, 0, 0, 0]);
    message.extend(question);
    for address in addresses {
        // The name of the question, type A, class IN, for a minute.
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        message.extend(address.octets());
    }
    message
}
