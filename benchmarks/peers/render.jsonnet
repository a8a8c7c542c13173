// The same files from Jsonnet: text by format strings, YAML and JSON by the
// standard library. No digest is worked out: the plot has one ready-made.

local FIREWALL = |||
  #!/usr/sbin/nft -f
  # What this node lets in. Rendered: change the stage plot, not this file.
  # A table of its own: it works beside Docker's chains and beside ufw, and is
  # replaced whole, in one step, whenever this file is loaded.

  table inet %(table)s
  delete table inet %(table)s

  table inet %(table)s {
  	# What is let in is marked first, and decided on afterwards, so that several
  	# plots on one machine let in what any of them does.
  	chain let_in {
  		meta mark set meta mark | 0x20000000
  	}

  	chain input_rules {
  		type filter hook input priority filter - 20; policy accept;
  %(input)s	}

  	chain input {
  		type filter hook input priority filter - 10; policy drop;
  		ct state established,related accept
  		ct state invalid drop
  		iifname "lo" accept
  		# Without these IPv4 path discovery and IPv6 itself break (RFC 4890).
  		ip protocol icmp accept
  		meta l4proto ipv6-icmp accept
  		udp sport 67 udp dport 68 accept comment "DHCP"
  		udp sport 547 udp dport 546 accept comment "DHCPv6"
  		meta mark & 0x20000000 != 0 accept
  	}

  	# A port that Docker publishes is not the node's own: its destination is
  	# rewritten first, and the connection is forwarded to the container.
  	chain forward_rules {
  		type filter hook forward priority filter - 20; policy accept;
  %(forward)s	}

  	chain forward {
  		type filter hook forward priority filter - 10; policy accept;
  		ct state established,related accept
  		meta mark & 0x20000000 != 0 accept
  		ct status dnat drop
  		# Nobody is routed to a container directly.
  		iifname != "%(bridge)s" oifname "%(bridge)s" drop
  	}
  }
|||;

local INSTALL = |||
  #!/bin/sh
  # Puts this bundle in place as a release. Rendered; run as root, on this node,
  # from anywhere: sh install.sh [DIRECTORY]. It starts and stops nothing, and may
  # be run again.
  set -eu
  umask 077
  dir='%(root)s'
  sealed=no
  if [ "$sealed" = yes ]; then
  	echo "this bundle is sealed: it was rendered without its secrets; render it again without --sealed" >&2
  	exit 1
  fi

  # Calls a function with the path, owner and mode of every file.
  each_file() {
  %(all_files)s	"$1" manifest.json 0:0 0400
  	"$1" install.sh 0:0 0400
  }

  # The same for those that containers mount from beside the releases: services/
  # holds one directory for each content, live/ the files that a reload reads.
  each_mounted() {
  	:
  %(mounted)s}

  # Directories for data, which this makes and never empties.
  each_data() {
  	:
  }

  to=${1:-$dir}
  script=$0
  case $script in */*) ;; *) script=./$script ;; esac
  from=${script%%/*}
  release=$(sha256sum "$from/manifest.json" | cut -c1-16)

  mkdir -p "$to/releases" "$to/services" "$to/live" "$to/data"
  # One at a time; what a killed run left is nobody's then.
  exec 9>"$to/.lock"
  flock 9
  rm -rf "$to"/releases/.stage.*
  stage=$(mktemp -d "$to/releases/.stage.XXXXXX")
  trap 'rm -rf "$stage"' EXIT

  # Copies a file of the bundle, whole or not at all.
  place() {
  	install -D -m 0600 "$from/$2" "$1/$2.new"
  	chown "$3" "$1/$2.new"
  	chmod "$4" "$1/$2.new"
  	mv -f "$1/$2.new" "$1/$2"
  }
  to_release() { place "$stage" "$@"; }
  to_mounts() { place "$to" "$@"; }
  to_data() {
  	[ ! -d "$to/$1" ] || return 0
  	mkdir -p "$to/$1"
  	chown "$2" "$to/$1"
  }
  each_data to_data
  each_file to_release
  each_mounted to_mounts

  # Takes away what other releases put in live/ and this one has not.
  for other in "$to"/releases/*/live; do
  	[ -d "$other" ] || continue
  	(cd "$other" && find . -type f) | while IFS= read -r file; do
  		[ -e "$stage/live/$file" ] || rm -f "$to/live/$file"
  	done
  done

  # A container's own user has to get through to its files; the directory above
  # keeps everybody else out.
  find "$to/services" "$to/live" -type d -exec chmod 755 {} +
  chmod 700 "$to"

  [ -d "$to/releases/$release" ] || mv "$stage" "$to/releases/$release"
  ln -sfn "releases/$release" "$to/.current.new"
  mv -fT "$to/.current.new" "$to/current"
  echo "release $release is in place"
|||;

local SYSCTL = |||
  # Kernel settings for this node. Rendered: change the stage plot, not this file.
  # LiveKit asks for UDP buffers of 5 MB and warns below.
  net.core.rmem_max = 5000000
  net.core.wmem_max = 5000000
  # Services listen here; outgoing connections must not take these ports first.
  net.ipv4.ip_local_reserved_ports = %(media)s
  net.core.somaxconn = 4096
|||;

local FWSVC = |||
  # Rendered: change the stage plot, not this file.
  [Unit]
  Description=Stageplot %(name)s: firewall
  # Before anything listens, and before Docker publishes a port.
  DefaultDependencies=no
  Wants=network-pre.target
  Before=network-pre.target docker.service shutdown.target
  # That service begins by flushing all tables, this one among them.
  After=nftables.service
  PartOf=nftables.service
  ReloadPropagatedFrom=nftables.service
  Conflicts=shutdown.target

  [Service]
  Type=oneshot
  RemainAfterExit=yes
  ExecStart=/usr/sbin/nft -f %(root)s/current/firewall/stageplot.nft
  ExecReload=/usr/sbin/nft -f %(root)s/current/firewall/stageplot.nft

  [Install]
  WantedBy=sysinit.target
