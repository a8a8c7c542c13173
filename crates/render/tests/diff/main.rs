//! What a diff promises, on every example and on random plots.

use std::fs;
use std::path::{Path, PathBuf};

use stageplot_render::diff::policy::Policy;
use stageplot_render::diff::{self, Diff, Impact, SecretStatus, Side, Status};
use stageplot_render::{Custom, Rendering, SealKey, Seals, Secrets, render};
use stageplot_topology::{Code, Document, FieldPath, Findings, Format, Plot, Topology};

mod pairs;
mod trees;

use pairs::{mirrored, told};
use trees::{Canary, Renewed, write};

fn topology(text: &str) -> Topology {
    let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("TOML");
    Plot::read(&document).unwrap_or_else(|findings| panic!("{findings}\n{text}")).topology
}

fn example(name: &str) -> String {
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    fs::read_to_string(plots.join(name).join("stageplot.toml")).expect("an example")
}

fn rendered(topology: &Topology) -> Rendering {
    render(topology, Secrets::SEALED, &Custom::default()).expect("it renders")
}

fn side(topology: &Topology) -> Side {
    Side::of(topology, rendered(topology)).expect("it is sealed")
}

fn between(before: &str, after: &str) -> Diff {
    diff::between(&side(&topology(before)), &side(&topology(after)))
}

/// The example cluster with one thing replaced.
fn changed(from: &str, to: &str) -> Diff {
    let before = example("cluster");
    assert!(before.contains(from), "{from}");
    between(&before, &before.replace(from, to))
}

/// What happens to a service on a machine, `-` being the machine itself.
fn impact(diff: &Diff, node: &str, service: &str) -> Impact {
    let on = diff
        .effects()
        .find(|(on, effect)| on.name == node && effect.service.as_deref().unwrap_or("-") == service);
    on.map_or(Impact::None, |(_, effect)| effect.impact)
}

/// Seals with another key, or where there were none, tell nothing: nothing happens, and
/// that is said. With the same key a changed secret shows as ever.
#[test]
fn what_seals_cannot_tell_does_nothing_and_is_said() {
    let topology = topology(&example("cluster"));
    let sealed = |seals: &Seals| {
        let rendering = render(&topology, Secrets::Sealed(seals), &Custom::default()).expect("it renders");
        let dir = tempfile::tempdir().expect("a directory");
        write(&rendering, dir.path());
        let tree = Side::read(dir.path()).expect("a tree");
        let side = Side::of(&topology, rendering).expect("it is sealed");
        assert!(diff::between(&tree, &side).is_empty());
        side
    };
    const ONE: &str = "7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47";
    let key = |key: &str| SealKey::parse(key).expect("a key");
    let with = |text: &str| sealed(&Seals::new(&topology, &Canary, &key(text)).expect("it seals"));
    let none = sealed(&Seals::default());
    let one = with(ONE);
    let other = with("e5b49fb0a4b6cbb6a04bd3c3a1fb1e54e6cf0d2d4b8d9b2f3b0f2ab7ee5f8a10");
    for (before, after, why) in [
        (&none, &one, SecretStatus::Sealed),
        (&one, &none, SecretStatus::Unsealed),
        (&one, &other, SecretStatus::OtherKey),
    ] {
        let diff = diff::between(before, after);
        assert!(!diff.is_empty() && diff.nodes.is_empty() && diff.overview.is_empty(), "{diff:?}");
        assert_eq!(diff.impact, Impact::None);
        untold(&diff);
        let secrets: Vec<_> =
            diff.secrets.iter().map(|secret| (secret.name.as_str(), secret.status)).collect();
        assert_eq!(secrets, [("LIVEKIT_API_SECRET", why), ("REDIS_PASSWORD", why)]);
        assert_eq!(mirrored(&diff), told(&diff::between(after, before)));
    }
    // What is known to have changed is said in a word, and so is why.
    let renewed = Seals::new(&topology, &Renewed, &key(ONE)).expect("it seals");
    let diff = diff::between(&one, &sealed(&renewed));
    assert_eq!(diff.changed_secrets().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"]);
    assert!(diff.untold.is_none() && diff.nodes.len() == 5, "{diff:?}");
    let comment = diff::Comment::new(&diff).to_string();
    assert!(
        comment.contains("**Secrets:** `LIVEKIT_API_SECRET` and `REDIS_PASSWORD` changed.\n"),
        "{comment}"
    );
    let texts: Vec<_> =
        diff.effects().flat_map(|(_, it)| &it.reasons).map(|reason| reason.text.as_str()).collect();
    assert!(texts.contains(&"password: REDIS_PASSWORD changed"), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("sealed:") && !text.contains("line")), "{texts:?}");
    let json = serde_json::to_value(&diff).expect("JSON");
    assert_eq!(json["secrets"][1], serde_json::json!({ "name": "REDIS_PASSWORD", "status": "changed" }));
}

