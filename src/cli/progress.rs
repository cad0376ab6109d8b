//! Progress bars on stderr, for terminals only, and only for work that takes more than a second.

use crate::cli::failure::Result;
use crate::cli::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

/// How long work may take before it is announced.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar or a spinner that appears after [`PATIENCE`] and vanishes when dropped.
pub struct Progress {
    bar: ProgressBar,
    announcer: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Work of `steps` steps.
    pub fn of_steps(steps: usize, message: impl Into<String>) -> Self {
        // The template is fixed; the default stands in if a later version reads it differently.
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self::announced(ProgressBar::hidden().with_style(style), Some(steps), message.into())
    }

    /// Work whose end cannot be foreseen.
    pub fn waiting(message: impl Into<String>) -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self::announced(ProgressBar::hidden().with_style(style), None, message.into())
    }

    fn announced(bar: ProgressBar, steps: Option<usize>, message: String) -> Self {
        if let Some(steps) = steps {
            bar.set_length(steps as u64); // widening
        }
        bar.set_message(message);
        let announcer = stderr().is_terminal().then(|| {
            let (done, wait) = channel();
            let bar = bar.clone();
            let announce = move || {
                if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(100));
                }
            };
            (done, spawn(announce))
        });
        Progress { bar, announcer }
    }

    /// `done` steps are done.
    pub fn at(&self, done: usize) {
        self.bar.set_position(done as u64); // widening
    }

    /// Prints to stdout with the bar out of the way.
    pub fn print(&self, text: impl AsRef<str>) -> Result<()> {
        self.bar.suspend(|| output::print(text))
    }

    /// What is being done now.
    pub fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.announcer.take() {
            drop(done); // wakes the thread, which then shows nothing
            let _ = thread.join(); // it has nothing that could panic
        }
        self.bar.finish_and_clear();
    }
}
