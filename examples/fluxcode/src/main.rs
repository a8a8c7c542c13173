//! A stand-in for FluxCode: it reads the variables, holds the pools and serves the routes
//! that the real one does, and shows which node answered. What is rendered for the one
//! can so be tried with the other.

mod data;
mod routes;
mod session;
mod settings;

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::data::Data;
use crate::routes::{Node, router};
use crate::session::Sessions;
use crate::settings::Settings;

/// Where the real one listens, and keeps its files.
const LISTEN: &str = "0.0.0.0:8080";
const FILES: &str = "/app/data";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fluxcode: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned();
    let data = Data::open(&settings.postgres, &settings.redis).await?;
    // The real one keeps its set-up there, and cannot begin without.
    std::fs::write(format!("{FILES}/installed"), &name).map_err(|error| format!("{FILES}: {error}"))?;
    let [server, run] = &settings.modes;
    tracing::info!(
        server,
        run,
        postgres = settings.postgres.max_open,
        redis = settings.redis.pool_size,
        gemini = settings.gemini,
        time_zone = settings.time_zone,
        "set up"
    );
    let sessions = Sessions::new(settings.jwt_secret.clone(), settings.jwt_hours);
    let app = router(Node { name, settings, sessions, data });
    let listener = TcpListener::bind(LISTEN).await?;
    tracing::info!(LISTEN, "listening");
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).with_graceful_shutdown(told_to_end()).await?)
}

async fn told_to_end() {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
