//! A room of our own: joined by WebSocket as clients do, and left again.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use prost::Message as _;
use stageplot_topology::{Probe, ServiceId};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::signal::{Description, Join, Request as Said, Response, Trickle, request, response};
use super::{Grant, ROOM, sdp, told};
use crate::probe::connection::{Stream, broken};
use crate::probe::entrance::Entrance;
use crate::probe::{Attempt, Step, random, stun};
use crate::trial::What;
use crate::{Cause, Problem, Stand};

/// How much of one message is read.
const LONGEST: usize = 1 << 20;

/// How often a new room is tried that may be placed on the node that is asked: rooms
/// are placed by chance.
const ROOMS: usize = 24;

/// How many candidates of one node are asked: as many as a node may have interfaces.
const CANDIDATES: usize = 32;

/// How long the next candidate is waited for.
const PAUSE: Duration = Duration::from_millis(300);

/// The version of signalling from which on the server offers first.
const PROTOCOL: u32 = 9;

/// A room that was joined.
pub(crate) struct Room {
    name: String,
    socket: WebSocketStream<Stream>,
    /// What the server told us.
    pub(crate) join: Join,
}

/// The other side of a session, and ours.
pub(crate) struct Peer {
    pub(crate) fragment: String,
    pub(crate) password: String,
    pub(crate) own_fragment: String,
}

/// A room is joined, and left.
pub(in crate::probe) async fn join(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let room = attempt.join().await?;
    if let Some(server) = &room.join.server_info {
        attempt.evidence.note("version", &server.version);
        attempt.evidence.note("node", &server.node_id);
    }
    room.leave(attempt).await
}

/// A media port of a node answers a session of our own there.
pub(in crate::probe) async fn media(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let wanted = attempt.address().await?.ip();
    let until = attempt.half();
    let mut elsewhere = Vec::new();
    for _ in 0..ROOMS {
        let mut room = attempt.join().await?;
        let host = attempt.trial.target.to_string();
        let offered = tokio::time::timeout_at(until, room.offered(&host)).await;
        let (peer, candidates) = match offered {
            Ok(Ok(offered)) => offered,
            failed => {
                let late = attempt.late();
                let _ = room.leave(attempt).await;
                match failed {
                    Ok(Err(problem)) => return Err(problem),
                    // All that there was time for were on other nodes.
                    _ if !elsewhere.is_empty() => break,
                    _ => return Err(late),
                }
            }
        };
        let here = candidates.iter().filter(|met| attempt.meets(met.ip(), wanted));
        let dialled: Vec<_> = here.map(|met| SocketAddr::new(wanted, met.port())).take(CANDIDATES).collect();
        if !dialled.is_empty() {
            attempt.progress.reached(Step::Started);
            let ask = async |attempt: &mut Attempt<'_>| stun::ice(attempt, &dialled, &peer).await;
            return room.within(until, attempt, ask).await;
        }
        let _ = room.leave(attempt).await;
        elsewhere = candidates;
        if let Some(met) = elsewhere.iter().find(|met| attempt.is_same_node(met.ip(), wanted)) {
            let what = format!("clients are told to meet media at {met}, and not at {wanted}");
            return Err(Problem::failed(Cause::WrongCandidate, what));
        }
        if !elsewhere.iter().any(|met| attempt.is_of_the_plot(met.ip())) {
            let told: Vec<_> = elsewhere.iter().map(|met| met.ip().to_string()).collect();
            let told = told.join(", ");
            let what = format!(
                "clients are told to meet media at {told}, which is no address of a node of the plot"
            );
            return Err(Problem::failed(Cause::WrongCandidate, what));
        }
    }
    let told: Vec<_> = elsewhere.iter().map(|met| met.ip().to_string()).collect();
    let what = format!("no room was placed on that node; the last one was at {}", told.join(", "));
    Err(Problem::not_tried(Cause::NodeNotMet, what))
}

