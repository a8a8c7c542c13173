//! What the YAML parser says, and how to mend it.

use granit_parser::{ErrorKind, ScanError};

use crate::document::reader::{self, Reader};

/// Makes a finding of what the parser says.
pub(super) fn report(reader: &mut Reader<'_>, error: &ScanError) {
    let mut at = error.marker().byte_offset().unwrap_or_default();
    let before = reader.text.get(..at).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let (mut message, mut help) = in_words(error.kind());
    match error.kind() {
        // The parser stands behind the tab, or at the end of the line before it.
        _ if help == TAB_HELP => {
            let after = reader.text.get(at..).unwrap_or_default();
            let tab = before[line..].rfind('\t').map(|tab| line + tab);
            at = tab.or_else(|| after.find('\t').map(|tab| at + tab)).unwrap_or(at);
            message = "a tab where the line is indented".to_owned();
        }
        // A line that has no colon is found out by the colon of the next.
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            let lines = before[..line].trim_end();
            let above = lines.rfind('\n').map_or(0, |at| at + 1);
            if let Some(sign) = lines[above..].find(" = ") {
                at = above + sign + 1;
                message = "a `=` after the name of a field".to_owned();
                help = "write name: value in YAML; a plot in TOML ends in .toml";
            }
        }
        _ => {}
    }
    reader.syntax(at..at + 1, &message, help);
}

/// The parser's message and how to mend what it speaks of.
fn in_words(kind: &ErrorKind) -> (String, &'static str) {
    let help = match kind {
        ErrorKind::RecursionLimitExceeded => return (reader::too_deep(), reader::TOO_DEEP_HELP),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => TAB_HELP,
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "put text that holds `: ` in quotes, close brackets before the next field, and line \
             up the fields of a table"
        }
        ErrorKind::UnexpectedCharacter { .. } => "put text that begins with this character in quotes",
        ErrorKind::UnknownAnchor => {
            "define the anchor with & above the alias, or put text that begins with * in quotes"
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "close the string with the quote that opens it, and let nothing follow it"
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            "write \\\\ for a backslash in double quotes, or use single quotes"
        }
        ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => "write the character itself in place of the escape",
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            "every [ needs its ], every { its }, and commas stand between values"
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected => {
            "line up the fields of a table, and the dashes of a list, in one column"
        }
        _ => "see https://yaml.org for how YAML is written; a plot in TOML ends in .toml",
    };
    (kind.to_string(), help)
}

const TAB_HELP: &str = "indent with spaces; YAML takes no tabs there";
