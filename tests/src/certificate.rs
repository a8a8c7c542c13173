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
