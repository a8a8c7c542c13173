//! What a change does to what runs, and why.

use serde::{Deserialize, Serialize};

/// What a change does, mildest first: in the order of what people feel of it.
///
/// ```
/// use stageplot_render::diff::Impact;
///
/// // The order is that of what people feel of it.
/// assert!(Impact::Reload < Impact::Recreate && Impact::Drain < Impact::DataAtStake);
/// assert_eq!(Impact::DataAtStake.as_str(), "data-at-stake");
/// assert_eq!(Impact::DataAtStake.in_words(), "data at stake");
/// assert!(Impact::ALL.is_sorted());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Impact {
    /// Nothing: the program that reads it sees no difference.
    #[default]
    None,
    /// It takes effect at once, or when somebody reads it next; nothing stops.
    Live,
    /// A service starts that did not run there.
    Start,
    /// The service, or the machine, reads its configuration again; connections stay.
    Reload,
    /// A process of the user's own has to be started again.
    Restart,
    /// The container is replaced; its connections end.
    Recreate,
    /// The service takes nothing new, waits for its rooms, and is replaced: people
    /// who are still in a room then are thrown out.
    Drain,
    /// The service does not run there any more.
    Stop,
    /// Data may be lost or left behind.
    DataAtStake,
}

impl Impact {
    /// All of them, mildest first.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Live,
        Self::Start,
        Self::Reload,
        Self::Restart,
        Self::Recreate,
        Self::Drain,
        Self::Stop,
        Self::DataAtStake,
    ];

    /// As it is serialised: `none`, `live`, …, `data-at-stake`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Live => "live",
            Self::Start => "start",
            Self::Reload => "reload",
            Self::Drain => "drain",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
            Self::Stop => "stop",
            Self::DataAtStake => "data-at-stake",
        }
    }
}

impl std::fmt::Display for Impact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What happens to one service on one machine, or to the machine itself.
///
/// ```
/// use stageplot_render::diff::{self, Impact, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let diff = diff::between(&before, &after);
/// let (node, effect) = diff.effects().next().ok_or("something happens")?;
/// assert_eq!((node.name.as_str(), effect.subject(str::to_uppercase)), ("front", "CACHE".to_owned()));
/// // The container is replaced, and that is not the worst of it.
/// assert_eq!((effect.process, effect.impact), (Impact::Recreate, Impact::DataAtStake));
/// for reason in &effect.reasons {
///     println!("{} because of {}: {}", reason.impact, reason.fields.join(", "), reason.text);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Effect {
    /// The service, as it is now called; none for the machine itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its kind: `edge`, `livekit`, `redis`, `postgres`, `app`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The worst of the reasons.
    pub impact: Impact,
    /// What becomes of the process, apart from any data: the worst reason that
    /// is not about data. It is what the container's id and start time show.
    pub process: Impact,
    /// What that means, in words: `open WebSockets stay, for up to 1h`.
    pub text: String,
    /// How long it waits for its rooms before it stops, in seconds, where it
    /// stops and is of a kind that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_seconds: Option<u32>,
    /// The container that has to end well before it is started anew (`app.migrate`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<String>,
    /// Whether people in a room may be thrown out: at once, or once it has
    /// waited.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drops_rooms: bool,
    /// Why, the worst first.
    pub reasons: Vec<Reason>,
}

/// Why something happens.
///
/// See [`Effect`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// What it leads to.
    pub impact: Impact,
    /// In words.
    pub text: String,
    /// The fields that are responsible, each with its file:
    /// `services/sfu/livekit.yaml: rtc.tcp_port`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}