impl Attempt<'_> {
    /// The LiveKit whose rooms a check is about.
    pub(crate) fn rooms(&self) -> Option<ServiceId> {
        if let What::Probe(Probe::CreateRoom { service, .. }) = &self.trial.what {
            return Some(*service);
        }
        match self.trial.subject {
            crate::Subject::Service(service) => Some(service),
            _ => self.trial.service,
        }
    }

    /// Where the clients of those rooms come in.
    pub(super) async fn entrance(&mut self) -> Result<Entrance, Problem> {
        let rooms = self.rooms();
        self.entrance_of(rooms, "signal").await
    }

    /// What it means that half of the time has passed.
    pub(super) fn late(&self) -> Problem {
        self.progress.late(&self.trial.target, self.deadline() / 2)
    }

    /// Joins a room that nobody else is in.
    pub(crate) async fn join(&mut self) -> Result<Room, Problem> {
        let key = self.keys().next().map(|(name, _)| name).unwrap_or_default();
        let name = format!("{ROOM}{}", random::<8>()?);
        let token = self.token(&key, Grant::Join(name.clone()))?;
        let entrance = self.entrance().await?;
        let stream = self.enter(&entrance).await?;
        let scheme = if entrance.name.is_some() { "wss" } else { "ws" };
        let url = format!(
            "{scheme}://{}/rtc?access_token={token}&protocol={PROTOCOL}&auto_subscribe=0&sdk=rust",
            entrance.host
        );
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        let refused = |what: String| Problem::failed(Cause::JoinRefused, what);
        let joined = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
        let (socket, _) = joined.map_err(|error| match error {
            tokio_tungstenite::tungstenite::Error::Http(response) => {
                let body = told(response.body().as_deref().unwrap_or_default(), &token);
                refused(format!("{} lets nobody join: {} {body}", entrance.host, response.status()))
            }
            error => broken(&error, &entrance.host),
        })?;
        self.progress.reached(Step::Answering);
        let mut room = Room { name, socket, join: Join::default() };
        loop {
            match room.receive(&entrance.host).await? {
                response::Message::Join(join) => {
                    room.join = join;
                    return Ok(room);
                }
                response::Message::Leave(_) => {
                    return Err(refused(format!("{} shows whoever joins out again", entrance.host)));
                }
                _ => {}
            }
        }
    }

    /// Whether a client that dials an address means what a candidate tells: the very
    /// address, or, within a network, the node that tells its public one.
    fn meets(&self, told: IpAddr, dialled: IpAddr) -> bool {
        let inside = self.trial.place.stand(&self.scene.topology) != Stand::Outside;
        told == dialled || inside && told.is_ipv4() == dialled.is_ipv4() && self.is_same_node(told, dialled)
    }

    fn is_same_node(&self, one: IpAddr, other: IpAddr) -> bool {
        one == other || self.scene.topology.nodes().iter().any(|node| node.has(one) && node.has(other))
    }

    fn is_of_the_plot(&self, ip: IpAddr) -> bool {
        self.scene.topology.nodes().iter().any(|node| node.has(ip))
    }
}

impl Room {
    /// The next thing that the server says.
    async fn receive(&mut self, host: &str) -> Result<response::Message, Problem> {
        loop {
            let message = self.socket.next().await.unwrap_or(Ok(Message::Close(None)));
            match message.map_err(|error| broken(&error, host))? {
                Message::Binary(bytes) => {
                    let said = Response::decode(bytes).map_err(|error| broken(&error, host))?;
                    if let Some(said) = said.message {
                        return Ok(said);
                    }
                }
                Message::Close(_) => {
                    return Err(Problem::failed(
                        Cause::ClosedEarly,
                        format!("{host} closed the room's socket"),
                    ));
                }
                _ => {}
            }
        }
    }

