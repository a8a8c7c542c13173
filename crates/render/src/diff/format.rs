//! The formats that a diff reads field by field.

use super::value::Value;

mod caddyfile;
mod env;
mod json;
mod nftables;
mod postgres;
mod redis;
mod sysctl;
mod systemd;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

/// A format with fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
    Toml,
    Redis,
    Postgres,
    Nftables,
    Caddyfile,
    Systemd,
    Sysctl,
    Env,
}

impl Format {
    /// The format of a file, by its path in a bundle; none where it has no fields.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        Some(match (name, ending) {
            ("redis.conf", _) => Self::Redis,
            ("postgresql.conf", _) => Self::Postgres,
            ("Caddyfile", _) => Self::Caddyfile,
            ("env", _) | (_, "env") => Self::Env,
            (_, "yaml" | "yml") => Self::Yaml,
            (_, "json") => Self::Json,
            (_, "toml") => Self::Toml,
            (_, "nft") => Self::Nftables,
            (_, "service" | "timer" | "socket" | "target" | "path" | "mount") => Self::Systemd,
            (_, "conf") if path.starts_with("system/") => Self::Sysctl,
            _ => return None,
        })
    }

    /// What a file of this format says; none where it is not of this format after all.
    pub(super) fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Yaml => yaml::read(text),
            Self::Json => json::read(text),
            Self::Toml => toml::read(text),
            Self::Redis => redis::read(text),
            Self::Postgres => postgres::read(text),
            Self::Nftables => nftables::read(text),
            Self::Caddyfile => caddyfile::read(text),
            Self::Systemd => systemd::read(text),
            Self::Sysctl => sysctl::read(text),
            Self::Env => env::read(text),
        }
    }
}
