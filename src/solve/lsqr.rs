//! Golub–Kahan bidiagonalisation for least squares.

use super::observer::{Log, Measures, Observer, Progress};
use super::problem::{self, Plain, Problem, Stacked, check_setting, check_vectors, finite, lend, norm, real};
use super::report::{Estimates, Report, StopReason};
use crate::error::Result;
use crate::op::{Identity, LinearOperator, RealOf, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::Float;
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// LSQR: min ‖A x − b‖² + d²‖x‖².
///
/// Paige and Saunders 1982 (DOI 10.1145/355984.355989, program 10.1145/355993.356000), with their stopping rules.
/// The iterates are those of [`Cgls`](super::Cgls) in exact arithmetic; the recurrences are more reliable on
/// ill-conditioned problems, and know estimates of the operator's norm and condition number.
///
/// Every iteration costs one forward and one adjoint product. Memory besides `b` and `x`: 3 vectors of length n,
/// 2 of length m, and the operator's scratch; with damping *and* a start other than zero, 2 more of length n
/// below each of length m, and one more of length n.
///
/// # Examples
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::{Lsqr, StopReason};
/// let a = Diagonal::new(vec![4.0, 1.0]);
/// let mut x = vec![0.0_f64; 2];
/// let report = Lsqr::new().solve(&a, &[8.0, 3.0], &mut x)?;
/// assert_eq!(report.stop, StopReason::Residual);
/// assert!((x[0] - 2.0).abs() < 1e-12 && (x[1] - 3.0).abs() < 1e-12);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lsqr {
    damping: f64,
    max_iters: usize,
    atol: f64,
    btol: f64,
    conlim: f64,
}

impl Default for Lsqr {
    fn default() -> Self {
        Lsqr::new()
    }
}

impl Lsqr {
    /// No damping, at most 100 iterations, `atol` and `btol` 1e-6, `conlim` 1e8.
    pub fn new() -> Self {
        Lsqr { damping: 0.0, max_iters: 100, atol: 1e-6, btol: 1e-6, conlim: 1e8 }
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

    /// The relative uncertainty of `A`. Default 1e-6, that of single precision.
    ///
    /// Stops when ‖r‖ ≤ btol·‖b‖ + atol·‖A‖‖x‖ ([`StopReason::Residual`]) or ‖Aᴴ r‖ ≤ atol·‖A‖‖r‖
    /// ([`StopReason::NormalResidual`]), with `r` and `A` of the damped problem.
    pub fn atol(mut self, atol: f64) -> Self {
        self.atol = atol;
        self
    }

    /// The relative uncertainty of `b`. Default 1e-6. See [`atol`](Self::atol).
    pub fn btol(mut self, btol: f64) -> Self {
        self.btol = btol;
        self
    }

    /// Stops when the estimated condition number reaches this ([`StopReason::ConditionLimit`]). Default 1e8; 0
    /// for never.
    pub fn conlim(mut self, conlim: f64) -> Self {
        self.conlim = conlim;
        self
    }

    /// Improves `x`, starting from what it holds.
    ///
    /// # Errors
    /// Before any work: [`Error::Length`](crate::Error::Length), [`Error::NonFinite`](crate::Error::NonFinite) in
    /// `b` or `x`, [`Error::Value`](crate::Error::Value) for settings that are negative or not finite,
    /// [`Error::Memory`](crate::Error::Memory). Later only what the operator reports.
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
        let (b, x): (&V, &mut V) = (b.borrow(), x.borrow_mut());
        for (what, value) in
            [("damping", self.damping), ("atol", self.atol), ("btol", self.btol), ("conlim", self.conlim)]
        {
            check_setting(what, value)?;
        }
        check_vectors(a.shape(), b, x)?;
        let mut report = if self.damping > 0.0 && norm(x)? > 0.0 {
            // The recurrence damps the correction, not x: put the damping into the operator.
            let identity = Identity::new(a.shape().1);
            let stacked = Stacked { a, l: &identity, weight: real(self.damping) };
            self.run(&stacked, 0.0, b, x, &mut observer)?
        } else {
            self.run(&Plain(a), self.damping, b, x, &mut observer)?
        };
        report.lambda = (self.damping > 0.0).then_some(self.damping * self.damping);
        Ok(report)
    }

