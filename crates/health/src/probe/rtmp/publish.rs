//! A stream of one's own: published, played, and sent away where it has to be.

use std::time::Duration;

use hyper::StatusCode;
use stageplot_topology::{Rtmp, ServiceSpec};
use tokio::time::Instant;

use super::session::{Session, VIDEO};
use crate::probe::{Attempt, http, random};
use crate::{Cause, Problem};

/// What names of streams of our own begin with.
const NAME: &str = "stageplot-check-";

/// One picture of 64 × 64, H.264, as FLV. Made by
/// `ffmpeg -f lavfi -i testsrc=size=64x64:rate=1 -frames:v 1 -c:v libx264 -profile:v baseline
/// -preset veryslow -crf 40 -pix_fmt yuv420p -bsf:v filter_units=remove_types=6
/// -fflags +bitexact -flags:v +bitexact -map_metadata -1 pattern.flv`.
const PATTERN: &[u8] = include_bytes!("pattern.flv");

/// How often a playlist that is not there yet is asked for.
const PAUSE: Duration = Duration::from_millis(400);

/// A stream that nobody gave out is sent away.
pub(in crate::probe) async fn stranger(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let rtmp = attempt.rtmp()?;
    let target = attempt.trial.target.to_string();
    let name = format!("{NAME}{}", random::<8>()?);
    let (mut session, stream) = attempt.session(&rtmp).await?;
    match publish(&mut session, stream, &name).await {
        Ok(Answer::In) => {
            let what = format!("{target} lets a stream in that nobody gave out");
            Err(Problem::failed(Cause::PublishUnasked, what))
        }
        Ok(Answer::Away(code)) => {
            attempt.evidence.note("refused", code);
            Ok(())
        }
        Err(problem) => Err(problem),
    }
}

/// A stream is let in, and played: over RTMP, and as HLS through the edge.
pub(in crate::probe) async fn round_trip(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let rtmp = attempt.rtmp()?;
    let target = attempt.trial.target.to_string();
    let trial = rtmp.on_publish.as_ref().and_then(|asked| asked.trial.as_ref());
    let name = match trial {
        Some(secret) => attempt.scene.secrets.get(secret)?.to_owned(),
        None => format!("{NAME}{}", random::<8>()?),
    };
    // What follows is the publisher's, to show who it is.
    let played = name.split('?').next().unwrap_or_default().to_owned();
    let before = if rtmp.hls { attempt.playlist(&played).await? } else { String::new() };
    let (mut session, stream) = attempt.session(&rtmp).await?;
    if let Answer::Away(code) = publish(&mut session, stream, &name).await? {
        let whose = if trial.is_some() { "the stream that is there for trials" } else { "a stream" };
        let what = format!("{target} sends {whose} away: {code}");
        return Err(Problem::failed(Cause::PublishRefused, what));
    }
    let media = Pattern::new();
    session.video(stream, 0, media.header).await?;
    // A fragment ends with the first picture after it, and clocks are the publisher's.
    let mut time = 0;
    let end = 4 * 1000 * rtmp.fragment.seconds().min(60);
    while time < end {
        session.video(stream, time, media.picture).await?;
        time += 1000;
    }
    let until = tokio::time::timeout_at(
        attempt.half(),
        attempt.watch(&rtmp, &played, async {
            loop {
                tokio::time::sleep(PAUSE).await;
                session.video(stream, time, media.picture).await?;
                time += 1000;
            }
        }),
    );
    let watched = until.await;
    watched.unwrap_or_else(|_| {
        let what = format!("{target} took a stream, and plays none of it to anybody");
        Err(Problem::failed(Cause::StreamMissing, what))
    })?;
    match rtmp.hls {
        true => attempt.fetch(&played, &before).await,
        false => Ok(()),
    }
}

