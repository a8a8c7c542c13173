//! The two places where it keeps what it knows, each with a pool of connections.

use std::time::Duration;

use redis::{
    AsyncCommands as _, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo,
};
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::settings::{PostgresSettings, RedisSettings};

/// What a connection may be waited for.
const WAIT: Duration = Duration::from_secs(5);

/// Pools of the sizes that the environment gives.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) postgres: PgPool,
    pub(crate) redis: bb8::Pool<Client>,
}

/// Why something was not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error("Postgres: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("Redis: {0}")]
    Pool(#[from] bb8::RunError<redis::RedisError>),
}

impl Data {
    /// Connects, and makes the table.
    ///
    /// # Errors
    ///
    /// Where one of the two cannot be reached, or does not let us in.
    pub(crate) async fn open(
        postgres: &PostgresSettings,
        redis: &RedisSettings,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let data = Self { postgres: pool(postgres).await?, redis: cache(redis).await? };
        sqlx::query("CREATE TABLE IF NOT EXISTS visits (node text PRIMARY KEY, count bigint NOT NULL)")
            .execute(&data.postgres)
            .await?;
        Ok(data)
    }

    /// Counts a visit to a node: for good in Postgres, for an hour in Redis.
    pub(crate) async fn count(&self, node: &str) -> Result<(i64, i64), CountError> {
        let for_good = sqlx::query_scalar(
            "INSERT INTO visits VALUES ($1, 1) ON CONFLICT (node) DO UPDATE SET count = visits.count + 1 \
             RETURNING count",
        )
        .bind(node)
        .fetch_one(&self.postgres)
        .await?;
        let mut cache = self.redis.get().await?;
        let key = format!("visits:{node}");
        let of_late: i64 = cache.incr(&key, 1).await?;
        let _: bool = cache.expire(&key, 3600).await?;
        Ok((for_good, of_late))
    }
}

async fn pool(settings: &PostgresSettings) -> Result<PgPool, Box<dyn std::error::Error>> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&settings.host)
        .port(settings.port)
        .username(&settings.user)
        .password(settings.password.expose_secret())
        .database(&settings.database)
        .ssl_mode(settings.ssl_mode.parse()?);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_open.max(1))
        .min_connections(settings.max_idle.min(settings.max_open))
        .acquire_timeout(WAIT);
    Ok(pool.connect_with(options).await?)
}

async fn cache(settings: &RedisSettings) -> Result<bb8::Pool<Client>, Box<dyn std::error::Error>> {
    let login =
        RedisConnectionInfo::default().set_db(settings.db).set_password(settings.password.expose_secret());
    let address = ConnectionAddr::Tcp(settings.host.clone(), settings.port);
    let info: ConnectionInfo = address.into_connection_info()?.set_redis_settings(login);
    let pool = bb8::Pool::builder()
        .max_size(settings.pool_size.max(1))
        .min_idle(Some(settings.min_idle.min(settings.pool_size)))
        .connection_timeout(WAIT);
    Ok(pool.build(Client::open(info)?).await?)
}
