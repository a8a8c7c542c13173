//! Machines: network namespaces, and the wire between them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::process::{Output, Process, attempt, run};
use crate::program::{Missing, Program};
use crate::scratch;
use crate::sweep::{Owned, sweep_once};

/// Where `ip netns` keeps the namespaces' names.
pub(crate) const DIRECTORY: &str = "/var/run/netns";

/// What one command of the rig may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A machine: a network namespace with a firewall, addresses and routes of its own.
///
/// Clones are the same machine. When the last one is dropped, the processes that
/// are left in it are killed, and it is deleted.
#[derive(Debug, Clone)]
pub struct Namespace(Arc<Name>);

#[derive(Debug)]
struct Name {
    name: String,
    /// The process that holds the machine's own mounts, where it has some.
    mounts: OnceLock<Process>,
}

impl Namespace {
    /// Makes a machine with a loopback interface and nothing else. The label is for
    /// those who read `ip netns list`.
    ///
    /// # Errors
    ///
    /// [`Missing`] where we are not root, or the system lacks a program.
    pub fn new(label: &str) -> Result<Self, Missing> {
        Self::privileged()?;
        for program in ["ip", "nsenter", "sysctl"] {
            Program::named(program)?;
        }
        sweep_once();
        Ok(Self::make(label))
    }

    /// Whether namespaces can be had at all.
    pub(crate) fn privileged() -> Result<(), Missing> {
        match geteuid().is_root() {
            true => Ok(()),
            false => Err(Missing::new("root".to_owned(), "namespaces need it".to_owned())),
        }
    }

    fn make(label: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{count}-{label}", Owned::prefix());
        ip(&["netns", "add", &name]);
        let namespace = Self(Arc::new(Name { name, mounts: OnceLock::new() }));
        // Addresses are ours to choose: no time is spent on finding duplicates.
        namespace.sysctl("net.ipv6.conf.default.accept_dad", "0");
        namespace.sysctl("net.ipv6.conf.all.accept_dad", "0");
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    /// The name that `ip netns` knows it by.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The file that `nsenter --net=` and `setns` take.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(self.name())
    }

    /// Gives the machine mounts of its own: what is mounted in a command on it is
    /// seen by all that are started on it from then on, and by nobody else.
    ///
    /// # Panics
    ///
    /// If it has them already, or the kernel gives none.
    pub fn own_mounts(&self) {
        let mut command = self.command("unshare");
        command.args(["--mount", "--", "sh", "-c", "echo apart; exec sleep infinity"]);
        let mut keeper = Process::start("mounts", &mut command);
        keeper.wait_until("apart", DEADLINE, |keeper| keeper.output() == "apart\n");
        assert!(self.0.mounts.set(keeper).is_ok(), "{} has its own mounts already", self.name());
    }

    /// Takes away every mount below a directory, as the machine sees them.
    pub(crate) fn unmount_below(&self, directory: &Path) {
        let Some(keeper) = self.0.mounts.get() else {
            return scratch::unmount_below(directory);
        };
        let mut mounts = scratch::mounts_below(&keeper.pid().to_string(), directory);
        mounts.reverse();
        if !mounts.is_empty() {
            let _ = attempt(self.command("umount").arg("--lazy").args(mounts), DEADLINE);
        }
    }

    /// A command that runs in this machine's network, with our processes, and with our
    /// files but for [its own mounts](Namespace::own_mounts).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        // `ip netns exec` would mount another /sys, in which engines find no cgroups.
        let network = format!("--net={}", self.path().display());
        let mut command = match self.0.mounts.get() {
            None => Command::new("nsenter"),
            Some(keeper) => {
                // To enter mounts is to leave one's directory, whose path is the same there.
                let mut command = Command::new("sh");
                command.args(["-c", r#"exec nsenter --wdns="$(pwd)" "$@""#, "sh"]);
                command.arg(format!("--mount=/proc/{}/ns/mnt", keeper.pid()));
                command
            }
        };
        command.arg(network).arg("--").arg(program);
        command
    }

    /// A command that runs in this machine's network and finds other files in the
    /// place of ours: each pair is a file and the existing one that it covers, or a
    /// directory and the one to which its files are added.
    pub fn command_seeing(&self, files: &[(PathBuf, PathBuf)], program: impl AsRef<OsStr>) -> Command {
        // Mounts of its own, which end with it and which nobody else sees.
        const COVER: &str = r#"while [ "$1" != -- ]; do
            if [ -d "$2" ]; then
                mount -t overlay overlay -o "lowerdir=$1:$2" "$2"
            else
                mount --bind "$1" "$2"
            fi
            shift 2
        done
        shift
        exec "$@""#;
        let mut command = self.command("unshare");
        command.args(["--mount", "--", "sh", "-e", "-c", COVER, "sh"]);
        for (file, covered) in files {
            command.arg(file).arg(covered);
        }
        command.arg("--").arg(program);
        command
    }

    /// Runs a command in this machine's network to its end, for at most 30 s.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or takes longer.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: &[A]) -> Output {
        run(self.command(program).args(arguments), DEADLINE)
    }

