//! The settings of `livekit.yaml`, from the top. Each table is named after the
//! Go struct that LiveKit decodes it into.

use super::rtc::RTC;
use super::shape::{Keys, Shape, V1_11_0, V1_13_5, key};

/// `Config`
pub(super) const ROOT: Keys = &[
    key("port", Shape::U32).field("port"),
    key("bind_addresses", Shape::List(&Shape::Text)).plot("the flows that reach each node"),
    key("prometheus_port", Shape::U32).field("metrics.port"),
    key("prometheus", Shape::Table(PROMETHEUS)),
    key("debug_handler", Shape::Table(DEBUG_HANDLER)).since(V1_13_5),
    key("rtc", Shape::Table(RTC)),
    key("redis", Shape::Table(REDIS)),
    key("audio", Shape::Table(AUDIO)),
    key("video", Shape::Table(VIDEO)),
    key("room", Shape::Table(ROOM)),
    key("turn", Shape::Table(TURN)),
    key("ingress", Shape::Table(INGRESS)),
    key("sip", Shape::Table(SIP)),
    key("webhook", Shape::Table(WEBHOOK)),
    key("node_selector", Shape::Table(NODE_SELECTOR)),
    key("key_file", Shape::Text).field("keys"),
    key("keys", Shape::Map(&Shape::Text)).field("keys"),
    key("region", Shape::Text).plot("each node's region"),
    key("signal_relay", Shape::Table(SIGNAL_RELAY)),
    key("psrpc", Shape::Table(PSRPC)),
    key("log_level", Shape::Text).field("log-level"),
    key("logging", Shape::Table(LOGGING)),
    key("limit", Shape::Table(LIMIT)),
    key("agents", Shape::Table(AGENTS)),
    key("development", Shape::Bool),
    key("metric", Shape::Table(METRIC)),
    key("trace", Shape::Table(TRACING)),
    key("node_stats", Shape::Table(NODE_STATS)),
    key("enable_data_tracks", Shape::Bool),
    key("enable_participant_data_blob", Shape::Bool).since(V1_13_5),
    key("api", Shape::Table(API)).since(V1_11_0),
];

/// `PrometheusConfig`
const PROMETHEUS: Keys = &[
    key("port", Shape::U32).field("metrics.port"),
    key("username", Shape::Text),
    key("password", Shape::Text).secret(),
];

/// `DebugHandlerConfig`
const DEBUG_HANDLER: Keys = &[key("port", Shape::U32).since(V1_13_5)];

/// `RedisConfig`
const REDIS: Keys = &[
    key("address", Shape::Text).plot("the redis service that this one uses"),
    key("username", Shape::Text).plot("the redis service that this one uses"),
    key("password", Shape::Text).plot("the redis service that this one uses"),
    key("db", Shape::I64).plot("the redis service that this one uses"),
    key("use_tls", Shape::Bool).plot("the redis service that this one uses"),
    key("tls", Shape::Table(TLS)),
    key("sentinel_master_name", Shape::Text).plot("the redis service that this one uses"),
    key("sentinel_username", Shape::Text).plot("the redis service that this one uses"),
    key("sentinel_password", Shape::Text).plot("the redis service that this one uses"),
    key("sentinel_addresses", Shape::List(&Shape::Text)).plot("the redis service that this one uses"),
    key("cluster_addresses", Shape::List(&Shape::Text)).plot("the redis service that this one uses"),
    key("dial_timeout", Shape::I64),
    key("read_timeout", Shape::I64),
    key("write_timeout", Shape::I64),
    key("max_redirects", Shape::I64),
    key("pool_timeout", Shape::Duration),
    key("pool_size", Shape::I64),
];

/// `xtls.Config`
const TLS: Keys = &[
    key("enabled", Shape::Bool).plot("the redis service that this one uses"),
    key("insecure", Shape::Bool),
    key("server_name", Shape::Text).plot("the redis service that this one uses"),
    key("ca_cert_file", Shape::Text).plot("the redis service that this one uses"),
    key("client_cert_file", Shape::Text),
    key("client_key_file", Shape::Text),
];

/// `AudioConfig`
const AUDIO: Keys = &[
    key("active_level", Shape::U8),
    key("min_percentile", Shape::U8),
    key("update_interval", Shape::U32),
    key("smooth_intervals", Shape::U32),
    key("active_red_encoding", Shape::Bool),
    key("enable_loss_proxying", Shape::Bool),
];

