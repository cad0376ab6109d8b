//! Two and more axes: one transform of the whole grid, just large enough for the outputs that are kept.

use super::axis::Line;
use super::spectra::{accumulate, kernel_buffer, multiply};
use super::tiling::whole_cost;
use crate::conv::Channels;
use crate::error::Result;
use crate::memory::as_complex_mut;
use crate::scalar::{Real, Scalar};
use crate::stencil::Side;
use crate::transform::{GridFft, Placement, Spectrum, good_line_size, good_size, per_complex};

/// What the transforms of one product cost, to be compared with [`Tiling::best`](super::tiling::Tiling::best).
pub(super) fn grid_cost<T: Scalar, const D: usize>(lines: &[Line; D]) -> f64 {
    let shape: [usize; D] = std::array::from_fn(|a| grid_len::<T>(&lines[a], a + 1 == D));
    whole_cost::<T>(&shape)
}

/// Places of the grid along one axis.
pub(super) fn grid_len<T: Scalar>(line: &Line, last: bool) -> usize {
    if last { good_line_size::<T>(line.least) } else { good_size(line.least) }
}

/// A bank of convolutions of images or volumes.
#[derive(Clone)]
pub(super) struct Grid<T: Scalar, const D: usize> {
    fft: GridFft<T, D>,
    input: [Placement; D],
    output: [Placement; D],
    /// Of the kernels, divided by the number of places.
    spectra: Vec<Spectrum<T>>,
    channels: Channels,
}

impl<T: Scalar, const D: usize> Grid<T, D> {
    pub(super) fn new(lines: [Line; D], kernels: &[T], channels: Channels) -> Result<Self> {
        let fft = GridFft::new(lines.each_ref().map(|l| l.least));
        let taps = lines.each_ref().map(|l| l.taps.clone());
        let total = fft.spectrum_len();
        let mut spectra = kernel_buffer::<T>(channels.kernels(), total)?;
        let work = fft.work_len(&taps);
        let mut work = [kernel_buffer::<T>(1, work[0])?, kernel_buffer::<T>(1, work[1])?];
        let mut scratch = vec![T::zero(); fft.scratch_len()];
        let count: usize = taps.iter().map(Placement::samples).product();
        let scale = T::Real::of(1.0 / fft.shape().iter().product::<usize>() as f64); // exact below 2^53
        for (kernel, spectrum) in kernels.chunks(count).zip(spectra.chunks_mut(total)) {
            let [even, odd] = &mut work;
            fft.forward(kernel, &taps, spectrum, [even, odd], &mut scratch, &|_, columns, _, _| {
                columns.iter_mut().for_each(|v| *v = v.scale(scale));
            })?;
        }
        let [input, output] = [lines.each_ref().map(|l| l.input.clone()), lines.map(|l| l.output)];
        Ok(Grid { fft, input, output, spectra, channels })
    }

    /// Places per axis.
    pub(super) fn transform_shape(&self) -> [usize; D] {
        self.fft.shape()
    }

    /// `y ← A x`, or `x ← Aᴴ y`.
    pub(super) fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let (from, onto) = match side {
            Side::Forward => (&self.input, &self.output),
            Side::Adjoint => (&self.output, &self.input),
        };
        let total = self.fft.spectrum_len();
        let (sources, results) = self.channels.flow(side);
        let len = |places: &[Placement; D]| places.iter().map(Placement::samples).product::<usize>();
        let (work, scratch) = scratch.split_at_mut(self.complex_len() * per_complex::<T>());
        let (even, work) = as_complex_mut(work).split_at_mut(self.work_len()[0]);
        let (odd, work) = work.split_at_mut(self.work_len()[1]);
        let (sum, kept) = work.split_at_mut(total);
        let mut y = y.chunks_mut(len(onto).max(1)).enumerate();
        for group in 0..self.channels.groups {
            let source = |s: usize| &x[(group * sources + s) * len(from)..][..len(from)];
            let kernel =
                |result, s| &self.spectra[self.channels.kernel_between(side, result, s) * total..][..total];
            if (sources, results) == (1, 1) {
                let Some((result, y)) = y.next() else { break };
                let kernel = kernel(result, 0);
                self.fft.forward(source(0), from, sum, [even, odd], scratch, &|start, columns, fft, s| {
                    multiply(side, columns, &kernel[start..start + columns.len()]);
                    fft.inverse(columns, s);
                })?;
                self.fft.inverse(sum, onto, y, [even, odd], scratch)?;
                continue;
            }
            for (s, spectrum) in kept.chunks_mut(total).take(sources).enumerate() {
                self.fft.forward(source(s), from, spectrum, [even, odd], scratch, &|_, _, _, _| ())?;
            }
            for (result, y) in y.by_ref().take(results) {
                self.fft.columns_each(sum, scratch, &|start, columns, fft, scratch| {
                    columns.fill(Default::default());
                    for (s, spectrum) in kept.chunks(total).take(sources).enumerate() {
                        let part = start..start + columns.len();
                        accumulate(side, columns, &kernel(result, s)[part.clone()], &spectrum[part]);
                    }
                    fft.inverse(columns, scratch);
                })?;
                self.fft.inverse(sum, onto, y, [even, odd], scratch)?;
            }
        }
        Ok(())
    }

    fn work_len(&self) -> [usize; 2] {
        let (input, output) = (self.fft.work_len(&self.input), self.fft.work_len(&self.output));
        [input[0].max(output[0]), input[1].max(output[1])]
    }

    /// Complex numbers that a product needs.
    fn complex_len(&self) -> usize {
        let c = &self.channels;
        let kept = if (c.inputs, c.outputs) == (1, 1) { 0 } else { c.inputs.max(c.outputs) };
        self.work_len().iter().sum::<usize>() + (1 + kept) * self.fft.spectrum_len()
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.complex_len() * per_complex::<T>() + self.fft.scratch_len()
    }
}
