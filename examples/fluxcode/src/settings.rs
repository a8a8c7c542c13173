//! What the environment says: FluxCode's own variables, with its own defaults.

use std::fmt::Display;
use std::str::FromStr;

use secrecy::SecretString;

/// Everything that FluxCode reads from its environment.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) title: String,
    /// Where its page is served: `debug` or `release`, and `standard` or `simple`.
    pub(crate) modes: [String; 2],
    pub(crate) postgres: PostgresSettings,
    pub(crate) redis: RedisSettings,
    pub(crate) admin_email: String,
    pub(crate) admin_password: SecretString,
    pub(crate) jwt_secret: SecretString,
    /// How long a session lasts, in hours.
    pub(crate) jwt_hours: u64,
    /// How many variables there are for signing in with Google.
    pub(crate) gemini: usize,
    pub(crate) time_zone: String,
}

/// Where Postgres is, and how many connections are held to it.
#[derive(Debug)]
pub(crate) struct PostgresSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ssl_mode: String,
    pub(crate) user: String,
    pub(crate) password: SecretString,
    pub(crate) database: String,
    pub(crate) max_open: u32,
    pub(crate) max_idle: u32,
}

/// Where Redis is, and how many connections are held to it.
#[derive(Debug)]
pub(crate) struct RedisSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: SecretString,
    pub(crate) db: i64,
    pub(crate) pool_size: u32,
    pub(crate) min_idle: u32,
}

impl Settings {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// Every variable that is missing or cannot be read, all at once.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = Reader { variable, wrong: Vec::new() };
        let settings = Self {
            title: reader.text("WEB_TITLE", "FluxCode"),
            modes: [reader.text("SERVER_MODE", "release"), reader.text("RUN_MODE", "standard")],
            postgres: PostgresSettings {
                host: reader.needed("DATABASE_HOST"),
                port: reader.parsed("DATABASE_PORT", 5432),
                ssl_mode: reader.text("DATABASE_SSLMODE", "disable"),
                user: reader.text("DATABASE_USER", "fluxcode"),
                password: reader.needed("DATABASE_PASSWORD").into(),
                database: reader.text("DATABASE_DBNAME", "fluxcode"),
                max_open: reader.parsed("DATABASE_MAX_OPEN_CONNS", 20),
                max_idle: reader.parsed("DATABASE_MAX_IDLE_CONNS", 10),
            },
            redis: RedisSettings {
                host: reader.needed("REDIS_HOST"),
                port: reader.parsed("REDIS_PORT", 6379),
                password: reader.needed("REDIS_PASSWORD").into(),
                db: reader.parsed("REDIS_DB", 0),
                pool_size: reader.parsed("REDIS_POOL_SIZE", 128),
                min_idle: reader.parsed("REDIS_MIN_IDLE_CONNS", 10),
            },
            admin_email: reader.text("ADMIN_EMAIL", "admin@example.com"),
            admin_password: reader.needed("ADMIN_PASSWORD").into(),
            jwt_secret: reader.needed("JWT_SECRET").into(),
            jwt_hours: reader.parsed("JWT_EXPIRE_HOUR", 24),
            gemini: GEMINI.iter().filter(|name| !reader.text(name, "").is_empty()).count(),
            time_zone: reader.text("TZ", "Asia/Shanghai"),
        };
        if reader.wrong.is_empty() { Ok(settings) } else { Err(reader.wrong.join("; ")) }
    }
}

/// The variables for signing in with Google.
const GEMINI: [&str; 4] =
    ["GEMINI_OAUTH_CLIENT_ID", "GEMINI_OAUTH_CLIENT_SECRET", "GEMINI_OAUTH_SCOPES", "GEMINI_QUOTA_POLICY"];

/// Reads variables, and remembers what is wrong with them.
struct Reader<V> {
    variable: V,
    wrong: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    /// What is set to nothing is not set, as in Compose's `${NAME:-default}`.
    fn value(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &str, default: &str) -> String {
        self.value(name).unwrap_or_else(|| default.to_owned())
    }

    fn needed(&mut self, name: &str) -> String {
        self.value(name).unwrap_or_else(|| {
            self.wrong.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.value(name) else { return default };
        text.parse().unwrap_or_else(|error| {
            self.wrong.push(format!("{name}: {error}"));
            default
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        let wrong = Settings::read(|_| None).expect_err("nothing is set");
        for name in ["DATABASE_HOST", "DATABASE_PASSWORD", "REDIS_HOST", "REDIS_PASSWORD", "JWT_SECRET"] {
            assert!(wrong.contains(&format!("{name} is not set")), "{wrong}");
        }
        let set = |name: &str| Some(if name.contains("PORT") { "many" } else { "9" }.to_owned());
        let wrong = Settings::read(set).expect_err("no port");
        assert!(wrong.contains("DATABASE_PORT") && wrong.contains("REDIS_PORT"), "{wrong}");
    }

    #[test]
    fn what_is_empty_has_the_default() {
        let needed = ["DATABASE_HOST", "DATABASE_PASSWORD", "REDIS_HOST", "REDIS_PASSWORD"];
        let set = |name: &str| {
            let needed = needed.contains(&name) || name.starts_with("ADMIN") || name.starts_with("JWT_S");
            Some(if needed { "x" } else { "" }.to_owned())
        };
        let settings = Settings::read(set).expect("all that is needed");
        assert_eq!((settings.postgres.max_open, settings.redis.pool_size), (20, 128));
        assert_eq!(settings.postgres.port, 5432);
    }
}
