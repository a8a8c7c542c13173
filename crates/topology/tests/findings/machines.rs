//! Machines: the way in, the work, the memory.

use stageplot_topology::{ByteSize, Code, NodeSpec, Port, Source};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from.clear(),
            |p| p.access.ssh.from = vec![Source::Any],
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("2001:db8::/32")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("127.0.0.1")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("::1"), source("127.0.0.0/8")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("0.0.0.0/32")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("::/128")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("255.255.255.255")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("224.0.0.1")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("ff02::1")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("169.254.0.0/16")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("fe80::/10")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("172.30.90.0/24")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("172.30.90.7")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("fd5a:9e10:7000::/64")],
            |p| p.access.ssh.from.push(source("198.51.100.0/24")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| p.access.ssh.from = vec![source("192.168.1.2"), source("203.0.113.11")],
            |p| p.access.ssh.from.push(source("192.168.1.3")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| {
                add_network(p, "office", "10.9.0.0/24");
                p.access.ssh.from = vec![source("office"), source("127.0.0.1")];
            },
            |p| p.access.ssh.from.push(source("lan")),
        ),
        case(
            Code::SshLockout,
            "access.ssh.from",
            |p| {
                // Of three nodes, one has no address there.
                node(p, "media-2").address.clear();
                unplace(p, "media-2");
                p.access.ssh.from = vec![source("lan")];
                place(p, "rooms", "media-2");
            },
            |p| node(p, "media-2").address.push(ip("192.168.1.3")),
        ),
        case(
            Code::SshLockout,
            "services.rooms.port",
            |p| app(p).port = Port::new(22),
            |p| p.access.ssh.port = Port::fixed(2222),
        ),
        case(
            Code::IdleNode,
            "nodes.spare.roles",
            |p| drop(p.nodes.insert(name("spare"), NodeSpec::private(ip("192.168.1.8")))),
            |p| drop(p.nodes.remove("spare")),
        ),
        case(
            Code::NodeMemory,
            "nodes.media-1.memory",
            |p| {
                node(p, "media-1").memory = Some(ByteSize::from_mib(4096));
                livekit(p).limits.memory = Some(ByteSize::from_mib(3072));
                redis(p).limits.memory = Some(ByteSize::from_mib(2048));
            },
            |p| redis(p).limits.memory = Some(ByteSize::from_mib(1024)),
        ),
    ]
}

#[test]
fn only_the_nodes_that_would_be_locked_out_are_told() {
    let mut plot = plot();
    plot.access.ssh.from = vec![source("192.168.1.2"), source("127.0.0.0/8")];
    let findings = crate::found(&plot);
    let [only] = findings.iter().collect::<Vec<_>>()[..] else { panic!("{findings}") };
    assert_eq!(
        only.message,
        "nobody could reach media-1 by SSH: 192.168.1.2 is the node's own address and 127.0.0.0/8 is the \
         node's own loopback"
    );
    // A wider network has others in it; behind a NAT, others share the address.
    plot.access.ssh.from = vec![source("192.168.1.0/24"), source("127.0.0.1")];
    assert_eq!(crate::found(&plot).to_string(), "");
    node(&mut plot, "media-1").public.as_mut().expect("a public address").bound = false;
    plot.access.ssh.from = vec![source("203.0.113.11")];
    assert_eq!(crate::found(&plot).to_string(), "");
}