/// Where it cannot be told whether a password changed, nothing is called calm.
fn untold(diff: &Diff) {
    let untold = diff.untold.as_ref().expect("it cannot be told");
    assert_eq!(untold.impact, Impact::Drain);
    let comment = diff::Comment::new(diff).to_string();
    assert!(comment.starts_with("## Stageplot live: what happens cannot be told\n"), "{comment}");
    for calm in ["Nobody", "nobody is thrown", "Nothing changes", "<details><summary>Why"] {
        assert!(!comment.contains(calm), "{calm}: {comment}");
    }
    for said in [
        "If they changed, at worst **drain**: sfu on media-1, media-2, media-3 and media-4.",
        "- if a secret changed: sfu on media-1, media-2, media-3 and media-4: waits for its rooms up to 2h",
    ] {
        assert!(comment.contains(said), "{said}: {comment}");
    }
    let json = serde_json::to_value(diff).expect("JSON");
    assert_eq!((&json["impact"], &json["untold"]["impact"]), (&"none".into(), &"drain".into()));
    for rule in [
        "kind = \"rooms\"",
        "kind = \"impact\"\nat-least = \"drain\"",
        "kind = \"file\"\nfiles = \"*/password\"",
        "kind = \"secret\"\nsecrets = \"REDIS_*\"",
    ] {
        let text = format!("[rules.it]\n{rule}\n");
        let document = Document::parse(Format::Toml, "policy.toml", &text).expect("TOML");
        let broken = Policy::read(&document).expect("a policy").judge(diff);
        let by: Vec<_> = broken.iter().flat_map(|broken| &broken.by).collect();
        let is_first = diff.secrets.iter().all(|secret| secret.status == SecretStatus::Sealed);
        if is_first && !rule.contains("secret") {
            assert!(by.is_empty(), "{rule}: {by:?}");
            continue;
        }
        assert!(by.iter().all(|by| by.ends_with("cannot be told")) && !by.is_empty(), "{rule}: {by:?}");
    }
}

