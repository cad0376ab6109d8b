//! What LSQR and LSMR share: the bidiagonalisation of Golub and Kahan, the settings, and the stopping rules.

use super::observer::{Log, Measures, Observer};
use super::problem::{
    self, Plain, Problem, Stacked, check_damping, check_setting, check_vectors, finite, lend, norm, real,
};
use super::report::{Estimates, Report, StopReason};
use crate::error::Result;
use crate::op::{Identity, LinearOperator, RealOf, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::Float;

/// What damping pulls `x` towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Centre {
    /// Zero: d²‖x‖², whatever `x` holds at the start. The default.
    #[default]
    Zero,
    /// The start x₀: d²‖x − x₀‖². SciPy's `damp` together with its `x0`.
    Start,
}

/// The settings of both solvers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub damping: f64,
    pub centre: Centre,
    pub max_iters: usize,
    pub atol: f64,
    pub btol: f64,
    pub conlim: f64,
}

/// What a step has led to, by the recurrences of scalars.
pub(super) struct Norms {
    /// ‖[b; 0] − [A; d·I] x‖
    pub residual: f64,
    /// The same, multiplied by the adjoint.
    pub normal: f64,
    /// Of the operator.
    pub operator: f64,
    pub condition: f64,
}

impl Norms {
    fn finite(&self) -> bool {
        self.residual.is_finite() && self.normal.is_finite() && self.operator.is_finite()
    }
}

/// The part in which the two solvers differ: how a bidiagonalisation becomes an iterate.
pub(super) trait Recurrence<V: Vector + ?Sized> {
    /// The first vector, with β u = b − A x and α v = Aᴴ u. `d` is the damping.
    fn start(&mut self, v: &V, alpha: f64, beta: f64, d: f64) -> Result<()>;

    /// One step, from `v`, α and β after a step of the bidiagonalisation, to the next `x`.
    ///
    /// `None`, with `x` as it was, if the update is not finite or longer than `room`.
    fn step(&mut self, v: &V, alpha: f64, beta: f64, x: &mut V, room: f64) -> Result<Option<Norms>>;
}

impl Settings {
    /// No damping, at most 100 iterations, `atol` and `btol` 1e-6, `conlim` 1e8.
    pub fn new() -> Self {
        Settings { damping: 0.0, centre: Centre::Zero, max_iters: 100, atol: 1e-6, btol: 1e-6, conlim: 1e8 }
    }

    /// Checks everything, chooses where the damping goes, and iterates.
    pub fn solve<'o, V, A, R>(
        &self,
        recurrence: impl FnOnce(&V) -> Result<R>,
        a: &A,
        (b, x): (&V, &mut V),
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report>
    where
        V: Vector + ?Sized,
        A: LinearOperator<V> + ?Sized,
        R: Recurrence<V>,
    {
        check_damping::<V>(self.damping)?;
        for (what, value) in [("atol", self.atol), ("btol", self.btol), ("conlim", self.conlim)] {
            check_setting(what, value)?;
        }
        check_vectors(a.shape(), b, x)?;
        let recurrence = recurrence(x)?;
        let (d, x_norm) = (self.damping, norm(x)?);
        let mut report = if d > 0.0 && x_norm > 0.0 && self.centre == Centre::Zero {
            // The recurrence damps the correction, not x: put the damping into the operator. A start whose penalty is so
            // far above ‖b‖², the objective at zero, that rounding it would drown half of the digits of b, is no start:
            // there is but one minimiser, and zero is nearer.
            if d * x_norm * V::Scalar::EPSILON.sqrt() > norm(b)? {
                x.fill(real(0.0))?;
                self.run(recurrence, &Plain(a), d, (b, x), observer)?
            } else {
                let identity = Identity::new(a.shape().1);
                let stacked = Stacked { a, l: &identity, weight: real(d) };
                self.run(recurrence, &stacked, 0.0, (b, x), observer)?
            }
        } else {
            self.run(recurrence, &Plain(a), d, (b, x), observer)?
        };
        report.lambda = (d > 0.0).then_some(d * d);
        Ok(report)
    }

