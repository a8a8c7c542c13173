//! A stand-in for MicroVibe: it reads the variables, holds the pools, keeps live rooms and
//! serves the routes that nginx-rtmp, ion-sfu and their visitors meet in the real one. What
//! is rendered for the one can so be tried with the other. It knows no users: whoever
//! reaches it makes rooms, where the real one asks for a token.

mod data;
mod failure;
mod metrics;
mod relay;
mod rooms;
mod routes;
mod settings;
mod sfu;
mod streaming;

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::data::Data;
use crate::routes::{Node, router};
use crate::settings::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("microvibe: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Arguments are not looked at: like the real one, `main migrate` starts a server too.
async fn run() -> Result<(), Box<dyn Error>> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = Settings::read(variables.collect())?;
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned();
    let data = Data::open(&settings.postgres, &settings.redis).await?;
    let Settings { mode, listen, jwt_hours, balance, webrtc, .. } = &settings;
    tracing::info!(mode, postgres = settings.postgres.max_open, jwt_hours, "set up");
    tracing::info!(sfus = ?settings.sfus, balance, webrtc, "streams");
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("{}:{}: {error}", listen.0, listen.1))?;
    tracing::info!(host = listen.0, port = listen.1, "listening");
    let app = router(Node::new(name, settings, data));
    Ok(axum::serve(listener, app).with_graceful_shutdown(told_to_end()).await?)
}

async fn told_to_end() {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