#[test]
fn impacts_of_telling_changes() {
    let diff = changed("primary  = \"media-1\"", "primary  = \"media-2\"");
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::DataAtStake);
    assert_eq!(impact(&diff, "media-2", "cache"), Impact::DataAtStake);
    assert_eq!(impact(&diff, "media-3", "sfu"), Impact::Drain);
    assert_eq!(impact(&diff, "front", "rooms"), Impact::Recreate);
    assert_eq!(impact(&diff, "front", "edge"), Impact::None);

    let diff = changed("domain = \"livekit.example.com\"", "domain = \"live.example.com\"");
    assert_eq!(impact(&diff, "front", "edge"), Impact::Reload);
    assert!(diff.overview.iter().any(|file| file.path == "dns.txt"));

    let diff = changed("rooms:1.4.0", "rooms:1.5.0");
    assert_eq!(diff.impact, Impact::Recreate);
    assert!(diff.opened.is_empty() && diff.closed.is_empty());

    let cache = "password = { env = \"REDIS_PASSWORD\" }\n";
    let end = example("cluster");
    let with = |line: &str| format!("{}{line}\n", end.trim_end().to_owned() + "\n");
    assert!(end.ends_with(cache));
    let diff = between(&end, &with("persistence = \"none\""));
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::DataAtStake);
    assert_eq!(impact(&diff, "media-2", "cache"), Impact::Recreate);
    let diff =
        between(&with("persistence = \"none\""), &with("persistence = \"none\"\nmaxmemory = \"256mb\""));
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::DataAtStake);
    let diff = between(
        &with("image = \"redis:7.2-alpine\""),
        &with("image = \"mirror.example.com/library/redis:7.4-alpine\""),
    );
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::Recreate);
    let diff = between(&with("image = \"redis:7.4-alpine\""), &with("image = \"redis:7.2-alpine\""));
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::DataAtStake);

    let moved =
        end.replace("[\"edge\", \"rooms\"]", "[\"edge\"]").replacen("[\"sfu\"]", "[\"sfu\", \"rooms\"]", 1);
    let diff = between(&end, &moved);
    assert_eq!(impact(&diff, "front", "rooms"), Impact::Stop);
    assert_eq!(impact(&diff, "media-3", "rooms"), Impact::Start);
    assert_eq!(impact(&diff, "front", "edge"), Impact::Reload);
}

#[test]
fn flows_in_words() {
    let diff = changed("keys     =", "turn     = { udp-port = 3478 }\nkeys     =");
    let opened: Vec<_> = diff.opened.iter().map(|flow| flow.opens()).collect();
    let nodes = "media-1, media-2, media-3 and media-4";
    assert!(
        opened.contains(&format!("the Internet can now reach 3478/udp on {nodes} (sfu turn: TURN)")),
        "{opened:?}"
    );
    let diff = changed("ssh  = { from = \"198.51.100.0/24\" }", "");
    assert!(diff.opened.iter().any(|flow| flow.is_from_internet() && flow.ports == "22"), "{diff:?}");
    let diff = changed("cidr = \"192.168.1.0/24\"", "cidr = \"192.168.0.0/16\"");
    assert!(diff.opened.iter().any(|flow| flow.ports == "9100"), "{diff:?}");
    let external = example("redis-external");
    let moved = external.replace("redis-1.example", "redis-9.example");
    assert_ne!(external, moved);
    let diff = between(&external, &moved);
    assert_eq!(diff.impact, Impact::DataAtStake, "{diff:?}");
    assert!(
        diff.opened.iter().any(|flow| flow.nodes.iter().any(|node| node.contains("redis-9.example"))),
        "{diff:?}"
    );
    // Another node's clients come in by a flow that is there already.
    let diff = changed("roles   = [\"edge\", \"rooms\"]", "roles   = [\"edge\", \"rooms\", \"sfu\"]");
    let opened: Vec<_> = diff.opened.iter().map(|flow| flow.opens()).collect();
    assert!(
        opened.contains(
            &"sfu on front can now reach 6379/tcp on media-1 (cache primary: rooms and nodes)".to_owned()
        ),
        "{opened:?}"
    );
}

#[test]
fn sources_that_widen_open_and_that_narrow_close() {
    let (office, anybody) = ("ssh  = { from = \"198.51.100.0/24\" }", "ssh  = { from = \"any\" }");
    let narrow = example("cluster");
    assert!(narrow.contains(office));
    let wide = narrow.replace(office, anybody);
    let nodes = "front, media-1, media-2, media-3 and media-4";
    let diff = between(&narrow, &wide);
    let [opened] = diff.opened.as_slice() else { panic!("{diff:?}") };
    assert_eq!(opened.opens(), format!("22/tcp (ssh) on {nodes}: from 198.51.100.0/24 → from anybody"));
    assert!(opened.is_from_internet() && diff.closed.is_empty(), "{diff:?}");

    let diff = between(&wide, &narrow);
    let [closed] = diff.closed.as_slice() else { panic!("{diff:?}") };
    assert_eq!(closed.closes(), format!("22/tcp (ssh) on {nodes}: from anybody → from 198.51.100.0/24"));
    assert!(closed.is_from_internet() && diff.opened.is_empty(), "{diff:?}");

    // Of two lists, what is in one of them alone.
    let of = |nets: &str| narrow.replace(office, &format!("ssh = {{ from = [{nets}] }}"));
    let diff = between(&of("\"192.0.2.1\", \"192.0.2.7\""), &of("\"192.0.2.7\", \"192.0.2.9\""));
    assert!(diff.opened[0].opens().starts_with("192.0.2.9/32 can now reach 22/tcp"), "{diff:?}");
    assert!(diff.closed[0].closes().starts_with("192.0.2.1/32 no longer reaches 22/tcp"), "{diff:?}");
}

