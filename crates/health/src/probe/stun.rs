//! STUN (RFC 8489): a Binding in the clear, and one within ICE (RFC 8445).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use stun_types::attribute::{ErrorCode, Username, XorMappedAddress};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, Message, MessageClass, MessageWrite as _, MessageWriteExt as _,
    MessageWriteVec, ShortTermCredentials, StunWriteError, TransactionId,
};
use tokio::net::UdpSocket;

use super::livekit::Peer;
use super::{Attempt, Progress, Step};
use crate::{Cause, Problem};

/// How long one datagram is waited for at first; then twice as long, and so on, for
/// datagrams get lost (RFC 8489, section 6.2.1).
const FIRST: Duration = Duration::from_millis(500);

/// A Binding request is answered with our own address.
pub(super) async fn binding(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let address = attempt.address().await?;
    let socket = attempt.datagrams(address).await?;
    let request = Message::builder_request(BINDING, MessageWriteVec::new());
    let id = request.transaction_id();
    let answer = attempt.exchange(&socket, address, &request.finish(), id).await?;
    attempt.mapped(&answer)
}

/// A Binding request of a session of our own is answered at one of its media ports, by
/// somebody who knows that session's password. Not all of them need to answer: a server
/// behind one address has a port for each of its interfaces, and tells them all.
pub(super) async fn ice(
    attempt: &mut Attempt<'_>,
    addresses: &[SocketAddr],
    peer: &Peer,
) -> Result<(), Problem> {
    let credentials = ShortTermCredentials::new(peer.password.clone()).into();
    let mut request = Message::builder_request(BINDING, MessageWriteVec::new());
    let id = request.transaction_id();
    // The other side's fragment first, then ours (RFC 8445, section 7.2.2).
    let written = Username::new(&format!("{}:{}", peer.fragment, peer.own_fragment))
        .and_then(|user| request.add_attribute(&user))
        .and_then(|()| request.add_message_integrity(&credentials, IntegrityAlgorithm::Sha1))
        .and_then(|()| request.add_fingerprint());
    written.map_err(|error| unwritable(&error))?;
    let request = request.finish();
    let mut sockets = Vec::new();
    for &address in addresses {
        sockets.push((attempt.datagrams(address).await?, address));
    }
    let progress = attempt.progress;
    let asked = sockets.iter().map(|(socket, address)| {
        let request = &request;
        async move { (*address, exchange(progress, socket, request, id).await) }
    });
    let mut asked: FuturesUnordered<_> = asked.collect();
    let mut refused = Problem::failed(Cause::Silence, format!("no port of {} answers", attempt.trial.target));
    while let Some((address, answer)) = asked.next().await {
        match answer {
            Ok(answer) => {
                let message = read(&answer, &address.to_string())?;
                if message.validate_integrity(&credentials).is_err() {
                    let what = format!("{address} answers, and does not know the session's password");
                    return Err(Problem::failed(Cause::StunError, what));
                }
                attempt.evidence.note("candidate", address);
                return attempt.mapped(&answer);
            }
            Err(error) => refused = attempt.refused(address, &error),
        }
    }
    Err(refused)
}

/// A message, where it is one.
pub(super) fn read<'m>(bytes: &'m [u8], who: &str) -> Result<Message<'m>, Problem> {
    Message::from_bytes(bytes)
        .map_err(|error| Problem::failed(Cause::WrongProtocol, format!("{who} speaks no STUN: {error}")))
}

/// That a message cannot be written, for what it would hold is too long.
pub(super) fn unwritable(error: &StunWriteError) -> Problem {
    Problem::failed(Cause::StunError, format!("what the server gave us fits no message: {error}"))
}

