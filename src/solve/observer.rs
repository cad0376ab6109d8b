//! Watching a solver at work, and keeping the log of it.

use super::report::{Estimates, Report, StopReason};
use crate::error::Result;
use crate::memory;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Where a solver stands after an iteration: what an observer sees.
///
/// # Examples
/// A stopping rule of one's own, the discrepancy principle:
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::{Cgls, StopReason};
/// use std::ops::ControlFlow;
/// let (a, b) = (Diagonal::new(vec![3.0, 2.0, 0.1]), vec![3.0, 2.0, 0.2]);
/// let mut x = vec![0.0; 3];
/// let report = Cgls::new().solve_observed(&a, &b, &mut x, |progress| {
///     if progress.residual_norm <= 0.3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// })?;
/// assert_eq!(report.stop, StopReason::Interrupted);
/// assert!(x[2] < 0.2); // the noisy component has not been amplified
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Progress<'a, V: ?Sized> {
    /// Iterations done, counted from 1.
    pub iteration: usize,
    /// The limit set by the caller.
    pub max_iters: usize,
    /// The iterate `x`.
    pub iterate: &'a V,
    /// ‖b − A x‖ of this iterate (for Richardson–Lucy ‖b − A x − d‖).
    pub residual_norm: f64,
    /// Norm of the gradient, as in [`Report::normal_residual_norms`], for solvers that know it.
    pub normal_residual_norm: Option<f64>,
    /// What is being minimised, as in [`Report::objectives`], for solvers that know it.
    pub objective: Option<f64>,
    /// Time since the solver was called.
    pub elapsed: Duration,
}

/// An observer as the solvers pass it around.
pub(super) type Observer<'o, V> = dyn FnMut(&Progress<'_, V>) -> ControlFlow<()> + 'o;

/// The numbers of one iterate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measures {
    pub residual: f64,
    pub normal: Option<f64>,
    pub objective: Option<f64>,
}

/// Iterations whose history has its memory from the start; the limit of a caller who does not want one may be any number.
const ROOM: usize = 1 << 20;

/// The report in the making, and the observer that is told.
pub(super) struct Log<'o, V: ?Sized> {
    report: Report,
    max_iters: usize,
    started: Instant,
    observer: &'o mut Observer<'o, V>,
}

impl<'o, V: ?Sized> Log<'o, V> {
    /// A log with room for `max_iters` iterations (up to [`ROOM`]), so that the loop does not allocate. The clock starts.
    pub fn new(max_iters: usize, observer: &'o mut Observer<'o, V>) -> Result<Self> {
        let history = || -> Result<Vec<f64>> {
            let len = max_iters.saturating_add(1).min(ROOM);
            let mut room = memory::zeroed("the history of the iterations", len)?;
            room.clear();
            Ok(room)
        };
        let report = Report {
            iterations: 0,
            stop: StopReason::IterationLimit,
            residual_norms: history()?,
            normal_residual_norms: history()?,
            objectives: history()?,
            lambda: None,
            estimates: None,
            solution_norm: None,
            elapsed: Duration::ZERO,
        };
        Ok(Log { report, max_iters, started: Instant::now(), observer })
    }

    /// Notes the numbers of the starting point.
    pub fn start(&mut self, measures: Measures) {
        self.report.residual_norms.push(measures.residual);
        self.report.normal_residual_norms.extend(measures.normal);
        self.report.objectives.extend(measures.objective);
    }

    /// Notes one more iteration and tells the observer, who may want to stop.
    pub fn step(&mut self, iterate: &V, measures: Measures) -> ControlFlow<()> {
        self.start(measures);
        self.report.iterations += 1;
        (self.observer)(&Progress {
            iteration: self.report.iterations,
            max_iters: self.max_iters,
            iterate,
            residual_norm: measures.residual,
            normal_residual_norm: measures.normal,
            objective: measures.objective,
            elapsed: self.started.elapsed(),
        })
    }

    /// Notes what is known about the operator by now.
    pub fn estimate(&mut self, estimates: Estimates) {
        self.report.estimates = Some(estimates);
    }

    /// Notes ‖x‖.
    pub fn solution(&mut self, norm: f64) {
        self.report.solution_norm = Some(norm);
    }

    /// The report, with the reason for stopping.
    pub fn finish(mut self, stop: StopReason) -> Report {
        self.report.stop = stop;
        self.report.elapsed = self.started.elapsed();
        self.report
    }
}