#[test]
fn what_is_renamed_is_the_same() {
    let diff = changed("[nodes.media-4]", "[nodes.media-9]");
    let node = diff.nodes.iter().find(|node| node.name == "media-9").expect("a node");
    assert_eq!((node.status, node.was.as_deref()), (Status::Renamed, Some("media-4")));
    assert!(diff.opened.is_empty() && diff.closed.is_empty(), "{diff:?}");
    assert_eq!(impact(&diff, "media-9", "sfu"), Impact::None);

    let before = example("cluster");
    let after = before
        .replace("\"cache\"", "\"store\"")
        .replace("services.cache", "services.store")
        .replace("cache.address", "store.address");
    let diff = between(&before, &after);
    let service = diff.services.first().expect("a service");
    assert_eq!((service.status, service.was.as_deref()), (Status::Renamed, Some("cache")));
    assert_eq!(impact(&diff, "media-1", "store"), Impact::DataAtStake, "{diff:?}");
    assert_eq!(impact(&diff, "media-2", "store"), Impact::Recreate);
    assert!(diff.opened.is_empty() && diff.closed.is_empty());
}

#[test]
fn who_dials_a_service_by_its_name_is_told_that_it_is_called_otherwise() {
    let plot = |cache: &str| {
        format!(
            r#"
            name = "live"
            [nodes.front]
            public = "203.0.113.10"
            roles = ["rooms", "{cache}"]
            [services.rooms]
            kind = "app"
            image = "registry.example.com/rooms:1"
            needs = "{cache}"
            env = {{ REDIS = "${{{cache}.address}}", MODE = "one" }}
            [services.{cache}]
            kind = "redis"
            "#
        )
    };
    let because = |before: &str, after: &str| {
        let diff = between(before, after);
        let (_, rooms) =
            diff.effects().find(|(_, it)| it.service.as_deref() == Some("rooms")).expect("rooms");
        rooms.reasons.iter().map(|reason| reason.text.clone()).collect::<Vec<_>>().join("\n")
    };
    let (cache, store) = (plot("cache"), plot("store"));
    let told = because(&cache, &store);
    assert!(told.contains("REDIS") && told.contains("cache is called store from now on"), "{told}");
    let told = because(&cache, &cache.replace("one", "two"));
    assert!(told.contains("MODE") && !told.contains("is called"), "{told}");
}

#[test]
fn dns_records_to_set_and_to_remove() {
    let diff = changed("public  = \"203.0.113.10\"", "public  = \"203.0.113.20\"");
    let records = |records: &[diff::Record]| records.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(records(&diff.records.set), ["livekit.example.com A 203.0.113.20"]);
    assert_eq!(records(&diff.records.remove), ["livekit.example.com A 203.0.113.10"]);
    assert_eq!(diff.records.warnings().count(), 0);

    let diff = changed("domain = \"livekit.example.com\"", "domain = \"live.example.com\"");
    assert_eq!(records(&diff.records.set), ["live.example.com A 203.0.113.10"]);
    assert_eq!(diff.records.gone, ["livekit.example.com"]);
    let comment = diff::Comment::new(&diff).summary(true).to_string();
    assert!(comment.contains("+ live.example.com A 203.0.113.10\n- livekit.example.com A"), "{comment}");
    assert!(comment.contains("`livekit.example.com` can no longer connect"), "{comment}");
}

