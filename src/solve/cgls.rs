//! Conjugate gradients on the normal equations, in the form that never forms them.

use super::observer::{Log, Measures, Observer, Progress};
use super::problem::{
    self, Plain, Problem, check_damping, check_setting, check_vectors, finite, lend, norm, real,
};
use super::report::{Report, StopReason};
use crate::error::Result;
use crate::op::{LinearOperator, RealOf, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::Float;
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// The relative rise of the objective, which cannot rise, that means rounding has taken over.
const RISE: f64 = 1.001;

/// Below this multiple of ε‖b‖ the objective is the rounding of `b`, and may do what it likes.
const ROUNDING: f64 = 8.0;

/// CGLS: min ‖A x − b‖² + d²‖x‖².
///
/// Hestenes and Stiefel 1952 (DOI 10.6028/jres.049.044), in the form Björck, *Numerical Methods for Least Squares
/// Problems*, 1996 (DOI 10.1137/1.9781611971484), calls CGLS. The iterates are those of LSQR in exact arithmetic;
/// stopped early they are regularised (semi-convergence). The objective cannot rise; a step after which it has risen is taken
/// back, and ends the iteration as [`StopReason::NormalResidualAtPrecision`].
///
/// Every iteration costs one forward and one adjoint product. Memory besides `b` and `x`: 2 vectors of length n,
/// 2 of length m, and the operator's scratch.
///
/// # Examples
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::Cgls;
/// let a = Diagonal::new(vec![2.0, 1.0]);
/// let mut x = vec![0.0_f64; 2];
/// let report = Cgls::new().damping(1.0).solve(&a, &[5.0, 2.0], &mut x)?;
/// assert!(report.stop.converged());
/// assert!((x[0] - 2.0).abs() < 1e-12 && (x[1] - 1.0).abs() < 1e-12); // aᵢbᵢ / (aᵢ² + 1)
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cgls {
    damping: f64,
    max_iters: usize,
    tolerance: f64,
    residual_tolerance: f64,
}

impl Default for Cgls {
    fn default() -> Self {
        Cgls::new()
    }
}

impl Cgls {
    /// No damping, at most 100 iterations, tolerance 1e-6.
    pub fn new() -> Self {
        Cgls { damping: 0.0, max_iters: 100, tolerance: 1e-6, residual_tolerance: 0.0 }
    }

    /// `d` in ‖A x − b‖² + d²‖x‖²: λ = d². Default 0.
    pub fn damping(mut self, d: f64) -> Self {
        self.damping = d;
        self
    }

    /// The largest number of iterations. Default 100: on ill-posed problems fewer are better.
    pub fn max_iters(mut self, iterations: usize) -> Self {
        self.max_iters = iterations;
        self
    }

    /// Stops when the normal residual is no larger than `relative` times ‖Aᴴ b‖ (or, where b = 0, than at the
    /// start). Default 1e-6; 0 for never.
    pub fn tolerance(mut self, relative: f64) -> Self {
        self.tolerance = relative;
        self
    }

    /// Stops when ‖b − A x‖ is no larger than `relative` times ‖b‖. Default 0: never.
    pub fn residual_tolerance(mut self, relative: f64) -> Self {
        self.residual_tolerance = relative;
        self
    }

    /// Improves `x`, starting from what it holds.
    ///
    /// # Errors
    /// Before any work: [`Error::Length`](crate::Error::Length), [`Error::NonFinite`](crate::Error::NonFinite) in
    /// `b` or `x`, [`Error::Value`](crate::Error::Value) for settings that are negative or not finite
    /// and for damping whose square overflows, [`Error::Memory`](crate::Error::Memory). Later only what the operator reports.
    pub fn solve<V, A>(
        &self,
        a: &A,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
    {
        self.solve_observed(a, b, x, |_| ControlFlow::Continue(()))
    }

    /// The same, calling `observer` after every iteration.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve).
    pub fn solve_observed<V, A>(
        &self,
        a: &A,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
        mut observer: impl FnMut(&Progress<'_, V>) -> ControlFlow<()>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
    {
        let mut report = self.run(&Plain(a), a.shape(), b.borrow(), x.borrow_mut(), &mut observer)?;
        report.lambda = (self.damping > 0.0).then_some(self.damping * self.damping);
        Ok(report)
    }

    /// The iteration, for `A` of the given shape at the top of `problem`.
    ///
    /// ```text
    /// r ← b − A x;  s ← Aᴴ r − d² x;  p ← s
    /// repeat  q ← A p;  α ← ‖s‖² / (‖q‖² + d²‖p‖²);  x ← x + α p;  r ← r − α q
    ///         s ← Aᴴ r − d² x;  β ← ‖s‖² / ‖s_old‖²;  p ← s + β p
    /// ```
    /// Deviation: quotients are squared, not squares divided, which neither overflow nor underflow.
    pub(super) fn run<'o, V: Vector + ?Sized>(
        &self,
        problem: &impl Problem<V>,
        shape: (usize, usize),
        b: &V,
        x: &mut V,
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report> {
        check_damping::<V>(self.damping)?;
        check_setting("tolerance", self.tolerance)?;
        check_setting("residual_tolerance", self.residual_tolerance)?;
        check_vectors(shape, b, x)?;
        let d = self.damping;
        let ((m, _), (rows, n)) = (shape, problem.shape());
        let (mut r, mut q) = (b.zeros(rows)?, b.zeros(rows)?);
        let (mut s, mut p) = (x.zeros(n)?, x.zeros(n)?);
        let mut scratch = x.zeros(problem.scratch_len())?;
        let (r, q, s, p) = (lend::<V>(&mut r), lend::<V>(&mut q), lend::<V>(&mut s), lend::<V>(&mut p));
        let scratch = lend::<V>(&mut scratch);
        let mut log = Log::new(self.max_iters, observer)?;

        let gradient = |r: &V, x: &V, s: &mut V, scratch: &mut V| -> Result<f64> {
            problem.adjoint(r, s, scratch)?; // s ← Aᴴ r − d² x
            if d > 0.0 {
                s.axpy(real(-d * d), x)?;
            }
            norm(s)
        };
        let measure = |r: &V, x: &V, s_norm: f64| -> Result<Measures> {
            let (top, bottom) = r.split_at(m);
            let (residual, penalty) = (norm(top)?, if rows > m { norm(bottom)? } else { 0.0 });
            let damped = if d > 0.0 { d * norm(x)? } else { 0.0 };
            let objective = residual * residual + penalty * penalty + damped * damped;
            Ok(Measures { residual, normal: Some(s_norm), objective: Some(objective) })
        };

        let x_start = norm(x)?;
        problem::residual(problem, (b, x), r, scratch)?;
        let mut s_norm = gradient(r, x, s, scratch)?;
        // The tolerance is relative to x = 0, wherever the iteration starts (unless b = 0 leaves nothing there).
        let s_zero = if x_start == 0.0 || norm(b)? == 0.0 {
            s_norm
        } else {
            q.fill(real(0.0))?;
            q.split_at_mut(m).0.copy_from(b)?;
            problem.adjoint(q, p, scratch)?;
            norm(p)?
        };
        let b_norm = norm(b)?;
        let done = |s_norm: f64, residual: f64| match () {
            _ if s_norm == 0.0 => Some(StopReason::Stationary),
            _ if self.residual_tolerance > 0.0 && residual <= self.residual_tolerance * b_norm => {
                Some(StopReason::Residual)
            }
            _ if s_norm <= self.tolerance * s_zero => Some(StopReason::NormalResidual),
            _ => None,
        };
        let measures = measure(r, x, s_norm)?;
        log.start(measures);
        if !(s_norm.is_finite() && s_zero.is_finite() && measures.residual.is_finite()) {
            return Ok(log.finish(StopReason::Breakdown { quantity: "the first residual" }));
        }
        if let Some(reason) = done(s_norm, measures.residual) {
            return Ok(log.finish(reason));
        }
        p.copy_from(s)?;
        // Upper bounds of ‖p‖ and ‖x‖: an update is made only if it cannot overflow.
        let largest = RealOf::<V>::max_value().as_f64();
        let (mut p_bound, mut x_bound) = (s_norm, x_start);
        // In exact arithmetic the objective never rises. What is below this level is rounding of b, not progress.
        let rounding = (ROUNDING * <V::Scalar as Scalar>::EPSILON * b_norm).powi(2);
        let mut least = measures.objective.unwrap_or(f64::INFINITY);
        for _ in 0..self.max_iters {
            problem.forward(p, q, scratch)?; // q ← A p
            let length = norm(q)?.hypot(if d > 0.0 { d * norm(p)? } else { 0.0 });
            let alpha = (s_norm / length).powi(2);
            x_bound += alpha * p_bound;
            let Some(step) = finite(alpha).filter(|_| length.is_finite() && x_bound <= largest) else {
                return Ok(log.finish(StopReason::Breakdown { quantity: "the step length" }));
            };
            x.axpy(step, p)?; // x ← x + α p
            r.axpy(-step, q)?; // r ← r − α q
            let s_old = s_norm;
            s_norm = gradient(r, x, s, scratch)?;
            let measures = measure(r, x, s_norm)?;
            let objective = measures.objective.unwrap_or(f64::INFINITY);
            if objective.is_finite() && objective > least * RISE + rounding {
                x.axpy(-step, p)?; // taken back: the report ends with the iterate before
                return Ok(log.finish(StopReason::NormalResidualAtPrecision));
            }
            least = least.min(objective);
            let told = log.step(x, measures);
            let beta = (s_norm / s_old).powi(2);
            p_bound = s_norm + beta * p_bound;
            if !(measures.residual.is_finite() && p_bound <= largest) {
                return Ok(log.finish(StopReason::Breakdown { quantity: "the residual" }));
            }
            if let Some(reason) = done(s_norm, measures.residual) {
                return Ok(log.finish(reason));
            }
            if told.is_break() {
                return Ok(log.finish(StopReason::Interrupted));
            }
            p.xpby(s, real(beta))?; // p ← s + β p
        }
        Ok(log.finish(StopReason::IterationLimit))
    }
}
