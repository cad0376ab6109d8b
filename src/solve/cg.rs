//! Conjugate gradients.

use super::observer::{Log, Measures, Observer, Progress};
use super::problem::{self, Plain, check_setting, check_vectors, finite, lend, norm, real};
use super::report::{Report, StopReason};
use crate::error::{Error, Result};
use crate::op::{Identity, LinearOperator, RealOf, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::Float;
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// CG: A x = b for Hermitian positive definite `A`, with or without a preconditioner.
///
/// Hestenes and Stiefel 1952 (DOI 10.6028/jres.049.044). The error falls in the norm of `A`, √⟨e, A e⟩, with every
/// iteration; the residual need not. For other operators there are [`Cgls`](super::Cgls), [`Lsqr`](super::Lsqr)
/// and [`Lsmr`](super::Lsmr). `A` being Hermitian is believed; a direction along which it is not positive stops the
/// iteration as [`StopReason::NotPositiveDefinite`].
///
/// Every iteration costs one forward product, no adjoint. Memory besides `b` and `x`: 3 vectors of length n and
/// the operator's scratch, with a preconditioner 1 more.
///
/// SciPy's `cg` with the same settings makes the same iterates; its `info` is 0 where
/// [`converged`](StopReason::converged), otherwise `iterations`.
///
/// # Examples
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::Cg;
/// let a = Diagonal::new(vec![4.0, 1.0]);
/// let mut x = vec![0.0_f64; 2];
/// let report = Cg::new().solve(&a, &[8.0, 3.0], &mut x)?;
/// assert!(report.stop.converged());
/// assert!((x[0] - 2.0).abs() < 1e-12 && (x[1] - 3.0).abs() < 1e-12);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cg {
    max_iters: usize,
    rtol: f64,
    atol: f64,
}

impl Default for Cg {
    fn default() -> Self {
        Cg::new()
    }
}

impl Cg {
    /// At most 1000 iterations, `rtol` 1e-5 and `atol` 0 as in SciPy.
    pub fn new() -> Self {
        Cg { max_iters: 1000, rtol: 1e-5, atol: 0.0 }
    }

    /// The largest number of iterations. Default 1000.
    pub fn max_iters(mut self, iterations: usize) -> Self {
        self.max_iters = iterations;
        self
    }

