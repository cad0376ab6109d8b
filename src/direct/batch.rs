//! Batches of signals with the direct engine.
//!
//! A row-contiguous batch (all signals of a sample adjacent) is a product across the batch: every result row is a sum of
//! weighted source rows. A column-contiguous one is treated signal by signal. Anything else moves one signal at a time
//! through scratch.

use super::{DirectConv, layers};
use crate::error::Result;
use crate::op::{BatchOperator, LinearOperator, by_columns, staging};
use crate::parallel;
use crate::scalar::Scalar;
use crate::simd::{Correlate, correlate};
use crate::stencil::{Side, tap_progression};
use ndarray::{ArrayView2, ArrayViewMut2};

impl<T: Scalar, const D: usize> DirectConv<T, D> {
    /// `Y ← A X` across a batch whose rows are adjacent in memory: `x` and `y` are row-major with `cols` columns.
    fn across(&self, side: Side, x: &[T], y: &mut [T], cols: usize, scratch: &mut [T]) -> Result<()> {
        let t = &self.traversal;
        let (kernels, inner) = (self.kernels(side), t.inner());
        if let Some(readings) = self.readings(side) {
            let readings = readings.across(cols);
            let part = readings.part(t.work(side), y.len());
            return parallel::for_each_part(y, part, &mut [], 0, |start, part, _: &mut [()]| {
                readings.product(kernels, x, start, part);
                Ok(())
            });
        }
        let (line_len, plain) = (inner.len(side), inner.plain(side));
        let add = |kernel: &[T], tap, taps, source: usize, step: usize, out: &mut [T]| {
            let c = Correlate {
                kernel,
                tap,
                taps,
                input: (source * cols, step * cols),
                input_shift: 1,
                output_step: 1,
                outputs: cols,
            };
            correlate(&c, x, out, self.summation);
        };
        let part = self.batch_part(side, cols) * cols;
        parallel::for_each_part(y, part, scratch, t.scratch_len(), |start, part, scratch| {
            part.fill(T::zero());
            for (r, out) in part.chunks_mut(cols).enumerate() {
                let result = start / cols + r;
                let (line, r) = (result / line_len, result % line_len);
                t.for_each_source(side, line, kernels, scratch, &mut |kernel, source| {
                    if plain.contains(&r) {
                        for phase in inner.phases(side, &(r..r + 1)) {
                            let run = phase.run;
                            let tap = tap_progression(inner, side, &run);
                            add(kernel, tap, run.count, source + run.input, run.input_step, out);
                        }
                    } else {
                        inner.visit(side, r, |s, taps| {
                            add(&[taps.merge(kernel)], (0, 1), 1, source + s, 1, out);
                        });
                    }
                });
            }
            Ok(())
        })
    }

    /// Result rows that one part of a batch product computes.
    fn batch_part(&self, side: Side, cols: usize) -> usize {
        parallel::part_len(self.traversal.results(side), self.traversal.work(side).saturating_mul(cols))
    }

    /// Elements of scratch for a product across a batch.
    fn across_scratch(&self, cols: usize) -> usize {
        let parts = |side| self.traversal.results(side).div_ceil(self.batch_part(side, cols)).max(1);
        self.traversal.scratch_len() * parts(Side::Forward).max(parts(Side::Adjoint))
    }

    fn batch(&self, side: Side, x: ArrayView2<T>, mut y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        let cols = x.ncols();
        if cols > 1
            && let (Some(x), Some(y)) = (x.as_slice(), y.as_slice_mut())
        {
            return self.across(side, x, y, cols, scratch);
        }
        // Signals one after the other are more planes of the same kind.
        if let Some(readings) = self.layered(side)
            && let (Some(x), Some(y)) = (x.t().as_slice(), y.view_mut().reversed_axes().as_slice_mut())
        {
            return layers(readings, self.kernels(side), x, y);
        }
        by_columns(x, y, scratch, self.scratch_len(), |x, y, scratch| self.product(side, x, y, scratch))
    }
}

impl<T: Scalar, const D: usize> BatchOperator<T> for DirectConv<T, D> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.batch(Side::Forward, x, y, scratch)
    }

    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        self.batch(Side::Adjoint, y, x, scratch)
    }

    fn batch_scratch_len(&self, cols: usize) -> usize {
        let (m, n) = self.shape();
        self.across_scratch(cols).max(self.scratch_len() + m + n)
    }

    fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
        if input.ncols() > 1 && input.is_standard_layout() && output.is_standard_layout() {
            self.across_scratch(input.ncols())
        } else {
            self.scratch_len() + staging(input) + staging(output)
        }
    }
}
