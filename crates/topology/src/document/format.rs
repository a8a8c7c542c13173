//! The three languages a plot may be written in.

use std::fmt;
use std::path::Path;

/// The language of a plot file.
///
/// ```
/// use std::path::Path;
/// use stageplot_topology::Format;
///
/// assert_eq!(Format::from_path(Path::new("stageplot.toml")), Some(Format::Toml));
/// assert_eq!(Format::from_path(Path::new("live.yml")), Some(Format::Yaml));
/// assert_eq!(Format::from_path(Path::new("notes.txt")), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// TOML 1.0; what the documentation is written in.
    Toml,
    /// JSON as RFC 8259 has it: no comments, no trailing commas.
    Json,
    /// YAML 1.2 with the core schema, so `on` and `yes` are strings.
    Yaml,
}

impl Format {
    /// The format that the file's extension names, in any case.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Toml => "TOML",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}
