//! Servers of datagrams, and what STUN answers.

use std::net::{Ipv4Addr, SocketAddr};

use stun_types::attribute::{ErrorCode, XorMappedAddress};
use stun_types::message::{
    IntegrityAlgorithm, Message, MessageIntegrityCredentials, MessageWrite as _, MessageWriteExt as _,
    MessageWriteVec,
};
use tokio::net::UdpSocket;

/// A server that answers each datagram with some, and says of itself where it is.
pub(crate) async fn datagrams(
    mut answer: impl FnMut(&[u8], SocketAddr) -> Vec<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let at = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut heard = [0; 2048];
        loop {
            // An answer that nobody waits for any more comes back as an error.
            let Ok((length, from)) = socket.recv_from(&mut heard).await else { continue };
            for datagram in answer(&heard[..length], from) {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    });
    at
}

/// A success that says how we see whoever asks.
pub(crate) fn mapped(
    request: &[u8],
    from: SocketAddr,
    signed: Option<&MessageIntegrityCredentials>,
) -> Vec<u8> {
    let request = Message::from_bytes(request).expect("a request");
    let mut answer = Message::builder_success(&request, MessageWriteVec::new());
    answer.add_attribute(&XorMappedAddress::new(from, request.transaction_id())).expect("room");
    sign(&mut answer, signed);
    answer.finish()
}

pub(crate) fn sign(answer: &mut MessageWriteVec, signed: Option<&MessageIntegrityCredentials>) {
    if let Some(credentials) = signed {
        answer.add_message_integrity(credentials, IntegrityAlgorithm::Sha1).expect("room");
    }
}

/// A success that says nothing.
pub(crate) fn bare(request: &[u8]) -> Vec<u8> {
    let request = Message::from_bytes(request).expect("a request");
    Message::builder_success(&request, MessageWriteVec::new()).finish()
}

/// An error.
pub(crate) fn refusal(request: &[u8], code: u16) -> Vec<u8> {
    let request = Message::from_bytes(request).expect("a request");
    let mut answer = Message::builder_error(&request, MessageWriteVec::new());
    answer.add_attribute(&ErrorCode::new(code, "No").expect("an error")).expect("room");
    answer.finish()
}
