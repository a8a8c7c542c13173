//! Values that a format cannot hold are findings, each in its place; all others
//! are rendered.

use secrecy::SecretString;
use stageplot_render::{Custom, RenderError, Renderer, Secrets, judge, render};
use stageplot_topology::{
    Acme, App, Edge, Keep, Livekit, NodeSpec, Plot, Port, Protocol, Redis, RedisRemote, SecretError,
    SecretRef, SecretSource, Source, Tls, Topology,
};

/// A plot with this text wherever a free text may stand.
fn plot(text: &str) -> Topology {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let mut plot = Plot::new("live".parse().expect("a name"))
        .node(
            "front",
            ["edge", "sfu", "cache", "rooms"]
                .into_iter()
                .fold(NodeSpec::public("203.0.113.10".parse().expect("an address")), NodeSpec::role),
        )
        .service(
            "edge",
            Edge {
                tls: Tls::Acme(Acme { email: Some(text.to_owned()), ..Acme::default() }),
                ..Edge::new("live.example.com".parse().expect("a host name"))
            },
        )
        .service(
            "sfu",
            Livekit {
                keys: [("main".to_owned(), secret("LIVEKIT_API_SECRET"))].into(),
                redis: Some("cache".parse().expect("a name")),
                ..Livekit::default()
            },
        )
        .service("cache", Redis { password: Some(secret("REDIS_PASSWORD")), ..Redis::default() })
        .service(
            "far",
            Redis {
                external: Some(RedisRemote {
                    address: Some("redis.example.com:6379".parse().expect("an address")),
                    username: Some(text.to_owned()),
                    ..RedisRemote::default()
                }),
                ..Redis::default()
            },
        )
        .service(
            "rooms",
            App {
                image: Some("registry.example.com/rooms:1.4.0".parse().expect("an image")),
                env: [
                    ("TEXT".to_owned(), text.replace('$', "$$").as_str().into()),
                    ("SECRET".to_owned(), secret("REDIS_PASSWORD").into()),
                ]
                .into(),
                command: vec!["serve".to_owned(), text.to_owned()],
                user: Some(text.to_owned()),
                ..App::default()
            },
        );
    plot.access.keep = vec![Keep {
        port: Port::fixed(9100).into(),
        protocol: Protocol::Tcp,
        from: vec![Source::Any],
        why: text.to_owned(),
    }];
    plot.build().unwrap_or_else(|findings| panic!("{findings}")).topology
}

/// Gives every secret the same value.
struct Same(String);

impl SecretSource for Same {
    fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok(self.0.clone().into())
    }
}

const HOSTILE: &[&str] = &[
    "plain",
    "two words",
    "line\nbreak",
    "\r\n\t",
    "nul\0",
    "\u{1b}[31m",
    "{env.HOME}",
    "{",
    "}",
    "a`b\\\"c\\",
    "'\"`$(){}<>|&;#%~*?[]!\\",
    "${HOME} $$ $1 %h %%",
    "| a | b |",
    "```",
    "<b>&amp;</b>",
    "ünïcödé 日本 🎭",
    "\u{2028}\u{202e}",
    "\u{fdd0}\u{fdd3}",
];

#[test]
fn what_is_not_found_is_rendered() {
    for text in HOSTILE {
        // A text of the plot, the secrets being harmless.
        let (topology, harmless) = (plot(text), Same("harmless".repeat(5)));
        let rendered = render(&topology, Secrets::From(&harmless), &Custom::default());
        let found = judge(&topology);
        match rendered {
            Ok(_) => assert!(found.is_empty(), "{text:?} is rendered, and found: {found}"),
            Err(RenderError::Findings(told)) => assert_eq!(told.to_string(), found.to_string()),
            Err(other) => panic!("{text:?}: {other}, and found: {found}"),
        }
        // The same as a secret.
        let (topology, secret) = (plot("harmless"), Same(text.repeat(40)));
        match render(&topology, Secrets::From(&secret), &Custom::default()) {
            Ok(_) | Err(RenderError::Findings(_)) => {}
            Err(other) => panic!("{text:?} as a secret: {other}"),
        }
    }
}

#[test]
fn each_is_found_in_its_field() {
    let found = judge(&plot("nul\0"));
    let paths: Vec<_> = found.iter().map(|finding| finding.location.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "access.keep[0].why",
            "services.edge.tls.email",
            "services.far.external.username",
            "services.rooms.env.TEXT",
            "services.rooms.command[1]",
            "services.rooms.user",
        ]
    );
    let found = judge(&plot("{env.HOME}"));
    let paths: Vec<_> = found.iter().map(|finding| finding.location.path.to_string()).collect();
    assert_eq!(paths, ["services.edge.tls.email"], "{found}");
}

#[test]
fn a_secret_is_named_with_the_fields_that_use_it_and_not_shown() {
    let (topology, secret) = (plot("harmless"), Same("hunter2\0".repeat(10)));
    let error =
        Renderer::new(&topology, Secrets::From(&secret), &Custom::default()).map(drop).expect_err("a NUL");
    let RenderError::Findings(findings) = error else { panic!("{error}") };
    let told = findings.to_string();
    assert!(findings.iter().all(|finding| finding.code.as_str() == "unwritable-value"), "{told}");
    for words in [
        "REDIS_PASSWORD cannot stand in redis.conf",
        "services.cache.password",
        "services.rooms.env.SECRET",
        "LIVEKIT_API_SECRET",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    // Without values there is nothing to judge.
    render(&topology, Secrets::SEALED, &Custom::default()).expect("a sealed rendering");
}
