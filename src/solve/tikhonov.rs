//! Tikhonov regularisation in general form.

use super::cgls::Cgls;
use super::observer::{Observer, Progress};
use super::problem::{Plain, Stacked, check_setting, real};
use super::report::Report;
use crate::error::{Error, Result};
use crate::op::{LinearOperator, Vector};
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// min ‖A x − b‖² + λ‖L x‖², by [`Cgls`] on the stacked operator `[A; √λ L]`.
///
/// `L` says what is penalised: [`Difference`](crate::op::Difference) and [`Gradient2d`](crate::op::Gradient2d)
/// punish roughness, [`Diagonal`](crate::op::Diagonal) weighs, [`Identity`](crate::op::Identity) is the standard
/// form (which
/// `Cgls::damping` does with less memory). Unique if no vector is mapped to zero by both `A` and `L`.
///
/// Tikhonov 1963; see Hansen, *Discrete Inverse Problems*, 2010 (DOI 10.1137/1.9780898718836), chapter 8. Every
/// iteration costs the forward and the adjoint product of both operators. Memory besides `b` and `x`: 3 vectors
/// of length n, 2 of length m + rows of L, and the larger scratch of the two.
///
/// # Examples
/// ```
/// use convmtx::op::{Difference, Identity};
/// use convmtx::solve::Tikhonov;
/// let noisy = [1.0, 1.2, 0.8, 1.0];
/// let mut smooth = vec![0.0; 4];
/// Tikhonov::new(1e6).solve::<[f64], _, _>(&Identity::new(4), &Difference::first(4), &noisy, &mut smooth)?;
/// assert!(smooth.iter().all(|v| (v - 1.0).abs() < 1e-4)); // the mean
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tikhonov {
    lambda: f64,
    iteration: Cgls,
}

impl Tikhonov {
    /// With `lambda` times the squared seminorm; 0 for plain least squares.
    ///
    /// At most 1000 iterations and tolerance 1e-8: here the penalty regularises, so the minimum should be reached.
    pub fn new(lambda: f64) -> Self {
        Tikhonov { lambda, iteration: Cgls::new().max_iters(1000).tolerance(1e-8) }
    }

    /// The largest number of iterations. Default 1000.
    pub fn max_iters(mut self, iterations: usize) -> Self {
        self.iteration = self.iteration.max_iters(iterations);
        self
    }

    /// Stops when the normal residual is no larger than `relative` times ‖Aᴴ b‖. Default 1e-8; 0 for never.
    pub fn tolerance(mut self, relative: f64) -> Self {
        self.iteration = self.iteration.tolerance(relative);
        self
    }

    /// Improves `x`, starting from what it holds.
    ///
    /// # Errors
    /// Those of [`Cgls::solve`], [`Error::Value`] for λ negative or not finite, [`Error::Shape`] if `L` has not
    /// as many columns as `A`.
    pub fn solve<V, A, L>(
        &self,
        a: &A,
        l: &L,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
        L: LinearOperator<V> + ?Sized,
    {
        self.solve_observed(a, l, b, x, |_| ControlFlow::Continue(()))
    }

    /// The same, calling `observer` after every iteration.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve).
    pub fn solve_observed<V, A, L>(
        &self,
        a: &A,
        l: &L,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
        mut observer: impl FnMut(&Progress<'_, V>) -> ControlFlow<()>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
        L: LinearOperator<V> + ?Sized,
    {
        check_setting("lambda", self.lambda)?;
        let ((m, n), (rows, cols)) = (a.shape(), l.shape());
        if cols != n {
            return Err(Error::Shape { what: "L", expected: vec![rows, n], got: vec![rows, cols] });
        }
        let (b, x): (&V, &mut V) = (b.borrow(), x.borrow_mut());
        let observer: &mut Observer<V> = &mut observer;
        if self.lambda == 0.0 {
            return self.iteration.run(&Plain(a), (m, n), b, x, observer);
        }
        let stacked = Stacked { a, l, weight: real(self.lambda.sqrt()) };
        let mut report = self.iteration.run(&stacked, (m, n), b, x, observer)?;
        report.lambda = Some(self.lambda);
        Ok(report)
    }
}
