//! One axis: overlapping blocks, each transformed, multiplied with the spectrum of the kernel and transformed back.
//!
//! A block of N places gives N − K + 1 results that have not seen its ends (overlap–save; Stockham 1966,
//! DOI 10.1145/1464182.1464209). Two neighbouring blocks of real numbers are the parts of one complex block, which leaves
//! nothing to untangle. Short signals are one block with a real transform, just long enough for the outputs that are kept. A
//! spectrum that several results need is computed once and kept for the product.

use super::axis::Line;
use super::spectra::{accumulate, kernel_buffer, multiply};
use crate::conv::Channels;
use crate::error::Result;
use crate::memory::as_complex_mut;
use crate::parallel::for_each_part;
use crate::scalar::{Real, Scalar};
use crate::stencil::Side;
use crate::transform::{LineFft, Placement, Spectrum, good_line_size, line_fft, packed_fft, per_complex};
use num_complex::Complex;
use num_traits::Zero;
use std::sync::Arc;

/// From this number of results on each is one piece of work, and below it each is cut into blocks for the threads.
const MANY: usize = 16;

/// Parts into which work is cut: at most this many, and at least four blocks each once there are more than 16.
const PARTS: usize = 32;

/// Bytes of scratch for all parts together, beyond two of them: every part has its own.
const ROOM: usize = 12 << 20;

/// Places of a block that are worth handing to another thread.
const PLACES: usize = 1 << 12;

/// A bank of convolutions along one axis.
#[derive(Clone)]
pub(super) struct Blocks<T: Scalar> {
    line: Line,
    fft: Arc<dyn LineFft<T>>,
    /// Places of a block.
    len: usize,
    /// Whether one block holds everything.
    whole: bool,
    /// Of the kernels, divided by the length of the transform.
    spectra: Vec<Spectrum<T>>,
    channels: Channels,
}

/// How results are cut into blocks, and blocks joined to pairs.
#[derive(Clone, Copy)]
struct Cut {
    /// Results of one block.
    len: usize,
    /// Results of the blocks that are transformed together.
    joint: usize,
    /// Number of transforms.
    count: usize,
    /// How far the first place of a block lies before its first result.
    lead: usize,
}

/// Places of a block, and whether it covers everything: what costs least.
pub(super) fn block_len<T: Scalar>(line: &Line) -> (usize, bool) {
    let whole = good_line_size::<T>(line.least);
    let lanes = per_complex::<T>();
    let mut best = (block_cost::<T>(whole, true), whole, true);
    let smallest = (2 * line.span).next_power_of_two().max(64);
    for n in std::iter::successors(Some(smallest), |n| n.checked_mul(2)).take_while(|&n| n < whole) {
        let blocks = line.places.max(line.least - line.span).div_ceil(n - line.span + 1);
        let all = block_cost::<T>(n, false) * blocks.div_ceil(lanes) as f64; // estimate
        if all < best.0 {
            best = (all, n, false);
        }
    }
    (best.1, best.2)
}

/// What a block of `n` places costs, or as many as come together in one transform of complex numbers: both transforms, the product
/// and the copies, half a nanosecond or less each. Measured on lines from 2¹⁰ to 2¹⁷.
pub(super) fn block_cost<T: Scalar>(n: usize, whole: bool) -> f64 {
    // Lines that leave the first cache, and later the second, cost more.
    let cost = |n: usize| {
        let (n, bytes) = (n as f64, (n * size_of::<Spectrum<T>>()) as f64); // estimates
        n * (n.log2() + 5.0) * (bytes / 16e3).log2().mul_add(0.08, 1.0).clamp(1.0, 2.0) + 500.0
    };
    // A real transform is a complex one of half the length, and the untangling of its two halves. Lengths of all sizes are a
    // little slower than powers of two.
    if whole { 1.2 * cost(n / per_complex::<T>()) } else { cost(n) }
}

impl<T: Scalar> Blocks<T> {
    pub(super) fn new(line: Line, kernels: &[T], channels: Channels) -> Result<Self> {
        let (len, whole) = block_len::<T>(&line);
        let fft = if whole { line_fft::<T>(len) } else { packed_fft::<T>(len) };
        let h = fft.frequencies();
        let mut spectra = kernel_buffer::<T>(channels.kernels(), h)?;
        let mut scratch = kernel_buffer::<T>(1, fft.scratch_len())?;
        let mut taps = vec![T::zero(); fft.len()];
        let scale = T::Real::of(1.0 / len as f64); // exact below 2^53
        for (kernel, spectrum) in kernels.chunks(line.taps.samples()).zip(spectra.chunks_mut(h)) {
            let lanes = [Some((kernel, 0)), None];
            line.taps.load_lanes(&lanes[..fft.len() / len], &mut taps);
            fft.forward(&mut taps, spectrum, &mut scratch);
            spectrum.iter_mut().for_each(|v| *v = v.scale(scale));
        }
        Ok(Blocks { line, fft, len, whole, spectra, channels })
    }

