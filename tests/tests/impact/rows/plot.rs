//! The plot's own fields, and those of machines and networks.

use serde_json::json;

use crate::row::{Row, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let seals = |row: Row| row.given("seals", json!({ "key": secret("SEAL_KEY") }));
    let public = |row: Row| row.given("nodes.front.public", json!({ "v4": "203.0.113.10" }));
    let with_ipv6 = |row: Row| {
        let both = json!({ "v4": "203.0.113.10", "v6": "2001:db8::10" });
        row.given("nodes.front.public", both)
    };
    let extra = json!({ "kind": "app", "image": "redis:7-alpine", "port": 6390 });
    let roles = json!(["edge", "app", "redis", "extra"]);
    let with_extra =
        |row: Row| row.given("services.extra", extra.clone()).given("nodes.front.roles", roles.clone());
    vec![
        row("name", "other"),
        row("root", "/elsewhere"),
        row("secrets-file", ".env"),
        row("templates", "templates"),
        row("severity.ssh-open", "allow"),
        row("seals", json!({ "key": secret("SEAL_KEY") })),
        seals(row("seals.file", "other.seals")),
        seals(row("seals.key", secret("OTHER_SEAL_KEY"))),
        row("access.ssh.port", 2222),
        row("access.ssh.from", "203.0.113.0/24"),
        row("access.clients", "203.0.113.0/24"),
        row("access.keep", json!([])),
        row("access.keep.port", 9101),
        row("access.keep.protocol", "udp"),
        row("access.keep.from", "any"),
        row("access.keep.why", "node exporter"),
        row("networks.lan.cidr", json!(["192.168.1.0/24", "10.9.0.0/24"])),
        row("networks.dmz", json!({ "cidr": "10.9.0.0/24" })),
        row("nodes.front.address", "192.168.1.11"),
        row("nodes.front.memory", "8gb"),
        row("nodes.front.region", "eu"),
        row("nodes.front.roles", json!(["edge", "redis"])).with("nodes.side.roles", json!(["app"])),
        row("nodes.side", json!(null)).given("nodes.side.roles", json!(["app"])),
        row("nodes.front.public", "203.0.113.20"),
        public(row("nodes.front.public.v4", "203.0.113.20")),
        public(row("nodes.front.public.v6", "2001:db8::10")),
        public(row("nodes.front.public.bound", false)),
        row("services.extra", extra.clone()).with("nodes.front.roles", roles.clone()),
        with_extra(row("services.extra.kind", "redis")),
        row("bridge.v4", "172.30.91.0/24"),
        with_ipv6(row("bridge.ipv6", true)),
        with_ipv6(row("bridge.v6", "fd5a:9e10:7001::/64")).given("bridge.ipv6", true),
        // The last: nothing takes ufw's rules out again.
        row("firewall.input", "ufw"),
    ]
}
