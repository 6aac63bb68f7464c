//! How far training is, while a person watches.

use crate::print;
use indicatif::{ProgressBar, ProgressStyle};
use mains_distill::training::Stage;

pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn start() -> Self {
        if !print::watched() {
            return Self(None);
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {msg} {pos}/{len} {elapsed}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self(Some(bar))
    }

    fn show(&self, what: &'static str, done: u64, of: u64) {
        if let Some(bar) = &self.0 {
            bar.set_message(what);
            bar.set_length(of);
            bar.set_position(done);
        }
    }

    pub(super) fn embedding(&self, done: usize, of: usize) {
        self.show("sentence embeddings", done as u64, of as u64);
    }

    pub(super) fn stage(&self, stage: Stage) {
        match stage {
            Stage::Group => self.show("grouping near duplicates", 0, 1),
            Stage::Fold { done, of } => self.show("heads out of fold", done.into(), of.into()),
            Stage::Choose => self.show("choosing the heads", 0, 1),
            Stage::Fit => self.show("the heads on all rows to fit", 0, 1),
            Stage::Judge => self.show("calibration and audit rows", 0, 1),
            Stage::Certify => self.show("ruling on both promises", 0, 1),
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
