//! What has to end well before an app is started: a service of its own in the Compose file.

use serde_json::Value;
use stageplot_render::diff::{self, Impact, Side};
use stageplot_render::{Bundle, Custom, Manifest, Secrets, render};
use stageplot_topology::{Document, Format, Plot, Topology};

const PLOT: &str = r#"
name = "live"
[nodes.front]
public = "203.0.113.10"
roles = ["rooms"]
[services.rooms]
kind = "app"
image = "registry.example.com/rooms:1"
port = 8080
health = "/health"
open = { rtmp = { port = 1935, from = "any" } }
user = "1000:1000"
volumes = { data = "/da$ta" }
working-dir = "/srv/$app"
migrate = ["sh", "-c", "migrate $URL"]
env = { MODE = "one" }
limits = { memory = "256mb" }
"#;

fn topology(plot: &str) -> Topology {
    let document = Document::parse(Format::Toml, "stageplot.toml", plot).expect("TOML");
    Plot::read(&document).expect("a sound plot").topology
}

fn bundle(plot: &str) -> Bundle {
    let rendering = render(&topology(plot), Secrets::SEALED, &Custom::default()).expect("it renders");
    rendering.bundles.into_iter().next().expect("a node")
}

fn text<'b>(bundle: &'b Bundle, path: &str) -> &'b str {
    let file = bundle.artifact(path).unwrap_or_else(|| panic!("no {path}"));
    std::str::from_utf8(&file.bytes).expect("text")
}

#[test]
fn it_is_the_app_in_all_else() {
    let bundle = bundle(PLOT);
    let compose: Value = serde_saphyr::from_str(text(&bundle, "compose.yaml")).expect("YAML");
    let (app, migration) = (&compose["services"]["rooms"], &compose["services"]["rooms-migrate"]);
    for field in
        ["image", "user", "working_dir", "env_file", "volumes", "mem_limit", "security_opt", "network_mode"]
    {
        assert_eq!(app[field], migration[field], "{field}");
    }
    // Compose takes a dollar sign for a variable unless it is doubled.
    assert_eq!(migration["command"][2], "migrate $$URL");
    assert_eq!(
        (&app["working_dir"], &app["volumes"][0]["target"]),
        (&"/srv/$$app".into(), &"/da$$ta".into())
    );
    assert_eq!((&migration["restart"], &app["restart"]), (&"on-failure:9".into(), &"unless-stopped".into()));
    assert_eq!(app["depends_on"]["rooms-migrate"]["condition"], "service_completed_successfully");
    // Nobody reaches it, and nobody asks whether it is well.
    assert!(app["ports"].is_array() && app["healthcheck"].is_object());
    for field in ["ports", "healthcheck", "depends_on", "labels"] {
        assert!(migration[field].is_null(), "{field}");
    }

    let manifest: Manifest<'_> = serde_json::from_str(text(&bundle, Manifest::PATH)).expect("a manifest");
    assert_eq!(manifest.services.keys().collect::<Vec<_>>(), ["rooms", "rooms-migrate"]);
    let of_app = manifest.files.iter().filter(|(path, _)| path.starts_with("services/"));
    assert!(of_app.into_iter().all(|(_, file)| file.service.as_deref() == Some("rooms")));
    assert_eq!(text(&bundle, "install.sh").matches("data/rooms/data").count(), 1);
    assert!(text(&bundle, "system/stageplot-live.service").contains("\nRestart=on-failure\n"));
    let without = self::bundle(&PLOT.replace("migrate = [", "command = ["));
    assert!(!text(&without, "system/stageplot-live.service").contains("Restart="));
}

#[test]
fn a_change_says_that_it_runs() {
    let side = |plot: &str| {
        let topology = topology(plot);
        let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("it renders");
        Side::of(&topology, rendering).expect("it is sealed")
    };
    let effect = |old: &str, new: &str| {
        assert!(PLOT.contains(old), "{old}");
        let diff = diff::between(&side(PLOT), &side(&PLOT.replace(old, new)));
        let mut of_service = diff.effects().filter(|(_, effect)| effect.service.is_some());
        let effect = of_service.next().expect("something happens").1.clone();
        assert_eq!(of_service.count(), 0);
        effect
    };
    let told = "a new container takes its place; rooms-migrate has to end well before it is started";
    for (old, new) in [("one", "two"), ("migrate $URL", "migrate --all"), ("/srv/$app", "/srv")] {
        let effect = effect(old, new);
        assert_eq!((effect.process, &*effect.text), (Impact::Recreate, told), "{old}: {:?}", effect.reasons);
        assert_eq!(effect.migration.as_deref(), Some("rooms-migrate"));
    }
    let gone = effect("migrate = [", "command = [");
    assert_eq!((gone.process, gone.migration), (Impact::Recreate, None));
}