|||;

local README = |||
  # %(name)s: %(node)s

  Everything that %(node)s needs. Copy this directory to the machine; there, in it, as root:

  ```sh
  sh install.sh
  sysctl --load %(root)s/current/system/90-stageplot-%(name)s.conf
  nft -f %(root)s/current/firewall/stageplot.nft
  docker compose --project-directory %(root)s --file %(root)s/current/compose.yaml up --detach --remove-orphans
  ```

  The same lines bring a change in, and may be run again. What the machine has to have, and which one starts first, stands in `runbook.md`, where the plot was rendered.

  So that the machine comes back like this after it was off:

  ```sh
  cp %(root)s/current/system/90-stageplot-%(name)s.conf /etc/sysctl.d/ && cp %(root)s/current/system/*.service /etc/systemd/system/
  systemctl daemon-reload && systemctl enable stageplot-%(name)s-firewall.service stageplot-%(name)s.service
  ```
|||;

local STACKSVC = |||
  # Rendered: change the stage plot, not this file.
  [Unit]
  Description=Stageplot %(name)s on %(node)s
  Requires=docker.service
  After=docker.service network-online.target stageplot-%(name)s-firewall.service
  Wants=network-online.target stageplot-%(name)s-firewall.service

  [Service]
  Type=oneshot
  RemainAfterExit=yes
  WorkingDirectory=%(root)s
  ExecStart=/usr/bin/docker compose --project-directory %(root)s --file %(root)s/current/compose.yaml up --detach --remove-orphans
  ExecStop=/usr/bin/docker compose --project-directory %(root)s --file %(root)s/current/compose.yaml stop
  # Rooms may go on until they drained.
  TimeoutStartSec=600
  TimeoutStopSec=7260

  [Install]
  WantedBy=multi-user.target
|||;

function(plot)
  local stack = plot.stack;
  local source(rule) =
    if rule.from == [] then '' else 'ip saddr { %s } ' % std.join(', ', rule.from);
  local lines(items, line) = std.join('', [line(item) for item in items]);
  local place(file) = "\t\"$1\" '%s' '0:0' '%s'\n" % [file.path, file.mode];
  local values(node) = stack {
    node: node.name,
    media: stack.rules[std.length(stack.rules) - 1].ports,
    input: lines(stack.rules, function(rule)
      '\t\t%s%s dport %s goto let_in comment "%s"\n' % [source(rule), rule.protocol, rule.ports, rule.why]),
    forward: lines(stack.forwards, function(rule)
      '\t\tct status dnat %smeta l4proto %s ct original proto-dst %s goto let_in comment "%s"\n'
      % [source(rule), rule.protocol, rule.ports, rule.why]),
    all_files: lines(stack.files, place),
    mounted: lines([file for file in stack.files if file.service != ''], place),
  };
  local compose(node) = {
    name: stack.name,
    services: {
      [service.name]: {
        image: service.image,
        command: service.command,
        restart: 'unless-stopped',
        network_mode: 'host',
        volumes: [{
          type: 'bind',
          source: service.source,
          target: service.target,
          read_only: true,
          bind: { create_host_path: false },
        }],
        healthcheck: {
          test: ['CMD-SHELL', service.test],
          interval: '4s',
          timeout: '4s',
          retries: 3,
          start_period: '10s',
        },
        stop_grace_period: service.grace,
        security_opt: ['no-new-privileges=true'],
        logging: { driver: 'json-file', options: { 'max-file': '5', 'max-size': '20m' } },
      }
      for service in stack.services
    },
  };
  local livekit(node) = {
    port: 7880,
    bind_addresses: [node.address, '127.0.0.1'],
    keys: { main: stack.api_secret },
    logging: { level: 'info' },
    rtc: {
      tcp_port: 7881,
      port_range_start: 50000,
      port_range_end: 60000,
      use_external_ip: false,
      node_ip: node.public,
    },
    redis: { address: stack.redis_address, password: stack.redis_password, db: 0 },
    room: { auto_create: true, empty_timeout: 300, departure_timeout: 20, max_participants: 0 },
    prometheus: { port: 6789 },
  };
  local manifest(node) = {
    version: 1,
    node: node.name,
    sealed: false,
    services: { [service.name]: { sha256: stack.digest, change: 'recreate' } for service in stack.services },
    files: {
      [file.path]: {
        sha256: stack.digest,
        mode: file.mode,
        owner: '0:0',
        [if file.service != '' then 'service']: file.service,
        change: file.change,
      }
      for file in stack.files + [{ path: 'install.sh', mode: '0400', service: '', change: 'live' }]
    },
  };
  local head = '# Rendered: change the stage plot, not this file.\n';
  local yaml(value) = std.manifestYamlDoc(value, quote_keys=false) + '\n';
  local files(node) =
    local filled = values(node);
    [
      ['services/sfu/970921d5a43c/livekit.yaml', yaml(livekit(node))],
      ['compose.yaml', head + yaml(compose(node))],
      ['firewall/stageplot.nft', FIREWALL % filled],
      ['README.md', README % filled],
      ['install.sh', INSTALL % filled],
      ['manifest.json', std.manifestJsonEx(manifest(node), '  ') + '\n'],
      ['system/90-stageplot-live.conf', SYSCTL % filled],
      ['system/stageplot-live-firewall.service', FWSVC % filled],
      ['system/stageplot-live.service', STACKSVC % filled],
    ];
  {
    [node.name + '/' + file[0]]: file[1]
    for node in plot.nodes
    for file in files(node)
  }