    /// Length of the transform.
    pub(super) fn transform_len(&self) -> usize {
        self.len
    }

    /// Number of blocks that are transformed together.
    pub(super) fn lanes(&self) -> usize {
        self.fft.len() / self.len
    }

    /// Number of blocks of a forward product, per channel.
    pub(super) fn count(&self) -> usize {
        let (_, onto) = self.places_of(Side::Forward);
        onto.samples().div_ceil(self.cut(Side::Forward, onto).len)
    }

    fn places_of(&self, side: Side) -> (&Placement, &Placement) {
        match side {
            Side::Forward => (&self.line.input, &self.line.output),
            Side::Adjoint => (&self.line.output, &self.line.input),
        }
    }

    /// Whether the results are places of the extended signal, to be folded in a second step.
    fn folds_apart(&self, side: Side) -> bool {
        side == Side::Adjoint && !self.whole && self.line.input.repeats()
    }

    /// The places of the extended signal as a vector of their own.
    fn unfolded(&self) -> Placement {
        Placement::new(self.line.places, 0..self.line.places, 0, 1)
    }

    fn cut(&self, side: Side, onto: &Placement) -> Cut {
        if self.whole {
            return Cut { len: onto.samples(), joint: onto.samples(), count: 1, lead: 0 };
        }
        let len = (self.len - self.line.span) / onto.step() + 1;
        let lead = if side == Side::Forward { self.line.span - 1 } else { 0 };
        let joint = self.lanes() * len;
        Cut { len, joint, count: onto.samples().div_ceil(joint), lead }
    }

    /// The first place of the block whose first result is `result`.
    fn begin(&self, cut: Cut, onto: &Placement, result: usize) -> i64 {
        if self.whole { 0 } else { onto.place(result) - cut.lead as i64 } // below 2^61, see `Band`
    }

    /// Units per part, and number of parts, for `units` of so many blocks each.
    fn split(&self, units: usize, blocks: usize) -> (usize, usize) {
        let worth = (units * blocks).saturating_mul(self.fft.len()) / PLACES;
        let room = ROOM / (self.part_scratch() * size_of::<T>()).max(1);
        let most = units.min(PARTS).min((units / 4).max(16)).min(room.max(2));
        let per_part = units.div_ceil(worth.clamp(1, most.max(1))).max(1);
        (per_part, units.div_ceil(per_part).max(1))
    }

