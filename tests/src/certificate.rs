//! Certificates that programs can read.

use std::fs;
use std::time::Duration;

use crate::process::run;
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// A certificate that is its own authority, and its private key, both in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

impl Certificate {
    /// Makes one for these host names.
    ///
    /// # Errors
    ///
    /// [`Missing`] where openssl is not here.
    ///
    /// # Panics
    ///
    /// If openssl refuses.
    pub fn new(names: &[&str]) -> Result<Self, Missing> {
        let openssl = Program::named("openssl")?;
        let scratch = Scratch::new();
        let alternatives: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let mut command = openssl.command();
        command
            .current_dir(scratch.path())
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-keyout", "key", "-out", "cert", "-days", "7", "-subj", "/CN=Stageplot tests"])
            .args(["-addext", &format!("subjectAltName={}", alternatives.join(","))]);
        run(&mut command, Duration::from_secs(10)).success();
        let read = |name| {
            fs::read_to_string(scratch.path().join(name))
                .unwrap_or_else(|error| panic!("failed to read what openssl wrote: {error}"))
        };
        Ok(Self { cert: read("cert"), key: read("key") })
    }
}

/// An authority that issues certificates, and that nobody knows but who is told.
#[derive(Debug)]
pub struct Authority {
    scratch: Scratch,
    openssl: Program,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    ///
    /// [`Missing`] where openssl is not here.
    ///
    /// # Panics
    ///
    /// If openssl does not make one.
    pub fn new() -> Result<Self, Missing> {
        let authority = Self { scratch: Scratch::new(), openssl: Program::named("openssl")? };
        authority.make("authority", &["-addext", "keyUsage=critical,keyCertSign"]);
        Ok(authority)
    }

    /// Its own certificate, as PEM.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn pem(&self) -> String {
        self.read("authority.crt")
    }

    /// A certificate for subject alternative names, such as `DNS:a.example.com` and
    /// `IP:10.0.0.1`.
    ///
    /// # Panics
    ///
    /// If openssl does not make one.
    pub fn issue(&self, names: &[&str]) -> Certificate {
        let names = format!("subjectAltName={}", names.join(","));
        let signed = ["-CA", "authority.crt", "-CAkey", "authority.key"];
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &names];
        self.make("leaf", &[&signed[..], &leaf].concat());
        Certificate { cert: self.read("leaf.crt"), key: self.read("leaf.key") }
    }

    fn make(&self, name: &str, more: &[&str]) {
        let mut command = self.openssl.command();
        command
            .current_dir(self.scratch.path())
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt"), "-days", "7"])
            .args(["-subj", &format!("/CN=Stageplot tests {name}")])
            .args(more);
        run(&mut command, Duration::from_secs(10)).success();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.path().join(name))
            .unwrap_or_else(|error| panic!("failed to read what openssl wrote: {error}"))
    }
}
