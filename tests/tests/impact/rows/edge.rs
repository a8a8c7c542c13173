//! The fields of Caddy.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let own = json!({ "cert": secret("SITE_CRT"), "key": secret("SITE_KEY") });
    let acme = json!({ "email": "ops@example.com", "ca": "https://203.0.113.99/directory" });
    let dns = json!({ "provider": "rfc2136", "settings": { "server": secret("DNS_SERVER"), "key": secret("DNS_KEY") } });
    let with_dns =
        |row: Row| row.given("edge.image", "stageplot/caddy-dns:1").given("edge.tls.dns", dns.clone());
    [
        vec![
            row("edge.domain", "other.example.com"),
            row("edge.aliases", "www.example.com"),
            row("edge.tls", "off"),
            row("edge.tls", own.clone()),
            row("edge.http-port", 8081),
            row("edge.https-port", 8443),
            row("edge.http3", false),
            row("edge.balance", "round_robin"),
            row("edge.balance.cookie", "sticky"),
            row("edge.balance.header", "X-Room"),
            row("edge.balance.query", "room"),
            row("edge.balance.random", 2),
            row("edge.balance.secret", secret("COOKIE")).given("edge.balance.cookie", "sticky"),
            row("edge.balance.max-age", "1h").given("edge.balance.cookie", "sticky"),
            row("edge.access-log", true),
            row("edge.stream-close-delay", "2h"),
            row("edge.network", "bridge"),
            row("edge.image", "stageplot/caddy-l4:2.11"),
            row("edge.layer4", true).given("edge.image", "stageplot/caddy-l4:2.11"),
            row("edge.limits.memory", "256mb"),
            row("edge.limits.millicpus", 500),
            row("nodes.side.roles", json!(["edge"])),
        ],
        all_given(
            "edge.tls",
            &own,
            // One without the other fits nothing.
            [
                row("edge.tls.cert", secret("OTHER_SITE_CRT")).with("edge.tls.key", secret("OTHER_SITE_KEY")),
                row("edge.tls.key", secret("OTHER_SITE_KEY")).with("edge.tls.cert", secret("OTHER_SITE_CRT")),
            ],
        ),
        all_given(
            "edge.tls",
            &acme,
            [
                row("edge.tls.email", "other@example.com"),
                row("edge.tls.ca", "https://203.0.113.98/directory"),
                row("edge.tls.ca-root", secret("ROOT_CRT")),
                row("edge.tls.dns", dns.clone()).given("edge.image", "stageplot/caddy-dns:1"),
                with_dns(row("edge.tls.dns.settings.key_name", secret("DNS_KEY_NAME"))),
                // A provider comes with an image that holds its module.
                with_dns(row("edge.tls.dns.provider", "rfc2137").with("edge.image", "stageplot/caddy-dns:2")),
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
