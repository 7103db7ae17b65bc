//! The terminal: data to stdout, talk to stderr. Nothing else prints.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

/// Where output goes, and what it can show.
#[derive(Debug)]
pub struct Terminal {
    colours: bool,
    is_interactive: bool,
}

impl Terminal {
    /// Looks once at what the streams are and at `NO_COLOR`.
    pub fn new() -> Self {
        let is_interactive = io::stderr().is_terminal();
        Self { colours: is_interactive && std::env::var_os("NO_COLOR").is_none(), is_interactive }
    }

    /// Whether stderr is a terminal that shows colours, and the user did not object.
    pub fn has_colours(&self) -> bool {
        self.colours
    }

    /// Whether stderr is a terminal at all.
    pub fn is_interactive(&self) -> bool {
        self.is_interactive
    }

    /// Writes data. A reader that closed the pipe has seen enough, so that is not an error.
    pub fn print(&self, data: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(data.as_bytes());
        if !data.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
    }

    /// Writes a value as JSON data.
    pub fn print_json<T: serde::Serialize>(&self, value: &T) {
        self.print(&serde_json::to_string_pretty(value).expect("our own types have string keys"));
    }

    /// Says something to the person at the terminal.
    pub fn say(&self, words: &str) {
        let _ = writeln!(io::stderr().lock(), "{words}");
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

/// An empty table in the house style: a rule under the head, none between rows, as wide as the terminal.
pub(crate) fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head);
    table
}