    /// Takes the server's offer, and says where media is met, over UDP.
    async fn offered(&mut self, host: &str) -> Result<(Peer, Vec<SocketAddr>), Problem> {
        let mut met = Vec::new();
        let mut peer: Option<Peer> = None;
        loop {
            // Candidates come one by one; where nobody says that there are no more, a
            // pause does.
            let wait = if peer.is_some() && !met.is_empty() { PAUSE } else { Duration::MAX };
            let said = tokio::time::timeout(wait, self.receive(host)).await;
            let mut all = said.is_err();
            match said.unwrap_or(Ok(response::Message::Trickle(Trickle::default())))? {
                response::Message::Offer(offer) => {
                    met.extend(sdp::candidates(&offer.sdp));
                    let Some((fragment, password)) = sdp::credentials(&offer.sdp) else {
                        return Err(Problem::failed(
                            Cause::WrongProtocol,
                            format!("{host} offers no session"),
                        ));
                    };
                    let (own_fragment, own_password) = (random::<4>()?, random::<12>()?);
                    let fingerprint = random::<32>()?.to_uppercase();
                    let pairs: Vec<_> =
                        fingerprint.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
                    let answer = sdp::answer(&offer.sdp, &own_fragment, &own_password, &pairs.join(":"));
                    let answer = Description { r#type: "answer".to_owned(), sdp: answer };
                    self.say(request::Message::Answer(answer), host).await?;
                    peer = Some(Peer { fragment, password, own_fragment });
                }
                response::Message::Trickle(trickle) => {
                    let init: serde_json::Value =
                        serde_json::from_str(&trickle.candidate).unwrap_or_default();
                    met.extend(init["candidate"].as_str().and_then(sdp::candidate));
                    all |= trickle.r#final && peer.is_some();
                }
                response::Message::Leave(_) => {
                    return Err(Problem::failed(Cause::JoinRefused, format!("{host} shows us out again")));
                }
                _ => {}
            }
            match peer {
                Some(_) if all && met.is_empty() => {
                    let what = format!("LiveKit behind {host} has no address at which media is met over UDP");
                    return Err(Problem::failed(Cause::WrongCandidate, what));
                }
                Some(peer) if all => return Ok((peer, met)),
                _ => {}
            }
        }
    }

    async fn say(&mut self, message: request::Message, host: &str) -> Result<(), Problem> {
        let bytes = Said { message: Some(message) }.encode_to_vec();
        self.socket.send(Message::Binary(bytes.into())).await.map_err(|error| broken(&error, host))
    }

    /// Does something while we are in the room, and leaves it, whatever came of that.
    pub(crate) async fn within<T>(
        self,
        until: Instant,
        attempt: &mut Attempt<'_>,
        work: impl AsyncFnOnce(&mut Attempt<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let done = tokio::time::timeout_at(until, work(attempt)).await;
        let done = done.unwrap_or_else(|_| Err(attempt.late()));
        let left = self.leave(attempt).await;
        done.and_then(|done| left.map(|()| done))
    }

    /// Leaves the room, and has it removed; else it goes by itself, a little later. What
    /// was seen in it is not lost to a server that does not let go.
    pub(crate) async fn leave(mut self, attempt: &mut Attempt<'_>) -> Result<(), Problem> {
        let leave = async {
            let _ = self.say(request::Message::Leave(super::signal::Leave {}), "").await;
            let _ = self.socket.close(None).await;
        };
        let _ = tokio::time::timeout(attempt.deadline() / 8, leave).await;
        attempt.delete(&self.name).await
    }
}

impl Attempt<'_> {
    /// Has a room removed.
    pub(super) async fn delete(&mut self, room: &str) -> Result<(), Problem> {
        let asked = tokio::time::timeout(self.deadline() / 4, self.ask_to_delete(room)).await;
        let why = match asked {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(problem)) => problem.to_string(),
            Err(_) => "the server does not say that it is gone".to_owned(),
        };
        // What was seen in the room may be worse, and is told then.
        self.evidence.note("room-left", format!("{room}: {why}"));
        Err(Problem::degraded(Cause::RoomLeft, format!("the room {room} is left behind: {why}")))
    }

    async fn ask_to_delete(&mut self, room: &str) -> Result<(), Problem> {
        let key = self.keys().next().map(|(name, _)| name).unwrap_or_default();
        let token = self.token(&key, Grant::Create)?;
        let entrance = self.entrance().await?;
        let stream = self.enter(&entrance).await?;
        let body = serde_json::json!({ "room": room }).to_string();
        let request = Request::post("/twirp/livekit.RoomService/DeleteRoom")
            .header(HOST, &entrance.host)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broken(&error, &entrance.host))?;
        let response = self.ask(stream, request).await?;
        match response.status.is_success() || response.status.as_u16() == 404 {
            true => Ok(()),
            false => {
                Err(Problem::failed(Cause::HttpStatus, format!("DeleteRoom answers {}", response.status)))
            }
        }
    }
}
