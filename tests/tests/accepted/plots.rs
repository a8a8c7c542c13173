//! Plots for what the examples leave at its default.

/// Name and text.
pub(crate) const FURTHER: &[(&str, &str)] = &[
    ("redis-on-host", REDIS_ON_HOST),
    ("postgres-on-host", POSTGRES_ON_HOST),
    ("settings", SETTINGS),
    ("ipv6-only", IPV6_ONLY),
    ("dns-01", DNS_01),
];

/// Redis on the hosts' networks, where it binds what its flows need and no more; with
/// replicas, one of them by IPv6, and snapshots only.
const REDIS_ON_HOST: &str = r#"
name = "stage-two"

[networks.lan]
cidr = ["192.168.1.0/24", "fd00:20::/64"]

[nodes.data]
address = ["192.168.1.1", "fd00:20::1"]
roles   = "redis"

[nodes.media-1]
address = ["192.168.1.2", "fd00:20::2"]
public  = "203.0.113.2"
roles   = ["livekit", "redis"]

[nodes.media-2]
address = "fd00:20::3"
public  = "203.0.113.3"
roles   = ["livekit", "redis"]

[redis]
primary          = "data"
network          = "host"
port             = 6390
maxmemory        = "300mb"
maxmemory-policy = "volatile-ttl"
persistence      = "snapshots"
password         = { env = "REDIS_PASSWORD" }

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" }, second = { env = "SECOND_SECRET" } }
"#;

/// Postgres on the hosts' networks, with replicas, one of them by IPv6; and one without a
/// password, for an app beside it.
const POSTGRES_ON_HOST: &str = r#"
name = "stage-two"

[networks.lan]
cidr = ["192.168.1.0/24", "fd00:20::/64"]

[nodes.data]
address = ["192.168.1.1", "fd00:20::1"]
roles   = ["postgres", "alone", "rooms"]

[nodes.app-1]
address = ["192.168.1.2", "fd00:20::2"]
public  = "203.0.113.2"
roles   = ["app", "postgres"]

[nodes.app-2]
address = "fd00:20::3"
public  = "203.0.113.3"
roles   = ["app", "postgres"]

[postgres]
primary              = "data"
network              = "host"
port                 = 5442
max-connections      = 60
shared-buffers       = "64mb"
image                = "postgres:17.6-bookworm"
user                 = "App_1"
database             = "my-rooms"
password             = { env = "POSTGRES_PASSWORD" }
replication-password = { env = "REPLICATION_PASSWORD" }

[services.alone]
kind = "postgres"

[app]
image   = "stageplot/echo:1"
network = "host"
needs   = "postgres"
pool    = { postgres = 20 }
env     = { URL = "${postgres.url}", AT = "${postgres.address}", WHO = "${postgres.user}" }

[services.rooms]
kind  = "app"
run   = "host"
needs = "alone"
env   = { URL = "${alone.url}" }
"#;

/// No IPv4 but the loopback's, and a relay.
const IPV6_ONLY: &str = r#"
name = "six"

[nodes.front]
public = "2001:db8::10"
roles  = ["edge", "livekit", "redis"]

[edge]
domain = "livekit.example.com"
tls    = "internal"

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }
turn = { domain = "turn.example.com" }

[redis]
"#;

/// Two edges that prove their name by DNS, for more names than one.
const DNS_01: &str = r#"
name = "dns"

[nodes.one]
public = "203.0.113.10"
roles  = ["edge", "livekit", "redis"]

[nodes.two]
public = "203.0.113.11"
roles  = "edge"

[edge]
domain  = "livekit.example.com"
aliases = "live.example.com"
image   = "registry.example.com/caddy-dns:2.11"
tls     = { email = "ops@example.com", dns = { provider = "rfc2136", settings = { server = { env = "DNS_SERVER" }, key_name = { env = "DNS_KEY_NAME" }, key_alg = { env = "DNS_KEY_ALG" }, key = { env = "DNS_KEY" } } } }

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }

[redis]
"#;

/// Everything that has a setting is set to something.
const SETTINGS: &str = r#"
name = "a-name-of-more-than-twelve"

[severity]
no-password = "warning"

[access]
ssh  = { port = 2222, from = ["198.51.100.0/24", "2001:db8:1::/48"] }
keep = [
  { port = 9100, from = ["lan", "198.51.100.7"], why = "node exporter: 'quoted', \"too\", ünd $so on" },
  { port = "6000-6100", protocol = "udp" },
]

[firewall]
input = "ufw"

[bridge]
v4 = "172.31.7.0/26"
v6 = "fd11:22:33::/64"

[networks.lan]
cidr = ["10.1.0.0/16", "fd01::/64"]

[nodes.front]
address = ["10.1.0.1", "fd01::1"]
public  = { v4 = "203.0.113.10", v6 = "2001:db8::10" }
roles   = ["edge", "plain", "rooms", "agent"]

[nodes.media]
address = ["10.1.0.2", "fd01::2"]
public  = { v4 = "203.0.113.11", v6 = "2001:db8::11" }
memory  = "8gb"
region  = "west"
roles   = ["sfu", "cache"]

[services.edge]
kind               = "edge"
domain             = "livekit.example.com"
aliases            = ["live.example.com", "xn--bcher-kva.example.com"]
tls                = { email = "ops+live@example.com", ca = "https://acme.example.com/directory", ca-root = "acme.pem" }
http3              = false
balance            = "ip_hash"
stream-close-delay = "10m"
network            = "bridge"
limits             = { memory = "256mb", millicpus = 500 }

[services.plain]
kind       = "edge"
domain     = "plain.example.com"
tls        = "off"
http-port  = 8081
https-port = 8443

[services.rooms]
kind    = "app"
image   = "stageplot/echo:1"
port    = 8080
health  = "/health"
routes  = ["/api/*", "/exact", "/*"]
edge    = "edge"
needs   = ["sfu", "cache"]
user    = "1000:1000"
volumes = { state = "/var/lib/rooms" }
open    = { extra = { port = 9000, protocol = "udp", from = ["lan", "198.51.100.0/24"] } }

[services.rooms.env]
SFU     = "${sfu.url}"
PUBLIC  = "${sfu.public-url}"
CACHE   = "${cache.address}"
DOLLARS = "$$HOME is $HOME and ${cache.host}"

[services.agent]
kind   = "app"
run    = "host"
port   = 8090
routes = "/agent-api/*"
edge   = "plain"
needs  = ["plain"]

[services.sfu]
kind      = "livekit"
edge      = "edge"
keys      = { main = { env = "LIVEKIT_API_SECRET" }, "key with a space" = { env = "SECOND_SECRET" } }
port      = 7980
tcp-port  = 0
udp       = 7882
turn      = { domain = "turn.example.com", relay = "31000-31100", udp-port = 3479 }
room      = { auto-create = false, empty-timeout = "10m", departure-timeout = "1m", max-participants = 20 }
webhook   = { key = "main", urls = ["https://livekit.example.com/api/webhook?a=b&c=d#e", "http://hooks.example.net"] }
log-level = "debug"
drain     = { max = "90s" }
metrics   = { port = 6790, from = "lan" }
selector  = "regionaware"
regions   = { east = { lat = 50.1, lon = 8.7 }, west = { lat = 39, lon = -77.5 } }
limits    = { memory = "1gb", millicpus = 2000 }

[services.cache]
kind        = "redis"
persistence = "none"
maxmemory   = "64mb"
limits      = { memory = "128mb" }
"#;
