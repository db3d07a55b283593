//! A table with its sentences, for the screen and for docs/PERFORMANCE.md.

use comfy_table::{CellAlignment, Table, TableStyle, presets};

pub struct Section {
    before: String,
    table: Table,
    after: String,
}

impl Section {
    /// The first column holds names, the others numbers.
    pub fn new<const N: usize>(
        before: String,
        header: [&str; N],
        rows: Vec<[String; N]>,
        after: String,
    ) -> Self {
        let mut table = Table::new();
        table.set_header(header);
        table.add_rows(rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self { before, table, after }
    }

    pub fn text(&self) -> String {
        self.styled(presets::NOTHING)
    }

    pub fn markdown(&self) -> String {
        self.styled(presets::ASCII_MARKDOWN)
    }

    fn styled(&self, preset: TableStyle) -> String {
        let mut table = self.table.clone();
        table.load_style(preset);
        format!("{}\n\n{table}\n\n{}", self.before, self.after)
    }
}
