//! Stacks that run: engines, containers and clients on machines of their own. In one
//! program, so that one waits while another works; what looks at all that a run leaves, or
//! starts itself again, is a program of its own.

mod acme;
mod fluxcode;
mod fluxcode_env;
mod health;
mod hybrid;
mod livekit_ingress;
mod migrate;
mod monitored;
mod pin;
mod postgres;
mod releases;
mod room;
mod secret_files;
mod tryout;
mod turn_tls;