#[test]
fn the_last_copy_is_at_stake_where_the_new_primary_has_none() {
    let before = example("cluster");
    let after = before
        .replace("primary  = \"media-1\"", "primary  = \"media-3\"")
        .replacen("[\"sfu\", \"cache\"]", "[\"sfu\"]", 1)
        .replacen(
            "192.168.1.4\"\npublic  = \"203.0.113.13\"\nroles   = [\"sfu\"]",
            "192.168.1.4\"\npublic  = \"203.0.113.13\"\nroles   = [\"sfu\", \"cache\"]",
            1,
        );
    let diff = between(&before, &after);
    assert_eq!(impact(&diff, "media-2", "cache"), Impact::DataAtStake);
    let (_, effect) = diff.effects().find(|(on, _)| on.name == "media-2").expect("an effect");
    assert!(effect.reasons[0].text.contains("make media-2 the primary first"), "{effect:?}");
    assert_eq!(impact(&diff, "media-3", "cache"), Impact::DataAtStake);
}

#[test]
fn what_a_change_means_for_people_in_rooms() {
    let diff = changed("primary  = \"media-1\"", "primary  = \"media-2\"");
    assert_eq!(diff.rooms.len(), 2, "{:?}", diff.rooms);
    assert!(diff.rooms[0].starts_with("rooms is started anew: for a moment it answers nobody"));
    // One node after the other would be wrong: they have to agree on where rooms are.
    assert!(
        diff.rooms[1].starts_with("sfu keeps its rooms in Redis, and reaches it in another way from now on")
            && diff.rooms[1].contains("stop sfu on every node"),
        "{:?}",
        diff.rooms
    );
    assert!(!diff.rooms.concat().contains("password"), "{:?}", diff.rooms);
    // Nobody dialled the replica that is the primary from now on.
    let people = diff.people();
    assert_eq!((people[0].service, people[0].nodes.as_slice()), ("cache", &["media-1"][..]), "{people:?}");
    // Only one of them has another address, and the others go on.
    let diff = changed("public  = \"203.0.113.14\"", "public  = \"203.0.113.24\"");
    assert_eq!(diff.rooms, [""; 0]);

    let diff = changed("keys     =", "log-level = \"debug\"\nkeys     =");
    assert_eq!(diff.rooms.len(), 1, "{:?}", diff.rooms);
    assert!(diff.rooms[0].starts_with("sfu drains on each of its 4 nodes: bring it to one node after"));

    let diff = changed("kind   = \"edge\"", "kind   = \"edge\"\nimage  = \"docker.io/library/caddy:2.10.1\"");
    assert_eq!(impact(&diff, "front", "edge"), Impact::Recreate);
    assert_eq!(diff.rooms, ["people in rooms reconnect: every connection through edge on front ends"]);
    let comment = diff::Comment::new(&diff).to_string();
    assert!(comment.contains("- nobody is thrown out\n"), "{comment}");

    let (at_front, at_media) = ("[\"edge\", \"rooms\"]", "203.0.113.13\"\nroles   = [\"sfu\"]");
    let before = example("cluster");
    assert!(before.contains(at_front) && before.contains(at_media));
    let after = before
        .replace(at_front, "[\"rooms\"]")
        .replace(at_media, "203.0.113.13\"\nroles   = [\"sfu\", \"edge\"]");
    let diff = between(&before, &after);
    let follows = "edge comes to media-3: clients find it there only once DNS has followed".to_owned();
    assert!(diff.rooms.contains(&follows) && diff.shut_out.is_empty(), "{diff:?}");
}

