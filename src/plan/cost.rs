//! What engines would cost: operations from the geometry, rates from a measurement.

use super::{Engine, Rates};
use crate::band::gcd;
use crate::boundary::Extension;
use crate::conv::Bank;
#[cfg(feature = "fft")]
use crate::fft::{Effort, effort};
use crate::scalar::Scalar;
use crate::separable::SeparableConv;
use crate::stencil::Axis;

/// What one call of an engine costs besides its operations, in seconds.
const CALL: f64 = 1e-7;

/// What a line of results costs besides: by itself, or as one of many of a separable product.
const LINE: f64 = 1.5e-7;
const LINE_OF_MANY: f64 = 4e-8;

/// What a plane of results costs besides, for every plane of taps that it meets.
const PLANE: f64 = 3e-7;

/// What a product axis by axis costs besides, and what each element costs, and each of its bytes beside a copy, that is passed on.
const SEPARABLE_CALL: f64 = 7e-7;
const PASSED: f64 = 2.5e-10;
const PASSED_BYTE: f64 = 0.6;

/// What a product by transforms costs besides: placing, cutting, scratch.
#[cfg(feature = "fft")]
const FFT_PRODUCT: f64 = 2e-7;

/// What the ends of some rows of a plane cost besides: their sources are copied. And how many rows that is.
const ENDS: f64 = 4e-7;
const END_ROWS: f64 = 6.0;

/// Columns near an end that are computed with the others where zeros are beyond them.
const NARROW: f64 = 32.0;

/// Outputs that are looked at.
const SAMPLES: usize = 256;

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
    /// What the rate of the engine counts: operations, or units of the cost of transforms.
    pub(super) work: f64,
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

/// Taps that an output sees on the average; all of them where the signal goes on beyond its ends.
fn seen(axis: &Axis) -> f64 {
    let b = axis.band();
    if axis.extension() != Extension::Zero || b.output() == 0 {
        return b.taps() as f64;
    }
    let mut step = b.output().div_ceil(SAMPLES);
    while gcd(step as i64, b.spread() as i64) > 1 {
        step += 1; // where samples are spread, all residues count
    }
    let counts: Vec<f64> =
        (step / 2..b.output()).step_by(step).map(|i| b.run(i as i64).count as f64).collect();
    counts.iter().sum::<f64>() / counts.len().max(1) as f64
}

/// Seconds per output of a convolution along lines.
fn along<T: Scalar>(axis: &Axis, rates: &Rates) -> f64 {
    let b = axis.band();
    let (taps, lanes) = (b.taps() as f64, REGISTER / size_of::<T>() as f64);
    let flops = seen(axis) * per_product::<T>();
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
    let exchanged = axis.extension() == Extension::Zero && b.taps() > b.input();
    let ends = if exchanged { 0.3 } else { 2.0 * ends / outputs };
    flops / rate * (1.0 + ends) + LINE / outputs
}

