//! Walking through the rows (or columns) of a convolution matrix in order, line by line.
//!
//! A *line* is a run of results along the last axis. Each line is a sum over *source lines*, each filtered by a 1-D
//! kernel: a row of the kernel where the line lies inside, a merged row where the boundary folds. The matrix builders and the
//! direct engine walk the same lines with the same kernels, which is why they agree bit for bit.

use super::bank::{Bank, Channels};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::stencil::{Side, Stencil};

/// The working form of a [`Bank`]'s geometry.
#[derive(Debug, Clone)]
pub(crate) struct Traversal<const D: usize> {
    stencils: [Stencil; D],
    channels: Channels,
    shape: (usize, usize),
}

impl<const D: usize> Traversal<D> {
    pub(crate) fn new<T: Scalar>(bank: &Bank<T, D>) -> Result<Self> {
        let stencils = bank.axes().iter().map(Stencil::new).collect::<Result<Vec<_>>>()?;
        let stencils = stencils.try_into().expect("one stencil per axis");
        Ok(Traversal { stencils, channels: *bank.channels(), shape: bank.shape() })
    }

    /// `(rows, cols)` of the matrix.
    pub(crate) fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// The stencils, in memory order.
    pub(crate) fn stencils(&self) -> &[Stencil; D] {
        &self.stencils
    }

    /// The stencil along a line.
    pub(crate) fn inner(&self) -> &Stencil {
        &self.stencils[D - 1]
    }

    /// Number of results of `side`.
    pub(crate) fn results(&self, side: Side) -> usize {
        match side {
            Side::Forward => self.shape.0,
            Side::Adjoint => self.shape.1,
        }
    }

    /// Multiply-adds that one result of `side` costs at most.
    pub(crate) fn work(&self, side: Side) -> usize {
        let channels = match side {
            Side::Forward => self.channels.inputs,
            Side::Adjoint => self.channels.outputs,
        };
        self.stencils.iter().map(Stencil::taps).product::<usize>() * channels
    }

    /// Elements of scratch for the merged kernels of one line.
    pub(crate) fn scratch_len(&self) -> usize {
        let taps = self.stencils.each_ref().map(Stencil::taps);
        (1..D).map(|a| taps[a..].iter().product::<usize>()).sum()
    }

    /// The first line with the same kernels as result line `line` of `side`, and how much further on the source lines
    /// of `line` begin. The line itself and 0 where a boundary is near; all lines of an image inside share one.
    pub(crate) fn first_alike(&self, side: Side, line: usize) -> (usize, usize) {
        let (mut rest, mut first, mut shift) = (line, line, 0);
        // Results and sources from one place along the axis to the next, in lines and elements.
        let (mut lines, mut elements) = (1, self.inner().len(side.other()));
        for stencil in self.stencils[..D - 1].iter().rev() {
            let len = stencil.len(side);
            let r = rest % len;
            rest /= len;
            if let Some(phase) = stencil.phases(side, &(r..r + 1)).next() {
                let steps = (r - stencil.plain(side).start) / phase.output_step;
                first -= steps * phase.output_step * lines;
                shift += steps * phase.input_shift * elements;
            }
            lines *= len;
            elements *= stencil.len(side.other());
        }
        (first, shift)
    }

    /// Calls `f(kernel, start)` for every source line of result line `line` of `side`: the 1-D kernel of
    /// [`Traversal::inner`] and where the source line begins; `start` ascends.
    pub(crate) fn for_each_source<T: Scalar>(
        &self,
        side: Side,
        line: usize,
        kernels: &[T],
        scratch: &mut [T],
        f: &mut dyn FnMut(&[T], usize),
    ) {
        let mut outer = [0; D];
        let mut rest = line;
        for axis in (0..D - 1).rev() {
            let len = self.stencils[axis].len(side);
            outer[axis] = rest % len;
            rest /= len;
        }
        let taps = self.stencils.iter().map(Stencil::taps).product::<usize>();
        let c = &self.channels;
        c.for_each_source(side, rest, |channel, kernel| {
            let kernel = &kernels[kernel * taps..][..taps];
            self.descend(side, 0, &outer, kernel, channel, scratch, f);
        });
    }

    /// Calls `f(source, coefficient)` for the non-zero coefficients of one result, sources ascending.
    pub(crate) fn for_each_entry<T: Scalar>(
        &self,
        side: Side,
        result: usize,
        kernels: &[T],
        scratch: &mut [T],
        mut f: impl FnMut(usize, T),
    ) {
        let len = self.inner().len(side);
        self.for_each_source(side, result / len, kernels, scratch, &mut |kernel, start| {
            self.inner().visit(side, result % len, |source, taps| {
                let coefficient = taps.merge(kernel);
                if !coefficient.is_zero() {
                    f(start + source, coefficient);
                }
            });
        });
    }

    /// Resolves the axes from `axis` on; `base` counts the source lines of the axes before.
    #[allow(clippy::too_many_arguments)] // the state of a recursion, called from two places
    fn descend<T: Scalar>(
        &self,
        side: Side,
        axis: usize,
        outer: &[usize; D],
        kernel: &[T],
        base: usize,
        scratch: &mut [T],
        f: &mut dyn FnMut(&[T], usize),
    ) {
        let stencil = &self.stencils[axis];
        let sources = stencil.len(side.other());
        if axis == D - 1 {
            return f(kernel, base * sources);
        }
        let (merged, rest) = scratch.split_at_mut(kernel.len() / stencil.taps());
        stencil.visit(side, outer[axis], |source, taps| {
            let slice = taps.merge_slices(kernel, merged);
            self.descend(side, axis + 1, outer, slice, base * sources + source, rest, f);
        });
    }
}
