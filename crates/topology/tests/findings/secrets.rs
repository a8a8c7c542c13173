//! Secrets whose values stand in the plot.

use stageplot_topology::{Code, Literal, Plot, Redis, SecretRef};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(Code::LiteralSecret, "services.cache.password", |p| literal(p, "hunter2"), mend),
        case(Code::SecretMissing, "services.cache.password", |p| literal(p, ""), mend),
        case(Code::PlaceholderSecret, "services.cache.password", |p| literal(p, "your_password"), mend),
        case(Code::PlaceholderSecret, "services.cache.password", |p| literal(p, "Password"), mend),
        case(Code::ShortPassword, "services.cache.password", |p| literal(p, "correcthors"), mend),
        // An app that has the same password comes first, and calls it otherwise.
        case(
            Code::ShortPassword,
            "services.cache.password",
            |p| {
                literal(p, "correcthors");
                let word = redis(p).password.clone().expect("a password");
                add(p, "api", host_app(8090).env("WORD", word));
                place(p, "api", "front");
            },
            |p| {
                mend(p);
                p.services.retain(|name, _| name.as_str() != "api");
                unplace(p, "front");
            },
        ),
        case(
            Code::SecretMissing,
            "services.sfu.keys.main",
            |p| sign(p, ""),
            |p| drop(livekit(p).keys.insert("main".to_owned(), env("LIVEKIT_API_SECRET"))),
        ),
        case(
            Code::LivekitShortSecret,
            "services.sfu.keys.main",
            |p| sign(p, "0123456789abcdef0123456789abcde"),
            |p| drop(livekit(p).keys.insert("main".to_owned(), env("LIVEKIT_API_SECRET"))),
        ),
        case(
            Code::LiteralSecret,
            "services.cache.external.sentinel-password",
            |p| {
                unplace(p, "media-1");
                let mut external = remote();
                external.sentinels = external.address.take().into_iter().collect();
                external.sentinel_master = Some("live".to_owned());
                external.sentinel_password = Some(SecretRef::Literal(Literal::new("hunter2")));
                *redis(p) = Redis { external: Some(external), ..Redis::default() };
            },
            |p| {
                let external = redis(p).external.as_mut().expect("the case sets it");
                external.sentinel_password = Some(env("SENTINEL_PASSWORD"));
            },
        ),
    ]
}

fn literal(plot: &mut Plot, value: &str) {
    redis(plot).password = Some(SecretRef::Literal(Literal::new(value)));
}

fn sign(plot: &mut Plot, value: &str) {
    livekit(plot).keys.insert("main".to_owned(), SecretRef::Literal(Literal::new(value)));
}

fn mend(plot: &mut Plot) {
    redis(plot).password = Some(env("REDIS_PASSWORD"));
}
