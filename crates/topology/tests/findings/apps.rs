//! Apps: how they start, what they need, what they are told.

use stageplot_topology::{
    App, Balance, Code, Edge, EnvValue, Opening, Plot, Port, Protocol, RedisRemote, Source,
};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::NoWayIn,
            "services.zoo.port",
            |p| {
                add(p, "zoo", host_app(9000));
                place(p, "zoo", "front");
            },
            |p| app(p).needs.push(name("zoo")),
        ),
        case(
            Code::LiteralSecret,
            "services.rooms.env.JWT_SECRET",
            |p| drop(app(p).env.insert("JWT_SECRET".to_owned(), "your-production-secret-key".into())),
            |p| drop(app(p).env.insert("JWT_SECRET".to_owned(), env("JWT_SECRET").into())),
        ),
        case(
            Code::AppNotStarted,
            "services.rooms",
            |p| app(p).run = None,
            |p| app(p).image = Some(image("registry.example.com/rooms:1.4")),
        ),
        case(
            Code::AppNotStarted,
            "services.rooms.image",
            |p| app(p).image = Some(image("registry.example.com/rooms:1.4")),
            |p| app(p).run = None,
        ),
        case(
            Code::AppNotStarted,
            "services.rooms.working-dir",
            |p| app(p).working_dir = Some("/app".to_owned()),
            |p| app(p).working_dir = None,
        ),
        case(
            Code::InvalidValue,
            "services.rooms.working-dir",
            |p| {
                contain(app(p));
                app(p).working_dir = Some("app".to_owned());
            },
            |p| app(p).working_dir = Some("/app".to_owned()),
        ),
        case(
            Code::AppNotStarted,
            "services.rooms.migrate",
            |p| app(p).migrate = vec!["migrate".to_owned()],
            |p| contain(app(p)),
        ),
        case(
            Code::DuplicateService,
            "services.rooms.migrate",
            |p| {
                contain(app(p));
                app(p).migrate = vec!["migrate".to_owned()];
                p.services.insert(name("rooms-migrate"), App { port: None, ..host_app(8090) }.into());
                node(p, "front").roles.push(name("rooms-migrate"));
            },
            |p| app(p).migrate.clear(),
        ),
        case(
            Code::InvalidValue,
            "services.rooms-of-which-nobody-knows-the-name.migrate",
            |p| {
                let long = App { migrate: vec!["migrate".to_owned()], ..host_app(8090) };
                p.services.insert(name("rooms-of-which-nobody-knows-the-name"), long.into());
                node(p, "front").roles.push(name("rooms-of-which-nobody-knows-the-name"));
            },
            |p| {
                p.services.remove("rooms-of-which-nobody-knows-the-name");
                node(p, "front").roles.pop();
            },
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| refer(p, "${cache.host}"),
            |p| app(p).needs = vec![name("cache")],
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| refer(p, "${HOME}"),
            |p| refer(p, "$${HOME}"),
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| {
                unplace(p, "media-1");
                let cluster = vec!["redis.example.com:6379".parse().expect("an address")];
                redis(p).external = Some(RedisRemote { cluster, ..RedisRemote::default() });
                app(p).needs = vec![name("cache")];
                refer(p, "${cache.host}");
            },
            |p| refer(p, "redis.example.com"),
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| {
                app(p).needs = vec![name("cache"), name("sfu")];
                refer(p, "${cache.public-url}");
            },
            |p| refer(p, "${sfu.public-url}"),
        ),
        case(
            Code::OneOfSeveral,
            "services.rooms.env.REDIS_HOST",
            |p| {
                app(p).needs = vec![name("sfu")];
                refer(p, "${sfu.url}");
            },
            |p| refer(p, "${sfu.public-url}"),
        ),
        case(
            Code::MissingField,
            "services.rooms.needs",
            |p| app(p).create_room = Some("/api/rooms".to_owned()),
            |p| app(p).needs = vec![name("sfu")],
        ),
        case(
            Code::MissingField,
            "services.rooms.routes",
            |p| {
                app(p).balance = Some(Balance::Random);
                app(p).routes.clear();
            },
            |p| app(p).routes = vec!["/api/*".to_owned()],
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| {
                app(p).needs = vec![name("cache")];
                refer(p, "${cache.pool}");
            },
            |p| app(p).pool = [(name("cache"), 5)].into(),
        ),
        case(
            Code::UnknownName,
            "services.rooms.needs[0]",
            |p| app(p).needs = vec![name("cash")],
            |p| app(p).needs = vec![name("cache")],
        ),
        case(
            Code::MissingField,
            "services.rooms.needs[0]",
            |p| {
                add(p, "store", App { port: None, ..host_app(9000) });
                place(p, "store", "front");
                app(p).needs = vec![name("store")];
            },
            |p| add(p, "store", host_app(9000)),
        ),
        case(
            Code::MissingField,
            "services.rooms.port",
            |p| app(p).port = None,
            |p| app(p).port = Port::new(8080),
        ),
        case(
            Code::MissingField,
            "services.rooms.routes",
            |p| {
                p.services.remove("edge");
                node(p, "front").roles.remove(0);
            },
            |p| {
                add(p, "edge", Edge::new(host("live.example.com")));
                place(p, "edge", "front");
            },
        ),
        case(
            Code::InvalidValue,
            "services.rooms.health",
            |p| app(p).health = Some("health".to_owned()),
            |p| app(p).health = Some("/health".to_owned()),
        ),
        case(
            Code::InvalidValue,
            "services.rooms.volumes.data",
            |p| drop(app(p).volumes.insert(name("data"), "data".to_owned())),
            |p| drop(app(p).volumes.insert(name("data"), "/data".to_owned())),
        ),
        case(
            Code::InvalidValue,
            "services.rooms.open.http",
            |p| {
                let opening =
                    Opening { port: Port::fixed(9000), protocol: Protocol::Tcp, from: vec![Source::Any] };
                app(p).open.insert(name("http"), opening);
            },
            |p| app(p).open.clear(),
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.REDIS_HOST",
            |p| {
                app(p).needs = vec![name("cache")];
                refer(p, "$${a}$x${cache.host}${cache.host");
            },
            |p| refer(p, "$${a$x${cache.host}"),
        ),
        case(
            Code::VolumeOwner,
            "services.rooms.user",
            |p| {
                contain(app(p));
                app(p).volumes.insert(name("data"), "/data".to_owned());
            },
            |p| app(p).user = Some("1000:1000".to_owned()),
        ),
        case(
            Code::VolumeOwner,
            "services.rooms.user",
            |p| {
                contain(app(p));
                app(p).volumes.insert(name("data"), "/data".to_owned());
                app(p).user = Some("node".to_owned());
            },
            |p| app(p).user = Some("0".to_owned()),
        ),
    ]
}

fn refer(plot: &mut Plot, text: &str) {
    app(plot).env.insert("REDIS_HOST".to_owned(), EnvValue::Text(text.to_owned()));
}

fn contain(app: &mut App) {
    app.run = None;
    app.image = Some(image("registry.example.com/rooms:1"));
}
