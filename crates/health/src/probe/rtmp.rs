//! RTMP: the handshake, what nginx tells of its streams, and a stream of one's own.

mod amf;
mod publish;
mod session;

use roxmltree::Document;

pub(super) use self::publish::{round_trip, stranger};
use self::session::Session;
use super::{Attempt, http};
use crate::{Cause, Problem};

/// Both sides say their version, and each repeats what the other said.
pub(super) async fn handshake(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    Session::open(attempt.connect().await?, target).await.map(drop)
}

/// nginx tells of its streams, in the application that publishers are told.
pub(super) async fn status(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    let rtmp = attempt.rtmp()?;
    let stream = attempt.connect().await?;
    let response = attempt.ask(stream, http::request(&target, "/stat")?).await?;
    if !response.status.is_success() {
        let what = format!("nginx at {target} answers {} when asked for its streams", response.status);
        return Err(Problem::failed(Cause::HttpStatus, what));
    }
    let text = String::from_utf8_lossy(&response.body);
    let Some(told) = Told::read(&text, &rtmp.application) else {
        attempt.evidence.note("body", &text);
        let what = format!("{target} tells of no streams, as nginx with the RTMP module does");
        return Err(Problem::failed(Cause::WrongProtocol, what));
    };
    attempt.evidence.note("streams", told.streams);
    attempt.evidence.note("players", told.players);
    if !told.has_application {
        let what = format!(
            "nginx has no application {}: it runs with another configuration, and sends publishers away",
            rtmp.application
        );
        return Err(Problem::failed(Cause::OtherSetting, what));
    }
    Ok(())
}

/// What `/stat` says (<https://github.com/arut/nginx-rtmp-module/wiki/Directives#rtmp_stat>).
struct Told {
    has_application: bool,
    /// How many are published.
    streams: usize,
    players: usize,
}

impl Told {
    fn read(text: &str, application: &str) -> Option<Self> {
        let document = Document::parse(text).ok()?;
        let root = document.root_element();
        if !root.has_tag_name("rtmp") {
            return None;
        }
        let named = |node: &roxmltree::Node<'_, '_>| {
            let mut names = node.children().filter(|child| child.has_tag_name("name"));
            names.any(|name| name.text() == Some(application))
        };
        let has_application = root.descendants().any(|node| node.has_tag_name("application") && named(&node));
        let is_published =
            |node: &roxmltree::Node<'_, '_>| node.children().any(|c| c.has_tag_name("publishing"));
        let streams = root.descendants().filter(|node| node.has_tag_name("stream") && is_published(node));
        let players = root.descendants().filter(|node| node.has_tag_name("client") && !is_published(node));
        Some(Self { has_application, streams: streams.count(), players: players.count() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nginx_tells_is_read() {
        let text = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n\
            <?xml-stylesheet type=\"text/xsl\" href=\"stat.xsl\" ?>\n\
            <rtmp><nginx_version>1.22.1</nginx_version><server><application><name>live</name><live>\
            <stream><name>one</name><client><id>1</id><publishing/><active/></client>\
            <client><id>2</id></client><nclients>2</nclients><publishing/></stream>\
            <stream><name>gone</name><nclients>0</nclients></stream>\
            <nclients>2</nclients></live></application></server></rtmp>";
        let told = Told::read(text, "live").expect("it is what nginx tells");
        assert_eq!((told.has_application, told.streams, told.players), (true, 1, 1));
        let told = Told::read(text, "one").expect("it is what nginx tells");
        assert!(!told.has_application, "a stream's name is no application's");
        assert!(Told::read("<html/>", "live").is_none() && Told::read("{}", "live").is_none());
    }
}
