//! What values say. Messages shorten what they repeat, and repeat no secret.

use crate::{HostName, Port};

pub(super) fn host_name(text: &str) -> Result<HostName, String> {
    text.parse::<HostName>().map_err(|error| error.to_string())
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{:?} is neither true nor false", crate::value::shorten(text))),
    }
}

pub(super) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{:?} is not a whole number", crate::value::shorten(text)))
}

pub(super) fn port(text: &str) -> Result<Port, String> {
    let port = text.parse().ok().and_then(Port::new);
    port.ok_or_else(|| {
        format!("{:?} is not a port: use a number from 1 to 65535", crate::value::shorten(text))
    })
}

pub(super) fn db(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("{:?} is not a database's number", crate::value::shorten(text)))
}

/// Splits a port off a host or an address, where one is written.
pub(super) fn host_and_port(word: &str) -> (&str, Option<u16>) {
    let (host, port) = match word.rsplit_once(':') {
        // More colons are an IPv6 address of its own, unless it is in brackets.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (word, None),
        },
        _ => (word, None),
    };
    (host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host), port)
}
