//! What a solver did, and why it stopped.

use std::fmt;
use std::time::Duration;

/// Why an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The gradient is exactly zero: `x` is a minimiser, with no rounding to speak of.
    Stationary,
    /// The residual is as small as was asked for.
    Residual,
    /// The normal residual (the gradient) is as small as was asked for.
    NormalResidual,
    /// The condition number of the operator, as estimated, exceeds the limit that was set.
    ConditionLimit,
    /// The residual is as small as this precision allows.
    ResidualAtPrecision,
    /// The normal residual is as small as this precision allows.
    NormalResidualAtPrecision,
    /// The operator, as estimated, is singular to this precision.
    ConditionAtPrecision,
    /// As many iterations as were asked for.
    IterationLimit,
    /// The observer said so.
    Interrupted,
    /// An operator that has to be positive definite is not: ⟨p, A p⟩ ≤ 0 for a direction p (or ⟨r, M r⟩ ≤ 0).
    NotPositiveDefinite {
        /// Which one: `A`, or the preconditioner.
        operator: &'static str,
    },
    /// `A x + d` is zero, or so small that the quotient overflows, where `b` is positive: no non-negative `x`
    /// that is zero where this one is can explain the data.
    VanishingPrediction,
    /// `A x + d` is negative where `b` is positive: the operator has negative entries.
    NegativePrediction,
    /// A number ceased to be finite, or to be usable as a divisor; `x` is the last finite iterate.
    Breakdown {
        /// The number in question.
        quantity: &'static str,
    },
}

impl StopReason {
    /// Whether the iteration ended because there was nothing left to gain, by the tolerances set or by precision.
    pub fn converged(&self) -> bool {
        use StopReason::*;
        matches!(
            self,
            Stationary | Residual | NormalResidual | ResidualAtPrecision | NormalResidualAtPrecision
        )
    }

    /// The number that the programs LSQR and LSMR, and SciPy's functions of these names, call `istop`.
    ///
    /// | | |
    /// |---|---|
    /// | 0 | [`Stationary`](Self::Stationary): the start is a minimiser |
    /// | 1, 4 | [`Residual`](Self::Residual), [`ResidualAtPrecision`](Self::ResidualAtPrecision) |
    /// | 2, 5 | [`NormalResidual`](Self::NormalResidual), [`NormalResidualAtPrecision`](Self::NormalResidualAtPrecision) |
    /// | 3, 6 | [`ConditionLimit`](Self::ConditionLimit), [`ConditionAtPrecision`](Self::ConditionAtPrecision) |
    /// | 7 | [`IterationLimit`](Self::IterationLimit) |
    ///
    /// `None` for what these programs do not know: an observer, a breakdown, and reasons of other solvers.
    pub fn istop(&self) -> Option<u8> {
        use StopReason::*;
        match self {
            Stationary => Some(0),
            Residual => Some(1),
            NormalResidual => Some(2),
            ConditionLimit => Some(3),
            ResidualAtPrecision => Some(4),
            NormalResidualAtPrecision => Some(5),
            ConditionAtPrecision => Some(6),
            IterationLimit => Some(7),
            Interrupted
            | NotPositiveDefinite { .. }
            | VanishingPrediction
            | NegativePrediction
            | Breakdown { .. } => None,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            StopReason::Stationary => "the gradient is exactly zero",
            StopReason::Residual => "the residual is within its tolerance",
            StopReason::NormalResidual => "the normal residual is within its tolerance",
            StopReason::ConditionLimit => "the condition number exceeds its limit",
            StopReason::ResidualAtPrecision => "the residual is as small as the precision allows",
            StopReason::NormalResidualAtPrecision => {
                "the normal residual is as small as the precision allows"
            }
            StopReason::ConditionAtPrecision => "the operator is singular to this precision",
            StopReason::IterationLimit => "iteration limit",
            StopReason::Interrupted => "stopped by the observer",
            StopReason::NotPositiveDefinite { operator } => {
                return write!(f, "{operator} is not positive definite");
            }
            StopReason::VanishingPrediction => "A x + d vanishes where b is positive",
            StopReason::NegativePrediction => "A x + d is negative where b is positive",
            StopReason::Breakdown { quantity } => {
                return write!(f, "breakdown: {quantity} is not usable any more");
            }
        })
    }
}

/// What a solver did. Printed, it is a short paragraph.
///
/// Histories begin with the starting point, so that entry `k` belongs to the iterate after `k` iterations; one
/// that a solver does not keep is empty.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Iterations done.
    pub iterations: usize,
    /// Why it ended.
    pub stop: StopReason,
    /// ‖b − A x‖, without the penalty (for Richardson–Lucy ‖b − A x − d‖).
    pub residual_norms: Vec<f64>,
    /// ‖Aᴴ(b − A x) − λ LᴴL x‖, which is zero at the minimiser.
    pub normal_residual_norms: Vec<f64>,
    /// What is being minimised: ‖A x − b‖² + λ‖L x‖², and for [`Cg`](super::Cg) ⟨x, A x⟩ − 2 Re⟨b, x⟩.
    pub objectives: Vec<f64>,
    /// λ, where there is a penalty (`damping(d)` has λ = d²).
    pub lambda: Option<f64>,
    /// What the iteration found out about the operator; LSQR and LSMR only, and only after a first iteration.
    pub estimates: Option<Estimates>,
    /// ‖x‖ of the result; LSQR and LSMR only.
    pub solution_norm: Option<f64>,
    /// Time from call to return.
    pub elapsed: Duration,
}

/// What LSQR and LSMR find out about the operator: `[A; d·I]` for LSQR, the norm of `A` alone for LSMR.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Estimates {
    /// Of the Frobenius norm, from below.
    pub norm: f64,
    /// Of the condition number, from below.
    pub condition: f64,
}

impl Report {
    /// ‖b − A x‖ of the result.
    pub fn residual_norm(&self) -> f64 {
        self.residual_norms.last().copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let plural = if self.iterations == 1 { "" } else { "s" };
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "{} iteration{plural} in {seconds:.3} s: {}.", self.iterations, self.stop)?;
        let first = self.residual_norms.first().copied().unwrap_or(f64::NAN);
        write!(f, "Residual norm {:.6e}, at the start {first:.6e}", self.residual_norm())?;
        if let Some(normal) = self.normal_residual_norms.last() {
            write!(f, "; normal residual {normal:.3e}")?;
        }
        if let Some(lambda) = self.lambda {
            write!(f, "; lambda {lambda:.6e}")?;
        }
        if let Some(e) = self.estimates {
            write!(f, "; norm of A at least {:.3e}, condition at least {:.3e}", e.norm, e.condition)?;
        }
        write!(f, ".")
    }
}
