//! Faults that are brought about, one at a time, and what `stageplot verify` is to name
//! first.

/// A fault, and what verify says of it.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    /// What is wrong, as an operator would say it.
    pub(crate) name: &'static str,
    /// Where it is brought about, by lines of shell after [`PRELUDE`].
    pub(crate) on: &'static str,
    pub(crate) bring: &'static str,
    pub(crate) mend: &'static str,
    /// Where it is looked for.
    pub(crate) from: &'static str,
    /// How: options, and variables (`NAME=value`).
    pub(crate) options: &'static [&'static str],
    /// The first thing to mend: cause, service, and the node where there is one.
    pub(crate) first: (&'static str, &'static str, &'static str),
}

/// What the lines of shell below are written in.
pub(crate) const PRELUDE: &str = r#"
stack=/opt/stageplot/live
table=stageplot_live
# load: the rules of this machine are as they are installed.
load() { nft -f $stack/current/firewall/stageplot.nft; }
compose() { docker compose --progress quiet --project-directory $stack --file $stack/current/compose.yaml "$@"; }
redis() { docker exec -e REDISCLI_AUTH="${PASSWORD-$REDIS_PASSWORD}" live-cache-1 redis-cli "$@"; }
pid() { docker inspect --format '{{.State.Pid}}' "$1"; }
# shut HOOK MATCH…: packets that match go nowhere.
shut() {
  hook=$1; shift
  nft "add table inet strict; add chain inet strict f { type filter hook $hook priority -5; }; add rule inet strict f $* drop"
}
open() { nft delete table inet strict; }
# caddy SCRIPT: the edge goes on with a configuration that sed changed.
caddy() {
  docker exec live-edge-1 sh -c 'sed "$1" /etc/caddy/Caddyfile >/tmp/Caddyfile &&
    ! cmp -s /etc/caddy/Caddyfile /tmp/Caddyfile && caddy reload --config /tmp/Caddyfile --adapter caddyfile' sh "$1"
}
uncaddy() { rm -f /tmp/stageplot-tests.crt; docker exec live-edge-1 caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile --force; }
# certify NAME DATE: the edge shows a certificate of its own making, for a week from that day.
certify() {
  data=$stack/data/edge/data
  faketime "$2" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=tests \
    -days 7 -addext "subjectAltName=DNS:$1" -addext basicConstraints=critical,CA:FALSE -keyout $data/tests.key -out $data/tests.crt 2>/dev/null
  chmod 644 $data/tests.key; cp $data/tests.crt /tmp/stageplot-tests.crt
  caddy 's|^	import tls|	tls /data/tests.crt /data/tests.key|'
}
# livekit SCRIPT: LiveKit goes on with a configuration that sed changed.
livekit() {
  config=$(echo $stack/services/sfu/*/livekit.yaml)
  cp $config /tmp/livekit.yaml; sed -i "$1" $config; docker restart --time 1 live-sfu-1 >/dev/null
}
# rooms OPTION…: another container, made with these options, takes the business service's place.
rooms() {
  docker stop --time 1 live-rooms-1 >/dev/null; docker rename live-rooms-1 kept
  docker run --detach --name live-rooms-1 --network live_default --publish 127.0.0.1:8080:8080 \
    --label com.docker.compose.project=live --label com.docker.compose.service=rooms "$@" stageplot/echo:1 >/dev/null
  sleep 7
}
unrooms() { docker rm --force live-rooms-1; docker rename kept live-rooms-1; docker start live-rooms-1; }
unlivekit() { cp /tmp/livekit.yaml $(echo $stack/services/sfu/*/livekit.yaml); docker restart --time 1 live-sfu-1 >/dev/null; }
"#;

