//! What LiveKit and its clients say to each other (`livekit_rtc.proto` of
//! livekit/protocol), as far as a check listens.

/// `SignalRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(oneof = "request::Message", tags = "2, 8")]
    pub(super) message: Option<request::Message>,
}

pub(super) mod request {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in super::super) enum Message {
        #[prost(message, tag = "2")]
        Answer(super::Description),
        #[prost(message, tag = "8")]
        Leave(super::Leave),
    }
}

/// `SignalResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Response {
    #[prost(oneof = "response::Message", tags = "1, 3, 4, 8")]
    pub(super) message: Option<response::Message>,
}

pub(super) mod response {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in super::super) enum Message {
        #[prost(message, tag = "1")]
        Join(super::Join),
        #[prost(message, tag = "3")]
        Offer(super::Description),
        #[prost(message, tag = "4")]
        Trickle(super::Trickle),
        #[prost(message, tag = "8")]
        Leave(super::Leave),
    }
}

/// `JoinResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Join {
    #[prost(message, repeated, tag = "5")]
    pub(crate) ice_servers: Vec<IceServer>,
    #[prost(message, optional, tag = "12")]
    pub(crate) server_info: Option<ServerInfo>,
}

/// `ICEServer`: where a client finds TURN, and what it logs in with.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct IceServer {
    #[prost(string, repeated, tag = "1")]
    pub(crate) urls: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) username: String,
    #[prost(string, tag = "3")]
    pub(crate) credential: String,
}

/// `ServerInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerInfo {
    #[prost(string, tag = "2")]
    pub(crate) version: String,
    #[prost(string, tag = "5")]
    pub(crate) node_id: String,
}

/// `SessionDescription`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Description {
    #[prost(string, tag = "1")]
    pub(super) r#type: String,
    #[prost(string, tag = "2")]
    pub(super) sdp: String,
}

/// `TrickleRequest`: a candidate, in JSON, or that there are no more.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Trickle {
    #[prost(string, tag = "1")]
    pub(super) candidate: String,
    #[prost(bool, tag = "3")]
    pub(super) r#final: bool,
}

/// `LeaveRequest`, of which nothing is looked at.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Leave {}
