//! `out[o] += Σ_q tap[q]·input[o + q]`, with steps: the interior of every direct product.
//!
//! In pseudo-code:
//!
//! ```text
//! for b in 0..outputs:  for q in 0..taps.count:
//!     out[b·out_step] += tap[q] · input[start + b·in_step + q·tap_in_step]
//! ```
//!
//! Deviations: (1) where outputs and their inputs are adjacent, a block of outputs stays in registers while the taps
//! pass by, so that an output is loaded and stored once per call; (2) zero taps are skipped.

use super::loops::loops;
use super::{Isa, Summation, isa};
use crate::scalar::Scalar;

/// Where the operands of [`correlate`] lie. `T` is the type of the taps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Correlate<'a, T> {
    /// The kernel that the taps are taken from.
    pub kernel: &'a [T],
    /// The first tap, and the distance to the next.
    pub tap: (usize, isize),
    /// Number of taps.
    pub taps: usize,
    /// The input of the first tap for the first output, and the distance to that of the next tap.
    pub input: (usize, usize),
    /// Distance between the inputs of neighbouring outputs.
    pub input_shift: usize,
    /// Distance between neighbouring outputs.
    pub output_step: usize,
    /// Number of outputs.
    pub outputs: usize,
}

impl<T: Scalar> Correlate<'_, T> {
    #[inline(always)]
    fn tap(&self, q: usize) -> T {
        self.kernel[self.tap.0.wrapping_add_signed(q as isize * self.tap.1)] // q·step stays inside the kernel
    }
}

/// `out[b·output_step] += Σ_q tap_q · x[input + b·input_shift + q·step]`, taps in the given order.
pub(crate) fn correlate<T: Scalar>(c: &Correlate<T>, x: &[T], out: &mut [T], summation: Summation) {
    (loops::<T>().correlate)(c, x, out, summation);
}

pub(super) fn dispatch<T: Scalar>(c: &Correlate<T>, x: &[T], out: &mut [T], summation: Summation) {
    let fused = summation == Summation::Fastest;
    match isa() {
        Isa::Portable => body::<T, false, 16>(c, x, out),
        // SAFETY: `isa` returned this value, so the processor has the instructions that the shell enables.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { if fused { avx2::<T, true>(c, x, out) } else { avx2::<T, false>(c, x, out) } },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe {
            if fused { avx512::<T, true>(c, x, out) } else { avx512::<T, false>(c, x, out) }
        },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Scalar, const FUSED: bool>(c: &Correlate<T>, x: &[T], out: &mut [T]) {
    body::<T, FUSED, 32>(c, x, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512<T: Scalar, const FUSED: bool>(c: &Correlate<T>, x: &[T], out: &mut [T]) {
    body::<T, FUSED, 64>(c, x, out);
}

/// `acc + a·b`, fused or not.
#[inline(always)]
pub(super) fn add_product<T: Scalar, const FUSED: bool>(acc: T, a: T, b: T) -> T {
    if FUSED { a.fused(b, acc) } else { acc + a * b }
}

#[inline(always)]
fn body<T: Scalar, const FUSED: bool, const BLOCK: usize>(c: &Correlate<T>, x: &[T], out: &mut [T]) {
    if c.taps == 0 {
        return;
    }
    let mut done = 0;
    if c.output_step == 1 && c.input_shift == 1 {
        done = blocks::<T, FUSED, BLOCK>(c, x, out, done);
        done = blocks::<T, FUSED, 8>(c, x, out, done);
    }
    for b in done..c.outputs {
        let mut acc = out[b * c.output_step];
        let start = c.input.0 + b * c.input_shift;
        for q in 0..c.taps {
            let tap = c.tap(q);
            if !tap.is_zero() {
                acc = add_product::<T, FUSED>(acc, tap, x[start + q * c.input.1]);
            }
        }
        out[b * c.output_step] = acc;
    }
}

/// Whole blocks of adjacent outputs, from output `done` on; returns how many outputs are done then.
#[inline(always)]
fn blocks<T: Scalar, const FUSED: bool, const BLOCK: usize>(
    c: &Correlate<T>,
    x: &[T],
    out: &mut [T],
    mut done: usize,
) -> usize {
    while done + BLOCK <= c.outputs {
        let target = &mut out[done..done + BLOCK];
        let mut acc = [T::zero(); BLOCK];
        acc.copy_from_slice(target);
        for q in 0..c.taps {
            let tap = c.tap(q);
            if tap.is_zero() {
                continue;
            }
            let from = c.input.0 + done + q * c.input.1;
            let source = &x[from..from + BLOCK];
            for lane in 0..BLOCK {
                acc[lane] = add_product::<T, FUSED>(acc[lane], tap, source[lane]);
            }
        }
        target.copy_from_slice(&acc);
        done += BLOCK;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pseudo-code of the module.
    fn plain(c: &Correlate<f64>, x: &[f64], out: &mut [f64]) {
        for b in 0..c.outputs {
            for q in 0..c.taps {
                let tap = c.kernel[(c.tap.0 as isize + q as isize * c.tap.1) as usize];
                if tap != 0.0 {
                    out[b * c.output_step] += tap * x[c.input.0 + b * c.input_shift + q * c.input.1];
                }
            }
        }
    }

    #[test]
    fn every_shell_is_the_pseudo_code_bit_for_bit() {
        let x: Vec<f64> = (0..2000).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
        let kernel: Vec<f64> = (0..7).map(|i| if i == 3 { 0.0 } else { (i as f64 + 0.3).cos() }).collect();
        for outputs in [0, 1, 7, 8, 63, 64, 65, 200] {
            for (output_step, input_shift, step, tap) in [
                (1, 1, 1, (6, -1)),
                (1, 1, 3, (0, 1)),
                (2, 1, 1, (6, -2)),
                (1, 2, 1, (0, 2)),
                (3, 2, 5, (1, 1)),
            ] {
                let taps = if tap.1 % 2 == 0 { 4 } else { 6 };
                let c = Correlate {
                    kernel: &kernel,
                    tap,
                    taps,
                    input: (11, step),
                    input_shift,
                    output_step,
                    outputs,
                };
                let start: Vec<f64> = (0..1 + outputs * output_step).map(|i| i as f64 * 0.1).collect();
                let (mut expected, mut got, mut fast) = (start.clone(), start.clone(), start);
                plain(&c, &x, &mut expected);
                correlate(&c, &x, &mut got, Summation::Ascending);
                assert_eq!(got, expected, "{c:?}");
                correlate(&c, &x, &mut fast, Summation::Fastest);
                assert!(fast.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-11));
            }
        }
    }
}