/// `VideoConfig`
const VIDEO: Keys = &[
    key("dynacast_pause_delay", Shape::Duration),
    key("stream_tracker_manager", Shape::Table(STREAM_TRACKER_MANAGER)),
    key("codec_regression_threshold", Shape::I64),
];

/// `StreamTrackerManagerConfig`
const STREAM_TRACKER_MANAGER: Keys =
    &[key("video", Shape::Table(STREAM_TRACKER)), key("screenshare", Shape::Table(STREAM_TRACKER))];

/// `StreamTrackerConfig`
const STREAM_TRACKER: Keys = &[
    key("stream_tracker_type", Shape::Text),
    key("bitrate_report_interval", Shape::Map(&Shape::Duration)),
    key("packet_tracker", Shape::Map(&Shape::Table(STREAM_TRACKER_PACKET))),
    key("frame_tracker", Shape::Map(&Shape::Table(STREAM_TRACKER_FRAME))),
];

/// `StreamTrackerPacketConfig`
const STREAM_TRACKER_PACKET: Keys = &[
    key("samples_required", Shape::U32),
    key("cycles_required", Shape::U32),
    key("cycle_duration", Shape::Duration),
];

/// `StreamTrackerFrameConfig`
const STREAM_TRACKER_FRAME: Keys = &[key("min_fps", Shape::Float)];

/// `RoomConfig`
const ROOM: Keys = &[
    key("auto_create", Shape::Bool).field("room.auto-create"),
    key("enabled_codecs", Shape::List(&Shape::Table(CODEC))),
    key("max_participants", Shape::U32).field("room.max-participants"),
    key("empty_timeout", Shape::U32).field("room.empty-timeout"),
    key("departure_timeout", Shape::U32).field("room.departure-timeout"),
    key("enable_remote_unmute", Shape::Bool),
    key("playout_delay", Shape::Table(PLAYOUT_DELAY)),
    key("sync_streams", Shape::Bool),
    key("create_room_timeout", Shape::Duration),
    key("create_room_attempts", Shape::I64),
    key("update_batch_target_size", Shape::I64),
    key("max_metadata_size", Shape::U32),
    key("max_room_name_length", Shape::I64),
    key("max_participant_identity_length", Shape::I64),
    key("room_configurations", Shape::Map(&Shape::Any)),
    key("create_room_enabled", Shape::Bool).until(V1_11_0),
];

/// `CodecSpec`
const CODEC: Keys = &[key("mime", Shape::Text), key("fmtp_line", Shape::Text)];

/// `PlayoutDelayConfig`
const PLAYOUT_DELAY: Keys = &[key("enabled", Shape::Bool), key("min", Shape::I64), key("max", Shape::I64)];

/// `TURNConfig`
const TURN: Keys = &[
    key("enabled", Shape::Bool).field("turn"),
    key("domain", Shape::Text).field("turn.domain"),
    key("cert_file", Shape::Text).field("turn.cert"),
    key("key_file", Shape::Text).field("turn.key"),
    key("tls_port", Shape::I64).field("turn.tls"),
    key("udp_port", Shape::I64).field("turn.udp-port"),
    key("relay_range_start", Shape::U16).field("turn.relay"),
    key("relay_range_end", Shape::U16).field("turn.relay"),
    key("external_tls", Shape::Bool).field("turn.tls"),
    key("bind_addresses", Shape::List(&Shape::Text)).since(V1_11_0),
    key("ttl_seconds", Shape::I64).since(V1_13_5),
    key("allow_restricted_peer_cidrs", Shape::List(&Shape::Text)).since(V1_13_5).plot("the nodes' addresses"),
    key("deny_peer_cidrs", Shape::List(&Shape::Text)).since(V1_13_5),
];

/// `IngressConfig`
const INGRESS: Keys = &[key("rtmp_base_url", Shape::Text), key("whip_base_url", Shape::Text)];

/// `SIPConfig`
const SIP: Keys = &[];

/// `WebHookConfig`
const WEBHOOK: Keys = &[
    key("urls", Shape::List(&Shape::Text)).field("webhook.urls"),
    key("api_key", Shape::Text).field("webhook.key"),
    key("url_notifier", Shape::Table(URL_NOTIFIER)),
    key("resource_url_notifier", Shape::Table(RESOURCE_URL_NOTIFIER)),
    key("filter_params", Shape::Table(FILTER)),
];

/// `URLNotifierConfig`
const URL_NOTIFIER: Keys = &[key("num_workers", Shape::I64), key("queue_size", Shape::I64)];

