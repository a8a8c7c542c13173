//! Every key that the files of LiveKit's ingress, egress and SIP may have, and what it has to be:
//! transcribed from the structs that the programs decode them into.

/// What a value has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// `int` and its like
    Int,
    /// `float64`
    Float,
    /// `time.Duration`, as `90s`
    Duration,
    /// `rtcconfig.PortRange`: a port, or a text `first-last` of which the last is greater
    Ports,
    /// `rtcconfig.NodeIP`: `v4`, `v6` or `v4,v6`
    NodeIp,
    /// A list
    List(&'static Shape),
    /// A map with names of the user's own
    Map(&'static Shape),
    /// A struct
    Struct(Keys),
}

use Shape::{Bool, Duration, Float, Int, List, Map, NodeIp, Ports, Struct, Text};

pub(crate) type Keys = &'static [(&'static str, Shape)];

/// `ServiceConfig` and `InternalConfig`: livekit/ingress v1.5.0, `pkg/config/config.go`. It is
/// read by `yaml.Unmarshal`, which passes over what it does not know.
pub(crate) const INGRESS: Keys = &[
    ("redis", Struct(REDIS)),
    ("api_key", Text),
    ("api_secret", Text),
    ("ws_url", Text),
    ("health_port", Int),
    ("debug_handler_port", Int),
    ("prometheus_port", Int),
    ("rtmp_port", Int),
    ("whip_port", Int),
    ("http_relay_port", Int),
    ("logging", Struct(LOGGING)),
    ("development", Bool),
    ("whip_proxy_enabled", Bool),
    ("rtc_config", Struct(RTC)),
    (
        "cpu_cost",
        Struct(&[
            ("rtmp_cpu_cost", Float),
            ("whip_cpu_cost", Float),
            ("whip_bypass_transcoding_cpu_cost", Float),
            ("url_cpu_cost", Float),
            ("min_idle_ratio", Float),
        ]),
    ),
    ("enable_stream_latency_reduction", Bool),
    ("service_name", Text),
];

/// `ServiceConfig` and `BaseConfig`: livekit/egress v1.14.1, `pkg/config/service.go` and
/// `base.go`; read as the ingress' is. What is for its developers alone is left out: `latency`,
/// `latency_overrides`, `debug`, `test_overrides`.
pub(crate) const EGRESS: Keys = &[
    ("redis", Struct(REDIS)),
    ("api_key", Text),
    ("api_secret", Text),
    ("ws_url", Text),
    ("logging", Struct(LOGGING)),
    ("template_base", Text),
    ("cluster_id", Text),
    ("enable_chrome_sandbox", Bool),
    ("max_upload_queue", Int),
    ("disallow_local_storage", Bool),
    ("io_create_timeout", Duration),
    ("io_update_timeout", Duration),
    ("io_selection_timeout", Duration),
    ("io_workers", Int),
    (
        "session_limits",
        Struct(&[
            ("file_output_max_duration", Duration),
            ("file_output_max_size", Int),
            ("stream_output_max_duration", Duration),
            ("segment_output_max_duration", Duration),
            ("image_output_max_duration", Duration),
        ]),
    ),
    ("storage", Struct(STORAGE)),
    ("backup", Struct(STORAGE)),
    ("s3_assume_role_key", Text),
    ("s3_assume_role_secret", Text),
    ("s3_assume_role_arn", Text),
    ("s3_assume_role_external_id", Text),
    ("insecure", Bool),
    ("chrome_flags", Map(&Text)),
    ("video_encoder_threads", Int),
    ("enable_one_shot_sender_report_sync", Bool),
    ("enable_sync_engine", Bool),
    ("audio_tempo_controller", Struct(&[("enabled", Bool), ("adjustment_rate", Float)])),
    ("health_port", Int),
    ("template_port", Int),
    ("prometheus_port", Int),
    ("debug_handler_port", Int),
    ("pulse_sink_reap_grace_sec", Int),
    (
        "cpu_cost",
        Struct(&[
            ("max_cpu_utilization", Float),
            ("max_memory", Float),
            ("memory_cost", Float),
            ("room_composite_cpu_cost", Float),
            ("audio_room_composite_cpu_cost", Float),
            ("sdk_audio_room_composite_cpu_cost", Float),
            ("sdk_audio_room_composite_memory_cost", Float),
            ("web_cpu_cost", Float),
            ("audio_web_cpu_cost", Float),
            ("participant_cpu_cost", Float),
            ("track_composite_cpu_cost", Float),
            ("track_cpu_cost", Float),
            ("max_pulse_clients", Int),
            ("memory_source", Text),
            ("memory_kill_grace_sec", Int),
            ("cpu_kill_grace_sec", Int),
        ]),
    ),
];

/// `StorageConfig`: the same, `pkg/config/storage.go`; `S3Config`: livekit/storage, `config.go`,
/// at 1297cb15775f. Other storages than S3 are left out.
const STORAGE: Keys = &[
    ("prefix", Text),
    ("generate_presigned_url", Bool),
    (
        "s3",
        Struct(&[
            ("access_key", Text),
            ("secret", Text),
            ("session_token", Text),
            ("assume_role_arn", Text),
            ("assume_role_external_id", Text),
            ("region", Text),
            ("endpoint", Text),
            ("bucket", Text),
            ("force_path_style", Bool),
            ("proxy_config", Struct(&[("url", Text), ("username", Text), ("password", Text)])),
            ("max_retries", Int),
            ("max_retry_delay", Duration),
            ("min_retry_delay", Duration),
            ("metadata", Map(&Text)),
            ("tagging", Text),
            ("content_disposition", Text),
        ]),
    ),
];