    /// The iteration on `[P; d·I]`; `d` is zero where `problem` contains the damping.
    ///
    /// ```text
    /// β u ← b − A x;  α v ← Aᴴ u
    /// repeat  β u ← A v − α u;  α v ← Aᴴ u − β v;  x ← x + (a step of the recurrence)
    /// ```
    /// Deviations from the programs of the papers: (1) ‖x‖ is computed, not estimated, because a warm start is
    /// part of it; (2) tests are products, not quotients, so that nothing is divided by zero; (3) the recurrence of
    /// scalars is in f64, and sums of squares are kept as their roots, which do not overflow.
    fn run<'o, V: Vector + ?Sized>(
        &self,
        mut recurrence: impl Recurrence<V>,
        problem: &impl Problem<V>,
        d: f64,
        (b, x): (&V, &mut V),
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report> {
        let (rows, n) = problem.shape();
        let (mut u, mut av) = (b.zeros(rows)?, b.zeros(rows)?);
        let (mut v, mut ahu) = (x.zeros(n)?, x.zeros(n)?);
        let mut scratch = x.zeros(problem.scratch_len())?;
        let (u, av) = (lend::<V>(&mut u), lend::<V>(&mut av));
        let (v, ahu, scratch) = (lend::<V>(&mut v), lend::<V>(&mut ahu), lend::<V>(&mut scratch));
        let mut log = Log::new(self.max_iters, observer)?;
        let breakdown = |quantity| StopReason::Breakdown { quantity };

        problem::residual(problem, (b, x), u, scratch)?; // u ← b − A x
        let (b_norm, mut x_norm) = (norm(b)?, norm(x)?);
        // The recurrence begins at zero, or the centre is the start, or the problem contains the damping.
        let mut centre = match d > 0.0 && x_norm > 0.0 {
            true => Some(x.zeros(n)?),
            false => None,
        };
        if let Some(centre) = &mut centre {
            lend::<V>(centre).copy_from(x)?;
        }
        let measures = |norms: &Norms, distance: f64| {
            let penalty = self.damping * distance;
            // √(r² − p²) as √(r − p)·√(r + p): squares of large numbers overflow.
            let residual = (norms.residual - penalty).max(0.0).sqrt() * (norms.residual + penalty).sqrt();
            Measures { residual, normal: Some(norms.normal), objective: Some(norms.residual.powi(2)) }
        };

        let beta = normalise(u)?.unwrap_or(f64::NAN);
        if beta > 0.0 {
            problem.adjoint(u, v, scratch)?; // v ← Aᴴ u
        }
        let mut alpha = normalise(v)?.unwrap_or(f64::NAN);
        let first = Norms { residual: beta, normal: alpha * beta, operator: alpha, condition: 1.0 };
        log.start(measures(&first, if centre.is_some() { 0.0 } else { x_norm }));
        log.solution(x_norm);
        if !first.finite() {
            return Ok(log.finish(breakdown("the first residual")));
        }
        if first.normal == 0.0 {
            return Ok(log.finish(StopReason::Stationary));
        }
        recurrence.start(v, alpha, beta, d)?;

        let largest = RealOf::<V>::max_value().as_f64();
        for _ in 0..self.max_iters {
            problem.forward(v, av, scratch)?; // β u ← A v − α u
            u.xpby(av, real(-alpha))?;
            let Some(beta) = normalise(u)? else {
                return Ok(log.finish(breakdown("beta")));
            };
            alpha = 0.0;
            if beta > 0.0 {
                problem.adjoint(u, ahu, scratch)?; // α v ← Aᴴ u − β v
                v.xpby(ahu, real(-beta))?;
                let Some(next) = normalise(v)? else {
                    return Ok(log.finish(breakdown("alpha")));
                };
                alpha = next;
            }
            let Some(norms) = recurrence.step(v, alpha, beta, x, largest - x_norm)? else {
                return Ok(log.finish(breakdown("the step length")));
            };
            x_norm = norm(x)?;
            let distance = match &mut centre {
                None => x_norm,
                Some(centre) => {
                    ahu.copy_from(x)?;
                    ahu.axpy(real(-1.0), lend::<V>(centre))?;
                    norm(ahu)?
                }
            };
            let told = log.step(x, measures(&norms, distance));
            log.estimate(Estimates { norm: norms.operator, condition: norms.condition });
            log.solution(x_norm);
            let interrupted = told.is_break().then_some(StopReason::Interrupted);
            if let Some(reason) =
                self.verdict(V::Scalar::EPSILON / 2.0, &norms, (b_norm, x_norm)).or(interrupted)
            {
                return Ok(log.finish(reason));
            }
        }
        Ok(log.finish(StopReason::IterationLimit))
    }

