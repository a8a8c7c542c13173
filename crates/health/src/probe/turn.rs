//! TURN (RFC 8656): an allocation with the credentials that a client is given, and its
//! end.

use stageplot_topology::HostName;
use stun_types::attribute::{ErrorCode, Nonce, Realm, Username};
use stun_types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite as _,
    MessageWriteExt as _, MessageWriteVec, Method, StunWriteError, TransactionId,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use turn_types::AddressFamily;
use turn_types::attribute::{Lifetime, RequestedAddressFamily, RequestedTransport, XorRelayedAddress};
use turn_types::message::{ALLOCATE, REFRESH};

use super::connection::broken;
use super::livekit::{IceServer, Join};
use super::stun::{read, unwritable};
use super::{Attempt, Step};
use crate::{Cause, Problem};

/// Over UDP.
pub(super) async fn over_udp(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let until = attempt.half();
    let room = attempt.join().await?;
    let join = room.join.clone();
    let relayed = async |attempt: &mut Attempt<'_>| {
        let server = attempt.credentials(&join, "turn:")?;
        let address = attempt.address().await?;
        let socket = attempt.datagrams(address).await?;
        let mut asked = async |request: Vec<u8>, id: TransactionId| {
            attempt.exchange(&socket, address, &request, id).await
        };
        // Whoever comes by IPv6 is relayed by it (RFC 8656, section 3.6.1).
        let family = if address.is_ipv6() { AddressFamily::IPV6 } else { AddressFamily::IPV4 };
        allocate(&server, family, &mut asked).await
    };
    let relayed = room.within(until, attempt, relayed).await?;
    attempt.evidence.note("relay", relayed);
    Ok(())
}

/// Over TLS, to whoever shows a certificate for the name.
pub(super) async fn over_tls(attempt: &mut Attempt<'_>, name: &HostName) -> Result<(), Problem> {
    let until = attempt.half();
    let room = attempt.join().await?;
    let join = room.join.clone();
    let relayed = async |attempt: &mut Attempt<'_>| {
        let server = attempt.credentials(&join, "turns:")?;
        let told = format!("turns:{name}:443");
        if !server.urls.iter().any(|url| url.split('?').next() == Some(told.as_str())) {
            let what = format!("clients are told {}, not {told}", server.urls.join(", "));
            return Err(Problem::failed(Cause::TurnRejected, what));
        }
        let target = attempt.trial.target.to_string();
        let mut stream = attempt.secure(name.as_str(), &[]).await?;
        let mut asked = async |request: Vec<u8>, _| exchange(&mut stream, &request, &target).await;
        allocate(&server, AddressFamily::IPV4, &mut asked).await
    };
    let relayed = room.within(until, attempt, relayed).await?;
    attempt.evidence.note("relay", relayed);
    Ok(())
}

/// Allocates a relay, and gives it back; says where it was.
async fn allocate(
    server: &IceServer,
    family: AddressFamily,
    ask: &mut impl AsyncFnMut(Vec<u8>, TransactionId) -> Result<Vec<u8>, Problem>,
) -> Result<std::net::SocketAddr, Problem> {
    let transport = RequestedTransport::new(RequestedTransport::UDP);
    let family = (family == AddressFamily::IPV6).then(|| RequestedAddressFamily::new(family));
    let about = |request: &mut MessageWriteVec| {
        request.add_attribute(&transport)?;
        family.iter().try_for_each(|family| request.add_attribute(family))
    };
    // The server says first whom it asks and by which nonce (RFC 8489, section 9.2).
    let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
    about(&mut request).map_err(|error| unwritable(&error))?;
    let id = request.transaction_id();
    let answer = ask(request.finish(), id).await?;
    let challenge = read(&answer, "the TURN server")?;
    let (Ok(realm), Ok(nonce)) = (challenge.attribute::<Realm>(), challenge.attribute::<Nonce>()) else {
        let code = code(&challenge);
        let what = format!(
            "TURN does not ask who we are (error {code}): anybody may use it, or it is something else"
        );
        return Err(Problem::failed(Cause::TurnRejected, what));
    };
    let login = Login {
        user: Username::new(&server.username).map_err(|error| unwritable(&error))?,
        key: LongTermKeyCredentials::new(
            server.username.clone(),
            server.credential.clone(),
            realm.realm().to_owned(),
        ),
        realm,
        nonce,
    };
    let (request, id) = login.request(ALLOCATE, about)?;
    let answer = ask(request, id).await?;
    let allocated = read(&answer, "the TURN server")?;
    let is_signed = allocated.validate_integrity(&login.key.clone().into()).is_ok();
    if allocated.has_class(MessageClass::Success) && !is_signed {
        let what = "whoever makes the allocation does not know the client's password";
        return Err(Problem::failed(Cause::TurnRejected, what));
    }
    let relayed = match (allocated.class(), allocated.attribute::<XorRelayedAddress>()) {
        (MessageClass::Success, Ok(relayed)) => relayed.addr(allocated.transaction_id()),
        _ => {
            let what =
                format!("TURN makes no allocation for a client's credentials (error {})", code(&allocated));
            return Err(Problem::failed(Cause::TurnRejected, what));
        }
    };
    // A lifetime of 0 gives it back (RFC 8656, section 3.2).
    let none = Lifetime::new(0);
    let (request, id) = login.request(REFRESH, |request| request.add_attribute(&none))?;
    let answer = ask(request, id).await?;
    if read(&answer, "the TURN server")?.class() != MessageClass::Success {
        let what = "TURN did not take its allocation back; it ends by itself within minutes";
        return Err(Problem::degraded(Cause::TurnRejected, what));
    }
    Ok(relayed)
}

