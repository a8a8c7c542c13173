//! The flows, drawn: as a Mermaid flowchart and as an SVG.
//!
//! Both draw one `Picture`. Nodes with the same roles are one box in it, so
//! that a hundred of them stay readable.
//!
//! ```
//! use stageplot_render::diagram;
//! # use stageplot_topology::*;
//! # let topology = Plot::new("live".parse()?)
//! #     .service("cache", Redis::default())
//! #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
//! #     .build()?
//! #     .topology;
//! println!("{}", diagram::mermaid(&topology)?); // for where Markdown draws such
//! let picture = diagram::svg(&topology)?; // a file for a browser, and for `<img>`
//! assert!(picture.contains("cache"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod layout;
mod picture;
mod text;

#[cfg(test)]
mod tests;

use serde::Serialize;
use stageplot_topology::Topology;

use crate::RenderError;
use crate::template::{Dialect, Template, Templates};
use layout::Drawing;
use picture::{Picture, Place};

pub(crate) const MERMAID: Template =
    Template::new("diagram.mmd", Dialect::Mermaid, include_str!("../templates/diagram.mmd"));
pub(crate) const SVG: Template =
    Template::new("diagram.svg", Dialect::Xml, include_str!("../templates/diagram.svg"));

/// The flows as a Mermaid flowchart.
///
/// ```
/// use stageplot_render::diagram;
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// assert!(diagram::mermaid(&topology)?.contains("flowchart LR"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// None that a valid topology is known to bring about; the type is that of
/// everything that is rendered.
pub fn mermaid(topology: &Topology) -> Result<String, RenderError> {
    mermaid_with(topology, &templates()?)
}

/// The flows as an SVG that stands alone: its colours follow the reader's
/// light or dark scheme, its letters are the system's.
///
/// ```
/// use stageplot_render::diagram;
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let picture = diagram::svg(&topology)?;
/// assert!(picture.contains("<svg") && picture.contains("cache"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`mermaid`].
pub fn svg(topology: &Topology) -> Result<String, RenderError> {
    svg_with(topology, &templates()?)
}

/// The boxes and the arrows of the picture, as JSON.
///
/// ```
/// use stageplot_render::diagram;
/// use stageplot_topology::{Edge, NodeSpec, Plot};
///
/// let topology = Plot::new("live".parse()?)
///     .service("edge", Edge::new("live.example.com".parse()?))
///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge"))
///     .build()?
///     .topology;
/// let picture: serde_json::Value = serde_json::from_str(&diagram::json(&topology)?)?;
/// assert!(picture.is_object());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`mermaid`].
pub fn json(topology: &Topology) -> Result<String, RenderError> {
    let chart = Chart::new(&Picture::new(topology));
    let text =
        serde_json::to_string_pretty(&chart).map_err(|error| RenderError::Format(error.to_string()))?;
    Ok(text + "\n")
}

pub(crate) fn mermaid_with(topology: &Topology, templates: &Templates) -> Result<String, RenderError> {
    let chart = Chart::new(&Picture::new(topology));
    Ok(templates.render("diagram.mmd", &chart)?)
}

pub(crate) fn svg_with(topology: &Topology, templates: &Templates) -> Result<String, RenderError> {
    let drawing = Drawing::new(&Picture::new(topology));
    Ok(templates.render("diagram.svg", &drawing)?)
}

fn templates() -> Result<Templates, RenderError> {
    Templates::new([MERMAID, SVG]).map_err(RenderError::Templates)
}

/// What the template of the flowchart is given.
#[derive(Serialize)]
struct Chart {
    title: String,
    /// Parties outside the plot, and services that others run.
    outside: Vec<Node>,
    groups: Vec<Group>,
    arrows: Vec<Link>,
}

#[derive(Serialize)]
struct Group {
    id: String,
    title: String,
    services: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    id: String,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Link {
    from: String,
    to: String,
    label: String,
}

impl Chart {
    fn new(picture: &Picture) -> Self {
        let node = |(index, card): (usize, &picture::Card)| Node {
            id: format!("card{index}"),
            lines: [&card.name, &card.detail].into_iter().chain(&card.notes).cloned().collect(),
        };
        let cards = || picture.cards.iter().enumerate();
        let groups = picture.groups.iter().enumerate().map(|(index, group)| Group {
            id: format!("group{index}"),
            title: group.title.clone(),
            services: cards().filter(|(_, card)| card.place == Place::Group(index)).map(node).collect(),
        });
        let arrows = picture.arrows.iter().map(|arrow| Link {
            from: format!("card{}", arrow.from),
            to: format!("card{}", arrow.to),
            label: arrow.label.clone(),
        });
        Self {
            title: picture.title.clone(),
            outside: cards().filter(|(_, card)| !matches!(card.place, Place::Group(_))).map(node).collect(),
            groups: groups.collect(),
            arrows: arrows.collect(),
        }
    }
}