/// Seconds per output of a sheet: all taps of the last two axes together.
fn sheet<T: Scalar>(rows: &Axis, columns: &Axis, rates: &Rates) -> f64 {
    let (lanes, taps) = (REGISTER / size_of::<T>() as f64, rows.band().taps() as f64);
    let b = columns.band();
    let width = b.output().max(1) as f64;
    let filled = width / ((width / lanes).ceil() * lanes);
    let rate = Rates::of::<T>(&rates.sheet) * 1.05 * taps / (taps + 1.3) * filled;
    let each = seen(rows) * b.taps() as f64 * per_product::<T>() / rate;
    let ends = width - b.inside().len() as f64;
    if ends == 0.0 || columns.extension() == Extension::Zero && ends <= 2.0 * NARROW {
        return each;
    }
    // Near the ends half a register is used, and the sources are copied.
    let copied = END_ROWS.min(rows.band().output().max(1) as f64);
    each * (1.0 + 3.0 * (ends / width).min(1.0)) + ENDS / width / copied
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
        let others: f64 = axes[..D - 1].iter().map(seen).product();
        (along::<T>(&axes[D - 1], rates) * others, "line by line")
    } else {
        let (rows, columns) = (&axes[D - 2], &axes[D - 1]);
        let b = rows.band();
        let shared = if b.stride() == 1 && b.spread() == 1 && b.dilation() == 1 { 1.0 } else { 2.0 };
        let others: f64 = axes[..D - 2].iter().map(seen).product();
        let plane = (b.output() as f64 * inner.output() as f64).max(1.0);
        let each = sheet::<T>(rows, columns, rates) * shared + PLANE / plane;
        (each * others, "in tiles of rows and registers")
    };
    let bytes = vectors(bank);
    let seconds = CALL + together(outputs * channels * each, bytes / rates.copy);
    let memory = bank.kernels().len() as f64 * size_of::<T>() as f64;
    let detail = how.to_owned();
    Candidate { engine: Engine::Direct, flops, bytes, memory, error: 0.0, seconds, detail, work: flops }
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
    let last = axes[D - 1].band();
    let slides = last.stride() == 1 && last.spread() == 1;
    // Short sums reach less of the rate, which the cost of what is passed on covers.
    let rate = 0.8 * Rates::of::<T>(&rates.sheet);
    let each: f64 = (0..D)
        .map(|a| {
            // Outputs of the later axes are still inputs here.
            let grown: f64 = axes[a + 1..]
                .iter()
                .map(|x| x.band().input() as f64 / x.band().output().max(1) as f64)
                .product();
            let rate = if a + 1 < D || slides { rate } else { Rates::of::<T>(&rates.apart) };
            taps[a] * per_product::<T>() * grown / rate
        })
        .sum();
    let bytes = vectors(bank);
    let passed = (D - 1) as f64 * (PASSED + PASSED_BYTE * size_of::<T>() as f64 / rates.copy);
    let lines = LINE_OF_MANY / last.output().max(1) as f64;
    let seconds = SEPARABLE_CALL + together(rank * outputs * (each + passed + lines), bytes / rates.copy);
    let memory = 2.0 * rank * taps.iter().sum::<f64>() * size_of::<T>() as f64;
    // Factors and products of every term, and the terms that were left out.
    let roundings =
        4.0 * rank + taps.iter().fold(0.0, |a, &b| f64::max(a, b)) * taps.iter().product::<f64>().sqrt();
    let error = if operator.is_exact() { 0.0 } else { roundings * T::EPSILON };
    let detail = match (operator.rank(), operator.is_exact()) {
        (1, true) => "an outer product, axis after axis".to_owned(),
        (rank, _) => format!("{rank} outer products, axis after axis"),
    };
    Candidate { engine: Engine::Separable, flops, bytes, memory, error, seconds, detail, work: flops }
}

/// The FFT engine, or why it cannot be taken.
#[cfg(feature = "fft")]
pub(super) fn transforms<T: Scalar, const D: usize>(
    bank: &Bank<T, D>,
    rates: &Rates,
) -> std::result::Result<Candidate, String> {
    let Effort { flops, bytes, cost, shape, blocks } =
        effort(bank).map_err(|e| e.to_string())?.ok_or("there is nothing to compute")?;
    let rate = Rates::of::<T>(if D == 1 { &rates.lines } else { &rates.tiles });
    let channels = bank.channels();
    let points: f64 = shape.iter().map(|&n| n as f64).product();
    let names: Vec<String> = shape.iter().map(usize::to_string).collect();
    let detail = match blocks {
        1 => format!("one transform of {}", names.join(" x ")),
        blocks => format!("{blocks} blocks of {}", names.join(" x ")),
    };
    let seconds = together(cost / rate, vectors(bank) / rates.copy) + FFT_PRODUCT;
    let memory = channels.kernels() as f64 * points * 2.0 * size_of::<T>() as f64;
    // The bound of `FftConv::error_bound` beside ‖k‖₁·‖x‖₂, for zeros beyond the ends.
    let error = 4.0 * T::EPSILON * points.log2().max(1.0) * std::f64::consts::SQRT_2;
    Ok(Candidate { engine: Engine::Fft, flops, bytes, memory, error, seconds, detail, work: cost })
}

/// Without the feature there is none.
#[cfg(not(feature = "fft"))]
pub(super) fn transforms<T: Scalar, const D: usize>(
    _: &Bank<T, D>,
    _: &Rates,
) -> std::result::Result<Candidate, String> {
    Err("this build lacks the feature `fft`".into())
}