    /// Starts a process in this machine's network.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: &[A]) -> Process {
        let name = program.as_ref().to_string_lossy().into_owned();
        Process::start(&name, self.command(program).args(arguments))
    }

    /// Runs `ip` in this machine.
    ///
    /// # Panics
    ///
    /// If it fails.
    #[track_caller]
    pub fn ip(&self, arguments: &[&str]) {
        ip(&[&["-n", self.name()], arguments].concat());
    }

    /// Drops what leaves this machine and matches, as strict networks do: in the words
    /// of nftables, such as `udp dport 50000-60000`. It adds to what is dropped already.
    ///
    /// # Panics
    ///
    /// If nftables does not know the words.
    #[track_caller]
    pub fn block(&self, what: &str) {
        self.run("nft", &["add", "table", "inet", "strict"]).success();
        let hook = "{ type filter hook output priority 0; }";
        self.run("nft", &["add", "chain", "inet", "strict", "output", hook]).success();
        self.run("nft", &["add", "rule", "inet", "strict", "output", what, "drop"]).success();
    }

    /// Lets everything out again after [`Namespace::block`].
    ///
    /// # Panics
    ///
    /// If nothing was blocked.
    #[track_caller]
    pub fn unblock(&self) {
        self.run("nft", &["delete", "table", "inet", "strict"]).success();
    }

    /// Sets a kernel parameter of this machine's network.
    ///
    /// # Panics
    ///
    /// If there is no such parameter.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        self.run("sysctl", &["-qw", &format!("{key}={value}")]).success();
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        delete(&self.name);
    }
}

/// A wire: a bridge in a namespace of its own, so that no firewall but the machines'
/// own sees what passes between them.
#[derive(Debug)]
pub struct Lan {
    bridge: Namespace,
    ports: AtomicU32,
}

impl Lan {
    /// Makes a wire with nothing attached.
    ///
    /// # Errors
    ///
    /// [`Missing`] as [`Namespace::new`] has it.
    pub fn new(label: &str) -> Result<Self, Missing> {
        let bridge = Namespace::new(label)?;
        bridge.ip(&["link", "add", "bridge", "type", "bridge", "forward_delay", "0"]);
        bridge.ip(&["link", "set", "bridge", "up"]);
        // Where the kernel would show bridged packets to iptables, it is told not to.
        if Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() {
            for family in ["iptables", "ip6tables"] {
                bridge.sysctl(&format!("net.bridge.bridge-nf-call-{family}"), "0");
            }
        }
        Ok(Self { bridge, ports: AtomicU32::new(0) })
    }

    /// Makes a machine on this wire. Its `eth0` has the addresses, such as
    /// `192.168.1.2/24` or `fd00::2/64`; every other address is looked for on the
    /// wire as well, so that machines with several networks need no router.
    ///
    /// # Panics
    ///
    /// If an address is none.
    pub fn machine(&self, label: &str, addresses: &[&str]) -> Namespace {
        let machine = Namespace::make(label);
        self.attach(&machine, "eth0", addresses);
        for family in ["-4", "-6"] {
            machine.ip(&[family, "route", "add", "default", "dev", "eth0"]);
        }
        machine
    }

    /// Gives a machine one more interface, on this wire.
    ///
    /// # Panics
    ///
    /// If it has an interface of that name, or an address is none.
    pub fn attach(&self, machine: &Namespace, interface: &str, addresses: &[&str]) {
        let port = format!("port{}", self.ports.fetch_add(1, Ordering::Relaxed));
        self.bridge.ip(&[
            "link",
            "add",
            &port,
            "type",
            "veth",
            "peer",
            "name",
            interface,
            "netns",
            machine.name(),
        ]);
        self.bridge.ip(&["link", "set", &port, "master", "bridge", "up"]);
        machine.ip(&["link", "set", interface, "up"]);
        for address in addresses {
            let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
            machine.ip(&[&["address", "add", address, "dev", interface], nodad].concat());
        }
    }

    /// The namespace that the bridge is in: the place to listen on the wire.
    pub fn bridge(&self) -> &Namespace {
        &self.bridge
    }
}

/// Kills what runs in a namespace, and deletes it.
pub(crate) fn delete(name: &str) {
    let in_it = attempt(Command::new("ip").args(["netns", "pids", name]), DEADLINE);
    let pids = in_it.map(|output| output.stdout).unwrap_or_default();
    for pid in pids.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        let _ = kill_process(pid, Signal::KILL);
    }
    let deleted = attempt(Command::new("ip").args(["netns", "delete", name]), DEADLINE);
    if Path::new(DIRECTORY).join(name).exists() {
        eprintln!("failed to delete the namespace {name}: {deleted:?}");
    }
}

#[track_caller]
fn ip(arguments: &[&str]) {
    run(Command::new("ip").args(arguments), DEADLINE).success();
}
