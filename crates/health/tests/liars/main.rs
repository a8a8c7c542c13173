//! No false green: for every kind of check, servers that lie. Each is told for what it
//! is within the check's deadline, and one that is honest passes.

mod chain;
mod checks;
mod creation;
mod datagram;
mod dns;
mod http;
mod http3;
mod ion_sfu;
mod livekit;
mod postgres;
mod redis;
mod room;
mod rtmp;
mod secrets;
mod server;
mod sip;
mod ssh;
mod stage;
mod stun;
mod tls;
mod turn;
mod webhook;
