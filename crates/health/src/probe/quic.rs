//! QUIC (RFC 9000): whether HTTP/3 (RFC 9114) is spoken where it is offered.

use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use stageplot_topology::HostName;

use super::{Attempt, tls};
use crate::{Cause, Problem};

/// A session for a name in which HTTP/3 is spoken, by a chain that we trust.
pub(super) async fn session(attempt: &mut Attempt<'_>, name: &HostName) -> Result<(), Problem> {
    let address = attempt.address().await?;
    let target = attempt.trial.target.to_string();
    let refused = |error: &dyn std::fmt::Display| {
        Problem::failed(Cause::TlsRefused, format!("{target} has no HTTP/3 session for {name}: {error}"))
    };
    let (config, witness) = attempt.scene.tls.witness(&[b"h3"]).map_err(|error| refused(&error))?;
    let config = QuicClientConfig::try_from(config).map_err(|error| refused(&error))?;
    let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = std::net::UdpSocket::bind(own).map_err(|error| attempt.refused(address, &error))?;
    let runtime = Arc::new(quinn::TokioRuntime);
    let endpoint = quinn::Endpoint::new(quinn::EndpointConfig::default(), None, socket, runtime);
    let endpoint = endpoint.map_err(|error| attempt.refused(address, &error))?;
    let config = quinn::ClientConfig::new(Arc::new(config));
    let connecting =
        endpoint.connect_with(config, address, name.as_str()).map_err(|error| refused(&error))?;
    let connected = connecting.await;
    if let Some(shown) = witness.shown() {
        attempt.note(&shown);
        tls::judge(&shown, name.as_str(), &target)?;
    }
    match connected {
        Ok(session) => {
            session.close(0_u32.into(), b"");
            Ok(())
        }
        Err(quinn::ConnectionError::TimedOut) => {
            Err(Problem::failed(Cause::Silence, format!("nothing came back from {target}")))
        }
        Err(error) => Err(refused(&error)),
    }
}