    /// `y ← A x`, or `x ← Aᴴ y`.
    pub(super) fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let (_, onto) = self.places_of(side);
        if !self.folds_apart(side) {
            return self.results(side, onto, x, y, scratch);
        }
        let (places, samples) = (self.line.places, onto.samples());
        let (unfolded, scratch) = scratch.split_at_mut(y.len() / samples * places);
        self.results(side, &self.unfolded(), x, unfolded, scratch)?;
        unfolded.chunks(places).zip(y.chunks_mut(samples)).for_each(|(line, y)| onto.fold(line, y));
        Ok(())
    }

    fn results(&self, side: Side, onto: &Placement, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let cut = self.cut(side, onto);
        let (h, per_part) = (self.fft.frequencies(), self.part_scratch());
        let (kept, scratch) = scratch.split_at_mut(self.kept(side, cut) * h * per_complex::<T>());
        let kept = as_complex_mut(kept);
        let (per, _) = self.split(kept.len() / h, 1);
        for_each_part(kept, per * h, scratch, per_part, |start, kept, scratch| {
            let (line, scratch) = scratch.split_at_mut(self.fft.len());
            for (q, spectrum) in kept.chunks_mut(h).enumerate() {
                let (source, joint) = ((start / h + q) / cut.count, (start / h + q) % cut.count);
                self.transform(side, cut, onto, (source, joint), x, line, spectrum, as_complex_mut(scratch));
            }
            Ok(())
        })?;
        let product = Product { blocks: self, side, cut, onto, x, kept };
        let (samples, results) = (onto.samples(), y.len() / onto.samples());
        if cut.count == 1 || results >= MANY {
            let (per, _) = self.split(results, cut.count);
            return for_each_part(y, per * samples, scratch, per_part, |start, y, scratch| {
                for (q, y) in y.chunks_mut(samples).enumerate() {
                    product.result(start / samples + q, 0, y, scratch);
                }
                Ok(())
            });
        }
        let (per, _) = self.split(cut.count, 1);
        for (result, y) in y.chunks_mut(samples).enumerate() {
            for_each_part(y, per * cut.joint, scratch, per_part, |start, y, scratch| {
                product.result(result, start / cut.joint, y, scratch);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The spectrum of blocks `joint` of a source.
    #[allow(clippy::too_many_arguments)] // two callers, who hold all of it in separate variables
    fn transform(
        &self,
        side: Side,
        cut: Cut,
        onto: &Placement,
        (source, joint): (usize, usize),
        x: &[T],
        line: &mut [T],
        spectrum: &mut [Spectrum<T>],
        scratch: &mut [Spectrum<T>],
    ) {
        let (from, _) = self.places_of(side);
        let x = &x[source * from.samples()..][..from.samples()];
        let lane = |l: usize| {
            let first = joint * cut.joint + l * cut.len;
            (first < onto.samples()).then(|| (x, self.begin(cut, onto, first)))
        };
        from.load_lanes(&[lane(0), lane(1)][..self.lanes()], line);
        self.fft.forward(line, spectrum, scratch);
    }

    /// Number of spectra that a product keeps: none where every source has one result.
    fn kept(&self, side: Side, cut: Cut) -> usize {
        let (sources, results) = self.channels.flow(side);
        if results > 1 { self.channels.groups * sources * cut.count } else { 0 }
    }

    fn part_scratch(&self) -> usize {
        self.fft.len() + per_complex::<T>() * (2 * self.fft.frequencies() + self.fft.scratch_len())
    }

    pub(super) fn scratch_len(&self) -> usize {
        let of = |side| {
            let results = self.channels.groups * self.channels.flow(side).1;
            let unfolded = self.unfolded();
            let apart = self.folds_apart(side);
            let onto = if apart { &unfolded } else { self.places_of(side).1 };
            let cut = self.cut(side, onto);
            let kept = self.kept(side, cut);
            let whole_results = cut.count == 1 || results >= MANY;
            let (_, parts) =
                if whole_results { self.split(results, cut.count) } else { self.split(cut.count, 1) };
            let parts = parts.max(self.split(kept, 1).1);
            let places = if apart { results * self.line.places } else { 0 };
            places + kept * self.fft.frequencies() * per_complex::<T>() + parts * self.part_scratch()
        };
        of(Side::Forward).max(of(Side::Adjoint))
    }
}

/// What all parts of a product share.
struct Product<'a, T: Scalar> {
    blocks: &'a Blocks<T>,
    side: Side,
    cut: Cut,
    onto: &'a Placement,
    x: &'a [T],
    kept: &'a [Spectrum<T>],
}

impl<T: Scalar> Product<'_, T> {
    /// The part `y` of result `result` that begins with block `first`.
    fn result(&self, result: usize, first: usize, y: &mut [T], scratch: &mut [T]) {
        let (b, cut, h) = (self.blocks, self.cut, self.blocks.fft.frequencies());
        let (line, scratch) = scratch.split_at_mut(b.fft.len());
        let (sum, scratch) = as_complex_mut(scratch).split_at_mut(h);
        let (one, scratch) = scratch.split_at_mut(h);
        let (sources, results) = b.channels.flow(self.side);
        if sources == 0 {
            return y.fill(T::zero());
        }
        for (q, y) in y.chunks_mut(cut.joint).enumerate() {
            for s in 0..sources {
                let source = result / results * sources + s;
                let kernel = &b.spectra[b.channels.kernel_between(self.side, result, s) * h..][..h];
                if results > 1 {
                    let spectrum = &self.kept[(source * cut.count + first + q) * h..][..h];
                    if s == 0 {
                        sum.fill(Complex::zero());
                    }
                    accumulate(self.side, sum, kernel, spectrum);
                } else if s == 0 {
                    b.transform(self.side, cut, self.onto, (source, first + q), self.x, line, sum, scratch);
                    multiply(self.side, sum, kernel);
                } else {
                    b.transform(self.side, cut, self.onto, (source, first + q), self.x, line, one, scratch);
                    accumulate(self.side, sum, kernel, one);
                }
            }
            b.fft.inverse(sum, line, scratch);
            if b.whole {
                self.onto.fold(line, y);
                continue;
            }
            for (l, y) in y.chunks_mut(cut.len).enumerate() {
                let result = (first + q) * cut.joint + l * cut.len;
                let begin = b.begin(cut, self.onto, result);
                self.onto.pick_lane(line, (l, b.lanes()), begin, result, y);
            }
        }
    }
}