#[test]
fn streams_that_end_count() {
    let before = example("hybrid");
    let changed = |from: &str, to: &str| {
        assert!(before.contains(from), "{from}");
        between(&before, &before.replace(from, to))
    };
    let diff = changed("fragment   = \"2s\"", "fragment   = \"4s\"");
    assert_eq!(impact(&diff, "ingest", "streams"), Impact::Recreate);
    let ends = "every stream through streams ends: publishers have to come back, and players after them";
    assert_eq!(diff.rooms, [ends]);
    assert!(diff.people().iter().any(|people| people.service == "streams"), "{:?}", diff.people());

    let diff = changed("metrics = 8100", "metrics = 8100\nmax-bandwidth = 1000000");
    assert_eq!(
        diff.rooms,
        ["everybody in a room at sfu on media-1 and media-2 is thrown out, and joins anew"]
    );

    let diff =
        changed("domain     = \"push.example.com\"", "from = \"lan\"\ndomain     = \"push.example.com\"");
    let told: Vec<_> = diff.shut_out.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("people who connect from the Internet can no longer get in through streams"));
    // Where nobody has a room, nobody is said to be in one.
    let plot = example("fluxcode");
    let other = plot.replace("access-log = true", "image = \"caddy:2.11.1\"\naccess-log = true");
    let diff = between(&plot, &other);
    assert!(diff.rooms.concat().contains("people connect again"), "{:?}", diff.rooms);
    assert!(!diff.rooms.concat().contains("rooms"), "{:?}", diff.rooms);
}

#[test]
fn a_livekit_that_stands_alone_takes_nobody_while_it_drains() {
    let single = example("single");
    let redis = single.replace("[redis]\n", "[redis]\nport = 6380\n");
    assert_ne!(redis, single);
    let said = between(&single, &redis).rooms.join("\n");
    assert!(said.contains("keeps its rooms in Redis") && said.contains("has no other node"), "{said}");
}

#[test]
fn people_who_can_no_longer_join_count() {
    let ssh = "ssh  = {";
    let diff = changed(ssh, &format!("clients = \"lan\"\n{ssh}"));
    let told: Vec<_> = diff.shut_out.iter().map(ToString::to_string).collect();
    let unless = "can no longer get in through";
    let from = |service: &str| {
        format!(
            "people who connect from the Internet {unless} {service}, unless from network lan (192.168.1.0/24)"
        )
    };
    assert_eq!(told, [from("edge"), from("sfu")]);
    let rule = "[rules.it]\nkind = \"rooms\"\nservices = \"edge\"\n";
    let policy = Policy::read(&Document::parse(Format::Toml, "", rule).expect("TOML")).expect("a policy");
    assert_eq!(policy.judge(&diff)[0].by, [from("edge")]);
    let comment = diff::Comment::new(&diff).to_string();
    assert!(
        !comment.contains("Nobody in a room") && comment.contains("- people who connect from"),
        "{comment}"
    );
    // One door of several that closes shuts nobody out.
    let diff = changed("keys     =", "tcp-port = 7882\nkeys     =");
    assert!(!diff.closed.is_empty() && diff.shut_out.is_empty(), "{diff:?}");
}

#[test]
fn a_new_file_is_told_field_by_field() {
    let before = example("cluster");
    let at = "203.0.113.13\"\nroles   = [\"sfu\"]";
    assert!(before.contains(at));
    let after = before
        .replace(at, "203.0.113.13\"\nroles   = [\"sfu\", \"cache\"]")
        .replace("primary  = \"media-1\"", "primary  = \"media-3\"");
    let comment = diff::Comment::new(&between(&before, &after)).to_string();
    let (_, conf) = comment
        .split_once("<code>services/cache/redis.conf</code> on media-3 is new</summary>")
        .unwrap_or_else(|| panic!("{comment}"));
    assert!(
        conf.split("</details>").next().is_some_and(|conf| conf.contains("+ appendonly: yes\n")),
        "{conf}"
    );
}

#[test]
fn nodes_are_in_the_order_in_which_people_count() {
    let plot = |secure: &str| {
        let nodes = (1..=100).map(|n| format!("n{n} = {{ address = \"10.0.0.{n}\", roles = \"app\" }}\n"));
        let app = "[services.app]\nkind = \"app\"\nimage = \"registry.example.com/app:1\"\n";
        format!("name = \"live\"\n[nodes]\n{}{app}env = {{ A = \"{secure}\" }}\n", nodes.collect::<String>())
    };
    let diff = between(&plot("1"), &plot("2"));
    let names: Vec<_> = diff.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(&names[..3], ["n1", "n2", "n3"]);
    let comment = diff::Comment::new(&diff).to_string();
    let said = "at worst **recreate**: app on n1, n2, n3, n4, n5, n6 and 94 more.\n";
    assert!(comment.contains(said), "{comment}");
}

