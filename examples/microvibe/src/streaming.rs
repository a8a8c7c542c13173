//! Where a stream is sent to and played from.

use serde::{Deserialize, Serialize};

/// The addresses that visitors are handed. They are as the environment has them: what only
/// resolves among containers is handed out all the same.
#[derive(Debug)]
pub(crate) struct Streaming {
    /// Where OBS sends to; it asks for the stream key apart.
    pub(crate) push: String,
    pub(crate) play: String,
    pub(crate) hls: Option<String>,
    pub(crate) flv: Option<String>,
}

/// What a room is sent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Rtmp,
    Webrtc,
}

/// The addresses of one room.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Addresses {
    pub(crate) push_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hls_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flv_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rtmp_url: Option<String>,
}

impl Protocol {
    /// As requests and the table have it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Webrtc => "webrtc",
        }
    }
}

impl Streaming {
    /// What to hand to the one who made a room. What is sent to an SFU is also watched
    /// there, by the same path: nginx-rtmp never sees it.
    pub(crate) fn addresses(&self, protocol: Protocol, room_id: &str, stream_key: &str) -> Addresses {
        match protocol {
            Protocol::Rtmp => Addresses {
                push_url: self.push.clone(),
                hls_url: self.hls(stream_key),
                flv_url: self.flv.as_deref().map(|server| below(server, stream_key, ".flv")),
                rtmp_url: Some(below(&self.play, stream_key, "")),
            },
            Protocol::Webrtc => Addresses {
                push_url: format!("/api/v1/live/ws?room_id={room_id}"),
                hls_url: None,
                flv_url: None,
                rtmp_url: None,
            },
        }
    }

    /// Where a stream is played as HLS.
    pub(crate) fn hls(&self, stream_key: &str) -> Option<String> {
        self.hls.as_deref().map(|server| below(server, stream_key, ".m3u8"))
    }
}

fn below(server: &str, stream_key: &str, end: &str) -> String {
    format!("{}/{stream_key}{end}", server.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn streaming(flv: Option<&str>) -> Streaming {
        Streaming {
            push: "rtmp://in.example.com/live".to_owned(),
            play: "rtmp://out.example.com/live".to_owned(),
            hls: Some("https://example.com/hls/".to_owned()),
            flv: flv.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_stream_by_rtmp_is_played_three_ways() {
        let addresses = streaming(Some("https://example.com/flv")).addresses(Protocol::Rtmp, "room", "key");
        let expected = json!({
            "push_url": "rtmp://in.example.com/live",
            "hls_url": "https://example.com/hls/key.m3u8",
            "flv_url": "https://example.com/flv/key.flv",
            "rtmp_url": "rtmp://out.example.com/live/key",
        });
        assert_eq!(json!(addresses), expected);
    }

    #[test]
    fn what_is_not_served_has_no_address() {
        let addresses = json!(streaming(None).addresses(Protocol::Rtmp, "room", "key"));
        assert!(addresses.get("flv_url").is_none(), "{addresses}");
        let addresses = json!(streaming(None).addresses(Protocol::Webrtc, "room", "key"));
        assert_eq!(addresses, json!({ "push_url": "/api/v1/live/ws?room_id=room" }));
    }
}
