//! Which engine is faster for a convolution, and why.
//!
//! `conv.plan()` estimates what every engine would cost and takes one; [`Plan`] is that decision as data, which prints
//! itself. [`Plan::build`] makes the operator. Estimates are for one thread, so that neither the choice nor any result
//! depends on the number of threads. They rest on [`Rates`], which `convmtx plan --calibrate` measures on a machine.

mod cost;
mod operator;
mod rates;

pub use cost::Candidate;
pub use operator::PlannedConv;
pub use rates::{PerType, Rates};

use crate::conv::Bank;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::separable::SeparableConv;
use cost::{direct, separable, transforms};
use std::fmt;

/// What rounds is taken only where it is predicted to be faster by this factor: the others are exact on integers and keep
/// NaN where it is, which is worth more than a gain within the error of the prediction.
const ADVANTAGE: f64 = 1.2;

/// Real additions and multiplications below which every product is taken as it is defined: for so small a one nobody should
/// give up exact integers or the order of taps, on whatever machine.
const FEW: f64 = 3e4;

/// The ways to compute a convolution without a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// From the definition: [`DirectConv`](crate::direct::DirectConv).
    Direct,
    /// One axis after the other: [`SeparableConv`], for kernels that are outer products or sums of few.
    Separable,
    /// By fast Fourier transforms: `FftConv`, with the feature `fft`.
    Fft,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Engine::Direct => "direct",
            Engine::Separable => "separable",
            Engine::Fft => "fft",
        })
    }
}

/// Which errors the caller accepts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Accuracy {
    /// Rounding errors that are small beside the largest outputs, as transforms make them.
    #[default]
    Rounded,
    /// As `Rounded`, where errors are at most this times ‖k‖₁·‖x‖₂, by the bound of `FftConv::error_bound`. For `f64`
    /// a bound near 10⁻¹³ admits transforms of any size.
    Within(f64),
    /// Integers exactly, every output as accurate as its own terms allow, NaN and infinity only where a tap puts them:
    /// no transforms, and only kernels that are one outer product axis by axis.
    Exact,
}

/// A decision for one of the engines, with the reasons. Printed, it is a small table.
///
/// # Examples
/// ```
/// use convmtx::plan::{Accuracy, Engine};
/// use convmtx::{Conv1d, ConvMode, op::Apply};
/// let short = Conv1d::new(&[1.0, 2.0, 1.0], 1000, ConvMode::Same)?;
/// assert_eq!(short.plan().engine(), Engine::Direct);
///
/// let long = Conv1d::new(&[1.0; 5000], 100_000, ConvMode::Same)?;
/// println!("{}", long.plan());
/// let a = long.plan_for(Accuracy::Exact).build()?;
/// assert_eq!(a.engine(), Engine::Direct);
/// assert_eq!(a.apply(&vec![1.0; 100_000])?[50_000], 5000.0);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan<'a, T, const D: usize> {
    bank: &'a Bank<T, D>,
    engine: Engine,
    candidates: Vec<Candidate>,
    reason: String,
    separable: Option<SeparableConv<T, D>>,
}

impl<'a, T: Scalar, const D: usize> Plan<'a, T, D> {
    fn new(bank: &'a Bank<T, D>, accuracy: Accuracy) -> Self {
        let rates = Rates::current();
        let operator = SeparableConv::detect(bank);
        let mut candidates = vec![direct(bank, rates)];
        candidates.extend(operator.as_ref().map(|a| separable(bank, a, rates)));
        let mut refusal = "nothing else is as accurate as asked for".to_owned();
        match transforms(bank, rates) {
            Ok(fft) => candidates.push(fft),
            Err(why) => refusal = format!("no transforms: {why}"),
        }
        let allowed = |c: &&Candidate| match accuracy {
            Accuracy::Rounded => true,
            Accuracy::Within(bound) => c.error <= bound,
            Accuracy::Exact => false,
        };
        let faster = |a: &&Candidate, b: &&Candidate| a.seconds.total_cmp(&b.seconds);
        let exact = candidates.iter().filter(|c| c.error == 0.0).min_by(faster).unwrap_or(&candidates[0]);
        let rounded = candidates.iter().filter(|c| c.error > 0.0).filter(allowed).min_by(faster);
        let gain = rounded.map_or(0.0, |r| exact.seconds / r.seconds);
        let (engine, reason) = match rounded {
            _ if candidates[0].flops < FEW => {
                (Engine::Direct, "a product this small is not worth a detour".to_owned())
            }
            _ if accuracy == Accuracy::Exact => (exact.engine, "exact results are asked for".to_owned()),
            None => (exact.engine, refusal),
            Some(r) if gain > ADVANTAGE => {
                (r.engine, format!("predicted to be {gain:.1} times as fast as {}", exact.engine))
            }
            Some(r) => {
                let why = format!(
                    "{} is predicted to be {gain:.2} times as fast, and less than {ADVANTAGE} does not pay for its \
                     rounding",
                    r.engine
                );
                (exact.engine, why)
            }
        };
        Plan { bank, engine, candidates, reason, separable: operator }
    }

    /// The same plan with this engine, whatever it costs.
    pub fn with(self, engine: Engine) -> Self {
        Plan { engine, reason: "asked for".to_owned(), ..self }
    }

    /// The engine that is taken.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// What was compared.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Why this engine.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The operator.
    ///
    /// # Errors
    /// What `to_direct`, `to_low_rank` or `to_fft` reports; [`Error::Unsupported`](crate::Error::Unsupported) for
    /// [`Engine::Fft`] in a build without the feature `fft`.
    pub fn build(&self) -> Result<PlannedConv<T, D>> {
        PlannedConv::new(self.engine, self.bank, self.separable.clone())
    }
}

impl<T: Scalar, const D: usize> fmt::Display for Plan<'_, T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (m, n) = self.bank.shape();
        writeln!(f, "convolution {m} x {n}, {}: {}, {}", T::NAME, self.engine, self.reason)?;
        write!(f, "  {:<10} {:>10} {:>10} {:>10} {:>10}", "", "operations", "bytes", "kept", "seconds")?;
        for c in &self.candidates {
            let numbers = [c.flops, c.bytes, c.memory, c.seconds];
            write!(f, "\n  {:<10}", c.engine)?;
            numbers.iter().try_for_each(|number| write!(f, " {number:>10.1e}"))?;
            write!(f, "  {}", c.detail)?;
        }
        Ok(())
    }
}

crate::conv::on_descriptions! {
    /// Which engine is faster: see [`Plan`](crate::plan::Plan). Transforms are taken where they are clearly faster, which
    /// means rounding errors on integers, too, and NaN or infinity spreading over a block.
    pub fn plan(&self) -> Plan<'_, T, D> {
        Plan::new(self.bank(), Accuracy::default())
    }

    /// The fastest engine among those that are as accurate as this.
    pub fn plan_for(&self, accuracy: Accuracy) -> Plan<'_, T, D> {
        Plan::new(self.bank(), accuracy)
    }

    /// A plan that takes this engine, whatever it costs.
    pub fn plan_with(&self, engine: Engine) -> Plan<'_, T, D> {
        self.plan().with(engine)
    }
}