#[test]
fn what_is_elsewhere_is_told_with_one_port() {
    let external = example("redis-external");
    let diff = between(&external, &external.replace("redis-1.example", "redis-9.example"));
    let opened: Vec<_> = diff.opened.iter().map(|flow| flow.opens()).collect();
    let again =
        |text: &String| text.contains("6379/tcp on redis-9.example") && text.matches("6379").count() == 1;
    assert!(opened.iter().any(again), "{opened:?}");
}

#[test]
fn only_what_is_new_of_a_range_of_ports_opens() {
    let with = |ports: &str| {
        example("cluster").replace("keys     =", &format!("udp      = \"{ports}\"\nkeys     ="))
    };
    let ports = |flows: &[diff::FlowChange]| flows.iter().map(|flow| flow.ports.clone()).collect::<Vec<_>>();
    let diff = between(&with("50000-60000"), &with("51000-59000"));
    assert_eq!(ports(&diff.opened), [""; 0], "{:?}", diff.opened);
    assert_eq!(ports(&diff.closed), ["50000-50999", "59001-60000"], "{:?}", diff.closed);
    let diff = between(&with("51000-59000"), &with("50000-58999"));
    assert_eq!(
        (ports(&diff.opened), ports(&diff.closed)),
        (vec!["50000-50999".into()], vec!["59000".into()])
    );
}

#[test]
fn what_is_on_a_node_that_is_gone_is_taken_down_by_hand() {
    let before = example("cluster");
    let at = before.find("[nodes.media-4]").expect("a node");
    let end = before.find("[services.edge]").expect("a service");
    let diff = between(&before, &(before[..at].to_owned() + &before[end..]));
    assert_eq!(impact(&diff, "media-4", "sfu"), Impact::Stop);
    let (_, effect) = diff.effects().find(|(on, _)| on.name == "media-4").expect("an effect");
    assert!(effect.text.starts_with("it runs on until somebody takes it down by hand"), "{effect:?}");
    assert!(diff.closed.iter().any(|flow| flow.nodes == ["media-4"]));
    assert!(diff.closings().all(|closes| !closes.contains("media-4 (ssh)")), "{:?}", diff.closed);
    let comment = diff::Comment::new(&diff).to_string();
    assert!(comment.contains("- media-4 is gone: what is there stays as it is until"), "{comment}");
    let people = diff.people();
    let [only] = people.as_slice() else { panic!("{people:?}") };
    assert!(diff.rooms.is_empty(), "{:?}", diff.rooms);
    assert!(only.text.starts_with("runs on until somebody takes it down, then waits"), "{only:?}");
    assert!(comment.contains("runbook.md") && !comment.contains("</summary>\n\n</details>"), "{comment}");
}

#[test]
fn findings_that_the_plot_had_before_are_not_told() {
    let topology = topology(&example("single"));
    let mut findings = Findings::new();
    let path = || FieldPath::root().key("services").key("edge");
    findings.add(Code::UnknownName, path(), "it has a tag alone", "lock it");
    let before = || side(&topology).with_findings(&findings);
    assert!(diff::between(&before(), &before()).is_empty());
    let mut more = findings.clone();
    more.add(Code::UnknownName, path(), "another <b>thing</b>", "");
    let diff = diff::between(&before(), &side(&topology).with_findings(&more));
    assert_eq!(diff.findings.len(), 1);
    assert_eq!((diff.is_empty(), diff.impact), (false, Impact::None));
    let comment = diff::Comment::new(&diff).summary(true).to_string();
    assert!(comment.contains("**New findings**") && !comment.contains("a tag alone"), "{comment}");
    // A tree has none, and so none of them is new.
    assert!(diff::between(&side(&topology), &side(&topology).with_findings(&more)).is_empty());
}
