//! The name server that everybody on the wire asks.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::write;
use crate::namespace::Namespace;
use crate::process::{Process, wait_for};
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What the server may take to answer with a zone.
const SOON: Duration = Duration::from_secs(10);

/// A name server that knows a list of records, and of every other name that there is none.
#[derive(Debug)]
pub struct Names {
    server: Process,
    serial: AtomicU32,
    scratch: Scratch,
}

impl Names {
    /// Starts one on a machine, on port 53 of these addresses of its own, with
    /// [records](Names::set).
    pub(super) fn start(machine: &Namespace, addresses: &[IpAddr], records: &str) -> Result<Self, Missing> {
        let knotd = Program::named("knotd")?;
        let scratch = Scratch::new();
        let directory = scratch.path().display();
        let listen: Vec<_> = addresses.iter().map(|address| format!("{address}@53")).collect();
        let config =
            CONFIG.replace("DIRECTORY", &directory.to_string()).replace("LISTEN", &listen.join(", "));
        let file = scratch.path().join("knot.conf");
        write(&file, &config);
        write(&scratch.path().join("zone"), &zone(1, records));
        let mut server = Process::start("names", machine.command(knotd.path()).arg("--config").arg(&file));
        server.wait_until("serving", SOON, |server| server.output().contains("server started"));
        let names = Self { server, serial: AtomicU32::new(1), scratch };
        names.wait(1);
        Ok(names)
    }

    /// Answers with these records from now on: the lines of a zone file (RFC 1035 § 5),
    /// with whole names, such as `live.example.com. 300 IN A 203.0.113.10`.
    ///
    /// # Panics
    ///
    /// If the server does not take them.
    pub fn set(&self, records: &str) {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        write(&self.scratch.path().join("zone"), &zone(serial, records));
        self.server.signal(Signal::HUP);
        self.wait(serial);
    }

    fn wait(&self, serial: u32) {
        let loaded = format!("-> {serial},");
        wait_for("the zone", SOON, || self.server.output().contains(&loaded));
    }
}

/// All names, as the root zone.
fn zone(serial: u32, records: &str) -> String {
    format!(". 1 IN SOA ns. ops. {serial} 3600 600 86400 1\n. 1 IN NS ns.\nns. 1 IN A 127.0.0.1\n{records}")
}

const CONFIG: &str = "
server:
  rundir: DIRECTORY
  listen: [ LISTEN ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: DIRECTORY
zone:
  - domain: .
    storage: DIRECTORY
    file: zone
";