    /// Stops when ‖b − A x‖ ≤ max(rtol·‖b‖, atol) ([`StopReason::Residual`]). Default 1e-5.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.rtol = rtol;
        self
    }

    /// See [`rtol`](Self::rtol). Default 0.
    pub fn atol(mut self, atol: f64) -> Self {
        self.atol = atol;
        self
    }

    /// Improves `x`, starting from what it holds.
    ///
    /// # Errors
    /// Before any work: [`Error::Shape`] if `a` is not square, [`Error::Length`], [`Error::NonFinite`] in `b` or
    /// `x`, [`Error::Value`] for settings that are negative or not finite, [`Error::Memory`]. Later only what the
    /// operator reports.
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
        self.run(a, None::<&Identity>, (b.borrow(), x.borrow_mut()), &mut observer)
    }

    /// The same with a preconditioner: `m` approximates A⁻¹ and is Hermitian positive definite.
    ///
    /// One product with `m` more per iteration. The stopping rule looks at the same residual as without.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve), and [`Error::Shape`] if the shape of `m` is not that of `a`.
    ///
    /// # Examples
    /// ```
    /// use convmtx::op::Diagonal;
    /// use convmtx::solve::Cg;
    /// use std::ops::ControlFlow;
    /// let (a, m) = (Diagonal::new(vec![4.0, 1.0]), Diagonal::new(vec![0.25, 1.0]));
    /// let mut x = vec![0.0_f64; 2];
    /// let solver = Cg::new();
    /// let report = solver.solve_preconditioned(&a, &m, &[8.0, 3.0], &mut x, |_| ControlFlow::Continue(()))?;
    /// assert_eq!(report.iterations, 1); // m is the inverse
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn solve_preconditioned<V, A, M>(
        &self,
        a: &A,
        m: &M,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
        mut observer: impl FnMut(&Progress<'_, V>) -> ControlFlow<()>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
        M: LinearOperator<V> + ?Sized,
    {
        self.run(a, Some(m), (b.borrow(), x.borrow_mut()), &mut observer)
    }

    /// The iteration.
    ///
    /// ```text
    /// r ← b − A x;  p ← 0
    /// repeat  z ← M r;  β ← ⟨r, z⟩ / ⟨r, z⟩_old;  p ← z + β p
    ///         q ← A p;  α ← ⟨r, z⟩ / ⟨p, q⟩;  x ← x + α p;  r ← r − α q
    /// ```
    /// Deviations: (1) everything but `x` is divided by the first ‖r‖, so that squares neither overflow nor
    /// underflow, whatever the units of `b`; (2) an update is made only if it cannot overflow.
    fn run<'o, V, A, M>(
        &self,
        a: &A,
        m: Option<&M>,
        (b, x): (&V, &mut V),
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
        M: LinearOperator<V> + ?Sized,
    {
        check_setting("rtol", self.rtol)?;
        check_setting("atol", self.atol)?;
        let n = a.shape().0;
        for (what, (rows, cols)) in [("A", Some(a.shape())), ("M", m.map(M::shape))]
            .into_iter()
            .filter_map(|(what, shape)| Some((what, shape?)))
        {
            if (rows, cols) != (n, n) {
                return Err(Error::Shape { what, expected: vec![n, n], got: vec![rows, cols] });
            }
        }
        check_vectors((n, n), b, x)?;
        let (mut r, mut p, mut q) = (x.zeros(n)?, x.zeros(n)?, x.zeros(n)?);
        let mut z = x.zeros(if m.is_some() { n } else { 0 })?;
        let mut scratch = x.zeros(a.scratch_len().max(m.map_or(0, M::scratch_len)))?;
        let (r, p, q) = (lend::<V>(&mut r), lend::<V>(&mut p), lend::<V>(&mut q));
        let (z, scratch) = (lend::<V>(&mut z), lend::<V>(&mut scratch));
        let mut log = Log::new(self.max_iters, observer)?;
        let breakdown = |quantity| StopReason::Breakdown { quantity };

        let b_norm = norm(b)?;
        if b_norm == 0.0 {
            x.fill(real(0.0))?; // the only solution
        }
        problem::residual(&Plain(a), (b, x), r, scratch)?; // r ← b − A x
        let unit = norm(r)?;
        // ⟨x, A x⟩ − 2 Re⟨b, x⟩ = −Re⟨x, b + r⟩; every step lowers it by α⟨r, z⟩.
        let mut objective = -(x.dot(b)?.re().as_f64() + x.dot(r)?.re().as_f64());
        let measures = |residual, objective| Measures { residual, normal: None, objective: Some(objective) };
        log.start(measures(unit, objective));
        let half_eps = V::Scalar::EPSILON / 2.0;
        let goal = (self.rtol * b_norm).max(self.atol);
        let done = |residual: f64| match () {
            _ if residual == 0.0 => Some(StopReason::Stationary),
            _ if residual <= goal => Some(StopReason::Residual),
            // From here on the recurrence for r is about nothing any more.
            _ if residual <= half_eps * b_norm => Some(StopReason::ResidualAtPrecision),
            _ => None,
        };
        if let Some(reason) = done(unit) {
            return Ok(log.finish(reason));
        }
        let Some(shrink) = finite(1.0 / unit).filter(|_| unit.is_finite()) else {
            return Ok(log.finish(breakdown("the first residual")));
        };
        r.scale(shrink)?;

        // z ← M r; ⟨r, z⟩ and ‖z‖
        let precondition = |r: &V, z: &mut V, scratch: &mut V| -> Result<(f64, f64)> {
            let Some(m) = m else {
                let length = norm(r)?;
                return Ok((length * length, length));
            };
            m.forward(r, z, scratch)?;
            Ok((r.dot(z)?.re().as_f64(), norm(z)?))
        };
        let (largest, mut x_bound) = (RealOf::<V>::max_value().as_f64(), norm(x)?);
        let (mut rho, mut p_bound) = (f64::INFINITY, 0.0); // so that the first β is zero
        for _ in 0..self.max_iters {
            let (rho_next, z_norm) = precondition(r, z, scratch)?;
            let z: &V = if m.is_some() { z } else { r };
            if !positive(rho_next) {
                return Ok(log.finish(indefinite("the preconditioner", rho_next, (r, z))?));
            }
            let beta = rho_next / rho;
            rho = rho_next;
            p_bound = z_norm + beta * p_bound;
            let Some(beta) = finite(beta).filter(|_| p_bound <= largest) else {
                return Ok(log.finish(breakdown("the direction")));
            };
            p.xpby(z, beta)?; // p ← z + β p
            a.forward(p, q, scratch)?; // q ← A p
            let curvature = p.dot(q)?.re().as_f64();
            if !positive(curvature) {
                return Ok(log.finish(indefinite("A", curvature, (p, q))?));
            }
            let alpha = rho / curvature;
            x_bound += alpha * unit * p_bound;
            let fits = x_bound <= largest;
            let Some((step, back)) = finite(alpha * unit).zip(finite(-alpha)).filter(|_| fits) else {
                return Ok(log.finish(breakdown("the step length")));
            };
            x.axpy(step, p)?; // x ← x + α p
            r.axpy(back, q)?; // r ← r − α q
            objective -= alpha * rho * unit * unit;
            let residual = norm(r)? * unit;
            if !residual.is_finite() {
                x.axpy(-step, p)?; // taken back: the report ends with the iterate before
                return Ok(log.finish(breakdown("the residual")));
            }
            let told = log.step(x, measures(residual, objective));
            let interrupted = told.is_break().then_some(StopReason::Interrupted);
            if let Some(reason) = done(residual).or(interrupted) {
                return Ok(log.finish(reason));
            }
        }
        Ok(log.finish(StopReason::IterationLimit))
    }
}

fn positive(product: f64) -> bool {
    product > 0.0 && product.is_finite()
}

/// What it means that ⟨v, T v⟩, computed from `v` and `T v`, is not positive.
fn indefinite<V: Vector + ?Sized>(
    operator: &'static str,
    product: f64,
    (v, tv): (&V, &V),
) -> Result<StopReason> {
    // A zero may be an underflow.
    let size = norm(v)? * norm(tv)?;
    let underflow = product == 0.0 && size > 0.0 && size < RealOf::<V>::min_positive_value().as_f64();
    if !product.is_finite() || underflow {
        return Ok(StopReason::Breakdown { quantity: "a scalar product" });
    }
    Ok(StopReason::NotPositiveDefinite { operator })
}
