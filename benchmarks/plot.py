"""The plot that everybody renders: one node in front, all others for media."""

import ipaddress


def plot(nodes):
    """The same stack of so many nodes as a stage plot in TOML, and as plain data
    for programs that know nothing of stacks."""
    machines = [
        {
            "name": f"media-{index:05}",
            "address": str(ipaddress.ip_address("10.0.0.1") + index),
            "public": str(ipaddress.ip_address("20.0.0.1") + index),
        }
        for index in range(nodes - 1)
    ]
    text = HEAD + "".join(
        f'\n[nodes.{m["name"]}]\naddress = "{m["address"]}"\npublic = "{m["public"]}"\nroles = ["sfu"]\n'
        for m in machines
    )
    return text, {"stack": STACK, "nodes": machines}


HEAD = """\
name = "live"

[access]
ssh  = { from = "198.51.100.0/24" }
keep = [{ port = 9100, from = "lan", why = "node exporter" }]

[networks.lan]
cidr = "10.0.0.0/8"

[services.edge]
kind   = "edge"
domain = "livekit.example.com"
tls    = { email = "ops@example.com" }

[services.sfu]
kind    = "livekit"
keys    = { main = { env = "LIVEKIT_API_SECRET" } }
drain   = { max = "2h" }
metrics = { from = "lan" }

[services.cache]
kind     = "redis"
password = { env = "REDIS_PASSWORD" }

[nodes.front]
address = "10.255.0.1"
public  = "203.0.113.10"
roles   = ["edge", "cache"]
"""

# What the environment gives to those who ask it.
SECRETS = {
    "LIVEKIT_API_SECRET": "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5",
    "REDIS_PASSWORD": "a-password-for-redis",
}

# What a user of a template engine writes into variables: what Stageplot knows or
# works out by itself is given here ready-made.
STACK = {
    "name": "live",
    "digest": "0" * 64,
    "root": "/opt/stageplot/live",
    "table": "stageplot_live",
    "bridge": "sp-live",
    "api_secret": SECRETS["LIVEKIT_API_SECRET"],
    "redis_address": "10.255.0.1:6379",
    "redis_password": SECRETS["REDIS_PASSWORD"],
    "services": [
        {
            "name": "sfu",
            "image": "livekit/livekit-server:v1.13.5",
            "command": ["--config", "/etc/livekit/livekit.yaml"],
            "source": "./services/sfu/970921d5a43c",
            "target": "/etc/livekit",
            "test": "wget -q -T 3 -O /dev/null http://127.0.0.1:7880/",
            "grace": "2h",
        }
    ],
    "rules": [
        {"from": ["198.51.100.0/24"], "protocol": "tcp", "ports": "22", "why": "ssh: the operator's way in"},
        {"from": ["10.0.0.0/8"], "protocol": "tcp", "ports": "6789", "why": "sfu metrics from network lan: metrics"},
        {"from": ["10.255.0.1"], "protocol": "tcp", "ports": "7880", "why": "sfu signal from edge: signalling"},
        {"from": [], "protocol": "tcp", "ports": "7881", "why": "sfu ice-tcp from the Internet: media where UDP is blocked"},
        {"from": ["10.0.0.0/8"], "protocol": "tcp", "ports": "9100", "why": "keep: node exporter"},
        {"from": [], "protocol": "udp", "ports": "50000-60000", "why": "sfu media from the Internet: media"},
    ],
    "forwards": [{"from": ["10.0.0.0/8"], "protocol": "tcp", "ports": "9100", "why": "keep: node exporter"}],
    "files": [
        {"path": "services/sfu/970921d5a43c/livekit.yaml", "mode": "0400", "service": "sfu", "change": "recreate"},
        {"path": "compose.yaml", "mode": "0400", "service": "", "change": "live"},
        {"path": "firewall/stageplot.nft", "mode": "0400", "service": "", "change": "reload"},
        {"path": "README.md", "mode": "0644", "service": "", "change": "live"},
        {"path": "system/90-stageplot-live.conf", "mode": "0644", "service": "", "change": "reload"},
        {"path": "system/stageplot-live-firewall.service", "mode": "0644", "service": "", "change": "reload"},
        {"path": "system/stageplot-live.service", "mode": "0644", "service": "", "change": "reload"},
    ],
}
