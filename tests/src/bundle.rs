//! Bundles: what a plot in a test renders to, and what its README says to do.

use secrecy::SecretString;
use stageplot_render::{Custom, Rendering, Secrets};
use stageplot_topology::{Document, Format, Plot, SecretError, SecretRef, SecretSource};

/// Renders a plot, written in TOML, with the values of the secrets that it takes from
/// the environment.
///
/// # Panics
///
/// If the plot has mistakes or cannot be rendered, with all findings.
pub fn render(plot: &str, secrets: &[(&str, &str)]) -> Rendering {
    render_with(plot, secrets, &Custom::default())
}

/// Renders a plot as [`render`] does, with templates or files of the user's.
///
/// # Panics
///
/// As [`render`].
pub fn render_with(plot: &str, secrets: &[(&str, &str)], custom: &Custom) -> Rendering {
    let document = Document::parse(Format::Toml, "stageplot.toml", plot)
        .unwrap_or_else(|findings| panic!("failed to read the plot: {findings:#?}\n{plot}"));
    let built = Plot::read(&document)
        .unwrap_or_else(|findings| panic!("a plot with mistakes: {findings:#?}\n{plot}"));
    stageplot_render::render(&built.topology, Secrets::From(&Given(secrets)), custom)
        .unwrap_or_else(|error| panic!("failed to render: {error}"))
}

struct Given<'a>(&'a [(&'a str, &'a str)]);

impl SecretSource for Given<'_> {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let SecretRef::Env(wanted) = secret else {
            return Err(SecretError::new("the test gives none but the environment's"));
        };
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| SecretString::from(*value))
            .ok_or_else(|| SecretError::new("the test has none"))
    }
}

/// The blocks of commands in a README: those indented by four spaces, or fenced.
pub fn code_blocks(markdown: &str) -> Vec<String> {
    let (mut blocks, mut block, mut fenced) = (Vec::new(), String::new(), false);
    for line in markdown.lines() {
        let fence = line.trim_start().starts_with("```");
        let code = match fenced {
            true if !fence => Some(line),
            false => line.strip_prefix("    "),
            true => None,
        };
        fenced ^= fence;
        if let Some(code) = code {
            block.push_str(code);
            block.push('\n');
        } else if !block.is_empty() {
            blocks.push(std::mem::take(&mut block));
        }
    }
    blocks.extend((!block.is_empty()).then_some(block));
    blocks
}

#[cfg(test)]
mod tests {
    use super::code_blocks;

    #[test]
    fn blocks_of_both_kinds_are_found() {
        let text = "# One\n\n    a\n    b\n\ntext\n\n```sh\nc\n    d\n```\nend\n    e";
        assert_eq!(code_blocks(text), ["a\nb\n", "c\n    d\n", "e\n"]);
        assert!(code_blocks("none").is_empty());
    }
}
