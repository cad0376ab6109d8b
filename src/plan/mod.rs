//! Which engine is faster for a convolution, and why.
//!
//! `conv.plan()` estimates what every engine would cost and takes one; [`Plan`] is that decision as data, which prints
//! itself. [`Plan::build`] makes the operator. Estimates are for one thread, so that neither the choice nor any result
//! depends on the number of threads.

mod cost;
mod operator;

pub use cost::Candidate;
pub use operator::PlannedConv;

use crate::conv::Bank;
use crate::error::Result;
use crate::scalar::Scalar;
use cost::{direct, transforms};
use std::fmt;

/// FFT is taken only where it is predicted to be faster by this factor: the direct engine is exact on integers and keeps
/// NaN where it is, which is worth more than a small gain.
const ADVANTAGE: f64 = 2.0;

/// Seconds below which the direct engine is kept: for so short a product nobody should give up exact integers.
const NEGLIGIBLE: f64 = 5e-5;

/// The ways to compute a convolution without a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// From the definition: [`DirectConv`](crate::direct::DirectConv).
    Direct,
    /// By fast Fourier transforms: `FftConv`, with the feature `fft`.
    Fft,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Engine::Direct => "direct",
            Engine::Fft => "fft",
        })
    }
}

/// Which errors the caller accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Accuracy {
    /// Rounding errors that are small beside the largest outputs, as transforms make them.
    #[default]
    Rounded,
    /// Integers exactly, every output as accurate as its own terms allow, NaN and infinity only where a tap puts them:
    /// no transforms.
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
}

impl<'a, T: Scalar, const D: usize> Plan<'a, T, D> {
    fn new(bank: &'a Bank<T, D>, accuracy: Accuracy) -> Self {
        let mut candidates = vec![direct(bank)];
        let (engine, reason) = match (accuracy, transforms(bank)) {
            (Accuracy::Exact, _) => (Engine::Direct, "exact results are asked for".to_owned()),
            (_, Err(why)) => (Engine::Direct, format!("no transforms: {why}")),
            (Accuracy::Rounded, Ok(fft)) => {
                let gain = candidates[0].seconds / fft.seconds;
                candidates.push(fft);
                if candidates[0].seconds < NEGLIGIBLE {
                    (Engine::Direct, "a product this short is not worth rounding errors".to_owned())
                } else if gain > ADVANTAGE {
                    (Engine::Fft, format!("transforms are predicted to be {gain:.1} times as fast"))
                } else {
                    let why = format!(
                        "transforms are predicted to be {gain:.2} times as fast, and less than {ADVANTAGE} does not pay \
                         for their rounding"
                    );
                    (Engine::Direct, why)
                }
            }
        };
        Plan { bank, engine, candidates, reason }
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
    /// What `to_direct` or `to_fft` reports; [`Error::Unsupported`](crate::Error::Unsupported) for [`Engine::Fft`] in a
    /// build without the feature `fft`.
    pub fn build(&self) -> Result<PlannedConv<T, D>> {
        PlannedConv::new(self.engine, self.bank)
    }
}

impl<T: Scalar, const D: usize> fmt::Display for Plan<'_, T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (m, n) = self.bank.shape();
        writeln!(f, "convolution {m} x {n}, {}: {}, {}", T::NAME, self.engine, self.reason)?;
        write!(f, "  {:<8} {:>10} {:>10} {:>10}", "", "operations", "bytes", "seconds")?;
        for c in &self.candidates {
            let (flops, bytes, seconds) = (c.flops, c.bytes, c.seconds);
            write!(f, "\n  {:<8} {flops:>10.1e} {bytes:>10.1e} {seconds:>10.1e}  {}", c.engine, c.detail)?;
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
