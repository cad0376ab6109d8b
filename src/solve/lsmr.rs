//! Golub–Kahan bidiagonalisation for least squares: the smallest normal residual.

use super::golub_kahan::{Centre, Norms, Recurrence, Settings, golub_kahan_solver};
use super::observer::Progress;
use super::problem::{finite, lend, norm};
use super::report::Report;
use crate::error::Result;
use crate::op::{LinearOperator, Vector};
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// LSMR: min ‖A x − b‖² + d²‖x‖², by iterates with the smallest normal residual ‖Aᴴ(b − A x) − d² x‖.
///
/// Fong and Saunders 2011 (DOI 10.1137/10079687X). In exact arithmetic it is MINRES on the normal equations, as
/// [`Lsqr`](super::Lsqr) is conjugate gradients: the normal residual, on which the stopping rule for least squares
/// looks, never rises, and so LSMR may stop earlier and more safely; the residual is never far from the smallest.
///
/// Every iteration costs one forward and one adjoint product. Memory besides `b` and `x`: 4 vectors of length n,
/// 2 of length m, and the operator's scratch; with damping *and* a start other than zero, 2 more of length n
/// below each of length m, and one more of length n ([`Centre::Start`]: only the last).
///
/// SciPy's `lsmr` returns `istop, itn, normr, normar, norma, conda, normx`: these are [`istop`](super::StopReason::istop),
/// `iterations`, the root of the last of `objectives`, the last of `normal_residual_norms`, `estimates.norm`,
/// `estimates.condition` and `solution_norm`. One difference: the condition is a quotient of two numbers of `A` from
/// the first iteration on, where SciPy's begins with 1 for the larger one and calls every small `A` ill-conditioned.
///
/// # Examples
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::{Lsmr, StopReason};
/// let a = Diagonal::new(vec![4.0, 1.0]);
/// let mut x = vec![0.0_f64; 2];
/// let report = Lsmr::new().solve(&a, &[8.0, 3.0], &mut x)?;
/// assert_eq!(report.stop, StopReason::Residual);
/// assert!((x[0] - 2.0).abs() < 1e-12 && (x[1] - 3.0).abs() < 1e-12);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lsmr(Settings);

golub_kahan_solver!(Lsmr, SmallestNormal);

/// The step to the smallest normal residual. The names are those of the paper.
struct SmallestNormal<V: Vector + ?Sized> {
    h: V::Owned,
    hbar: V::Owned,
    d: f64,
    alphabar: f64,
    rho: f64,
    rhobar: f64,
    cbar: f64,
    sbar: f64,
    zeta: f64,
    zetabar: f64,
    residual: ResidualNorm,
    anorm: f64,
    /// The extremes of ρ̄, whose quotient estimates the condition number.
    rhobars: Option<(f64, f64)>,
}

/// The norm of the residual, which LSMR does not minimise and has to keep track of.
struct ResidualNorm {
    betadd: f64,
    betad: f64,
    rhod: f64,
    tautilde: f64,
    thetatilde: f64,
    /// Norm of the part that the damping keeps.
    damped: f64,
}

impl<V: Vector + ?Sized> SmallestNormal<V> {
    fn new(x: &V) -> Result<Self> {
        let residual =
            ResidualNorm { betadd: 0.0, betad: 0.0, rhod: 1.0, tautilde: 0.0, thetatilde: 0.0, damped: 0.0 };
        Ok(SmallestNormal {
            h: x.zeros(x.len())?,
            hbar: x.zeros(x.len())?,
            d: 0.0,
            alphabar: 0.0,
            rho: 1.0,
            rhobar: 1.0,
            cbar: 1.0,
            sbar: 0.0,
            zeta: 0.0,
            zetabar: 0.0,
            residual,
            anorm: 0.0,
            rhobars: None,
        })
    }
}

