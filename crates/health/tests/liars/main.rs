//! No false green: for every kind of check, servers that lie. Each is told for what it
//! is within the check's deadline, and one that is honest passes.

mod chain;
mod http;
mod redis;
mod server;
mod stage;
mod tls;