    /// The iteration on `[P; d·I]`; `d` is zero where `problem` contains the damping.
    ///
    /// The names are those of the paper. Deviations: (1) ‖x‖ is computed, not estimated, because a warm start is
    /// part of it; (2) tests are products, not quotients, so that nothing is divided by zero; (3) the recurrence of
    /// scalars is in f64.
    fn run<'o, V: Vector + ?Sized>(
        &self,
        problem: &impl Problem<V>,
        d: f64,
        b: &V,
        x: &mut V,
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report> {
        let (rows, n) = problem.shape();
        let (mut u, mut av) = (b.zeros(rows)?, b.zeros(rows)?);
        let (mut v, mut w, mut ahu) = (x.zeros(n)?, x.zeros(n)?, x.zeros(n)?);
        let mut scratch = x.zeros(problem.scratch_len())?;
        let (u, av, v) = (lend::<V>(&mut u), lend::<V>(&mut av), lend::<V>(&mut v));
        let (w, ahu, scratch) = (lend::<V>(&mut w), lend::<V>(&mut ahu), lend::<V>(&mut scratch));
        let mut log = Log::new(self.max_iters, observer)?;
        let breakdown = |quantity| StopReason::Breakdown { quantity };

        problem::residual(problem, (b, x), u, scratch)?; // u ← b − A x
        let (b_norm, mut x_norm) = (norm(b)?, norm(x)?);
        let beta = normalise(u)?.unwrap_or(f64::NAN);
        if beta > 0.0 {
            problem.adjoint(u, v, scratch)?; // v ← Aᴴ u
        }
        let alpha = normalise(v)?.unwrap_or(f64::NAN);
        let measures = |rnorm: f64, arnorm: f64, x_norm: f64| {
            let penalty = self.damping * x_norm;
            let residual = (rnorm * rnorm - penalty * penalty).max(0.0).sqrt();
            Measures { residual, normal: Some(arnorm), objective: Some(rnorm * rnorm) }
        };
        log.start(measures(beta.hypot(d * x_norm), alpha * beta, x_norm));
        if !(alpha * beta).is_finite() {
            return Ok(log.finish(breakdown("the first residual")));
        }
        if alpha * beta == 0.0 {
            return Ok(log.finish(StopReason::Stationary));
        }
        w.copy_from(v)?;

        let largest = RealOf::<V>::max_value().as_f64();
        let (mut alpha, mut rhobar, mut phibar) = (alpha, alpha, beta);
        let (mut anorm_sq, mut ddnorm, mut psi_sq) = (0.0_f64, 0.0_f64, 0.0_f64);
        let mut stop = None;
        for k in 1..=self.max_iters {
            problem.forward(v, av, scratch)?; // β u ← A v − α u
            u.xpby(av, real(-alpha))?;
            let Some(beta) = normalise(u)? else {
                stop = Some(breakdown("beta"));
                break;
            };
            anorm_sq += alpha * alpha + beta * beta + d * d;
            let mut alpha_next = 0.0;
            if beta > 0.0 {
                problem.adjoint(u, ahu, scratch)?; // α v ← Aᴴ u − β v
                v.xpby(ahu, real(-beta))?;
                let Some(a) = normalise(v)? else {
                    stop = Some(breakdown("alpha"));
                    break;
                };
                alpha_next = a;
            }
            alpha = alpha_next;

            // A rotation that removes the damping, and one that removes β.
            let rhobar1 = rhobar.hypot(d);
            let psi = d / rhobar1 * phibar;
            phibar *= rhobar / rhobar1;
            let rho = rhobar1.hypot(beta);
            let (c, s) = (rhobar1 / rho, beta / rho);
            let (theta, phi) = (s * alpha, c * phibar);
            rhobar = -c * alpha;
            phibar *= s;

            let w_norm = norm(w)?;
            let (t1, t2) = (phi / rho, -theta / rho);
            let fits = x_norm + t1.abs() * w_norm <= largest;
            let Some((t1, t2)) = finite(t1).zip(finite(t2)).filter(|_| fits) else {
                stop = Some(breakdown("the step length"));
                break;
            };
            x.axpy(t1, w)?; // x ← x + (φ/ρ) w
            w.xpby(v, t2)?; // w ← v − (θ/ρ) w
            ddnorm += (w_norm / rho).powi(2);
            psi_sq += psi * psi;
            x_norm = norm(x)?;

            let (anorm, rnorm) = (anorm_sq.sqrt(), phibar.hypot(psi_sq.sqrt()));
            let (acond, arnorm) = (anorm * ddnorm.sqrt(), alpha * (s * phi).abs());
            let told = log.step(x, measures(rnorm, arnorm, x_norm));
            log.estimate(Estimates { norm: anorm, condition: acond });
            let half_eps = V::Scalar::EPSILON / 2.0; // 1 + t ≤ 1 for t up to this
            stop = match () {
                _ if arnorm == 0.0 => Some(StopReason::Stationary),
                _ if rnorm <= self.btol * b_norm + self.atol * anorm * x_norm => Some(StopReason::Residual),
                _ if arnorm <= self.atol * anorm * rnorm => Some(StopReason::NormalResidual),
                _ if self.conlim > 0.0 && acond >= self.conlim => Some(StopReason::ConditionLimit),
                _ if rnorm <= half_eps * (b_norm + anorm * x_norm) => Some(StopReason::ResidualAtPrecision),
                _ if arnorm <= half_eps * anorm * rnorm => Some(StopReason::NormalResidualAtPrecision),
                _ if acond * half_eps >= 1.0 => Some(StopReason::ConditionAtPrecision),
                _ if told.is_break() => Some(StopReason::Interrupted),
                _ if !(rnorm.is_finite() && arnorm.is_finite()) => Some(breakdown("the residual")),
                _ => None,
            };
            if stop.is_some() || k == self.max_iters {
                break;
            }
        }
        Ok(log.finish(stop.unwrap_or(StopReason::IterationLimit)))
    }
}

/// `v ← v/‖v‖` and ‖v‖; a zero vector stays. `None` if the norm or its reciprocal is not finite.
fn normalise<V: Vector + ?Sized>(v: &mut V) -> Result<Option<f64>> {
    let length = norm(v)?;
    if length == 0.0 {
        return Ok(Some(0.0));
    }
    let Some(factor) = finite(1.0 / length).filter(|_| length.is_finite()) else {
        return Ok(None);
    };
    v.scale(factor)?;
    Ok(Some(length))
}