/// Who we are to a server.
struct Login {
    user: Username,
    realm: Realm,
    nonce: Nonce,
    key: LongTermKeyCredentials,
}

impl Login {
    /// A request with all that, and with what it is about.
    fn request(
        &self,
        method: Method,
        about: impl FnOnce(&mut MessageWriteVec) -> Result<(), StunWriteError>,
    ) -> Result<(Vec<u8>, TransactionId), Problem> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        let id = request.transaction_id();
        let written = about(&mut request)
            .and_then(|()| request.add_attribute(&self.user))
            .and_then(|()| request.add_attribute(&self.realm))
            .and_then(|()| request.add_attribute(&self.nonce))
            .and_then(|()| request.add_message_integrity(&self.key.clone().into(), IntegrityAlgorithm::Sha1));
        written.map_err(|error| unwritable(&error))?;
        Ok((request.finish(), id))
    }
}

fn code(message: &Message<'_>) -> u16 {
    message.attribute::<ErrorCode>().map(|error| error.code()).unwrap_or_default()
}

/// The magic cookie of every message (RFC 8489, section 5).
const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

/// Asks over a stream: each message says its length (RFC 8489, section 6.2.2).
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
    target: &str,
) -> Result<Vec<u8>, Problem> {
    let talk = async {
        stream.write_all(request).await?;
        stream.flush().await?;
        let mut message = vec![0; 20];
        stream.read_exact(&mut message).await?;
        // Two bits that are never set, and a number that is always there (section 5).
        if message[0] & 0xc0 != 0 || message[4..8] != COOKIE {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "this is no STUN"));
        }
        let length = usize::from(u16::from_be_bytes([message[2], message[3]]));
        message.resize(20 + length, 0);
        stream.read_exact(&mut message[20..]).await?;
        Ok(message)
    };
    talk.await.map_err(|error: std::io::Error| broken(&error, target))
}

impl Attempt<'_> {
    /// The credentials that a client was told for servers of this scheme.
    fn credentials(&mut self, join: &Join, scheme: &str) -> Result<IceServer, Problem> {
        self.progress.reached(Step::Started);
        let servers = join.ice_servers.iter();
        let mut servers = servers.filter(|server| server.urls.iter().any(|url| url.starts_with(scheme)));
        let told = servers.next().filter(|server| !server.credential.is_empty()).cloned();
        told.ok_or_else(|| {
            let what = format!("LiveKit tells clients of no server for {scheme}");
            Problem::failed(Cause::TurnRejected, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;
    use crate::probe::stun::samples::{ANSWER, REQUEST};

    /// Section 2.4: a request with long-term credentials, which a library reads and signs.
    const LONG_TERM: &[u8] = b"\
        \x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e\
        \x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9\x00\x00\
        \x00\x15\x00\x1cf//499k954d6OL34oL9FSTvy64sA\
        \x00\x14\x00\x0bexample.org\x00\
        \x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8\x96\x66";

    #[test]
    fn the_library_knows_the_long_term_credentials_of_rfc_5769() {
        let message = read(LONG_TERM, "the RFC").expect("a message");
        let (realm, nonce) = (message.attribute::<Realm>(), message.attribute::<Nonce>());
        let (realm, nonce) = (realm.expect("a realm"), nonce.expect("a nonce"));
        assert_eq!(nonce.nonce(), "f//499k954d6OL34oL9FSTvy64sA");
        let user = message.attribute::<Username>().expect("a user").username().to_owned();
        let signed_by = |password: &str| {
            let key = LongTermKeyCredentials::new(user.clone(), password.into(), realm.realm().into());
            message.validate_integrity(&key.into()).is_ok()
        };
        assert!(signed_by("TheMatrIX") && !signed_by("TheMatrix"));
    }

    #[tokio::test]
    async fn a_message_over_a_stream_ends_where_it_says() {
        for at_once in [1, 7, 4096] {
            let (mut ours, mut theirs) = duplex(at_once);
            let server = tokio::spawn(async move {
                let mut heard = vec![0; REQUEST.len()];
                theirs.read_exact(&mut heard).await.expect("a request");
                // What comes behind an answer is none of it.
                let said = [ANSWER, REQUEST].concat();
                let _ = theirs.write_all(&said).await;
                heard
            });
            let answer = exchange(&mut ours, REQUEST, "the RFC").await.expect("an answer");
            assert_eq!(answer, ANSWER, "{at_once} at once");
            drop(ours);
            assert_eq!(server.await.expect("a server"), REQUEST);
        }
    }
}
