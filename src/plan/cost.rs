//! What engines would cost: operations from the geometry, rates from a measurement.

use super::{Engine, Rates};
use crate::conv::Bank;
#[cfg(feature = "fft")]
use crate::fft::{Effort, effort};
use crate::scalar::Scalar;
use crate::separable::SeparableConv;
use crate::stencil::Axis;

/// What one call of an engine costs besides its operations, in seconds; the same for a line with ends of its own.
const CALL: f64 = 1e-7;

/// What one transform costs besides its operations, in seconds.
#[cfg(feature = "fft")]
const FFT_CALL: f64 = 1e-7;

/// What a product by transforms costs besides: placing, cutting, scratch.
#[cfg(feature = "fft")]
const FFT_PRODUCT: f64 = 6e-7;

/// What the ends of some rows of a plane cost besides: their sources are copied. And how many rows that is.
const ENDS: f64 = 4e-7;
const END_ROWS: f64 = 6.0;

/// Bytes of a register: the unit in which outputs are computed.
const REGISTER: f64 = 64.0;

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
    /// Bytes that the operator keeps.
    pub memory: f64,
    /// How wrong results may be, beside ‖k‖₁·‖x‖₂; 0 where each output is as accurate as its own terms allow.
    pub error: f64,
    /// Predicted time.
    pub seconds: f64,
    /// How it would compute.
    pub detail: String,
}

/// Real operations of one multiply-add.
fn per_product<T: Scalar>() -> f64 {
    if T::IS_COMPLEX { 8.0 } else { 2.0 }
}

/// Bytes of the signal and of the result.
fn vectors<T: Scalar, const D: usize>(bank: &Bank<T, D>) -> f64 {
    (bank.shape().0 as f64 + bank.shape().1 as f64) * size_of::<T>() as f64 // estimates, as all numbers below
}

/// Arithmetic and memory traffic overlap in part.
fn together(arithmetic: f64, memory: f64) -> f64 {
    arithmetic.max(memory) + 0.3 * arithmetic.min(memory)
}

/// Seconds per output of a convolution along lines.
fn along<T: Scalar>(axis: &Axis, rates: &Rates) -> f64 {
    let b = axis.band();
    let (taps, lanes) = (b.taps() as f64, REGISTER / size_of::<T>() as f64);
    let flops = taps * per_product::<T>();
    if b.stride() != 1 || b.spread() != 1 {
        return flops / Rates::of::<T>(&rates.apart);
    }
    let rate = if taps + 1.0 >= 2.0 * lanes / b.dilation() as f64 && b.dilation() as f64 <= lanes {
        // Two groups of taps share half the loads that eight share.
        Rates::of::<T>(&rates.row) * (0.6 + 0.1 * taps / lanes).min(1.0)
    } else {
        Rates::of::<T>(&rates.short) * 1.15 * taps / (taps + 1.0)
    };
    let outputs = b.output().max(1) as f64;
    let ends = outputs - b.inside().len() as f64;
    flops / rate * (1.0 + 2.0 * ends / outputs) + 2.0 * CALL / outputs
}

/// Seconds per output of a sheet: `rows` taps above each other, `taps` in each of them, results `width` wide.
fn sheet<T: Scalar>(rows: f64, taps: f64, width: f64, ends: f64, rates: &Rates) -> f64 {
    let lanes = REGISTER / size_of::<T>() as f64;
    let filled = width / ((width / lanes).ceil() * lanes);
    let rate = Rates::of::<T>(&rates.sheet) * 1.1 * rows / (rows + 1.5) * filled;
    // Near the ends half a register is used, and the sources are copied.
    let ends = 1.0 + 3.0 * (ends / width).min(1.0);
    rows * taps * per_product::<T>() / rate * ends
}

/// The direct engine: every tap of every output.
pub(super) fn direct<T: Scalar, const D: usize>(bank: &Bank<T, D>, rates: &Rates) -> Candidate {
    let axes = bank.axes();
    let taps: f64 = axes.iter().map(|a| a.band().taps() as f64).product();
    let outputs = bank.shape().0 as f64;
    let channels = bank.channels().inputs as f64;
    let flops = outputs * taps * channels * per_product::<T>();
    let inner = axes[D - 1].band();
    let slides = inner.stride() == 1 && inner.spread() == 1;
    let (each, how) = if D == 1 || !slides || axes[D - 2].band().taps() == 1 {
        let others = taps / inner.taps() as f64;
        (along::<T>(&axes[D - 1], rates) * others, "line by line")
    } else {
        let rows = axes[D - 2].band();
        let width = inner.output().max(1) as f64;
        let ends = width - inner.inside().len() as f64;
        let shared = if rows.stride() == 1 && rows.spread() == 1 && rows.dilation() == 1 { 1.0 } else { 2.0 };
        let others = taps / (rows.taps() * inner.taps()) as f64;
        let each = sheet::<T>(rows.taps() as f64, inner.taps() as f64, width, ends, rates);
        let copies = if ends > 0.0 { ENDS / width / END_ROWS.min(rows.output().max(1) as f64) } else { 0.0 };
        ((each + copies) * others * shared, "in tiles of rows and registers")
    };
    let bytes = vectors(bank);
    let seconds = CALL + together(outputs * channels * each, bytes / rates.copy);
    let memory = bank.kernels().len() as f64 * size_of::<T>() as f64;
    Candidate { engine: Engine::Direct, flops, bytes, memory, error: 0.0, seconds, detail: how.to_owned() }
}

