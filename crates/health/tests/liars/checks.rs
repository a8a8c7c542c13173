//! All checks of one protocol: whoever is not there, or does not speak it to the end, passes
//! none of them.

use std::net::SocketAddr;

use stageplot_health::{Cause, Trial};

use crate::server::{Manner, Server, nobody, silence};
use crate::stage::{Case, End, Stage};

/// Whoever listens in the place of somebody else: a name, what it does, what is said of it.
pub(crate) type Stranger = (&'static str, Manner, Cause);

/// All checks of one protocol.
pub(crate) struct Checks<'a> {
    /// Their names.
    pub(crate) kinds: &'a [&'a str],
    /// The one of a name, pointed at a server.
    pub(crate) trial: fn(&Stage, &str, SocketAddr) -> Trial,
    /// Whoever does not speak the protocol to the end.
    pub(crate) strangers: &'a [Stranger],
}

impl Checks<'_> {
    /// Holds each against all of them, and against nobody and silence, which differ.
    pub(crate) async fn hold(&self, stage: &Stage) {
        let (silent, _queued, _listener) = silence().await;
        let absent = [("nobody", nobody(), Cause::Refused), ("silence", silent, Cause::Silence)];
        let mut cases = Vec::new();
        for kind in self.kinds {
            for (name, at, cause) in absent {
                let trial = (self.trial)(stage, kind, at);
                cases.push(Case::new(format!("{kind}, {name}"), trial, End::Failed(cause)));
            }
            for (name, manner, cause) in self.strangers {
                let server = Server::that(*manner).await;
                let trial = (self.trial)(stage, kind, server.at);
                cases.push(Case::new(format!("{kind}, {name}"), trial, End::Failed(*cause)).by(server));
            }
        }
        stage.hold(cases.into_iter().map(std::future::ready)).await;
    }
}
