//! The Richardson–Lucy iteration for counts.

use super::observer::{Log, Measures, Observer, Progress};
use super::problem::{check_finite, check_setting, lend, norm};
use super::report::{Report, StopReason};
use crate::error::{Error, Result, check_len};
use crate::op::{LinearOperator, Vector};
use crate::scalar::{Real, Scalar};
use num_traits::{Float, NumCast, One, Zero};
use std::borrow::{Borrow, BorrowMut};
use std::ops::ControlFlow;

/// Up to how many ε, relative to the root mean square of a vector, its elements may be the rounding errors of
/// zeros.
const ROUNDING: f64 = 64.0;

/// Where [`RichardsonLucy`] starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// From the mean of `b` everywhere; what `x` holds is overwritten.
    #[default]
    Mean,
    /// From what `x` holds, which must not be negative.
    Given,
}

/// Richardson–Lucy: x ← x · Aᴴ(b / (A x + d)) / Aᴴ1.
///
/// Maximises the likelihood of Poisson counts `b` with mean `A x + d`, keeping `x` non-negative (Richardson 1972,
/// DOI 10.1364/JOSA.62.000055; Lucy 1974, DOI 10.1086/111605). Noise grows with the iterations: few are better.
///
/// Zeros: where Aᴴ1 = 0 (up to rounding: 64·ε times its root mean square) the data say nothing and `x` stays; b =
/// 0 contributes nothing, also over A x + d = 0; b > 0 over A x + d = 0 stops with
/// [`StopReason::VanishingPrediction`].
///
/// Everything must be real (complex vectors do not compile) and non-negative. An operator does not tell the signs
/// of its entries, so A·1 ≥ 0 and Aᴴ1 ≥ 0 are checked before, Aᴴ(b/(Ax+d)) ≥ 0 and A x + d ≥ 0 where b > 0 while
/// iterating ([`StopReason::NegativePrediction`]). Rounding errors of an operator are not negative entries: they
/// are set to zero.
///
/// Every iteration costs one forward and one adjoint product, the start two and one. Memory besides `b` and `x`:
/// 3 vectors of length n, 2 of length m, one more of length m each for a constant background and for `clip_data`,
/// and the operator's scratch.
///
/// # Examples
/// ```
/// use convmtx::op::Diagonal;
/// use convmtx::solve::RichardsonLucy;
/// let (a, counts) = (Diagonal::new(vec![2.0, 1.0]), [6.0, 0.0]);
/// let mut x = vec![0.0; 2];
/// let report = RichardsonLucy::new().max_iters(5).solve(&a, &counts, &mut x)?;
/// assert_eq!((x[0], x[1], report.iterations), (3.0, 0.0, 5));
/// # Ok::<(), convmtx::Error>(())
/// ```
/// Complex data are refused when compiling:
/// ```compile_fail
/// use convmtx::{num_complex::Complex64, op::Diagonal, solve::RichardsonLucy};
/// let one = Complex64::new(1.0, 0.0);
/// let mut x = [one];
/// let _ = RichardsonLucy::new().solve(&Diagonal::new(vec![one]), &[one], &mut x);
/// ```
#[derive(Debug)]
pub struct RichardsonLucy<'d, V: ?Sized> {
    max_iters: usize,
    start: Start,
    clip: bool,
    background: Background<'d, V>,
}

#[derive(Debug)]
enum Background<'d, V: ?Sized> {
    Constant(f64),
    Vector(&'d V),
}

impl<V: Vector<Scalar: Real> + ?Sized> Default for RichardsonLucy<'_, V> {
    fn default() -> Self {
        RichardsonLucy::new()
    }
}

impl<'d, V: Vector<Scalar: Real> + ?Sized> RichardsonLucy<'d, V> {
    /// 30 iterations from the mean of `b`, no background, negative data refused.
    pub fn new() -> Self {
        RichardsonLucy {
            max_iters: 30,
            start: Start::Mean,
            clip: false,
            background: Background::Constant(0.0),
        }
    }

    /// The number of iterations. Default 30.
    pub fn max_iters(mut self, iterations: usize) -> Self {
        self.max_iters = iterations;
        self
    }

