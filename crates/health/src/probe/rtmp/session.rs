//! A session of RTMP: its chunks, and the commands in them (Adobe's specification 1.0,
//! sections 5 to 7).

use std::collections::BTreeMap;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::amf::Value;
use crate::probe::connection::{Bounded, Stream, broken};
use crate::probe::fill_randomly;
use crate::{Cause, Problem};

/// The version of the protocol, and the length of a handshake's packet.
const VERSION: u8 = 3;
const PACKET: usize = 1536;

/// What a side sends in one piece before it has said otherwise, and what this one says.
const CHUNK: usize = 128;
const OWN_CHUNK: u16 = 4096;

/// The longest message that is taken; commands and our own picture are far shorter.
const MESSAGE: usize = 1 << 18;

/// How many chunk streams a side may open at a time.
const STREAMS: usize = 64;

/// Kinds of messages.
const SET_CHUNK_SIZE: u8 = 1;
pub(super) const VIDEO: u8 = 9;
const COMMAND: u8 = 20;

/// An open session.
pub(super) struct Session {
    stream: Bounded<Stream>,
    /// With whom.
    target: String,
    /// How long their chunks are.
    chunk: usize,
    /// What came of each chunk stream so far.
    partial: BTreeMap<u32, Partial>,
    transaction: f64,
}

/// A message, and how far it came.
#[derive(Default)]
struct Partial {
    length: usize,
    kind: u8,
    is_extended: bool,
    payload: Vec<u8>,
}

/// What a session says.
pub(super) struct Message {
    pub(super) kind: u8,
    payload: Vec<u8>,
}

impl Session {
    /// Shakes hands over a connection.
    pub(super) async fn open(mut stream: Bounded<Stream>, target: String) -> Result<Self, Problem> {
        // A time of zero, four zeros, and any bytes.
        let mut hello = vec![0; PACKET];
        fill_randomly(&mut hello[8..])?;
        let lost = |error: io::Error| broken(&error, &target);
        stream.write_all(&[&[VERSION], hello.as_slice()].concat()).await.map_err(lost)?;
        // Whoever speaks something else says so with the first byte, and may say no more.
        let version = stream.read_u8().await.map_err(lost)?;
        if version != VERSION {
            let what =
                format!("{target} speaks another language: it begins with byte {version}, RTMP with 3");
            return Err(Problem::failed(Cause::WrongProtocol, what));
        }
        let (mut theirs, mut echo) = (vec![0; PACKET], vec![0; PACKET]);
        stream.read_exact(&mut theirs).await.map_err(lost)?;
        stream.write_all(&theirs).await.map_err(lost)?;
        stream.read_exact(&mut echo).await.map_err(lost)?;
        Ok(Self { stream, target, chunk: CHUNK, partial: BTreeMap::new(), transaction: 0.0 })
    }

    /// Enters an application, at the address that publishers are told.
    pub(super) async fn enter(&mut self, application: &str, url: &str) -> Result<(), Problem> {
        self.send(2, SET_CHUNK_SIZE, 0, 0, &u32::from(OWN_CHUNK).to_be_bytes()).await?;
        let who = concat!("stageplot/", env!("CARGO_PKG_VERSION"));
        let given = [("app", application), ("type", "nonprivate"), ("flashVer", who), ("tcUrl", url)];
        let given = given.map(|(name, text)| (name.to_owned(), Value::text(text))).to_vec();
        self.call("connect", Value::Object(given)).await?;
        Ok(())
    }

