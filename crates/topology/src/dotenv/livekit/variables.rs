//! Every variable that the scripts' `.env` files have, and what becomes of it.

use crate::dotenv::variables::{KnownVariable, dropped, field, mistaken, secret, unread};

/// Every variable, in the order of the example file.
pub(in crate::dotenv) const VARIABLES: &[KnownVariable] = &[
    // Read by the scripts.
    field("DOMAIN", "edge.domain"),
    dropped(
        "DEPLOYMENT_DIR",
        "every release has a directory of its own, and the scripts' stays as it is",
        "set root for another place than /opt/stageplot on every machine",
    ),
    field("NODES", "nodes, and who has the role livekit"),
    dropped(
        "BACKUP_DIR",
        "where backups go is not part of a plot",
        "name the directory when you make a backup",
    ),
    field("LIVEKIT_API_KEY", "livekit.keys"),
    secret("LIVEKIT_API_SECRET", "livekit.keys"),
    field("REDIS_HOST", "who has the role redis, or redis.external.address"),
    field("REDIS_PORT", "redis.port, or redis.external.address"),
    secret("REDIS_PASSWORD", "redis.password"),
    field("REDIS_DB", "redis.external.db"),
    field("REDIS_MAXMEMORY", "redis.maxmemory"),
    field("REDIS_MAXMEMORY_POLICY", "redis.maxmemory-policy"),
    field("LIVEKIT_LOG_LEVEL", "livekit.log-level"),
    field("LIVEKIT_AUTO_CREATE_ROOM", "livekit.room.auto-create"),
    field("LIVEKIT_EMPTY_TIMEOUT", "livekit.room.empty-timeout"),
    field("LIVEKIT_MAX_PARTICIPANTS", "livekit.room.max-participants"),
    field("TURN_ENABLED", "livekit.turn"),
    field("TURN_DOMAIN", "livekit.turn.domain"),
    mistaken(
        "TURN_EXTERNAL_TLS_PORT",
        "LiveKit has no such setting and stops at it; clients always dial TURN over TLS at port 443",
        "for TURN over TLS give turn.domain a name of its own, and set turn.tls = \"edge\" or \"direct\"",
    ),
    field("TURN_EXTERNAL_UDP_PORT", "livekit.turn.udp-port"),
    field("WEBHOOK_ENABLED", "livekit.webhook"),
    field("WEBHOOK_API_KEY", "livekit.webhook.key"),
    field("WEBHOOK_URLS", "livekit.webhook.urls"),
    // In the example file, and never read.
    unread("LIVEKIT_PORT", "set port in [livekit] for another than 7880"),
    unread("LIVEKIT_BIND_ADDRESS", "take it out: each service listens where its flows arrive"),
    unread("LIVEKIT_DEVELOPMENT", "take it out: development mode has keys that everybody knows"),
    unread("CADDY_ADMIN_EMAIL", "set tls = { email = \"…\" } in [edge]"),
    unread("CADDY_LOG_LEVEL", "set it in a Caddyfile template of your own (templates)"),
    unread("LIVEKIT_IMAGE_VERSION", "set version in [livekit]"),
    unread("REDIS_IMAGE_VERSION", "set image in [redis]"),
    unread("CADDY_IMAGE_VERSION", "set image in [edge]"),
    unread(
        "DOCKER_NETWORK_NAME",
        "take it out: the container network is named after the plot; [bridge] sets its addresses",
    ),
    unread("AUTO_BACKUP_INTERVAL", "run backups from a timer of your own"),
    unread("BACKUP_RETENTION_COUNT", "remove old backups from a timer of your own"),
    unread("MONITORING_ENABLED", "set metrics in [livekit] for Prometheus"),
    unread("MONITORING_INTERVAL", "set the interval in your monitoring"),
    unread("LOG_RETENTION_DAYS", "take it out: the containers' logs are bounded by size"),
    field("USE_EXTERNAL_IP_FOR_CANDIDATES", "livekit.use-external-ip"),
    unread("NUM_*", "take it out: LiveKit uses the machine's processors as they are"),
    unread("AUDIO_*", MEDIA),
    unread("VIDEO_*", MEDIA),
    unread("SMTP_*", ALERTS),
    unread("NOTIFICATION_EMAIL", ALERTS),
    unread("TZ", "take it out: servers log in UTC; set TZ in env of an app that wants it"),
    unread("LANG", "take it out: no server here writes in another language"),
    unread("DEBUG", "set log-level = \"debug\" in [livekit]"),
    // In the documents alone.
    field("CADDY_UPSTREAM", "nodes, and who has the roles edge and livekit"),
    field("REDIS_SLAVE_OF", "who else has the role redis, and redis.primary"),
    // Read by the program in the container and not by the scripts.
    field("NODE_IP", "nodes.NAME.public"),
    mistaken(
        "LIVEKIT_CONFIG",
        "LiveKit takes this for the text of its configuration, not for a path, and stops",
        "take it out: the rendered files name the configuration by --config",
    ),
];

const MEDIA: &str = "clients decide about codecs and bitrates; take it out";
const ALERTS: &str = "alerts belong to your monitoring; take it out";
