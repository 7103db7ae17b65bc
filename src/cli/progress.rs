//! A bar on stderr that shows how far a comparison is; nothing where stderr is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Terminal;
use crate::weights::Watch;

/// Shows progress.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        let bar = if terminal.is_interactive() { ProgressBar::new(1) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn tell(&self, stage: &str, done: usize, of: usize) {
        self.bar.set_message(stage.to_owned());
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }
}