pub(crate) const FAULTS: &[Fault] = &[
    // The machine.
    Fault {
        name: "the disk with the plot's data is full",
        on: "media-3",
        bring: "# mounts\nmount -t tmpfs -o size=64k tests ${stack%/*}; dd if=/dev/zero of=${stack%/*}/fill bs=1k 2>/dev/null || true",
        mend: "# mounts\numount ${stack%/*}",
        from: "media-3",
        options: &[],
        first: ("disk-full", "", ""),
    },
    Fault {
        name: "sockets keep too little for media",
        on: "media-2",
        bring: "sysctl -qw net.core.rmem_max=212992",
        mend: "sysctl -qw net.core.rmem_max=5000000",
        from: "media-2",
        options: &[],
        first: ("udp-buffers", "", ""),
    },
    Fault {
        name: "the machine's clock is 40 s ahead",
        on: "media-3",
        bring: "true",
        mend: "true",
        from: "media-3",
        options: &[
            "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            "FAKETIME=+40s",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ],
        first: ("clock-skew", "sfu", ""),
    },
    Fault {
        name: "Docker does not answer",
        on: "media-2",
        bring: "true",
        mend: "true",
        from: "media-2",
        options: &["DOCKER_HOST=unix:///nowhere"],
        first: ("docker-silent", "", ""),
    },
    Fault {
        name: "a machine is cut off from the others",
        on: "media-3",
        bring: "shut prerouting iifname eth0",
        mend: "open",
        from: "front",
        options: &[],
        first: ("silence", "sfu", "media-3"),
    },
    // Containers.
    Fault {
        name: "a container was removed",
        on: "front",
        bring: "docker rm --force live-rooms-1",
        mend: "compose up --detach --wait rooms",
        from: "front",
        options: &[],
        first: ("container-missing", "rooms", "front"),
    },
    Fault {
        name: "a container ends as soon as it is started",
        on: "media-3",
        bring: "docker stop --time 1 live-sfu-1; docker rename live-sfu-1 kept; \
                docker run --detach --name live-sfu-1 --restart always --network host \
                --label com.docker.compose.project=live --label com.docker.compose.service=sfu \
                --entrypoint false livekit/livekit-server:v1.13.5; sleep 4",
        mend: "docker rm --force live-sfu-1; docker rename kept live-sfu-1; docker start live-sfu-1",
        from: "media-3",
        options: &[],
        first: ("container-restarting", "sfu", "media-3"),
    },
    Fault {
        name: "a program hangs",
        on: "media-3",
        bring: "kill -STOP $(pid live-sfu-1); sleep 26",
        mend: "kill -CONT $(pid live-sfu-1)",
        from: "media-3",
        options: &[],
        first: ("container-unhealthy", "sfu", "media-3"),
    },
    Fault {
        name: "a container runs another image",
        on: "front",
        bring: "docker tag stageplot/echo:1 stageplot/echo:0; \
                sed 's|stageplot/echo:1|stageplot/echo:0|' $stack/current/compose.yaml >$stack/other.yaml; \
                docker compose --progress quiet --project-directory $stack --file $stack/other.yaml up --detach --wait rooms",
        mend: "compose up --detach --wait rooms; docker rmi stageplot/echo:0; rm $stack/other.yaml",
        from: "front",
        options: &[],
        first: ("container-image", "rooms", "front"),
    },
    Fault {
        name: "a release was put in place and not brought up",
        on: "media-2",
        bring: "sed -i.kept 's|stop_grace_period: 2h|stop_grace_period: 1h|' $stack/current/compose.yaml",
        mend: "mv $stack/current/compose.yaml.kept $stack/current/compose.yaml",
        from: "media-2",
        options: &[],
        first: ("container-stale", "", ""),
    },
    Fault {
        name: "a stranger listens on a service's port",
        on: "media-2",
        bring: "docker stop --time 1 live-sfu-1; (nc -lk 7880 >/dev/null 2>&1 & echo $! >/tmp/stranger); sleep 1",
        mend: "kill $(cat /tmp/stranger); rm /tmp/stranger; docker start live-sfu-1",
        from: "media-2",
        options: &[],
        first: ("port-taken", "", ""),
    },
    Fault {
        name: "a container may open too few files",
        on: "front",
        bring: "rooms --env LIVEKIT_API_SECRET --ulimit nofile=1024:1024",
        mend: "unrooms",
        from: "front",
        options: &[],
        first: ("file-limit", "rooms", "front"),
    },
    Fault {
        name: "a container is left that the plot does not know",
        on: "media-2",
        bring: "docker create --name stranger --label com.docker.compose.project=live \
                --label com.docker.compose.service=old livekit/livekit-server:v1.13.5",
        mend: "docker rm --force stranger",
        from: "media-2",
        options: &[],
        first: ("container-unknown", "", ""),
    },
    Fault {
        name: "the business service is paused",
        on: "front",
        bring: "docker pause live-rooms-1",
        mend: "docker unpause live-rooms-1",
        from: "front",
        options: &[],
        first: ("container-paused", "rooms", "front"),
    },
    // Redis.
    Fault {
        name: "Redis is stopped",
        on: "media-1",
        bring: "docker stop live-cache-1",
        mend: "docker start live-cache-1",
        from: "media-1",
        options: &[],
        first: ("container-stopped", "cache", "media-1"),
    },
    Fault {
        name: "Redis is paused",
        on: "media-1",
        bring: "docker pause live-cache-1",
        mend: "docker unpause live-cache-1",
        from: "media-2",
        options: &[],
        first: ("no-answer", "cache", "media-1"),
    },
    Fault {
        name: "Redis listens on the loopback of its container alone",
        on: "media-1",
        bring: "redis CONFIG SET bind 127.0.0.1",
        mend: "redis CONFIG SET bind '* -::*'",
        from: "media-2",
        options: &[],
        first: ("refused", "cache", "media-1"),
    },
    Fault {
        name: "Redis has another password",
        on: "media-1",
        bring: "redis CONFIG SET requirepass other",
        mend: r#"PASSWORD=other redis CONFIG SET requirepass "$REDIS_PASSWORD""#,
        from: "media-2",
        options: &[],
        first: ("password-rejected", "cache", "media-1"),
    },
    Fault {
        name: "Redis answers without a password",
        on: "media-1",
        bring: r#"redis CONFIG SET requirepass """#,
        mend: r#"PASSWORD= redis CONFIG SET requirepass "$REDIS_PASSWORD""#,
        from: "media-2",
        options: &[],
        first: ("password-ignored", "cache", "media-1"),
    },
    Fault {
        name: "Redis was made a replica",
        on: "media-1",
        bring: "redis REPLICAOF 192.168.1.99 6379",
        mend: "redis REPLICAOF NO ONE",
        from: "media-1",
        options: &[],
        first: ("wrong-role", "cache", "media-1"),
    },
    Fault {
        name: "Redis is full",
        on: "media-1",
        bring: r#"n=0; until redis EVAL "for i = 1, 50 do redis.call('SET', 'fill:' .. ARGV[1] .. ':' .. i, string.rep('x', 1000000)) end" 0 $n | grep -q OOM; do n=$((n + 1)); done"#,
        mend: r#"redis EVAL "for _, key in ipairs(redis.call('KEYS', 'fill:*')) do redis.call('DEL', key) end" 0"#,
        from: "media-1",
        options: &[],
        first: ("redis-full", "cache", "media-1"),
    },
    Fault {
        name: "Redis takes hardly any more clients",
        on: "media-1",
        bring: "redis CONFIG SET maxclients $(( $(redis INFO clients | tr -d '\\r' | sed -n 's/^connected_clients://p') + 1 ))",
        mend: "redis CONFIG SET maxclients 10000",
        from: "media-1",
        options: &[],
        first: ("too-many-clients", "cache", "media-1"),
    },
    Fault {
        name: "Redis drops live state",
        on: "media-1",
        bring: "redis CONFIG SET maxmemory-policy allkeys-lru",
        mend: "redis CONFIG SET maxmemory-policy noeviction",
        from: "media-1",
        options: &[],
        first: ("other-setting", "cache", "media-1"),
    },
    Fault {
        name: "Redis keeps no log of writes",
        on: "media-1",
        bring: "redis CONFIG SET appendonly no",
        mend: "redis CONFIG SET appendonly yes",
        from: "media-1",
        options: &[],
        first: ("other-setting", "cache", "media-1"),
    },
    Fault {
        name: "Redis cannot write to its disk",
        on: "media-1",
        bring: "docker exec --user 0 live-cache-1 chmod 555 /data; redis BGSAVE; sleep 2",
        mend: "docker exec --user 0 live-cache-1 chmod 755 /data; redis BGSAVE; sleep 2",
        from: "media-1",
        options: &[],
        first: ("redis-save", "cache", "media-1"),
    },
    Fault {
        name: "the firewall lets nobody to Redis",
        on: "media-1",
        bring: "shut forward meta l4proto tcp ct original proto-dst 6379",
        mend: "open",
        from: "media-3",
        options: &[],
        first: ("silence", "cache", "media-1"),
    },
    Fault {
        name: "nobody says the password",
        on: "media-2",
        bring: "true",
        mend: "true",
        from: "media-2",
        options: &["REDIS_PASSWORD="],
        first: ("secret-unknown", "cache", "media-1"),
    },
    // LiveKit.
    Fault {
        name: "LiveKit was killed",
        on: "media-2",
        bring: "docker kill live-sfu-1",
        mend: "docker start live-sfu-1",
        from: "media-2",
        options: &[],
        first: ("container-stopped", "sfu", "media-2"),
    },
    Fault {
        name: "LiveKit is stopped, as the edge sees it",
        on: "media-2",
        bring: "docker stop --time 1 live-sfu-1",
        mend: "docker start live-sfu-1",
        from: "front",
        options: &[],
        first: ("refused", "sfu", "media-2"),
    },
    Fault {
        name: "LiveKit is paused",
        on: "media-3",
        bring: "docker pause live-sfu-1; sleep 6",
        mend: "docker unpause live-sfu-1",
        from: "media-1",
        options: &[],
        first: ("node-missing", "sfu", ""),
    },
    Fault {
        name: "LiveKit has another secret than the plot",
        on: "media-2",
        bring: "livekit '/^keys:/,/^logging:/s|: .*|: 0123456789abcdef0123456789abcdef|'; sleep 2",
        mend: "unlivekit",
        from: "media-2",
        options: &[],
        first: ("key-rejected", "sfu", "media-2"),
    },
    Fault {
        name: "the API secret that is said is another one",
        on: "media-2",
        bring: "true",
        mend: "true",
        from: "media-2",
        options: &["LIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef"],
        first: ("key-rejected", "sfu", "media-2"),
    },
    Fault {
        name: "signalling is closed to the edge",
        on: "media-2",
        bring: "shut input tcp dport 7880",
        mend: "open",
        from: "front",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
    Fault {
        name: "ICE over TCP is closed",
        on: "media-2",
        bring: "shut input tcp dport 7881",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
    Fault {
        name: "TURN is closed",
        on: "media-3",
        bring: "shut input udp dport 3478",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-3"),
    },
    Fault {
        name: "media ports are closed",
        on: "media-1",
        bring: "shut input udp dport 50000-60000",
        mend: "open",
        from: "outside",
        options: &["--deep"],
        first: ("silence", "sfu", "media-1"),
    },
    // The edge.
    Fault {
        name: "the edge is stopped",
        on: "front",
        bring: "docker stop live-edge-1",
        mend: "docker start live-edge-1",
        from: "front",
        options: &[],
        first: ("container-stopped", "edge", "front"),
    },
    Fault {
        name: "HTTPS is closed",
        on: "front",
        bring: "shut input tcp dport 443",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "HTTPS is closed over IPv6 alone",
        on: "front",
        bring: "shut input meta nfproto ipv6 tcp dport 443",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "HTTP is closed, and nobody is sent on to HTTPS",
        on: "front",
        bring: "shut input tcp dport 80",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "HTTP/3 is closed",
        on: "front",
        bring: "shut input udp dport 443",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "the edge sends nobody on to HTTPS",
        on: "front",
        bring: "caddy 's|^	http_port 80|	http_port 80\\n	auto_https disable_redirects|'",
        mend: "uncaddy",
        from: "outside",
        options: &[],
        first: ("refused", "edge", "front"),
    },
    Fault {
        name: "the edge forgot its upstreams",
        on: "front",
        bring: "curl -fsS -X DELETE http://127.0.0.1:2019/config/apps/http/servers",
        mend: "docker restart live-edge-1",
        from: "front",
        options: &[],
        first: ("upstream-unknown", "edge", "front"),
    },
    Fault {
        name: "the edge has a wrong upstream",
        on: "front",
        bring: "caddy 's|192.168.1.3:7880|192.168.1.99:7880|'",
        mend: "uncaddy",
        from: "front",
        options: &[],
        first: ("upstream-unknown", "edge", "front"),
    },
    Fault {
        name: "the edge hands everything to the first upstream",
        on: "front",
        bring: "caddy 's|lb_policy least_conn|lb_policy first|'",
        mend: "uncaddy",
        from: "front",
        options: &[],
        first: ("upstream-unused", "edge", "front"),
    },
    Fault {
        name: "the edge does not tell TURN from HTTPS",
        on: "front",
        bring: "caddy 's|sni turn.example.com|sni other.example.com|'",
        mend: "uncaddy",
        from: "outside",
        options: &["--deep"],
        first: ("no-answer", "edge", "front"),
    },
    Fault {
        name: "the webhook's receiver believes everybody",
        on: "front",
        bring: "rooms",
        mend: "unrooms",
        from: "media-2",
        options: &["--deep"],
        first: ("webhook-unsigned", "edge", "front"),
    },
    Fault {
        name: "the webhook's receiver has another secret",
        on: "front",
        bring: "rooms --env LIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef",
        mend: "unrooms",
        from: "media-2",
        options: &["--deep"],
        first: ("webhook-refused", "edge", "front"),
    },
    Fault {
        name: "the service that creates rooms sends clients to a node",
        on: "front",
        bring: "rooms --env LIVEKIT_API_SECRET --env LIVEKIT_PUBLIC_URL=ws://192.168.1.2:7880",
        mend: "unrooms",
        from: "outside",
        options: &["--deep"],
        first: ("room-elsewhere", "rooms", ""),
    },
    Fault {
        name: "the service that creates rooms signs with another secret",
        on: "front",
        bring: "rooms --env LIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef --env LIVEKIT_PUBLIC_URL=wss://live.example.com",
        mend: "unrooms",
        from: "outside",
        options: &["--deep"],
        first: ("key-rejected", "rooms", ""),
    },
    Fault {
        name: "the edge's certificate has ended",
        on: "front",
        bring: "certify live.example.com 2020-01-01",
        mend: "uncaddy",
        from: "outside",
        options: &["--trust", "/tmp/stageplot-tests.crt"],
        first: ("certificate-expired", "edge", "front"),
    },
    Fault {
        name: "the edge's certificate is for another name",
        on: "front",
        bring: "certify other.example.com now",
        mend: "uncaddy",
        from: "outside",
        options: &["--trust", "/tmp/stageplot-tests.crt"],
        first: ("certificate-name", "edge", "front"),
    },
    Fault {
        name: "the edge's certificate is one that it signed itself",
        on: "front",
        bring: "certify live.example.com now",
        mend: "uncaddy",
        from: "outside",
        options: &[],
        first: ("certificate-untrusted", "edge", "front"),
    },
    Fault {
        name: "nobody trusts the authority",
        on: "front",
        bring: "true",
        mend: "true",
        from: "outside",
        options: &["SSL_CERT_FILE=/etc/ssl/certs/ISRG_Root_X1.pem", "SSL_CERT_DIR=/nowhere"],
        first: ("certificate-untrusted", "edge", "front"),
    },
];

/// A name that leads elsewhere, and what verify says of it, from outside.
pub(crate) struct WrongName {
    pub(crate) name: &'static str,
    /// What in the name server's records is changed, and to what.
    pub(crate) record: [&'static str; 2],
    pub(crate) cause: &'static str,
    pub(crate) service: &'static str,
}

pub(crate) const NAMES: &[WrongName] = &[
    WrongName {
        name: "the domain leads to another node",
        record: ["203.0.113.10", "203.0.113.12"],
        cause: "name-elsewhere",
        service: "edge",
    },
    WrongName {
        name: "the TURN domain leads to another node",
        record: ["turn.example.com. 300 IN A 203.0.113.10", "turn.example.com. 300 IN A 203.0.113.12"],
        cause: "name-elsewhere",
        service: "edge",
    },
    WrongName {
        name: "nobody knows the domain",
        record: ["live.example.com.", "elsewhere.example.com."],
        cause: "name-unknown",
        service: "edge",
    },
];