/// The separable engine, for kernels of `rank` outer products.
pub(super) fn separable<T: Scalar, const D: usize>(
    bank: &Bank<T, D>,
    operator: &SeparableConv<T, D>,
    rates: &Rates,
) -> Candidate {
    let (axes, rank) = (bank.axes(), operator.rank() as f64);
    let taps = axes.each_ref().map(|a| a.band().taps() as f64);
    let outputs = bank.shape().0 as f64;
    let flops = rank * outputs * taps.iter().sum::<f64>() * per_product::<T>();
    // Every axis but the last is a product across the rows of the next.
    let across: f64 = (0..D - 1)
        .map(|a| {
            // Outputs of the later axes are still inputs here.
            let grown: f64 = axes[a + 1..]
                .iter()
                .map(|x| x.band().input() as f64 / x.band().output().max(1) as f64)
                .product();
            let width: usize = axes[a + 1..].iter().map(|x| x.band().input()).product();
            sheet::<T>(taps[a], 1.0, width.max(1) as f64, 0.0, rates) * grown
        })
        .sum();
    let bytes = vectors(bank);
    let each = rank * (across + along::<T>(&axes[D - 1], rates));
    // What passes from one axis to the next stays in the cache, but is written and read.
    let passed = rank * outputs * size_of::<T>() as f64 / (4.0 * rates.copy);
    let seconds = CALL + together(outputs * each + passed, bytes / rates.copy);
    let memory = 2.0 * rank * taps.iter().sum::<f64>() * size_of::<T>() as f64;
    // Factors and products of every term, and the terms that were left out.
    let roundings =
        4.0 * rank + taps.iter().fold(0.0, |a, &b| f64::max(a, b)) * taps.iter().product::<f64>().sqrt();
    let error = if operator.is_exact() { 0.0 } else { roundings * T::EPSILON };
    let detail = match (operator.rank(), operator.is_exact()) {
        (1, true) => "an outer product, axis after axis".to_owned(),
        (rank, _) => format!("{rank} outer products, axis after axis"),
    };
    Candidate { engine: Engine::Separable, flops, bytes, memory, error, seconds, detail }
}

/// The FFT engine, or why it cannot be taken.
#[cfg(feature = "fft")]
pub(super) fn transforms<T: Scalar, const D: usize>(
    bank: &Bank<T, D>,
    rates: &Rates,
) -> std::result::Result<Candidate, String> {
    let Effort { flops, bytes, shape, blocks, .. } =
        effort(bank).map_err(|e| e.to_string())?.ok_or("there is nothing to compute")?;
    let rate = Rates::of::<T>(if D == 1 { &rates.lines } else { &rates.tiles });
    let channels = bank.channels();
    let calls = (channels.groups * (channels.inputs + channels.outputs) * blocks) as f64;
    let points: f64 = shape.iter().map(|&n| n as f64).product();
    let names: Vec<String> = shape.iter().map(usize::to_string).collect();
    let detail = match blocks {
        1 => format!("one transform of {}", names.join(" x ")),
        blocks => format!("{blocks} blocks of {}", names.join(" x ")),
    };
    // What leaves the caches costs as much again.
    let seconds = together(flops / rate, bytes / rates.copy) + calls * FFT_CALL + FFT_PRODUCT;
    let memory = channels.kernels() as f64 * points * 2.0 * size_of::<T>() as f64;
    // The bound of `FftConv::error_bound` beside ‖k‖₁·‖x‖₂, for zeros beyond the ends.
    let error = 4.0 * T::EPSILON * points.log2().max(1.0) * std::f64::consts::SQRT_2;
    Ok(Candidate { engine: Engine::Fft, flops, bytes, memory, error, seconds, detail })
}

/// Without the feature there is none.
#[cfg(not(feature = "fft"))]
pub(super) fn transforms<T: Scalar, const D: usize>(
    _: &Bank<T, D>,
    _: &Rates,
) -> std::result::Result<Candidate, String> {
    Err("this build lacks the feature `fft`".into())
}
