//! Where recordings are uploaded to, and what they cost while they are made.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::kind::companion;
use crate::validate::Review;
use crate::{ByteSize, Code, SecretRef};

/// A bucket of Amazon S3, or of what speaks like it.
///
/// ```
/// use stageplot_topology::S3;
///
/// let own = S3 { endpoint: Some("https://minio.example.com".parse()?), path_style: true, ..S3::new("recordings") };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "{ bucket = \"recordings\" }")]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
    /// The address of a service that is not Amazon's.
    #[serde(default)]
    pub endpoint: Option<Url>,
    /// The key's name. Without one the machine's own role is used.
    #[serde(default)]
    pub access_key: Option<SecretRef>,
    /// The key's secret.
    #[serde(default)]
    pub secret_key: Option<SecretRef>,
    /// Whether the bucket stands in the path, not in the host's name (`force_path_style`), as
    /// MinIO wants it.
    #[serde(default)]
    pub path_style: bool,
    /// What every file's name begins with, such as `live/`.
    #[serde(default)]
    pub prefix: Option<String>,
}

impl S3 {
    /// A bucket of Amazon's, which the machine's own role may write to.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            region: None,
            endpoint: None,
            access_key: None,
            secret_key: None,
            path_style: false,
            prefix: None,
        }
    }

    pub(super) fn review(&self, review: &mut Review<'_>) {
        let path = review.path().key("s3");
        if self.bucket.is_empty() {
            review.add_at(
                Code::InvalidValue,
                path.key("bucket"),
                "a bucket has a name",
                "write it, such as \"recordings\"",
            );
        }
        let missing = match (&self.access_key, &self.secret_key) {
            (Some(_), None) => "secret-key",
            (None, Some(_)) => "access-key",
            _ => return,
        };
        review.add_at(
            Code::MissingField,
            path.key(missing),
            "a key has a name and a secret",
            "set both access-key and secret-key, or neither where the machine has a role for it",
        );
    }
}

/// What requests cost an egress; its own figures where not set (`cpu_cost` in its file).
///
/// ```
/// use stageplot_topology::{ByteSize, Egress, EgressCost};
///
/// let cost = EgressCost {
///     room_composite: Some(3.0),
///     max_memory: Some(ByteSize::from_mib(6144)),
///     ..EgressCost::default()
/// };
/// let recorder = Egress { cost, ..Egress::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ room-composite = 3.0 }")]
pub struct EgressCost {
    /// The share of the processors that it takes at most, of 1 (`max_cpu_utilization`).
    pub max_cpu: Option<f64>,
    /// The memory that it takes at most (`max_memory`).
    pub max_memory: Option<ByteSize>,
    /// The memory that a request takes at least (`memory_cost`).
    pub memory: Option<ByteSize>,
    /// A room with its picture, in processors.
    pub room_composite: Option<f64>,
    /// A room's sound.
    pub audio_room_composite: Option<f64>,
    /// A web page.
    pub web: Option<f64>,
    /// A web page's sound.
    pub audio_web: Option<f64>,
    /// A participant.
    pub participant: Option<f64>,
    /// Two tracks of a participant.
    pub track_composite: Option<f64>,
    /// A track.
    pub track: Option<f64>,
}

impl EgressCost {
    pub(super) fn review(&self, review: &mut Review<'_>) {
        let costs = [
            ("room-composite", self.room_composite),
            ("audio-room-composite", self.audio_room_composite),
            ("web", self.web),
            ("audio-web", self.audio_web),
            ("participant", self.participant),
            ("track-composite", self.track_composite),
            ("track", self.track),
        ];
        companion::review_costs("cost", &costs, review);
        companion::review_share(review.path().key("cost").key("max-cpu"), self.max_cpu, review);
    }
}