/// `ResourceURLNotifierConfig`
const RESOURCE_URL_NOTIFIER: Keys = &[key("max_age", Shape::Duration), key("max_depth", Shape::I64)];

/// `FilterParams`
const FILTER: Keys =
    &[key("include_events", Shape::List(&Shape::Text)), key("exclude_events", Shape::List(&Shape::Text))];

/// `NodeSelectorConfig`
const NODE_SELECTOR: Keys = &[
    key("kind", Shape::Text).field("selector"),
    key("sort_by", Shape::Text),
    key("algorithm", Shape::Text),
    key("cpu_load_limit", Shape::Float),
    key("sysload_limit", Shape::Float),
    key("regions", Shape::List(&Shape::Table(REGION))).field("regions"),
];

/// `RegionConfig`
const REGION: Keys = &[key("name", Shape::Text), key("lat", Shape::Float), key("lon", Shape::Float)];

/// `SignalRelayConfig`
const SIGNAL_RELAY: Keys = &[
    key("retry_timeout", Shape::Duration),
    key("min_retry_interval", Shape::Duration),
    key("max_retry_interval", Shape::Duration),
    key("stream_buffer_size", Shape::I64),
    key("connect_attempts", Shape::I64),
];

/// `PSRPCConfig`
const PSRPC: Keys = &[
    key("max_attempts", Shape::I64),
    key("timeout", Shape::Duration),
    key("backoff", Shape::Duration),
    key("buffer_size", Shape::I64),
];

/// `LoggingConfig`
const LOGGING: Keys = &[
    key("json", Shape::Bool),
    key("level", Shape::Text).field("log-level"),
    key("sample", Shape::Bool),
    key("component_levels", Shape::Map(&Shape::Text)),
    key("sample_initial", Shape::I64),
    key("sample_interval", Shape::I64),
    key("item_sample_seconds", Shape::I64),
    key("item_sample_initial", Shape::I64),
    key("item_sample_interval", Shape::I64),
    key("pion_level", Shape::Text),
];

/// `LimitConfig`
const LIMIT: Keys = &[
    key("num_tracks", Shape::I32),
    key("bytes_per_sec", Shape::Float),
    key("subscription_limit_video", Shape::I32),
    key("subscription_limit_audio", Shape::I32),
    key("max_metadata_size", Shape::U32),
    key("max_attributes_size", Shape::U32),
    key("max_room_name_length", Shape::I64),
    key("max_participant_identity_length", Shape::I64),
    key("max_participant_name_length", Shape::I64),
    key("max_data_blob_key_length", Shape::I64).since(V1_13_5),
    key("max_data_blobs_size", Shape::U32).since(V1_13_5),
    key("max_data_track_custom_encoding_length", Shape::I64).since(V1_13_5),
];

/// `agent.Config`
const AGENTS: Keys = &[
    key("enable_user_data_recording", Shape::Bool),
    key("enable_user_data_redaction", Shape::Bool).since(V1_13_5),
    key("target_load", Shape::Float).since(V1_11_0),
];

/// `MetricConfig`
const METRIC: Keys = &[
    key("timestamper_config", Shape::Table(METRIC_TIMESTAMPER)),
    key("collector", Shape::Table(METRICS_COLLECTOR)),
    key("reporter", Shape::Table(METRICS_REPORTER)),
];

/// `MetricTimestamperConfig`
const METRIC_TIMESTAMPER: Keys = &[
    key("one_way_delay_estimator_min_interval", Shape::Duration),
    key("one_way_delay_estimator_max_batch", Shape::I64),
];

/// `MetricsCollectorConfig`
const METRICS_COLLECTOR: Keys =
    &[key("sampling_interval_ms", Shape::U32), key("batch_interval_ms", Shape::U32)];

/// `MetricsReporterConfig`
const METRICS_REPORTER: Keys = &[key("reporting_interval_ms", Shape::U32)];

/// `TracingConfig`
const TRACING: Keys = &[key("jaeger_url", Shape::Text)];

/// `NodeStatsConfig`
const NODE_STATS: Keys = &[
    key("stats_update_interval", Shape::Duration),
    key("stats_rate_measurement_intervals", Shape::List(&Shape::Duration)),
    key("stats_max_delay", Shape::Duration),
];

/// `APIConfig`
const API: Keys = &[
    key("execution_timeout", Shape::Duration).since(V1_11_0),
    key("check_interval", Shape::Duration).since(V1_11_0),
    key("max_check_interval", Shape::Duration).since(V1_11_0),
    key("enable_psrpc_for_get_list_participants", Shape::Bool).since(V1_11_0),
];
