//! SIP (RFC 3261): whether a server says that it is there.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::{Attempt, Progress, Step, random};
use crate::{Cause, Problem};

/// How long an answer is waited for at first; then twice as long, and so on, as a client does
/// over UDP (T1, section 17.1.2.2).
const FIRST: Duration = Duration::from_millis(500);

/// `OPTIONS` is answered, and with success (section 11).
pub(super) async fn options(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let address = attempt.address().await?;
    let socket = attempt.datagrams(address).await?;
    let own = socket.local_addr().map_err(|error| attempt.refused(address, &error))?;
    let call = Call { target: address, own, id: random::<16>()? };
    let answer = exchange(attempt.progress, &socket, &call).await;
    let answer = answer.map_err(|error| attempt.refused(address, &error))?;
    attempt.evidence.note("answer", format!("{} {}", answer.status, answer.reason));
    match answer.status {
        200..300 => Ok(()),
        status => {
            let what = format!("{} answers OPTIONS with {status} {}", attempt.trial.target, answer.reason);
            Err(Problem::failed(Cause::SipError, what))
        }
    }
}

/// Asks, again and again, until a final answer comes.
async fn exchange(progress: &Progress, socket: &UdpSocket, call: &Call) -> Result<Answer, io::Error> {
    let request = call.request();
    let mut buffer = [0; 2048];
    let mut wait = FIRST;
    loop {
        socket.send(request.as_bytes()).await?;
        let until = tokio::time::Instant::now() + wait;
        while let Ok(received) = tokio::time::timeout_at(until, socket.recv(&mut buffer)).await {
            match call.answer(&buffer[..received?]) {
                Some(answer) if answer.status >= 200 => return Ok(answer),
                // It works on it.
                Some(_) => {}
                None => progress.reached(Step::Strange),
            }
        }
        wait *= 2;
    }
}

/// One request, and what answers it.
struct Call {
    target: SocketAddr,
    own: SocketAddr,
    /// Nobody else's: it is `Call-ID`, tag and branch.
    id: String,
}

/// The first line of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    reason: String,
}

impl Call {
    fn request(&self) -> String {
        let Self { target, own, id } = self;
        // The cookie by which a branch is known to be unique (section 8.1.1.7), and where the
        // answer goes behind address translation (RFC 3581).
        format!(
            "OPTIONS sip:{target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {own};branch=z9hG4bK{id};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:stageplot@{own}>;tag={id}\r\n\
             To: <sip:{target}>\r\n\
             Call-ID: {id}\r\n\
             CSeq: 1 OPTIONS\r\n\
             Contact: <sip:stageplot@{own}>\r\n\
             Accept: application/sdp\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// What a datagram answers to it, if it does.
    fn answer(&self, datagram: &[u8]) -> Option<Answer> {
        let text = std::str::from_utf8(datagram).ok()?;
        let (head, _) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let line = lines.next()?.strip_prefix("SIP/2.0 ")?;
        let (status, reason) = line.split_once(' ').unwrap_or((line, ""));
        let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        let status = status.parse().ok().filter(|status| digits && (100..700).contains(status))?;
        let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
        let is = |names: [&str; 2], expected: &str| {
            let mut named = headers
                .iter()
                .filter(|(name, _)| names.iter().any(|known| name.trim_end().eq_ignore_ascii_case(known)));
            named.any(|(_, value)| value.split_ascii_whitespace().eq(expected.split_ascii_whitespace()))
        };
        // The short form of a name is one letter (section 7.3.3).
        let own = is(["Call-ID", "i"], &self.id) && is(["CSeq", "CSeq"], "1 OPTIONS");
        let reason = reason.chars().filter(|c| !c.is_control()).take(64).collect();
        own.then_some(Answer { status, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        let target = "203.0.113.10:5060".parse().expect("an address");
        let own = "198.51.100.7:41000".parse().expect("an address");
        Call { target, own, id: "a84b4c76e66710".to_owned() }
    }

    #[test]
    fn a_request_has_what_every_request_has() {
        let request = call().request();
        assert!(request.starts_with("OPTIONS sip:203.0.113.10:5060 SIP/2.0\r\n"), "{request}");
        // Section 8.1.1.
        for header in ["To", "From", "CSeq", "Call-ID", "Max-Forwards", "Via"] {
            assert!(request.contains(&format!("\r\n{header}: ")), "{header}: {request}");
        }
        assert!(request.ends_with("\r\n\r\n"));
    }

    #[test]
    fn an_answer_is_one_to_this_call() {
        let answer = |text: &str| call().answer(text.as_bytes()).map(|answer| answer.status);
        let text = |line: &str, id: &str, cseq: &str| {
            format!("{line}\r\nVia: x\r\n{id}\r\n{cseq}\r\nContent-Length: 0\r\n\r\n")
        };
        let (ok, id, cseq) = ("SIP/2.0 200 OK", "Call-ID: a84b4c76e66710", "CSeq: 1 OPTIONS");
        assert_eq!(answer(&text(ok, id, cseq)), Some(200));
        assert_eq!(answer(&text("SIP/2.0 100 Trying", id, cseq)), Some(100));
        assert_eq!(answer(&text("SIP/2.0 503", "i:a84b4c76e66710", "cseq :1  OPTIONS")), Some(503));
        for (line, id, cseq) in [
            ("SIP/2.0 2000 OK", id, cseq),
            ("SIP/2.0 +20 OK", id, cseq),
            ("SIP/2.0 999 OK", id, cseq),
            ("SIP/1.0 200 OK", id, cseq),
            ("HTTP/1.1 200 OK", id, cseq),
            (ok, "Call-ID: another", cseq),
            (ok, "X-Call-ID: a84b4c76e66710", cseq),
            (ok, id, "CSeq: 2 OPTIONS"),
            (ok, id, "CSeq: 1 INVITE"),
        ] {
            assert_eq!(answer(&text(line, id, cseq)), None, "{line} {id} {cseq}");
        }
        assert_eq!(answer(&call().request()), None);
        assert_eq!(answer("SIP/2.0 200 OK\r\n"), None);
    }
}
