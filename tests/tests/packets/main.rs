//! What the model says of addresses and firewalls, held against a kernel and Docker.
//!
//! Machines are network namespaces with an engine each; what is rendered for a plot
//! is loaded and brought up there. The programs behind the ports are sockets of this
//! process in the namespaces of machines and containers, so that every answer says
//! which server gave it and whom that saw.

mod closed;
mod examples;
mod pairs;
mod stage;
mod ways;