    /// Where to start. Default the mean of `b`.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Takes negative data, as detectors deliver them after subtracting their offset, as 0. Default: they are an
    /// error.
    pub fn clip_data(mut self) -> Self {
        self.clip = true;
        self
    }

    /// The same background `d` everywhere. Default 0.
    pub fn background(mut self, level: f64) -> Self {
        self.background = Background::Constant(level);
        self
    }

    /// A background `d` with one value per element of `b`.
    pub fn background_vector(mut self, d: &'d (impl Borrow<V> + ?Sized)) -> Self {
        self.background = Background::Vector(d.borrow());
        self
    }

    /// Iterates; see [`Start`] for what `x` has to hold.
    ///
    /// # Errors
    /// Before any work: [`Error::Length`], [`Error::NonFinite`] in `b`, `d`, `x` or in A·1, [`Error::Value`] for
    /// negative data, background or start, [`Error::Memory`], [`Error::Unsupported`] if A·1 or Aᴴ1 has negative
    /// elements. Later only what the operator reports.
    pub fn solve<A>(
        &self,
        a: &A,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
    ) -> Result<Report>
    where
        A: LinearOperator<V> + ?Sized,
    {
        self.solve_observed(a, b, x, |_| ControlFlow::Continue(()))
    }

    /// The same, calling `observer` after every iteration.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve).
    pub fn solve_observed<A>(
        &self,
        a: &A,
        b: &(impl Borrow<V> + ?Sized),
        x: &mut (impl BorrowMut<V> + ?Sized),
        mut observer: impl FnMut(&Progress<'_, V>) -> ControlFlow<()>,
    ) -> Result<Report>
    where
        A: LinearOperator<V> + ?Sized,
    {
        let (b, x): (&V, &mut V) = (b.borrow(), x.borrow_mut());
        let (m, n) = a.shape();
        check_len("b", m, b.len())?;
        check_len("x", n, x.len())?;
        check_finite("b", b)?;
        if self.start == Start::Given {
            check_finite("x", x)?;
            check_sign("x", x)?;
        }
        let mut clipped;
        let b = match self.clip {
            false => b,
            true => {
                clipped = b.zeros(m)?;
                let clipped = lend::<V>(&mut clipped);
                clipped.copy_from(b)?;
                clipped.chop(V::Scalar::zero())?;
                clipped
            }
        };
        check_sign("b (without clip_data)", b)?;
        let mut constant;
        let background = match self.background {
            Background::Vector(d) => {
                check_len("the background", m, d.len())?;
                check_finite("the background", d)?;
                check_sign("the background", d)?;
                Some(d)
            }
            Background::Constant(level) => {
                check_setting("the background", level)?;
                constant = b.zeros(if level > 0.0 { m } else { 0 })?;
                let constant = lend::<V>(&mut constant);
                constant.fill(Real::of(level))?;
                (level > 0.0).then_some(&*constant)
            }
        };
        self.run(a, b, background, x, &mut observer)
    }

    fn run<'o, A: LinearOperator<V> + ?Sized>(
        &self,
        a: &A,
        b: &V,
        background: Option<&V>,
        x: &mut V,
        observer: &'o mut Observer<'o, V>,
    ) -> Result<Report> {
        let (m, n) = a.shape();
        let (one, zero) = (V::Scalar::one(), V::Scalar::zero());
        let (mut predicted, mut ratio) = (b.zeros(m)?, b.zeros(m)?);
        let (mut factor, mut inverse, mut kept) = (x.zeros(n)?, x.zeros(n)?, x.zeros(n)?);
        let mut scratch = x.zeros(a.scratch_len())?;
        let (predicted, ratio) = (lend::<V>(&mut predicted), lend::<V>(&mut ratio));
        let (factor, inverse) = (lend::<V>(&mut factor), lend::<V>(&mut inverse));
        let (kept, scratch) = (lend::<V>(&mut kept), lend::<V>(&mut scratch));
        let mut log = Log::new(self.max_iters, observer)?;

        factor.fill(one)?;
        a.forward(factor, predicted, scratch)?;
        check_operator("A·1", predicted)?;
        ratio.fill(one)?;
        a.adjoint(ratio, factor, scratch)?;
        factor.chop(check_operator("Aᴴ1", factor)?)?;
        kept.quotient(factor, factor)?; // 1 where Aᴴ1 > 0
        inverse.quotient(kept, factor)?; // 1/Aᴴ1, and 0 where Aᴴ1 = 0
        factor.fill(one)?;
        kept.xpby(factor, -one)?; // 1 where Aᴴ1 = 0
        if self.start == Start::Mean {
            let mean = if m == 0 { 0.0 } else { ratio.dot(b)?.as_f64() / count(m) };
            x.fill(Real::of(mean))?;
        }

        // predicted ← A x + d, and ‖b − predicted‖
        let predict = |x: &V, predicted: &mut V, ratio: &mut V, scratch: &mut V| -> Result<Measures> {
            a.forward(x, predicted, scratch)?;
            if let Some(d) = background {
                predicted.axpy(one, d)?;
            }
            ratio.copy_from(predicted)?;
            ratio.xpby(b, -one)?;
            Ok(Measures { residual: norm(ratio)?, normal: None, objective: None })
        };
        let measures = predict(x, predicted, ratio, scratch)?;
        log.start(measures);
        let mut finite = measures.residual.is_finite();
        for _ in 0..self.max_iters {
            if !finite {
                return Ok(log.finish(StopReason::Breakdown { quantity: "A x + d" }));
            }
            ratio.quotient(b, predicted)?;
            let (low, high) = ratio.range()?;
            if m > 0 && (low.is_infinite() || high.is_infinite()) {
                return Ok(log.finish(StopReason::VanishingPrediction));
            }
            if low < zero {
                return Ok(log.finish(StopReason::NegativePrediction));
            }
            a.adjoint(ratio, factor, scratch)?;
            factor.multiply(inverse)?;
            factor.axpy(one, kept)?; // Aᴴ(b / (A x + d)) / Aᴴ1, and 1 where Aᴴ1 = 0
            let (low, high) = factor.range()?;
            if low < -high * Real::of(ROUNDING * V::Scalar::EPSILON) {
                return Ok(log.finish(StopReason::NegativePrediction));
            }
            if low < zero {
                factor.chop(zero)?;
            }
            if n > 0 && !Float::is_finite(x.range()?.1 * high) {
                return Ok(log.finish(StopReason::Breakdown { quantity: "the factor Aᴴ(b/(Ax+d))/Aᴴ1" }));
            }
            x.multiply(factor)?;
            let measures = predict(x, predicted, ratio, scratch)?;
            finite = measures.residual.is_finite();
            if log.step(x, measures).is_break() {
                return Ok(log.finish(StopReason::Interrupted));
            }
        }
        Ok(log.finish(StopReason::IterationLimit))
    }
}

/// A number of elements as `f64`.
fn count(n: usize) -> f64 {
    NumCast::from(n).unwrap_or(f64::MAX)
}

/// No negative element, or [`Error::Value`].
fn check_sign<V: Vector<Scalar: Real> + ?Sized>(what: &'static str, v: &V) -> Result<()> {
    let (low, _) = v.range()?;
    if low < V::Scalar::zero() {
        return Err(Error::value(what, "no negative elements", format_args!("negative, down to {low}")));
    }
    Ok(())
}

/// The size of rounding errors in a product with ones; [`Error::Unsupported`] if an element is further below zero.
fn check_operator<V: Vector<Scalar: Real> + ?Sized>(what: &'static str, v: &V) -> Result<V::Scalar> {
    check_finite(what, v)?;
    let rms = norm(v)? / count(v.len().max(1)).sqrt();
    let rounding: V::Scalar = Real::of(ROUNDING * V::Scalar::EPSILON * rms);
    let (low, _) = v.range()?;
    if low < -rounding {
        let reason = format!("the operator has negative entries: the smallest element of {what} is {low}");
        return Err(Error::Unsupported { what: "Richardson–Lucy", reason });
    }
    Ok(rounding)
}
