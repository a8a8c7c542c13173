//! STUN (RFC 8489) in datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use stun_types::attribute::{AttributeStaticType as _, ErrorCode, XorMappedAddress};
use stun_types::message::{
    BINDING, Message, MessageClass, MessageWrite as _, MessageWriteExt as _, MessageWriteVec,
};
use tokio::net::UdpSocket;

use super::{Attempt, Step};
use crate::{Cause, Problem};

/// How long one datagram is waited for at first; then twice as long, and so on, for
/// datagrams get lost (RFC 8489, section 6.2.1).
const FIRST: Duration = Duration::from_millis(500);

/// A Binding request is answered with our own address.
pub(super) async fn binding(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let (socket, address) = attempt.datagrams().await?;
    let request = Message::builder_request(BINDING, MessageWriteVec::new());
    let id = request.transaction_id();
    let request = request.finish();
    let answer = attempt.exchange(&socket, address, &request, |bytes| {
        Message::from_bytes(bytes).is_ok_and(|message| message.transaction_id() == id)
    });
    let answer = answer.await?;
    let target = attempt.trial.target.to_string();
    let message = Message::from_bytes(&answer).map_err(|error| {
        Problem::failed(Cause::WrongProtocol, format!("{target} speaks no STUN: {error}"))
    })?;
    match message.class() {
        MessageClass::Success => {}
        _ => {
            let code = message.attribute::<ErrorCode>().map(|error| error.code()).unwrap_or_default();
            return Err(Problem::failed(Cause::StunError, format!("{target} answers with the error {code}")));
        }
    }
    let Ok(mapped) = message.attribute::<XorMappedAddress>() else {
        let missing = XorMappedAddress::TYPE;
        return Err(Problem::failed(
            Cause::StunError,
            format!("{target} answers without our address ({missing})"),
        ));
    };
    attempt.evidence.note("seen-as", mapped.addr(message.transaction_id()));
    Ok(())
}

impl Attempt<'_> {
    /// A socket from which the target alone is met.
    pub(crate) async fn datagrams(&mut self) -> Result<(UdpSocket, SocketAddr), Problem> {
        let address = self.address().await?;
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(own).await.map_err(|error| self.refused(address, &error))?;
        socket.connect(address).await.map_err(|error| self.refused(address, &error))?;
        Ok((socket, address))
    }

    /// Sends a datagram, again and again, until an answer to it comes. What is no answer
    /// to it is not looked at twice.
    pub(crate) async fn exchange(
        &mut self,
        socket: &UdpSocket,
        address: SocketAddr,
        request: &[u8],
        answers: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>, Problem> {
        let mut buffer = [0; 1500];
        let mut wait = FIRST;
        loop {
            socket.send(request).await.map_err(|error| self.refused(address, &error))?;
            let until = tokio::time::Instant::now() + wait;
            while let Ok(received) = tokio::time::timeout_at(until, socket.recv(&mut buffer)).await {
                let length = received.map_err(|error| self.refused(address, &error))?;
                let datagram = &buffer[..length];
                if answers(datagram) {
                    return Ok(datagram.to_vec());
                }
                // Somebody is there, and does not speak our language.
                self.progress.reached(Step::Answering);
            }
            wait *= 2;
        }
    }
}
