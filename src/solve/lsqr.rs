//! Golub–Kahan bidiagonalisation for least squares: the smallest residual.

use super::golub_kahan::{Centre, Norms, Recurrence, Settings, golub_kahan_solver};
use super::observer::Progress;
use super::problem::{finite, lend, norm, real};
use super::report::Report;
use crate::error::{Result, check_len};
use crate::op::{LinearOperator, Vector};
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// LSQR: min ‖A x − b‖² + d²‖x‖².
///
/// Paige and Saunders 1982 (DOI 10.1145/355984.355989, program 10.1145/355993.356000), with their stopping rules.
/// The iterates are those of [`Cgls`](super::Cgls) in exact arithmetic; the recurrences are more reliable on
/// ill-conditioned problems, and know estimates of the operator's norm and condition number. The objective never
/// rises; if what should fall steadily is the normal residual, take [`Lsmr`](super::Lsmr).
///
/// Every iteration costs one forward and one adjoint product. Memory besides `b` and `x`: 3 vectors of length n,
/// 2 of length m, and the operator's scratch; with damping *and* a start other than zero, 2 more of length n
/// below each of length m, and one more of length n ([`Centre::Start`]: only the last).
///
/// SciPy's `lsqr` returns `istop, itn, r1norm, r2norm, anorm, acond, arnorm, xnorm, var`: these are
/// [`istop`](super::StopReason::istop), `iterations`, [`Report::residual_norm`], the root of the last of `objectives`,
/// `estimates.norm`, `estimates.condition`, the last of `normal_residual_norms`, `solution_norm`, and
/// [`solve_with_variances`](Self::solve_with_variances). Its `damp` together with `x0` is [`Centre::Start`].
/// Two differences: with damping its `r1norm` uses a ‖x‖ that lags by a step, and with `x0` its `xnorm` is ‖x − x₀‖; here
/// they are what their names say.
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
pub struct Lsqr(Settings);

golub_kahan_solver!(Lsqr, Smallest);

impl Lsqr {
    /// The same as [`solve_observed`](Self::solve_observed), with an estimate of the diagonal of (AᴴA + d²I)⁻¹ in
    /// `variances`: times the variance of the noise in `b`, the variances of the elements of `x`.
    ///
    /// The estimate grows with every iteration, from below: in exact arithmetic it is complete after n of them, if
    /// no singular value occurs twice and `b` has a part along each. What `variances` held is overwritten; its imaginary
    /// parts are zero. One more pass through it per iteration.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve), and [`Error::Length`](crate::Error::Length) if `variances` is not as long as
    /// `x`.
    ///
    /// # Examples
    /// ```
    /// use convmtx::op::Diagonal;
    /// use convmtx::solve::Lsqr;
    /// use std::ops::ControlFlow;
    /// let a = Diagonal::new(vec![4.0, 1.0]);
    /// let (mut x, mut variances) = (vec![0.0_f64; 2], vec![0.0_f64; 2]);
    /// Lsqr::new().solve_with_variances(&a, &[8.0, 3.0], &mut x, &mut variances, |_| ControlFlow::Continue(()))?;
    /// assert!((variances[0] - 1.0 / 16.0).abs() < 1e-12 && (variances[1] - 1.0).abs() < 1e-12);
    /// # Ok::<(), convmtx::Error>(())
    /// ```
    pub fn solve_with_variances<V, A>(
        &self,
        a: &A,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
        variances: &mut (impl BorrowMut<V> + ?Sized),
        mut observer: impl FnMut(&Progress<'_, V>) -> ControlFlow<()>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
    {
        let variances: &mut V = variances.borrow_mut();
        check_len("variances", a.shape().1, variances.len())?;
        variances.fill(real(0.0))?;
        self.0.solve(
            |x| Smallest::with_variances(x, Some(variances)),
            a,
            (b.borrow(), x.borrow_mut()),
            &mut observer,
        )
    }
}

/// The step to the smallest residual. The names are those of the paper.
struct Smallest<'v, V: Vector + ?Sized> {
    w: V::Owned,
    variances: Option<&'v mut V>,
    d: f64,
    /// α of the step before.
    alpha: f64,
    rhobar: f64,
    phibar: f64,
    /// Norm of all ψ so far: the part of the residual that the damping keeps.
    psi: f64,
    /// ‖A‖ and ‖A⁻¹‖ of Frobenius, as far as they are known.
    anorm: f64,
    dnorm: f64,
}

impl<'v, V: Vector + ?Sized> Smallest<'v, V> {
    fn new(x: &V) -> Result<Self> {
        Self::with_variances(x, None)
    }

    fn with_variances(x: &V, variances: Option<&'v mut V>) -> Result<Self> {
        let w = x.zeros(x.len())?;
        Ok(Smallest {
            w,
            variances,
            d: 0.0,
            alpha: 0.0,
            rhobar: 0.0,
            phibar: 0.0,
            psi: 0.0,
            anorm: 0.0,
            dnorm: 0.0,
        })
    }
}

impl<V: Vector + ?Sized> Recurrence<V> for Smallest<'_, V> {
    fn start(&mut self, v: &V, alpha: f64, beta: f64, d: f64) -> Result<()> {
        (self.d, self.alpha, self.rhobar, self.phibar) = (d, alpha, alpha, beta);
        lend::<V>(&mut self.w).copy_from(v)
    }

    fn step(&mut self, v: &V, alpha: f64, beta: f64, x: &mut V, room: f64) -> Result<Option<Norms>> {
        let w = lend::<V>(&mut self.w);
        self.anorm = self.anorm.hypot(self.alpha).hypot(beta).hypot(self.d);
        self.alpha = alpha;

        // A rotation that removes the damping, and one that removes β.
        let rhobar1 = self.rhobar.hypot(self.d);
        self.psi = self.psi.hypot(self.d / rhobar1 * self.phibar);
        let phibar = self.phibar * (self.rhobar / rhobar1);
        let rho = rhobar1.hypot(beta);
        let (c, s) = (rhobar1 / rho, beta / rho);
        let (theta, phi) = (s * alpha, c * phibar);
        self.rhobar = -c * alpha;
        self.phibar = s * phibar;

        let w_norm = norm(w)?;
        let (t1, t2) = (phi / rho, -theta / rho);
        let fits = t1.abs() * w_norm <= room;
        let Some((t1, t2)) = finite(t1).zip(finite(t2)).filter(|_| fits) else {
            return Ok(None);
        };
        if let Some(variances) = &mut self.variances {
            variances.add_squares(real(1.0 / rho), w)?;
        }
        x.axpy(t1, w)?; // x ← x + (φ/ρ) w
        w.xpby(v, t2)?; // w ← v − (θ/ρ) w
        self.dnorm = self.dnorm.hypot(w_norm / rho);
        Ok(Some(Norms {
            residual: self.phibar.hypot(self.psi),
            normal: alpha * (s * phi).abs(),
            operator: self.anorm,
            condition: self.anorm * self.dnorm,
        }))
    }
}