    /// The rules of Paige and Saunders, in the order in which one overrules the next.
    ///
    /// `half_eps` is the largest t with 1 + t = 1.
    fn verdict(&self, half_eps: f64, norms: &Norms, (b_norm, x_norm): (f64, f64)) -> Option<StopReason> {
        let Norms { residual, normal, operator, condition } = *norms;
        match () {
            // Infinity is below every tolerance times infinity.
            _ if !norms.finite() => Some(StopReason::Breakdown { quantity: "the residual" }),
            _ if residual <= self.btol * b_norm + self.atol * operator * x_norm => Some(StopReason::Residual),
            _ if normal <= self.atol * operator * residual => Some(StopReason::NormalResidual),
            _ if self.conlim > 0.0 && condition >= self.conlim => Some(StopReason::ConditionLimit),
            _ if residual <= half_eps * (b_norm + operator * x_norm) => Some(StopReason::ResidualAtPrecision),
            _ if normal <= half_eps * operator * residual => Some(StopReason::NormalResidualAtPrecision),
            _ if condition * half_eps >= 1.0 => Some(StopReason::ConditionAtPrecision),
            _ => None,
        }
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

/// The settings and verbs of a solver that is a newtype of [`Settings`], with the recurrence `$recurrence`.
macro_rules! golub_kahan_solver {
    ($solver:ident, $recurrence:ident) => {
        impl Default for $solver {
            fn default() -> Self {
                $solver::new()
            }
        }

        impl $solver {
            /// No damping, at most 100 iterations, `atol` and `btol` 1e-6, `conlim` 1e8.
            pub fn new() -> Self {
                $solver(Settings::new())
            }

            /// `d` in ‖A x − b‖² + d²‖x‖²: λ = d². Default 0.
            pub fn damping(mut self, d: f64) -> Self {
                self.0.damping = d;
                self
            }

            /// What damping pulls `x` towards: [`Centre::Zero`] (the default) or where it starts.
            pub fn centre(mut self, centre: Centre) -> Self {
                self.0.centre = centre;
                self
            }

            /// The largest number of iterations. Default 100: on ill-posed problems fewer are better.
            pub fn max_iters(mut self, iterations: usize) -> Self {
                self.0.max_iters = iterations;
                self
            }

            /// The relative uncertainty of `A`. Default 1e-6, that of single precision.
            ///
            /// Stops when ‖r‖ ≤ btol·‖b‖ + atol·‖A‖‖x‖ ([`Residual`](super::StopReason::Residual)) or ‖Aᴴ r‖ ≤ atol·‖A‖‖r‖
            /// ([`NormalResidual`](super::StopReason::NormalResidual)), with `r` and `A` of the damped problem.
            pub fn atol(mut self, atol: f64) -> Self {
                self.0.atol = atol;
                self
            }

            /// The relative uncertainty of `b`. Default 1e-6. See [`atol`](Self::atol).
            pub fn btol(mut self, btol: f64) -> Self {
                self.0.btol = btol;
                self
            }

            /// Stops when the estimated condition number reaches this
            /// ([`ConditionLimit`](super::StopReason::ConditionLimit)). Default 1e8; 0 for never.
            pub fn conlim(mut self, conlim: f64) -> Self {
                self.0.conlim = conlim;
                self
            }

            /// Improves `x`, starting from what it holds.
            ///
            /// # Errors
            /// Before any work: [`Error::Length`](crate::Error::Length),
            /// [`Error::NonFinite`](crate::Error::NonFinite) in `b` or `x`, [`Error::Value`](crate::Error::Value)
            /// for settings that are negative or not finite and for damping whose square overflows,
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
                self.0.solve($recurrence::new, a, (b.borrow(), x.borrow_mut()), &mut observer)
            }
        }
    };
}
pub(super) use golub_kahan_solver;
