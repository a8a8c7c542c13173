//! A room service: the small server in front of LiveKit that creates rooms, hands out
//! tokens, takes webhooks and serves a page. What it has to know about the stack it
//! reads from the stage plot.

mod failure;
mod livekit;
mod page;
mod rooms;
mod service;
mod site;
mod token;
mod webhook;

use std::error::Error;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stageplot_topology::{Document, Format, Plot, Topology};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use crate::livekit::LiveKit;
use crate::service::{Service, router};
use crate::site::Site;
use crate::webhook::Seen;

/// What requests under way may take when the service is told to end.
const LAST: Duration = Duration::from_secs(15);

/// Creates LiveKit rooms, and lets people in.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The stage plot.
    #[arg(long, default_value = "stageplot.toml")]
    plot: PathBuf,
    /// What this service is called in it.
    #[arg(long, default_value = "rooms")]
    name: String,
    /// The node that this is, where the service stands on several.
    #[arg(long)]
    node: Option<String>,
    /// LiveKit's JavaScript for browsers: dist/livekit-client.umd.js of the npm
    /// package livekit-client.
    #[arg(long)]
    livekit_client: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("room-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let topology = read(&options.plot)?;
    let variable = |name: &str| std::env::var(name).ok();
    let site = Site::read(&topology, &options.name, options.node.as_deref(), variable)?;
    let client = std::fs::read(&options.livekit_client)
        .map_err(|error| format!("{}: {error}", options.livekit_client.display()))?;

    let mut listeners = Vec::new();
    for address in &site.listen {
        let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
        tracing::info!(%address, "listening");
        listeners.push(listener);
    }
    let servers: Vec<_> = site.livekit.iter().map(ToString::to_string).collect();
    let plot = options.plot.display();
    tracing::info!(%plot, livekit = servers.join(" "), clients = site.public_url, "set up");
    let livekit = LiveKit::new(site.livekit.clone())?;
    let app = router(Service { site, livekit, seen: Seen::default() }, client.into());

    let (end, ending) = watch::channel(false);
    let mut servers = JoinSet::new();
    for listener in listeners {
        let mut ending = ending.clone();
        let told = async move { drop(ending.wait_for(|end| *end).await) };
        let server = axum::serve(listener, app.clone()).with_graceful_shutdown(told);
        servers.spawn(server.into_future());
    }
    told_to_end().await?;
    tracing::info!("ending");
    end.send_replace(true);
    // Connections that are idle end at once, and requests when they are answered.
    tokio::time::timeout(LAST, servers.join_all()).await.map_err(|_| "requests were cut off")?;
    Ok(())
}

fn read(path: &Path) -> Result<Topology, Box<dyn Error>> {
    let name = path.display().to_string();
    let format =
        Format::from_path(path).ok_or_else(|| format!("{name}: a plot ends in .toml, .json or .yaml"))?;
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let built = Document::parse(format, &name, &text).and_then(|plot| Plot::read(&plot))?;
    Ok(built.topology)
}

async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
