//! What the environment says: MicroVibe's own variables, with its own defaults.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::postgres::PgSslMode;

use crate::sfu::{Sfus, SfusError};
use crate::streaming::Streaming;

/// The secret that stands in MicroVibe's own guide, and that the real one does not start with.
const STOCK_SECRET: &str = "your-production-secret-key";

/// Everything that MicroVibe reads from its environment. `JWT_SECRET` is looked at and not
/// kept: there are no users here for whom tokens would be signed.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where it listens: a host and a port.
    pub(crate) listen: (String, u16),
    /// `debug`, `release` or `test`, as Gin calls them.
    pub(crate) mode: String,
    pub(crate) postgres: PostgresSettings,
    pub(crate) redis: RedisSettings,
    /// How long a token would last, in hours.
    pub(crate) jwt_hours: u64,
    pub(crate) streaming: Streaming,
    pub(crate) sfus: Sfus,
    /// Said to the log and no more: whatever it is, a room is at one SFU.
    pub(crate) balance: String,
    /// How many variables there are for WebRTC.
    pub(crate) webrtc: usize,
}

/// Where Postgres is, and how many connections are held to it.
#[derive(Debug)]
pub(crate) struct PostgresSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ssl_mode: PgSslMode,
    pub(crate) user: String,
    pub(crate) password: SecretString,
    pub(crate) database: String,
    pub(crate) max_open: u32,
    pub(crate) max_idle: u32,
    pub(crate) max_lifetime: Duration,
}

/// Where Redis is.
#[derive(Debug)]
pub(crate) struct RedisSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// None where Redis asks for none.
    pub(crate) password: Option<SecretString>,
    pub(crate) db: i64,
}

impl Settings {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or cannot be read, all at once.
    pub(crate) fn read(variables: BTreeMap<String, String>) -> Result<Self, String> {
        let mut reader = Reader { variables, wrong: Vec::new() };
        reader.check_secret();
        let settings = Self {
            listen: (reader.text("SERVER_HOST", "0.0.0.0"), reader.parsed("SERVER_PORT", 8080)),
            mode: reader.text("SERVER_MODE", "debug"),
            postgres: PostgresSettings {
                host: reader.text("DATABASE_HOST", "localhost"),
                port: reader.parsed("DATABASE_PORT", 5432),
                ssl_mode: reader.parsed("DATABASE_SSLMODE", PgSslMode::Disable),
                user: reader.text("DATABASE_USER", "postgres"),
                password: reader.text("DATABASE_PASSWORD", "").into(),
                database: reader.text("DATABASE_DBNAME", "microvibe"),
                max_open: reader.parsed("DB_MAX_OPEN_CONNS", 100),
                max_idle: reader.parsed("DB_MAX_IDLE_CONNS", 10),
                max_lifetime: Duration::from_secs(reader.parsed("DB_CONN_MAX_LIFETIME", 3600)),
            },
            redis: RedisSettings {
                host: reader.text("REDIS_HOST", "localhost"),
                port: reader.parsed("REDIS_PORT", 6379),
                password: reader.value("REDIS_PASSWORD").map(SecretString::from),
                db: reader.parsed("REDIS_DB", 0),
            },
            jwt_hours: reader.parsed("JWT_EXPIRE", 24),
            streaming: reader.streaming(),
            sfus: reader.sfus(),
            balance: reader.text("SFU_LOAD_BALANCE_METHOD", "roundrobin"),
            webrtc: reader.variables.keys().filter(|name| name.starts_with("WEBRTC_")).count(),
        };
        if reader.wrong.is_empty() { Ok(settings) } else { Err(reader.wrong.join("; ")) }
    }
}