impl<V: Vector + ?Sized> Recurrence<V> for SmallestNormal<V> {
    fn start(&mut self, v: &V, alpha: f64, beta: f64, d: f64) -> Result<()> {
        (self.d, self.alphabar, self.zetabar) = (d, alpha, alpha * beta);
        (self.residual.betadd, self.anorm) = (beta, alpha);
        lend::<V>(&mut self.h).copy_from(v)
    }

    fn step(&mut self, v: &V, alpha: f64, beta: f64, x: &mut V, room: f64) -> Result<Option<Norms>> {
        let (h, hbar) = (lend::<V>(&mut self.h), lend::<V>(&mut self.hbar));
        let (rho_old, rhobar_old, zeta_old) = (self.rho, self.rhobar, self.zeta);

        // Rotations that remove the damping, then β, then the element above the diagonal of R̄.
        let (chat, shat, alphahat) = rotation(self.alphabar, self.d);
        let (c, s, rho) = rotation(alphahat, beta);
        let theta = s * alpha;
        self.alphabar = c * alpha;
        let (thetabar, rho_temp) = (self.sbar * rho, self.cbar * rho);
        let (cbar, sbar, rhobar) = rotation(rho_temp, theta);
        let zeta = cbar * self.zetabar;
        self.zetabar *= -sbar;
        (self.rho, self.rhobar, self.cbar, self.sbar, self.zeta) = (rho, rhobar, cbar, sbar, zeta);

        let back = finite(-(thetabar / rho_old) * (rho / rhobar_old));
        let Some((back, (t1, t2))) = back.zip(finite(zeta / rho / rhobar).zip(finite(-theta / rho))) else {
            return Ok(None);
        };
        hbar.xpby(h, back)?; // h̄ ← h − (θ̄ρ/(ρ_old ρ̄_old)) h̄
        let fits = (zeta / rho / rhobar).abs() * norm(hbar)? <= room;
        if !fits {
            return Ok(None);
        }
        x.axpy(t1, hbar)?; // x ← x + (ζ/(ρρ̄)) h̄
        h.xpby(v, t2)?; // h ← v − (θ/ρ) h

        let residual = self.residual.step((chat, shat), (c, s), thetabar, rhobar, (zeta_old, zeta));
        let operator = self.anorm.hypot(beta);
        self.anorm = operator.hypot(alpha);
        let (least, largest) = self.rhobars.unwrap_or((rho_temp, rho_temp));
        let condition = largest.max(rho_temp) / least.min(rho_temp);
        self.rhobars =
            Some(self.rhobars.map_or((rhobar, rhobar), |(low, high)| (low.min(rhobar), high.max(rhobar))));
        Ok(Some(Norms { residual, normal: self.zetabar.abs(), operator, condition }))
    }
}

impl ResidualNorm {
    /// Section 5.1 of the paper: the rotations, applied to the right-hand side and to R̄.
    fn step(
        &mut self,
        (chat, shat): (f64, f64),
        (c, s): (f64, f64),
        thetabar: f64,
        rhobar: f64,
        (zeta_old, zeta): (f64, f64),
    ) -> f64 {
        self.damped = self.damped.hypot(shat * self.betadd);
        let betahat = c * (chat * self.betadd);
        self.betadd *= -s * chat;

        let thetatilde_old = self.thetatilde;
        let (ctilde, stilde, rhotilde) = rotation(self.rhod, thetabar);
        self.thetatilde = stilde * rhobar;
        self.rhod = ctilde * rhobar;
        self.betad = ctilde * betahat - stilde * self.betad;
        self.tautilde = (zeta_old - thetatilde_old * self.tautilde) / rhotilde;
        let taud = (zeta - self.thetatilde * self.tautilde) / self.rhod;
        self.damped.hypot(self.betad - taud).hypot(self.betadd)
    }
}

/// Cosine, sine and length of the rotation that turns (a, b) into (r, 0).
fn rotation(a: f64, b: f64) -> (f64, f64, f64) {
    let r = a.hypot(b);
    if r == 0.0 { (0.0, 0.0, 0.0) } else { (a / r, b / r, r) }
}
