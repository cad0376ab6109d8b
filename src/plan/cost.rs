//! What engines would cost: operations from the geometry, rates from a measurement.

use super::Engine;
use crate::conv::Bank;
#[cfg(feature = "fft")]
use crate::fft::effort;
use crate::scalar::Scalar;

/// Operations per second of an engine on one thread for `float32`, `float64`, `complex64`, `complex128`.
///
/// Measured by `cargo bench --bench direct_or_fft` on one core of a Zen 5 EPYC; what counts is the ratio between engines.
type Rates = [f64; 4];

/// Direct, where outputs and their inputs are adjacent.
const DIRECT: Rates = [60e9, 30e9, 42e9, 22e9];

/// Direct, at the ends of lines and with steps: one output after the other.
const DIRECT_APART: Rates = [0.4e9, 0.4e9, 2e9, 2e9];

/// Transforms that stay in the cache.
#[cfg(feature = "fft")]
const FFT: Rates = [26e9, 16e9, 36e9, 18e9];

/// Transforms of more bytes than [`CACHE`].
#[cfg(feature = "fft")]
const FFT_FAR: Rates = [15e9, 5e9, 15e9, 6e9];

/// Bytes of a transform that stay in the caches.
#[cfg(feature = "fft")]
const CACHE: f64 = 4e6;

/// What one transform costs besides its operations, in seconds.
#[cfg(feature = "fft")]
const FFT_CALL: f64 = 1e-7;

/// What an engine would cost, predicted for a forward product on one thread.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// The engine.
    pub engine: Engine,
    /// Real additions and multiplications.
    pub flops: f64,
    /// Bytes read and written in memory.
    pub bytes: f64,
    /// Predicted time.
    pub seconds: f64,
    /// How it would compute.
    pub detail: String,
}

/// The rate for the element type.
fn rate<T: Scalar>(rates: Rates) -> f64 {
    rates[2 * usize::from(T::IS_COMPLEX) + usize::from(size_of::<T::Real>() == 8)]
}

/// The direct engine: every tap of every output, most of them in the fast loop.
pub(super) fn direct<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> Candidate {
    let inner = bank.axes()[D - 1].band();
    let adjacent = if inner.stride() == 1 && inner.spread() == 1 { inner.inside().len() } else { 0 };
    let share = adjacent as f64 / inner.output().max(1) as f64; // this and all numbers below are estimates
    let taps: f64 = bank.axes().iter().map(|a| a.band().taps() as f64).product();
    let per_product = if T::IS_COMPLEX { 8.0 } else { 2.0 };
    let flops = bank.shape().0 as f64 * taps * bank.channels().inputs as f64 * per_product;
    let bytes = (bank.shape().0 + bank.shape().1) as f64 * size_of::<T>() as f64;
    let seconds = flops * (share / rate::<T>(DIRECT) + (1.0 - share) / rate::<T>(DIRECT_APART));
    let detail = format!("{:.0} % of the outputs in the fast loop", 100.0 * share);
    Candidate { engine: Engine::Direct, flops, bytes, seconds, detail }
}

/// The FFT engine, or why it cannot be taken.
#[cfg(feature = "fft")]
pub(super) fn transforms<T: Scalar, const D: usize>(
    bank: &Bank<T, D>,
) -> std::result::Result<Candidate, String> {
    let effort = effort(bank).map_err(|e| e.to_string())?.ok_or("there is nothing to compute")?;
    let rates = if effort.working_set > CACHE { FFT_FAR } else { FFT };
    let (channels, blocks) = (bank.channels(), effort.blocks);
    let calls = (channels.groups * (channels.inputs + channels.outputs) * blocks) as f64; // estimate
    let shape: Vec<String> = effort.shape.iter().map(usize::to_string).collect();
    let detail = match blocks {
        1 => format!("one transform of {}", shape.join(" x ")),
        blocks => format!("{blocks} blocks of {}", shape.join(" x ")),
    };
    let seconds = effort.flops / rate::<T>(rates) + calls * FFT_CALL;
    Ok(Candidate { engine: Engine::Fft, flops: effort.flops, bytes: effort.bytes, seconds, detail })
}

/// Without the feature there is none.
#[cfg(not(feature = "fft"))]
pub(super) fn transforms<T: Scalar, const D: usize>(
    _: &Bank<T, D>,
) -> std::result::Result<Candidate, String> {
    Err("this build lacks the feature `fft`".into())
}
