//! Every variable that FluxCode's `.env` files have, and what becomes of it.

use crate::dotenv::variables::{KnownVariable, dropped, field, secret};

/// Every variable, in the order of the example files.
pub(in crate::dotenv) const VARIABLES: &[KnownVariable] = &[
    // Of the machine with Postgres and Redis, and of those with the application.
    field("POSTGRES_USER", "services.db.user"),
    field("POSTGRES_DB", "services.db.database"),
    secret("POSTGRES_PASSWORD", "services.db.password"),
    secret("REDIS_PASSWORD", "services.cache.password"),
    field("TZ", PASSED),
    dropped("DOCKER_LOG_MAX_SIZE", BOUNDED, TAKE_OUT),
    dropped("DOCKER_LOG_MAX_FILE", BOUNDED, TAKE_OUT),
    // Of the machine with Postgres and Redis.
    field("POSTGRES_BIND_HOST", ADDRESS),
    field("POSTGRES_EXPOSE_PORT", "services.db.port"),
    field("REDIS_BIND_HOST", ADDRESS),
    field("REDIS_EXPOSE_PORT", "services.cache.port"),
    // Of the machine with Caddy.
    field("BIND_HOST", ADDRESS),
    field("HTTP_PORT", "edge.http-port"),
    field("HTTPS_PORT", "edge.https-port"),
    field("CADDY_ADDRESS", "edge.domain, edge.aliases, edge.tls"),
    secret("CADDY_LB_COOKIE_SECRET", "services.fluxcode.balance"),
    // Of a machine with the application alone.
    field("NODE_BIND_HOST", ADDRESS),
    field("NODE_PORT", "services.fluxcode.port"),
    // Of every machine with the application.
    field("FLUXCODE_IMAGE", "services.fluxcode.image"),
    field("SERVER_MODE", PASSED),
    field("RUN_MODE", PASSED),
    field("WEB_TITLE", PASSED),
    field("DATABASE_HOST", "who has the role db, or services.db.external.address"),
    field("DATABASE_PORT", "services.db.port, or services.db.external.address"),
    field("DATABASE_SSLMODE", "services.fluxcode.env, services.db.external.tls"),
    field("REDIS_HOST", "who has the role cache, or services.cache.external.address"),
    field("REDIS_PORT", "services.cache.port, or services.cache.external.address"),
    field("REDIS_DB", "services.fluxcode.env, services.cache.external.db"),
    field("ADMIN_EMAIL", PASSED),
    secret("ADMIN_PASSWORD", PASSED),
    secret("JWT_SECRET", PASSED),
    field("JWT_EXPIRE_HOUR", PASSED),
    field("GEMINI_OAUTH_CLIENT_ID", PASSED),
    secret("GEMINI_OAUTH_CLIENT_SECRET", PASSED),
    field("GEMINI_OAUTH_SCOPES", PASSED),
    field("GEMINI_QUOTA_POLICY", PASSED),
    field("DATABASE_MAX_OPEN_CONNS", "services.fluxcode.pool"),
    field("DATABASE_MAX_IDLE_CONNS", PASSED),
    field("REDIS_POOL_SIZE", "services.fluxcode.pool"),
    field("REDIS_MIN_IDLE_CONNS", PASSED),
];

const PASSED: &str = "services.fluxcode.env";
const ADDRESS: &str = "nodes.NAME.address, or nodes.NAME.public";
const BOUNDED: &str = "the containers' logs are bounded by size in any case";
const TAKE_OUT: &str = "take it out";
