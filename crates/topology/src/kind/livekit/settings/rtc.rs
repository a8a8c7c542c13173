//! The settings under `rtc`: media and its transport.

use super::congestion::CONGESTION_CONTROL;
use super::shape::{Keys, Shape, V1_13_5, key};

/// `RTCConfig`
pub(super) const RTC: Keys = &[
    key("udp_port", Shape::Ports).field("udp"),
    key("tcp_port", Shape::U32).field("tcp-port"),
    key("port_range_start", Shape::U32).field("udp"),
    key("port_range_end", Shape::U32).field("udp"),
    key("use_stun_port_as_ice", Shape::Bool),
    key("node_ip", Shape::Text).plot("each node's addresses"),
    key("stun_servers", Shape::List(&Shape::Text)),
    key("use_external_ip", Shape::Bool).field("use-external-ip"),
    key("skip_external_ip_validation", Shape::Bool).since(V1_13_5),
    key("advertise_internal_ip", Shape::Bool).since(V1_13_5),
    key("use_ice_lite", Shape::Bool),
    key("interfaces", Shape::Table(INTERFACES)),
    key("ips", Shape::Table(IPS)),
    key("enable_loopback_candidate", Shape::Bool),
    key("use_mdns", Shape::Bool),
    key("external_ip_only", Shape::Bool),
    key("batch_io", Shape::Table(BATCH_IO)),
    key("sctp_min_cwnd", Shape::I64),
    key("sctp_fast_rtx_wnd", Shape::I64),
    key("sctp_cwnd_ca_step", Shape::I64),
    key("host_acceptance_min_wait", Shape::Duration).since(V1_13_5),
    key("srflx_acceptance_min_wait", Shape::Duration).since(V1_13_5),
    key("prflx_acceptance_min_wait", Shape::Duration).since(V1_13_5),
    key("relay_acceptance_min_wait", Shape::Duration).since(V1_13_5),
    key("force_tcp", Shape::Bool),
    key("turn_servers", Shape::List(&Shape::Table(TURN_SERVER))),
    key("strict_acks", Shape::Bool),
    key("packet_buffer_size", Shape::I64),
    key("packet_buffer_size_video", Shape::I64),
    key("packet_buffer_size_audio", Shape::I64),
    key("pli_throttle", Shape::Table(PLI_THROTTLE)),
    key("congestion_control", Shape::Table(CONGESTION_CONTROL)),
    key("allow_tcp_fallback", Shape::Bool),
    key("tcp_fallback_rtt_threshold", Shape::I64).since(V1_13_5),
    key("allow_udp_unstable_fallback", Shape::Bool).since(V1_13_5),
    key("reconnect_on_publication_error", Shape::Bool),
    key("reconnect_on_subscription_error", Shape::Bool),
    key("reconnect_on_data_channel_error", Shape::Bool),
    key("data_channel_max_buffered_amount", Shape::U64),
    key("datachannel_slow_threshold", Shape::I64),
    key("datachannel_lossy_target_latency", Shape::Duration),
    key("datachannel_data_track_target_latency", Shape::Duration).since(V1_13_5),
    key("forward_stats", Shape::Table(FORWARD_STATS)),
    key("enable_rtp_stream_restart_detection", Shape::Bool),
];

/// `InterfacesConfig`
const INTERFACES: Keys =
    &[key("includes", Shape::List(&Shape::Text)), key("excludes", Shape::List(&Shape::Text))];

/// `IPsConfig`
const IPS: Keys = &[key("includes", Shape::List(&Shape::Text)), key("excludes", Shape::List(&Shape::Text))];

/// `BatchIOConfig`
const BATCH_IO: Keys = &[key("batch_size", Shape::I64), key("max_flush_interval", Shape::Duration)];

/// `TURNServer`
const TURN_SERVER: Keys = &[
    key("host", Shape::Text),
    key("port", Shape::I64),
    key("protocol", Shape::Text),
    key("username", Shape::Text),
    key("credential", Shape::Text).secret(),
    key("secret", Shape::Text).secret(),
    key("secret_file", Shape::Text).since(V1_13_5),
    key("ttl", Shape::I64),
];

/// `PLIThrottleConfig`
const PLI_THROTTLE: Keys = &[
    key("low_quality", Shape::Duration),
    key("mid_quality", Shape::Duration),
    key("high_quality", Shape::Duration),
];

/// `ForwardStatsConfig`
const FORWARD_STATS: Keys = &[
    key("summary_interval", Shape::Duration),
    key("report_interval", Shape::Duration),
    key("report_window", Shape::Duration),
];