/// `Config`: livekit/sip v1.11.0, `pkg/config/config.go`; read as the ingress' is.
pub(crate) const SIP: Keys = &[
    ("redis", Struct(REDIS)),
    ("api_key", Text),
    ("api_secret", Text),
    ("ws_url", Text),
    ("health_port", Int),
    ("prometheus_port", Int),
    ("pprof_port", Int),
    ("sip_port", Int),
    ("sip_port_listen", Int),
    ("sip_hostname", Text),
    ("outbound_route_headers", List(&Text)),
    ("sip_ringing_interval", Duration),
    ("tcp", Struct(&[("dial_port", Ports)])),
    (
        "tls",
        Struct(&[
            ("port", Int),
            ("port_listen", Int),
            ("certs", List(&Struct(&[("cert_file", Text), ("key_file", Text)]))),
            ("key_log", Text),
            ("min_version", Text),
            ("max_version", Text),
            ("cipher_suites", List(&Text)),
            ("alpn", List(&Text)),
        ]),
    ),
    ("rtp_port", Ports),
    ("logging", Struct(LOGGING)),
    ("cluster_id", Text),
    ("max_cpu_utilization", Float),
    ("max_active_calls", Int),
    ("sip_trunk_ids", List(&Text)),
    ("use_external_ip", Bool),
    ("local_net", Text),
    ("nat_1_to_1_ip", Text),
    ("listen_ip", Text),
    ("udp_max_payload", Int),
    ("media_use_external_ip", Bool),
    ("media_nat_1_to_1_ip", Text),
    ("media_timeout", Duration),
    ("media_timeout_initial", Duration),
    ("symmetric_rtp", Bool),
    ("rtp_draining_idle_timeout", Duration),
    ("rtp_draining_duration", Duration),
    ("ignore_local_addr_in_sdp", Bool),
    ("codecs", Map(&Bool)),
    ("hide_inbound_port", Bool),
    ("disable_rejected_invite_cache", Bool),
    ("add_record_route", Bool),
    ("audio_dtmf", Bool),
    ("enable_jitter_buffer", Bool),
    ("enable_jitter_buffer_prob", Float),
    ("jaeger_url", Text),
    ("experimental", Struct(&[("inbound_wait_ack", Bool)])),
];

/// `RedisConfig`: livekit/protocol, `redis/redis.go`, and `xtls.Config`; the three programs name
/// versions from v1.50.4 on.
const REDIS: Keys = &[
    ("address", Text),
    ("username", Text),
    ("password", Text),
    ("db", Int),
    ("use_tls", Bool),
    (
        "tls",
        Struct(&[
            ("enabled", Bool),
            ("insecure", Bool),
            ("server_name", Text),
            ("ca_cert_file", Text),
            ("client_cert_file", Text),
            ("client_key_file", Text),
        ]),
    ),
    ("sentinel_master_name", Text),
    ("sentinel_username", Text),
    ("sentinel_password", Text),
    ("sentinel_addresses", List(&Text)),
    ("cluster_addresses", List(&Text)),
    ("dial_timeout", Int),
    ("read_timeout", Int),
    ("write_timeout", Int),
    ("max_redirects", Int),
    ("pool_timeout", Duration),
    ("pool_size", Int),
];

/// `Config`: livekit/protocol, `logger/config.go`.
const LOGGING: Keys = &[
    ("json", Bool),
    ("level", Text),
    ("sample", Bool),
    ("component_levels", Map(&Text)),
    ("sample_initial", Int),
    ("sample_interval", Int),
    ("item_sample_seconds", Int),
    ("item_sample_initial", Int),
    ("item_sample_interval", Int),
];

/// `RTCConfig`: livekit/mediatransportutil, `pkg/rtcconfig/config.go`.
const RTC: Keys = &[
    ("udp_port", Ports),
    ("tcp_port", Int),
    ("port_range_start", Int),
    ("port_range_end", Int),
    ("use_stun_port_as_ice", Bool),
    ("node_ip", NodeIp),
    ("stun_servers", List(&Text)),
    ("use_external_ip", Bool),
    ("skip_external_ip_validation", Bool),
    ("advertise_internal_ip", Bool),
    ("use_ice_lite", Bool),
    ("interfaces", Struct(&[("includes", List(&Text)), ("excludes", List(&Text))])),
    ("ips", Struct(&[("includes", List(&Text)), ("excludes", List(&Text))])),
    ("enable_loopback_candidate", Bool),
    ("use_mdns", Bool),
    ("external_ip_only", Bool),
    ("batch_io", Struct(&[("batch_size", Int), ("max_flush_interval", Duration)])),
    ("sctp_min_cwnd", Int),
    ("sctp_fast_rtx_wnd", Int),
    ("sctp_cwnd_ca_step", Int),
    ("host_acceptance_min_wait", Duration),
    ("srflx_acceptance_min_wait", Duration),
    ("prflx_acceptance_min_wait", Duration),
    ("relay_acceptance_min_wait", Duration),
    ("force_tcp", Bool),
];
