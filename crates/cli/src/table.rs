//! Tables for people.

use comfy_table::{ContentArrangement, ContentLineStyle, LineStyle, TableStyle};

use crate::screen;

/// A table with a line under its header and no other.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A table with these columns.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE).set_header(header);
        if let Some(width) = screen::width() {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self(table)
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells);
    }

    /// The table as text.
    pub(crate) fn draw(&self) -> String {
        self.0.trim_fmt() + "\n"
    }
}

/// A line under the header is enough to read by, and leaves rows that can be
/// searched and cut.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─'))
    .content_lines(ContentLineStyle::none());
