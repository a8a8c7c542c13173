//! The settings under `rtc.congestion_control`: how LiveKit measures a client's
//! way and fits the media to it.

use super::shape::{Keys, Shape, key};

/// `CongestionControlConfig`
pub(super) const CONGESTION_CONTROL: Keys = &[
    key("enabled", Shape::Bool),
    key("allow_pause", Shape::Bool),
    key("stream_allocator", Shape::Table(STREAM_ALLOCATOR)),
    key("remote_bwe", Shape::Table(REMOTE_BWE)),
    key("use_send_side_bwe_interceptor", Shape::Bool),
    key("use_send_side_bwe", Shape::Bool),
    key("send_side_bwe_pacer", Shape::Text),
    key("send_side_bwe", Shape::Table(SEND_SIDE_BWE)),
];

/// `StreamAllocatorConfig`
const STREAM_ALLOCATOR: Keys = &[
    key("min_channel_capacity", Shape::I64),
    key("disable_etimation_unmanaged_tracks", Shape::Bool),
    key("probe_mode", Shape::Text),
    key("probe_overage_pct", Shape::I64),
    key("probe_min_bps", Shape::I64),
    key("paused_min_wait", Shape::Duration),
];

/// `RemoteBWEConfig`
const REMOTE_BWE: Keys = &[
    key("nack_ratio_attenuator", Shape::Float),
    key("expected_usage_threshold", Shape::Float),
    key("channel_observer_probe", Shape::Table(CHANNEL_OBSERVER)),
    key("channel_observer_non_probe", Shape::Table(CHANNEL_OBSERVER)),
    key("probe_controller", Shape::Table(PROBE_CONTROLLER)),
];

/// `ChannelObserverConfig`
const CHANNEL_OBSERVER: Keys =
    &[key("estimate", Shape::Table(TREND_DETECTOR)), key("nack", Shape::Table(NACK_TRACKER))];

/// `TrendDetectorConfig`
const TREND_DETECTOR: Keys = &[
    key("required_samples", Shape::I64),
    key("required_samples_min", Shape::I64),
    key("downward_trend_threshold", Shape::Float),
    key("downward_trend_max_wait", Shape::Duration),
    key("collapse_threshold", Shape::Duration),
    key("validity_window", Shape::Duration),
];

/// `NackTrackerConfig`
const NACK_TRACKER: Keys = &[
    key("window_min_duration", Shape::Duration),
    key("window_max_duration", Shape::Duration),
    key("ratio_threshold", Shape::Float),
];

/// `ProbeControllerConfig`
const PROBE_CONTROLLER: Keys = &[
    key("probe_regulator", Shape::Table(PROBE_REGULATOR)),
    key("settle_wait_num_rtt", Shape::U32),
    key("settle_wait_min", Shape::Duration),
    key("settle_wait_max", Shape::Duration),
];

/// `ProbeRegulatorConfig`
const PROBE_REGULATOR: Keys = &[
    key("base_interval", Shape::Duration),
    key("backoff_factor", Shape::Float),
    key("max_interval", Shape::Duration),
    key("min_duration", Shape::Duration),
    key("max_duration", Shape::Duration),
    key("duration_increase_factor", Shape::Float),
];

/// `SendSideBWEConfig`
const SEND_SIDE_BWE: Keys = &[key("congestion_detector", Shape::Table(CONGESTION_DETECTOR))];

/// `CongestionDetectorConfig`
const CONGESTION_DETECTOR: Keys = &[
    key("packet_group", Shape::Table(PACKET_GROUP)),
    key("packet_group_max_age", Shape::Duration),
    key("probe_packet_group", Shape::Table(PROBE_PACKET_GROUP)),
    key("probe_regulator", Shape::Table(PROBE_REGULATOR)),
    key("probe_signal", Shape::Table(PROBE_SIGNAL)),
    key("jqr_min_delay", Shape::Duration),
    key("jqr_min_trend_coefficient", Shape::Float),
    key("dqr_max_delay", Shape::Duration),
    key("weighted_loss", Shape::Table(WEIGHTED_LOSS)),
    key("jqr_min_weighted_loss", Shape::Float),
    key("dqr_max_weighted_loss", Shape::Float),
    key("queuing_delay_early_warning_jqr", Shape::Table(CONGESTION_SIGNAL)),
    key("queuing_delay_early_warning_dqr", Shape::Table(CONGESTION_SIGNAL)),
    key("loss_early_warning_jqr", Shape::Table(CONGESTION_SIGNAL)),
    key("loss_early_warning_dqr", Shape::Table(CONGESTION_SIGNAL)),
    key("queuing_delay_congested_jqr", Shape::Table(CONGESTION_SIGNAL)),
    key("queuing_delay_congested_dqr", Shape::Table(CONGESTION_SIGNAL)),
    key("loss_congested_jqr", Shape::Table(CONGESTION_SIGNAL)),
    key("loss_congested_dqr", Shape::Table(CONGESTION_SIGNAL)),
    key("congested_ctr_trend", Shape::Table(TREND_DETECTOR)),
    key("congested_ctr_epsilon", Shape::Float),
    key("congested_packet_group", Shape::Table(PACKET_GROUP)),
    key("estimaton_window_duration", Shape::Duration),
];

/// `PacketGroupConfig`
const PACKET_GROUP: Keys = &[key("min_packets", Shape::I64), key("max_window_duration", Shape::Duration)];

/// `ProbePacketGroupConfig`
const PROBE_PACKET_GROUP: Keys = &[
    key("packet_group", Shape::Table(PACKET_GROUP)),
    key("settle_wait_num_rtt", Shape::U32),
    key("settle_wait_min", Shape::Duration),
    key("settle_wait_max", Shape::Duration),
];

/// `ProbeSignalConfig`
const PROBE_SIGNAL: Keys = &[
    key("min_bytes_ratio", Shape::Float),
    key("min_duration_ratio", Shape::Float),
    key("jqr_min_delay", Shape::Duration),
    key("dqr_max_delay", Shape::Duration),
    key("weighted_loss", Shape::Table(WEIGHTED_LOSS)),
    key("jqr_min_weighted_loss", Shape::Float),
    key("dqr_max_weighted_loss", Shape::Float),
];

/// `WeightedLossConfig`
const WEIGHTED_LOSS: Keys = &[
    key("min_duration_for_loss_validity", Shape::Duration),
    key("base_duration", Shape::Duration),
    key("base_pps", Shape::I64),
    key("loss_penalty_factor", Shape::Float),
];

/// `CongestionSignalConfig`
const CONGESTION_SIGNAL: Keys =
    &[key("min_number_of_groups", Shape::I64), key("min_duration", Shape::Duration)];
