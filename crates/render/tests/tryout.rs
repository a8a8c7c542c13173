//! Plots as one machine plays them: of every example something is made that Compose is given,
//! and it leads nobody elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use stageplot_render::{Custom, Ground, Secrets, Tryout, TryoutError, tryout};
use stageplot_topology::{Document, Format, Plot, Port, Topology};

fn topology(text: &str) -> Topology {
    let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("TOML");
    Plot::read(&document).expect("a sound plot").topology
}

fn tried(topology: &Topology, subnet: &str) -> Result<Tryout, TryoutError> {
    let mut given = BTreeSet::new();
    let mut port = |wanted: Port| {
        let free = (wanted.number()..).filter_map(Port::new).find(|port| !given.contains(port))?;
        given.insert(free);
        Some(free)
    };
    let ground = Ground::new(subnet.parse().expect("a network"), &mut port);
    tryout(topology, Secrets::SEALED, &Custom::default(), ground)
}

#[test]
fn every_example_can_be_tried() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let mut count = 0;
    for example in fs::read_dir(examples).expect("the examples") {
        let path = example.expect("an example").path();
        let topology = topology(&fs::read_to_string(path.join("stageplot.toml")).expect("a plot"));
        let tried = tried(&topology, "10.221.7.0/24").unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let outside: Vec<_> = tried.doors.iter().map(|door| door.outside).collect();
        assert_eq!(
            outside.iter().collect::<BTreeSet<_>>().len(),
            outside.len(),
            "{path:?}: a port is given twice"
        );
        assert!(tried.doors.iter().any(|door| door.is_site), "{path:?} has no door: {:?}", tried.doors);
        for file in &tried.files {
            let text = String::from_utf8_lossy(&file.bytes);
            // Nothing of the real machines is in it: neither their addresses nor an authority.
            let real = topology.nodes().iter().flat_map(|node| {
                let public = node.public.into_iter().flat_map(|public| public.addresses());
                public.chain(node.addresses.iter().map(|address| address.ip))
            });
            for ip in real {
                assert!(!text.contains(&ip.to_string()), "{path:?}: {} has {ip}", file.path);
            }
            assert!(!text.contains("acme"), "{path:?}: {} asks for certificates", file.path);
        }
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn publishers_are_told_this_machine() {
    let plot = include_str!("../../../examples/plots/hybrid/stageplot.toml");
    let tried = tried(&topology(plot), "10.221.7.0/24").expect("a trial");
    let door = tried.doors.iter().find(|door| door.service == "streams").expect("a door");
    let all: String =
        tried.files.iter().map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).collect();
    let port = if door.outside.number() == 1935 { String::new() } else { format!(":{}", door.outside) };
    assert!(all.contains(&format!("STREAMING_RTMP_SERVER=rtmp://localhost{port}/live\n")), "{all}");
    assert!(!all.contains("push.example.com"), "{all}");
    assert!(tried.left_out.iter().any(|told| told.contains("sfu has no TURN")), "{:?}", tried.left_out);
}

#[test]
fn what_somebody_else_runs_is_not_touched() {
    let plot = "name = 'live'\n[nodes.a]\naddress = '10.0.0.1'\npublic = '203.0.113.1'\nroles = ['edge', 'sfu', 'site']\n\
                [edge]\ndomain = 'example.com'\n\
                [services.sfu]\nkind = 'livekit'\nkeys = { main = { env = 'KEY' } }\n\
                webhook = { urls = ['https://example.com/hook', 'https://elsewhere.example.net/hook'] }\n\
                [services.site]\nkind = 'app'\nimage = 'registry.example.com/site:1'\nport = 8080\nroutes = '/hook'\n\
                needs = ['cache', 'db']\n\
                [services.cache]\nkind = 'redis'\npassword = { env = 'PASSWORD' }\nexternal = { address = 'redis.example.net:6379', tls = {} }\n\
                [services.db]\nkind = 'postgres'\npassword = { env = 'PASSWORD' }\nexternal = { address = 'db.example.net:5432' }\n";
    let tried = tried(&topology(plot), "10.221.7.0/24").expect("a trial");
    let all: String =
        tried.files.iter().map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).collect();
    assert!(!all.contains("example.net"), "{all}");
    let port = tried.doors.iter().find(|door| door.service == "edge").expect("a door").outside;
    assert!(all.contains(&format!("http://example.com:{port}/hook")), "{all}");
    for service in ["a.cache", "a.db"] {
        assert!(all.contains(&format!("  {service}:\n")), "{service} is played");
    }
    let told = tried.left_out.join("\n");
    for part in
        ["cache is not the one", "db is not the one", "sfu tells elsewhere.example.net nothing", "plain HTTP"]
    {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let nodes: String = (1..=4)
        .map(|n| format!("[nodes.n{n}]\naddress = '10.0.0.{n}'\nroles = ['edge', 'site']\n"))
        .collect();
    let plot = format!(
        "name = 'live'\n{nodes}[edge]\ntls = 'off'\n[services.site]\nkind = 'app'\nimage = 'registry.example.com/site:1'\nport = 8080\nroutes = '/*'\n"
    );
    let error = tried(&topology(&plot), "10.221.7.0/30").expect_err("too small");
    assert_eq!(error.to_string(), "the network 10.221.7.0/30 has no addresses for 4 nodes");

    // Side by side in networks of their own, and in one here.
    let plot = "name = 'live'\n[nodes.a]\naddress = '10.0.0.1'\nroles = ['edge', 'one', 'two']\n\
                [edge]\nnetwork = 'bridge'\ntls = 'off'\n\
                [services.one]\nkind = 'app'\nimage = 'registry.example.com/one:1'\nport = 8080\nroutes = '/one/*'\n\
                [services.two]\nkind = 'app'\nimage = 'registry.example.com/two:1'\nport = 8080\nroutes = '/two/*'\n";
    let error = tried(&topology(plot), "10.221.7.0/24").expect_err("one port for two");
    assert_eq!(error.to_string(), "one and two both listen on 8080 of a, where they share one network here");
}
