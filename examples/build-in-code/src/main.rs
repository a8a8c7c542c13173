//! Builds a stack in code, with as many media nodes as it is told, and renders it:
//!
//! ```sh
//! LIVEKIT_API_SECRET=… REDIS_PASSWORD=… cargo run -p build-in-code -- 3 rendered
//! ```

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;

use stageplot_render::output::{self, Options};
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{
    App, Edge, Livekit, NodeSpec, Plot, Port, Redis, SecretError, SecretRef, SecretSource, SecretString,
};

/// A front with the edge, the service that hands out tokens and Redis, and this many
/// media nodes.
fn plot(media: u8) -> Result<Plot, Box<dyn Error>> {
    let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    let password = Some(SecretRef::env("REDIS_PASSWORD"));
    let rooms = App::container("registry.example.com/rooms:1.4.0".parse()?)
        .port(Port::fixed(8080))
        .health("/health")
        .route("/api/*")
        .need("sfu")
        .env("LIVEKIT_URL", "${sfu.public-url}")
        .env("LIVEKIT_API_KEY", "main")
        .env("LIVEKIT_API_SECRET", SecretRef::env("LIVEKIT_API_SECRET"));
    let node = |n| NodeSpec::public(Ipv4Addr::new(203, 0, 113, n).into()).address([10, 0, 0, n].into());
    let mut plot = Plot::new("live".parse()?)
        .service("edge", Edge::new("livekit.example.com".parse()?))
        .service("cache", Redis { password, ..Redis::default() })
        .service("rooms", rooms)
        .service("sfu", Livekit { keys, ..Livekit::default() })
        .node("front", node(1).role("edge").role("rooms").role("cache"));
    plot.access.ssh.from = vec!["198.51.100.0/24".parse()?];
    for n in 1..=media {
        plot = plot.node(&format!("media-{n}"), node(n.saturating_add(1)).role("sfu"));
    }
    Ok(plot)
}

/// Secrets are variables of the environment.
struct Environment;

impl SecretSource for Environment {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let SecretRef::Env(name) = secret else { return Err(SecretError::new("it is no variable")) };
        std::env::var(name).map(SecretString::from).map_err(|error| SecretError::new(error.to_string()))
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [media, dir] = arguments.as_slice() else {
        return Err("usage: build-in-code MEDIA-NODES DIRECTORY".into());
    };
    let built = plot(media.parse()?)?.build()?;
    built.findings.iter().for_each(|finding| eprintln!("{finding}"));
    let rendering = render(&built.topology, Secrets::From(&Environment), &Custom::default())?;
    let written = output::write(Path::new(dir), &rendering.files()?, Options::default())?;
    println!("{} machines; {} files are new", rendering.bundles.len(), written.created.len());
    Ok(())
}

fn main() -> ExitCode {
    run().map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