impl Attempt<'_> {
    /// Notes down by which address we are seen.
    fn mapped(&mut self, answer: &[u8]) -> Result<(), Problem> {
        let target = self.trial.target.to_string();
        let message = read(answer, &target)?;
        if message.class() != MessageClass::Success {
            let code = message.attribute::<ErrorCode>().map(|error| error.code()).unwrap_or_default();
            return Err(Problem::failed(Cause::StunError, format!("{target} answers with the error {code}")));
        }
        let Ok(mapped) = message.attribute::<XorMappedAddress>() else {
            return Err(Problem::failed(Cause::StunError, format!("{target} does not say how it sees us")));
        };
        self.evidence.note("seen-as", mapped.addr(message.transaction_id()));
        Ok(())
    }

    /// A socket from which one address alone is met.
    pub(super) async fn datagrams(&mut self, address: SocketAddr) -> Result<UdpSocket, Problem> {
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(own).await.map_err(|error| self.refused(address, &error))?;
        socket.connect(address).await.map_err(|error| self.refused(address, &error))?;
        Ok(socket)
    }

    /// Sends a request, again and again, until an answer to it comes.
    pub(super) async fn exchange(
        &mut self,
        socket: &UdpSocket,
        address: SocketAddr,
        request: &[u8],
        id: TransactionId,
    ) -> Result<Vec<u8>, Problem> {
        exchange(self.progress, socket, request, id).await.map_err(|error| self.refused(address, &error))
    }
}

/// Sends a request, again and again, until an answer to it comes.
async fn exchange(
    progress: &Progress,
    socket: &UdpSocket,
    request: &[u8],
    id: TransactionId,
) -> Result<Vec<u8>, io::Error> {
    let method = Message::from_bytes(request).map_err(io::Error::other)?.method();
    let mut buffer = [0; 1500];
    let mut wait = FIRST;
    loop {
        socket.send(request).await?;
        let until = tokio::time::Instant::now() + wait;
        while let Ok(received) = tokio::time::timeout_at(until, socket.recv(&mut buffer)).await {
            let datagram = &buffer[..received?];
            if Message::from_bytes(datagram).is_ok_and(|message| {
                message.transaction_id() == id
                    && message.has_method(method)
                    && matches!(message.class(), MessageClass::Success | MessageClass::Error)
            }) {
                return Ok(datagram.to_vec());
            }
            // Somebody is there, and does not answer what was asked.
            progress.reached(Step::Strange);
        }
        wait *= 2;
    }
}

/// The samples of RFC 5769, whose transaction is the same: section 2.1, a request; 2.2 and
/// 2.3, answers to it by IPv4 and IPv6.
#[cfg(test)]
pub(super) mod samples {
    pub(in crate::probe) const REQUEST: &[u8] = b"\
        \x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\
        \x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09evtj:h6vY\x20\x20\x20\
        \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";
    pub(in crate::probe) const ANSWER: &[u8] = b"\
        \x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector\x20\
        \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
        \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
        \x80\x28\x00\x04\xc0\x7d\x4c\x96";
    pub(in crate::probe) const ANSWER_V6: &[u8] = b"\
        \x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector\x20\
        \x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9\
        \x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41\
        \x80\x28\x00\x04\xc8\xfb\x0b\x4c";
    pub(in crate::probe) const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
}

#[cfg(test)]
mod tests {
    use super::samples::{ANSWER, ANSWER_V6, PASSWORD, REQUEST};
    use super::*;

    /// What is read and signed here is read and signed by a library.
    #[test]
    fn the_library_knows_the_samples_of_rfc_5769() {
        let credentials = ShortTermCredentials::new(PASSWORD.to_owned()).into();
        let other = ShortTermCredentials::new("another".to_owned()).into();
        let samples = [
            (REQUEST, None),
            (ANSWER, Some("192.0.2.1:32853")),
            (ANSWER_V6, Some("[2001:db8:1234:5678:11:2233:4455:6677]:32853")),
        ];
        for (sample, mapped) in samples {
            let message = read(sample, "the RFC").expect("a message");
            assert!(message.validate_integrity(&credentials).is_ok() && message.has_method(BINDING));
            assert!(message.validate_integrity(&other).is_err(), "another password");
            let seen = message.attribute::<XorMappedAddress>().ok();
            let seen = seen.map(|seen| seen.addr(message.transaction_id()).to_string());
            assert_eq!(seen.as_deref(), mapped);
        }
        assert!(read(&ANSWER[..ANSWER.len() - 1], "the RFC").is_err(), "a part of a message");
        let mut wrong = ANSWER.to_vec();
        *wrong.last_mut().expect("a byte") ^= 1;
        assert!(read(&wrong, "the RFC").is_err(), "another fingerprint");
    }
}