    /// Opens a stream for media.
    pub(super) async fn create_stream(&mut self) -> Result<u32, Problem> {
        let answer = self.call("createStream", Value::Null).await?;
        match answer.last() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped just before"
            )]
            Some(Value::Number(number)) => Ok(number.clamp(0.0, f64::from(u16::MAX)) as u32),
            other => {
                let what = format!("{} answers createStream with {other:?}", self.target);
                Err(Problem::failed(Cause::WrongProtocol, what))
            }
        }
    }

    /// Asks for frames of a stream.
    pub(super) async fn play(&mut self, stream: u32, name: &str) -> Result<(), Problem> {
        let values = [Value::text("play"), Value::Number(0.0), Value::Null, Value::text(name)];
        self.command(stream, &values).await
    }

    /// Offers a stream: the code of the status that comes back.
    pub(super) async fn publish(&mut self, stream: u32, name: &str) -> Result<String, Problem> {
        let given = [Value::text(name), Value::text("live")];
        let values = [Value::text("publish"), Value::Number(0.0), Value::Null].into_iter().chain(given);
        self.command(stream, &values.collect::<Vec<_>>()).await?;
        loop {
            let message = self.message().await?;
            let values = message.values();
            let code = values.iter().find_map(|value| value.field("code"));
            match (values.first(), code) {
                (Some(Value::Text(name)), Some(code)) if name == "onStatus" => return Ok(code.to_owned()),
                (Some(Value::Text(name)), code) if name == "_error" => {
                    return Ok(code.unwrap_or("_error").to_owned());
                }
                _ => {}
            }
        }
    }

    /// Calls for an answer: its values, behind its number.
    async fn call(&mut self, command: &str, given: Value) -> Result<Vec<Value>, Problem> {
        self.transaction += 1.0;
        let number = Value::Number(self.transaction);
        self.command(0, &[Value::text(command), number.clone(), given]).await?;
        loop {
            let mut values = self.message().await?.values();
            if values.get(1) != Some(&number) {
                continue;
            }
            let answer = values.split_off(2);
            match &values[0] {
                Value::Text(name) if name == "_result" => return Ok(answer),
                Value::Text(name) if name == "_error" => {
                    let why = answer.iter().find_map(|value| value.field("description"));
                    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                    let what = format!("{} refuses to {command}{why}", self.target);
                    return Err(Problem::failed(Cause::PublishRefused, what));
                }
                _ => {}
            }
        }
    }

    async fn command(&mut self, stream: u32, values: &[Value]) -> Result<(), Problem> {
        let mut payload = Vec::new();
        values.iter().for_each(|value| value.write(&mut payload));
        self.send(3, COMMAND, stream, 0, &payload).await
    }

    /// Sends a picture, or what a decoder has to know of it; `time` in milliseconds.
    pub(super) async fn video(&mut self, stream: u32, time: u32, payload: &[u8]) -> Result<(), Problem> {
        self.send(6, VIDEO, stream, time, payload).await
    }

    async fn send(
        &mut self,
        chunk_stream: u8,
        kind: u8,
        stream: u32,
        time: u32,
        payload: &[u8],
    ) -> Result<(), Problem> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![chunk_stream];
        bytes.extend(&time.min(0x00ff_fffe).to_be_bytes()[1..]);
        bytes.extend(&length.to_be_bytes()[1..]);
        bytes.push(kind);
        bytes.extend(stream.to_le_bytes());
        // The first message is the one that says how long chunks are, and is short.
        for (index, chunk) in payload.chunks(OWN_CHUNK.into()).enumerate() {
            if index > 0 {
                bytes.push(0b1100_0000 | chunk_stream);
            }
            bytes.extend(chunk);
        }
        self.stream.write_all(&bytes).await.map_err(|error| broken(&error, &self.target))
    }

    /// The next message that is not about the session itself.
    pub(super) async fn message(&mut self) -> Result<Message, Problem> {
        loop {
            let message = self.next().await.map_err(|error| broken(&error, &self.target))?;
            match message.kind {
                SET_CHUNK_SIZE => {
                    let size = message.payload.first_chunk().map_or(0, |size| u32::from_be_bytes(*size));
                    self.chunk = usize::try_from(size).unwrap_or(MESSAGE).clamp(1, MESSAGE);
                }
                2..=6 => {}
                _ => return Ok(message),
            }
        }
    }

    async fn next(&mut self) -> io::Result<Message> {
        loop {
            let first = self.stream.read_u8().await?;
            let chunk_stream = match first & 0x3f {
                0 => 64 + u32::from(self.stream.read_u8().await?),
                1 => 64 + u32::from(self.stream.read_u16_le().await?),
                small => small.into(),
            };
            if self.partial.len() >= STREAMS && !self.partial.contains_key(&chunk_stream) {
                return Err(io::Error::other("too many chunk streams"));
            }
            let partial = self.partial.entry(chunk_stream).or_default();
            let format = first >> 6;
            if format < 3 {
                let mut time = [0; 3];
                self.stream.read_exact(&mut time).await?;
                partial.is_extended = time == [0xff; 3];
            }
            if format < 2 {
                let mut length = [0; 4];
                self.stream.read_exact(&mut length[1..]).await?;
                partial.length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                partial.kind = self.stream.read_u8().await?;
                partial.payload.clear();
            }
            if format == 0 {
                // Of which stream it is: there is only one here.
                self.stream.read_u32_le().await?;
            }
            if partial.is_extended {
                self.stream.read_u32().await?;
            }
            if partial.length > MESSAGE {
                return Err(io::Error::other(format!("a message of {} bytes", partial.length)));
            }
            let had = partial.payload.len();
            let left = (partial.length - had).min(self.chunk);
            partial.payload.resize(had + left, 0);
            self.stream.read_exact(&mut partial.payload[had..]).await?;
            if partial.payload.len() == partial.length {
                let payload = std::mem::take(&mut partial.payload);
                return Ok(Message { kind: partial.kind, payload });
            }
        }
    }
}

impl Message {
    /// The values of a command; none of anything else.
    fn values(&self) -> Vec<Value> {
        if self.kind == COMMAND { Value::read_all(&self.payload) } else { Vec::new() }
    }
}
