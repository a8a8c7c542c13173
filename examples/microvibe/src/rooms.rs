//! Live rooms: kept in Postgres, and in Redis who of them is on.

use std::collections::BTreeSet;

use redis::AsyncCommands as _;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use crate::data::{Data, DataError};
use crate::streaming::Protocol;

/// Before the identity of a room that is on: the clients of nginx-rtmp that send to it. One
/// that was asked about and then not taken, as somebody else sends already, ends too, and
/// that is not the end of the other.
const LIVE: &str = "microvibe:live:";

/// For how long a room is taken to be on when nobody says that it ended: nginx-rtmp does,
/// unless it is killed. In seconds.
const LIVE_SECONDS: i64 = 12 * 3600;

/// Whoever makes the table holds this lock; the number is nobody else's.
const MIGRATION: i64 = 0x6d69_6372_6f76;

/// A room, as the table has it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) room_id: String,
    pub(crate) stream_key: String,
    pub(crate) title: String,
    pub(crate) protocol: String,
    pub(crate) is_ended: bool,
}

/// Makes the table, where it is not there. Several nodes may start at once, and Postgres
/// does not bear that they all make it.
pub(crate) async fn migrate(postgres: &PgPool) -> Result<(), sqlx::Error> {
    let mut transaction = postgres.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION).execute(&mut *transaction).await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS live_rooms (room_id text PRIMARY KEY, stream_key text NOT NULL UNIQUE, \
         title text NOT NULL, protocol text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), \
         ended_at timestamptz)",
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// All rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    data: Data,
}

impl Rooms {
    pub(crate) fn new(data: Data) -> Self {
        Self { data }
    }

    /// Makes a room. What comes back are its identity and its stream key, which nobody guesses.
    pub(crate) async fn create(
        &self,
        title: &str,
        protocol: Protocol,
    ) -> Result<(String, String), DataError> {
        let [room_id, stream_key] = [(); 2].map(|()| Uuid::new_v4().simple().to_string());
        sqlx::query("INSERT INTO live_rooms (room_id, stream_key, title, protocol) VALUES ($1, $2, $3, $4)")
            .bind(&room_id)
            .bind(&stream_key)
            .bind(title)
            .bind(protocol.as_str())
            .execute(&self.data.postgres)
            .await?;
        Ok((room_id, stream_key))
    }

    /// The room of an identity.
    pub(crate) async fn of_id(&self, room_id: &str) -> Result<Option<Room>, DataError> {
        let query = "SELECT room_id, stream_key, title, protocol, ended_at IS NOT NULL FROM live_rooms \
                     WHERE room_id = $1";
        self.find(query, room_id).await
    }

    /// The room of a stream key.
    pub(crate) async fn of_key(&self, stream_key: &str) -> Result<Option<Room>, DataError> {
        let query = "SELECT room_id, stream_key, title, protocol, ended_at IS NOT NULL FROM live_rooms \
                     WHERE stream_key = $1";
        self.find(query, stream_key).await
    }

    async fn find(&self, query: &'static str, value: &str) -> Result<Option<Room>, DataError> {
        // Postgres keeps no such text, and calls it an error.
        if value.contains('\0') {
            return Ok(None);
        }
        let row = sqlx::query_as(query).bind(value).fetch_optional(&self.data.postgres).await?;
        Ok(row.map(|(room_id, stream_key, title, protocol, is_ended)| Room {
            room_id,
            stream_key,
            title,
            protocol,
            is_ended,
        }))
    }

    /// Ends a room for good: its key is taken no more. A stream that nginx-rtmp has taken
    /// already goes on there.
    pub(crate) async fn end(&self, room_id: &str) -> Result<(), DataError> {
        let query = "UPDATE live_rooms SET ended_at = coalesce(ended_at, now()) WHERE room_id = $1";
        sqlx::query(query).bind(room_id).execute(&self.data.postgres).await?;
        Ok(self.data.redis.get().await?.del(live(room_id)).await?)
    }

    /// Marks a room as on, as a client sends to it.
    pub(crate) async fn mark_live(&self, room_id: &str, client: &str) -> Result<(), DataError> {
        let (mut redis, key) = (self.data.redis.get().await?, live(room_id));
        let mut both = redis::pipe();
        both.atomic().sadd(&key, client).expire(&key, LIVE_SECONDS);
        Ok(both.exec_async(&mut *redis).await?)
    }

    /// Forgets a client: where it was the last, the room is off.
    pub(crate) async fn mark_off(&self, room_id: &str, client: &str) -> Result<(), DataError> {
        Ok(self.data.redis.get().await?.srem(live(room_id), client).await?)
    }

    pub(crate) async fn is_live(&self, room: &Room) -> Result<bool, DataError> {
        // Who asked to send while the room ended may be there still.
        Ok(!room.is_ended && self.data.redis.get().await?.exists(live(&room.room_id)).await?)
    }

    /// How many rooms there are that have not ended.
    pub(crate) async fn count(&self) -> Result<i64, DataError> {
        let query = "SELECT count(*) FROM live_rooms WHERE ended_at IS NULL";
        Ok(sqlx::query_scalar(query).fetch_one(&self.data.postgres).await?)
    }

    /// How many of them are on.
    pub(crate) async fn count_live(&self) -> Result<usize, DataError> {
        let mut redis = self.data.redis.get().await?;
        let mut keys = redis.scan_match::<_, String>(format!("{LIVE}*")).await?;
        // One may come twice.
        let mut live = BTreeSet::new();
        while let Some(key) = keys.next_item().await {
            live.insert(key?);
        }
        Ok(live.len())
    }
}

fn live(room_id: &str) -> String {
    format!("{LIVE}{room_id}")
}
