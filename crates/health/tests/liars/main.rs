//! No false green: for every kind of check, servers that lie. Each is told for what it
//! is within the check's deadline, and one that is honest passes.

mod chain;
mod datagram;
mod dns;
mod http;
mod http3;
mod livekit;
mod redis;
mod room;
mod secrets;
mod server;
mod stage;
mod stun;
mod tls;
mod turn;
