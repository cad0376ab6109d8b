//! One line of results from one source line.

use crate::scalar::Scalar;
use crate::simd::{Correlate, Summation, correlate};
use crate::stencil::{Side, Stencil, tap_progression};
use std::ops::Range;

/// `out[r − results.start] += Σ coefficient(r, s)·x[s]` for every result `r` in `results`, sources ascending.
///
/// Plain results go to the inner loop phase by phase; at the ends each result gathers its merged coefficients.
pub(super) fn line_product<T: Scalar>(
    stencil: &Stencil,
    side: Side,
    kernel: &[T],
    x: &[T],
    results: Range<usize>,
    out: &mut [T],
    summation: Summation,
) {
    for phase in stencil.phases(side, &results) {
        let c = Correlate {
            kernel,
            tap: tap_progression(stencil, side, &phase.run),
            taps: phase.run.count,
            input: (phase.run.input, phase.run.input_step),
            input_shift: phase.input_shift,
            output_step: phase.output_step,
            outputs: phase.outputs,
        };
        correlate(&c, x, &mut out[phase.output - results.start..], summation);
    }
    let plain = stencil.plain(side);
    for r in ends(&results, &plain) {
        let sum = &mut out[r - results.start];
        stencil.visit(side, r, |source, taps| {
            let coefficient = taps.merge(kernel);
            if !coefficient.is_zero() {
                *sum += coefficient * x[source];
            }
        });
    }
}

/// The members of `results` outside `plain`, ascending.
fn ends(results: &Range<usize>, plain: &Range<usize>) -> impl Iterator<Item = usize> {
    let before = results.start..results.end.min(plain.start);
    let after = results.start.max(plain.end).max(before.end)..results.end;
    before.chain(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_complement() {
        for (a, b) in [(0, 0), (0, 5), (2, 3), (0, 10), (5, 10), (4, 4)] {
            for (c, d) in [(0, 10), (0, 4), (3, 8), (6, 6), (9, 10)] {
                let expected: Vec<_> = (c..d).filter(|r| !(a..b).contains(r)).collect();
                assert_eq!(ends(&(c..d), &(a..b)).collect::<Vec<_>>(), expected, "{a}..{b} in {c}..{d}");
            }
        }
    }
}
