//! Solvers at work: Ctrl-C ends them, and Python code watches them.
//!
//! A solve over native operators runs on a thread of its own, while the calling thread looks for signals and calls the
//! observer: so Ctrl-C is answered at once even while a product takes seconds, and the abandoned thread ends with its
//! iteration. Operators written in Python need the calling thread, where the interpreter raises for itself.

use super::element::Entry;
use super::{errors, threads};
use crate::solve::{Progress, Report};
use crate::{Error, Result};
use numpy::PyArray1;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How often the calling thread looks for signals.
const POLL: Duration = Duration::from_millis(20);

/// What an observer sees of an iteration.
struct Seen<T> {
    iteration: usize,
    x: Option<Vec<T>>,
    residual_norm: f64,
    normal_residual_norm: Option<f64>,
    objective: Option<f64>,
}

impl<T: Entry> Seen<T> {
    fn new(progress: &Progress<[T]>) -> Self {
        Seen {
            iteration: progress.iteration,
            x: Some(progress.iterate.to_vec()),
            residual_norm: progress.residual_norm,
            normal_residual_norm: progress.normal_residual_norm,
            objective: progress.objective,
        }
    }

    /// Calls the observer; true asks to stop.
    fn show(mut self, py: Python, observer: &Py<PyAny>) -> PyResult<bool> {
        let x = PyArray1::from_vec(py, self.x.take().unwrap_or_default());
        let seen = (self.iteration, x, self.residual_norm, self.normal_residual_norm, self.objective);
        observer.call1(py, seen)?.bind(py).is_truthy()
    }
}

/// The observer that solvers take.
pub type Observer<'o, T> = dyn FnMut(&Progress<'_, [T]>) -> ControlFlow<()> + 'o;

/// Runs `solve(x, observer)` and gives back `x` with the report.
pub fn watch<T: Entry>(
    py: Python,
    native: bool,
    observer: Option<Py<PyAny>>,
    x: Vec<T>,
    solve: impl FnOnce(&mut [T], &mut Observer<T>) -> Result<Report> + Send + 'static,
) -> PyResult<(Vec<T>, Report)> {
    if native { aside(py, observer, x, solve) } else { here(py, observer, x, solve) }
}

/// On this thread.
fn here<T: Entry>(
    py: Python,
    observer: Option<Py<PyAny>>,
    mut x: Vec<T>,
    solve: impl FnOnce(&mut [T], &mut Observer<T>) -> Result<Report> + Send,
) -> PyResult<(Vec<T>, Report)> {
    // No helpers: what calls Python does so from this thread, and an observer may fork.
    let report = threads::run(py, 0, || {
        solve(&mut x, &mut |progress| {
            let asked = Python::attach(|py| {
                py.check_signals()?;
                observer.as_ref().map_or(Ok(false), |o| Seen::new(progress).show(py, o))
            });
            match asked {
                Ok(false) => ControlFlow::Continue(()),
                Ok(true) => ControlFlow::Break(()),
                Err(raised) => {
                    let _: Error = errors::keep(raised);
                    ControlFlow::Break(())
                }
            }
        })
    });
    match errors::kept() {
        Some(raised) => Err(raised),
        None => Ok((x, report?)),
    }
}

/// What the solver's thread says.
enum Message<T> {
    Iteration(Seen<T>),
    Done(Result<(Vec<T>, Report)>),
}

/// On a thread of its own.
fn aside<T: Entry>(
    py: Python,
    observer: Option<Py<PyAny>>,
    mut x: Vec<T>,
    solve: impl FnOnce(&mut [T], &mut Observer<T>) -> Result<Report> + Send + 'static,
) -> PyResult<(Vec<T>, Report)> {
    let (say, mut hear) = mpsc::channel();
    let (answer, answered) = mpsc::channel::<bool>();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, watched) = (stop.clone(), observer.is_some());
    let job = move || {
        let told = say.clone();
        let done = threads::helped(usize::MAX, move || {
            let report = solve(&mut x, &mut |progress| {
                // Whoever listened may be gone; then nobody wants the result.
                let asked = watched
                    && (told.send(Message::Iteration(Seen::new(progress))).is_err()
                        || answered.recv().unwrap_or(true));
                match asked || stopped.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            report.map(|report| (x, report))
        });
        let _ = say.send(Message::Done(done));
    };
    let thread = std::thread::Builder::new().name("convmtx-solver".into()).spawn(job);
    let thread =
        thread.map_err(|error| PyRuntimeError::new_err(format!("cannot start a thread: {error}")))?;
    let outcome = loop {
        let hear = &mut hear;
        match py.detach(move || hear.recv_timeout(POLL)) {
            Ok(Message::Done(done)) => break Ok(done?),
            Ok(Message::Iteration(seen)) => {
                let asked = py.check_signals().and_then(|()| match &observer {
                    Some(observer) => seen.show(py, observer),
                    None => Ok(false),
                });
                match asked {
                    Ok(stop) => drop(answer.send(stop)),
                    Err(raised) => break Err(raised),
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(raised) = py.check_signals() {
                    break Err(raised);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                break Err(PyRuntimeError::new_err("the solver's thread has ended without a result"));
            }
        }
    };
    stop.store(true, Ordering::Relaxed);
    if outcome.is_ok() {
        let _ = py.detach(|| thread.join());
    }
    outcome
}
