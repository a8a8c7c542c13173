//! The two places where it keeps what it knows, each with a pool of connections.

use std::time::Duration;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use secrecy::ExposeSecret as _;
use serde::{Serialize, Serializer};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::rooms;
use crate::settings::{PostgresSettings, RedisSettings};

/// What a connection may be waited for.
const WAIT: Duration = Duration::from_secs(5);

/// Within which the two must answer to count as healthy: less than health checks wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections to Redis at most. The real one has no variable for it.
pub(crate) const REDIS_POOL: u32 = 10;

/// The two pools.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) postgres: PgPool,
    pub(crate) redis: bb8::Pool<Client>,
}

/// Why something is not known, or not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("Postgres: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("Redis: {0}")]
    Pool(#[from] bb8::RunError<redis::RedisError>),
}

/// Which of the two answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Health {
    #[serde(serialize_with = "word")]
    pub(crate) postgresql: bool,
    #[serde(serialize_with = "word")]
    pub(crate) redis: bool,
}

impl Data {
    /// Connects, and makes the table.
    ///
    /// # Errors
    ///
    /// Where one of the two cannot be reached, or does not let us in.
    pub(crate) async fn open(postgres: &PostgresSettings, redis: &RedisSettings) -> Result<Self, DataError> {
        let data = Self { postgres: pool(postgres).await?, redis: cache(redis).await? };
        rooms::migrate(&data.postgres).await?;
        Ok(data)
    }

    /// Asks both.
    pub(crate) async fn health(&self) -> Health {
        let postgres = async { Ok(sqlx::query("SELECT 1").execute(&self.postgres).await.map(drop)?) };
        let redis = async {
            let mut redis = self.redis.get().await?;
            Ok(redis::cmd("PING").query_async::<()>(&mut *redis).await?)
        };
        let (postgresql, redis) = tokio::join!(answers(postgres), answers(redis));
        Health { postgresql, redis }
    }
}

impl Health {
    pub(crate) fn is_good(self) -> bool {
        self.postgresql && self.redis
    }
}

/// What `/health` calls what answers, and what does not.
pub(crate) fn said(is_good: bool) -> &'static str {
    if is_good { "healthy" } else { "unhealthy" }
}

fn word<S: Serializer>(is_good: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(said(*is_good))
}

async fn answers(question: impl Future<Output = Result<(), DataError>>) -> bool {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "unhealthy");
            false
        }
        Err(_) => {
            tracing::warn!("unhealthy: no answer within {} seconds", PATIENCE.as_secs());
            false
        }
    }
}

async fn pool(settings: &PostgresSettings) -> Result<PgPool, DataError> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&settings.host)
        .port(settings.port)
        .username(&settings.user)
        .password(settings.password.expose_secret())
        .database(&settings.database)
        .ssl_mode(settings.ssl_mode);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_open.max(1))
        .min_connections(settings.max_idle.min(settings.max_open))
        .max_lifetime(settings.max_lifetime)
        .acquire_timeout(WAIT);
    Ok(pool.connect_with(options).await?)
}

async fn cache(settings: &RedisSettings) -> Result<bb8::Pool<Client>, DataError> {
    let mut login = RedisConnectionInfo::default().set_db(settings.db);
    if let Some(password) = &settings.password {
        login = login.set_password(password.expose_secret());
    }
    let address = ConnectionAddr::Tcp(settings.host.clone(), settings.port);
    let info: ConnectionInfo = address.into_connection_info()?.set_redis_settings(login);
    // One at once, so that it does not start without Redis.
    let pool = bb8::Pool::builder().max_size(REDIS_POOL).min_idle(Some(1)).connection_timeout(WAIT);
    Ok(pool.build(Client::open(info)?).await?)
}
