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