impl Attempt<'_> {
    pub(super) fn rtmp(&self) -> Result<Rtmp, Problem> {
        let service = self.trial.service.map(|service| &self.scene.topology.service(service).kind);
        match service {
            Some(ServiceSpec::Rtmp(rtmp)) => Ok((**rtmp).clone()),
            _ => Err(Problem::not_tried(Cause::NotPermitted, "only an rtmp service has streams")),
        }
    }

    /// A session in the plot's application, with a stream for media.
    async fn session(&mut self, rtmp: &Rtmp) -> Result<(Session, u32), Problem> {
        let target = self.trial.target.to_string();
        let told = self.trial.service.and_then(|service| self.scene.topology.publish_url(service));
        let url = told.unwrap_or_else(|| format!("rtmp://{target}/{}", rtmp.application));
        let mut session = Session::open(self.connect().await?, target).await?;
        session.enter(&rtmp.application, &url).await?;
        let stream = session.create_stream().await?;
        Ok((session, stream))
    }

    /// Plays a stream over RTMP until a picture came, while it is published.
    async fn watch(
        &mut self,
        rtmp: &Rtmp,
        name: &str,
        publish: impl Future<Output = Result<(), Problem>>,
    ) -> Result<(), Problem> {
        let play = async {
            let (mut player, stream) = self.session(rtmp).await?;
            let played = async {
                player.play(stream, name).await?;
                while player.message().await?.kind != VIDEO {}
                Ok(())
            };
            // So does nginx where nobody may play.
            played.await.map_err(|problem: Problem| match problem.cause {
                Cause::ClosedEarly => {
                    let what = format!("{} hangs up on whoever plays a stream", self.trial.target);
                    Problem::failed(Cause::StreamMissing, what)
                }
                _ => problem,
            })
        };
        tokio::select! {
            played = play => played,
            ended = publish => ended,
        }
    }

    /// What stands where players find the playlist; empty where nothing does.
    async fn playlist(&mut self, name: &str) -> Result<String, Problem> {
        let escaped: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("/hls/{escaped}.m3u8");
        let service = self.trial.service;
        let entrance = self.entrance_of(service, "http").await?;
        let stream = self.enter(&entrance).await?;
        let response = self.ask(stream, http::request(&entrance.host, &path)?).await?;
        match response.status {
            StatusCode::OK => Ok(String::from_utf8_lossy(&response.body).into_owned()),
            StatusCode::NOT_FOUND => Ok(String::new()),
            status => {
                let what = format!("GET {path} at {} answers {status}", entrance.host);
                Err(Problem::failed(Cause::HttpStatus, what))
            }
        }
    }

    /// Fetches the last piece of a playlist that is other than before: of a stream that was
    /// there earlier, an old one may be left.
    async fn fetch(&mut self, name: &str, before: &str) -> Result<(), Problem> {
        loop {
            let playlist = self.playlist(name).await?;
            let mut pieces = playlist.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
            if playlist != before
                && playlist.starts_with("#EXTM3U")
                && let Some(piece) = pieces.next_back()
            {
                return self.fetch_piece(piece).await;
            }
            // Before the whole time is up, so that what is missing is what is told.
            if Instant::now() + PAUSE >= self.began + self.deadline() * 3 / 4 {
                let what =
                    "a stream was taken, and players find no playlist of it at the edge, or an old one";
                return Err(Problem::failed(Cause::StreamMissing, what));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn fetch_piece(&mut self, piece: &str) -> Result<(), Problem> {
        /// The byte with which each packet of MPEG-TS begins (ISO/IEC 13818-1).
        const SYNC: u8 = 0x47;
        let path = format!("/hls/{piece}");
        let service = self.trial.service;
        let entrance = self.entrance_of(service, "http").await?;
        let stream = self.enter(&entrance).await?;
        let response = self.ask(stream, http::request(&entrance.host, &path)?).await?;
        if response.status.is_success() && response.body.first() == Some(&SYNC) {
            self.evidence.note("fragment", response.body.len());
            return Ok(());
        }
        let what =
            format!("GET {path} at {} answers {} without a piece of video", entrance.host, response.status);
        Err(Problem::failed(Cause::StreamMissing, what))
    }
}

/// What comes of it to publish.
enum Answer {
    In,
    /// Sent away, with a code or without a word.
    Away(String),
}

async fn publish(session: &mut Session, stream: u32, name: &str) -> Result<Answer, Problem> {
    match session.publish(stream, name).await {
        Ok(code) if code == "NetStream.Publish.Start" => Ok(Answer::In),
        Ok(code) => Ok(Answer::Away(code)),
        // nginx hangs up on those whom the app sends away.
        Err(problem) if problem.cause == Cause::ClosedEarly => Ok(Answer::Away("hung up".to_owned())),
        Err(problem) => Err(problem),
    }
}

/// What is published.
struct Pattern {
    /// What a decoder has to know.
    header: &'static [u8],
    /// A picture that needs no other.
    picture: &'static [u8],
}

impl Pattern {
    fn new() -> Self {
        // Behind the file's own header and the length of nothing before the first tag.
        let mut rest = &PATTERN[13..];
        let mut tags = std::iter::from_fn(move || {
            let ([kind, a, b, c, ..], body) = rest.split_first_chunk::<11>()?;
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let (body, behind) = body.split_at_checked(length)?;
            rest = behind.get(4..)?;
            Some((*kind, body))
        });
        let mut video = || tags.find(|(kind, _)| *kind == VIDEO).map(|(_, body)| body).unwrap_or_default();
        Self { header: video(), picture: video() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_a_header_and_a_picture() {
        let Pattern { header, picture } = Pattern::new();
        // A key frame of AVC: what a decoder has to know, and a picture (FLV 10.1, E.4.3).
        assert_eq!((&header[..2], &picture[..2]), (&[0x17, 0][..], &[0x17, 1][..]));
        assert!(header.len() > 20 && picture.len() > 100, "{} and {}", header.len(), picture.len());
    }
}