/// Reads variables, and remembers what is wrong with them.
struct Reader {
    variables: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Reader {
    /// What is set to nothing is not set, as in Compose's `${NAME:-default}`.
    fn value(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.value(name).unwrap_or_else(|| default.to_owned())
    }

    fn needed(&mut self, name: &str) -> Option<String> {
        let value = self.value(name);
        if value.is_none() {
            self.wrong.push(format!("{name} is not set"));
        }
        value
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.value(name) else { return default };
        text.parse().unwrap_or_else(|error| {
            self.wrong.push(format!("{name}: {error}"));
            default
        })
    }

    fn check_secret(&mut self) {
        if self.needed("JWT_SECRET").is_some_and(|secret| secret == STOCK_SECRET) {
            self.wrong.push("JWT_SECRET is the one that everybody knows; make one of your own".to_owned());
        }
    }

    fn streaming(&mut self) -> Streaming {
        let application = self.text("STREAMING_RTMP_APP", "live");
        let push = self.text("STREAMING_RTMP_SERVER", &format!("rtmp://localhost:1935/{application}"));
        Streaming {
            play: self.text("STREAMING_RTMP_PLAY_SERVER", &push),
            push,
            hls: self.value("STREAMING_HLS_SERVER"),
            flv: self.value("STREAMING_FLV_SERVER"),
        }
    }

    /// Where no SFU is wanted, what is said of them is not looked at.
    fn sfus(&mut self) -> Sfus {
        if !self.parsed("SFU_ENABLED", false) {
            return Sfus::default();
        }
        type Parse = fn(&str) -> Result<Sfus, SfusError>;
        let mode = self.text("SFU_MODE", "standalone");
        let (name, parse): (_, Parse) = match mode.as_str() {
            "standalone" => ("SFU_SERVER_URL", Sfus::standalone),
            "cluster" => ("SFU_CLUSTER_NODES", Sfus::cluster),
            _ => {
                self.wrong.push(format!("SFU_MODE: {mode:?} is neither standalone nor cluster"));
                return Sfus::default();
            }
        };
        let Some(text) = self.needed(name) else { return Sfus::default() };
        parse(&text).unwrap_or_else(|error| {
            self.wrong.push(format!("{name}: {error}"));
            Sfus::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wrong = read(&[
            ("SERVER_PORT", "many"),
            ("DATABASE_SSLMODE", "perhaps"),
            ("REDIS_DB", "first"),
            ("SFU_ENABLED", "true"),
            ("SFU_MODE", "cluster"),
        ]);
        let wrong = wrong.expect_err("nothing is right");
        for name in ["JWT_SECRET is not set", "SERVER_PORT: ", "DATABASE_SSLMODE: ", "REDIS_DB: "] {
            assert!(wrong.contains(name), "{wrong}");
        }
        assert!(wrong.contains("SFU_CLUSTER_NODES is not set"), "{wrong}");
    }

    #[test]
    fn the_secret_that_everybody_knows_is_none() {
        for secret in ["", STOCK_SECRET] {
            let wrong = read(&[("JWT_SECRET", secret)]).expect_err("no secret");
            assert!(wrong.contains("JWT_SECRET is"), "{wrong}");
            assert!(!wrong.contains(STOCK_SECRET), "{wrong}");
        }
    }

    #[test]
    fn what_is_empty_has_the_default() {
        let settings = read(&[("JWT_SECRET", "x"), ("SERVER_PORT", ""), ("REDIS_PASSWORD", "")]);
        let settings = settings.expect("all that is needed");
        assert_eq!(settings.listen, ("0.0.0.0".to_owned(), 8080));
        assert_eq!((settings.postgres.host.as_str(), settings.postgres.port), ("localhost", 5432));
        assert_eq!((settings.postgres.max_open, settings.postgres.max_idle), (100, 10));
        assert!(settings.redis.password.is_none());
        assert_eq!((settings.jwt_hours, settings.webrtc), (24, 0));
        assert_eq!(settings.sfus.of("any"), None);
        assert_eq!(settings.streaming.push, "rtmp://localhost:1935/live");
        assert_eq!(settings.streaming.play, settings.streaming.push);
    }

    #[test]
    fn what_is_set_is_read() {
        let settings = read(&[
            ("JWT_SECRET", "x"),
            ("REDIS_PASSWORD", "kept"),
            ("STREAMING_RTMP_APP", "stage"),
            ("SFU_ENABLED", "true"),
            ("SFU_SERVER_URL", "http://ion-sfu:7000"),
            ("WEBRTC_ICE_SERVERS", "stun:stun.example.com"),
            ("WEBRTC_TIMEOUT", ""),
        ]);
        let settings = settings.expect("all that is needed");
        let password = settings.redis.password.as_ref().map(|password| password.expose_secret());
        assert_eq!(password, Some("kept"));
        assert_eq!(settings.streaming.push, "rtmp://localhost:1935/stage");
        assert_eq!(settings.sfus.of("any"), Some("ion-sfu:7000"));
        assert_eq!(settings.webrtc, 2);
    }

    #[test]
    fn an_sfu_that_is_not_wanted_may_be_wrong() {
        for enabled in ["", "false"] {
            let settings =
                read(&[("JWT_SECRET", "x"), ("SFU_ENABLED", enabled), ("SFU_SERVER_URL", "ftp://x")]);
            assert_eq!(settings.expect("not looked at").sfus.of("any"), None);
        }
        let wrong = read(&[("JWT_SECRET", "x"), ("SFU_ENABLED", "true"), ("SFU_MODE", "many")]);
        assert!(wrong.is_err_and(|wrong| wrong.contains("SFU_MODE")));
    }
}
