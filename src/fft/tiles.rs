//! Two and more axes: overlapping tiles that stay in the cache, as [`Blocks`](super::blocks::Blocks) do along one axis.
//!
//! In pseudo-code, for an image:
//!
//! ```text
//! for every tile of results:
//!     Z  ← what stands on its places, K − 1 more than results per axis
//!     Z  ← F⁻¹(spectrum of the kernel · F Z)
//!     its results ← the places of Z that saw no end
//! ```
//!
//! Deviations: (1) two neighbouring tiles of real numbers are the parts of one complex tile; (2) a row is transformed as
//! soon as it is loaded, if anything stands on it, and back only if it holds results; (3) along the first axis a few columns
//! at a time are transformed, multiplied and transformed back, so that a tile makes three passes through the cache;
//! (4) boundaries are added row by row while loading.

use super::axis::Line;
use super::loading::{Lane, fold, indices, inner_forward, load};
use super::spectra::{accumulate, kernel_buffer, multiply};
use super::tiling::{Cut, Region, Tiling, unfolded};
use crate::conv::Channels;
use crate::error::{Error, Result};
use crate::memory::as_complex_mut;
use crate::parallel;
use crate::scalar::{Real, Scalar};
use crate::stencil::Side;
use crate::transform::{Placement, Spectrum, TileFft, per_complex};
use ndarray::{ArrayViewMut3, ArrayViewMut4, Axis, s};
use std::ops::Range;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A bank of convolutions of images or volumes.
#[derive(Clone)]
pub(super) struct Tiles<T: Scalar, const D: usize> {
    lines: [Line; D],
    tiling: Tiling<D>,
    fft: TileFft<T::Real, D>,
    /// Of the kernels, divided by the number of places.
    spectra: Vec<Spectrum<T>>,
    channels: Channels,
    /// The places of the extended signal as a vector of their own, along axes with a boundary that repeats samples.
    unfolded: [Placement; D],
    /// Where samples stand in that vector.
    fold: [Placement; D],
}

impl<T: Scalar, const D: usize> Tiles<T, D> {
    pub(super) fn new(
        lines: [Line; D],
        tiling: Tiling<D>,
        kernels: &[T],
        channels: Channels,
    ) -> Result<Self> {
        let fft = TileFft::new(tiling.shape);
        let total = fft.len();
        let mut spectra = kernel_buffer::<T>(channels.kernels(), total)?;
        let mut tile = vec![T::zero(); total * per_complex::<T>()];
        let mut scratch = kernel_buffer::<T>(1, fft.scratch_len())?;
        let taps = lines.each_ref().map(|l| &l.taps);
        let count: usize = taps.iter().map(|t| t.samples()).product();
        let scale = T::Real::of(1.0 / total as f64); // exact below 2^53
        for (kernel, spectrum) in kernels.chunks(count).zip(spectra.chunks_mut(total)) {
            let lanes = [Some(Lane { x: kernel, begin: [0; D] }), None];
            let filled = load(&fft, &taps, &lanes[..per_complex::<T>()], &mut tile, &mut scratch);
            let tile = as_complex_mut(&mut tile);
            inner_forward(&fft, tile, &mut scratch);
            fft.columns(0, tile, [filled, 0..0], &mut scratch, |start, columns, fft, scratch| {
                fft.forward(columns, scratch);
                let target = &mut spectrum[start..start + columns.len()];
                target.iter_mut().zip(columns).for_each(|(s, v)| *s = v.scale(scale));
            });
        }
        let plain = |n| Placement::new(n, 0..n, 0, 1);
        let unfolded = lines.each_ref().map(unfolded);
        let fold = lines
            .each_ref()
            .map(|l| if l.input.repeats() { l.input.clone() } else { plain(l.input.samples()) });
        Ok(Tiles { lines, tiling, fft, spectra, channels, unfolded, fold })
    }

    /// Places of a tile per axis.
    pub(super) fn transform_shape(&self) -> [usize; D] {
        self.fft.shape()
    }

    /// Number of tiles of a forward product, per channel.
    pub(super) fn count(&self) -> usize {
        let onto = self.placed(Side::Forward).1;
        let len = self.cut(Side::Forward).len;
        onto.iter().zip(len).map(|(onto, len)| onto.samples().div_ceil(len)).product()
    }

    fn cut(&self, side: Side) -> Cut<D> {
        self.tiling.cut::<T>(side, &self.lines, &self.placed(side).1)
    }

    /// Where sources and results stand.
    fn placed(&self, side: Side) -> ([&Placement; D], [&Placement; D]) {
        let output = self.lines.each_ref().map(|l| &l.output);
        match side {
            Side::Forward => (self.lines.each_ref().map(|l| &l.input), output),
            Side::Adjoint => (output, self.unfolded.each_ref()),
        }
    }

    /// Whether the results are places of the extended signal, to be folded in a second step.
    fn folds_apart(&self, side: Side) -> bool {
        side == Side::Adjoint && self.lines.iter().any(|l| l.input.repeats())
    }

    /// Number of places of the extended signals of all channels.
    fn places(&self) -> usize {
        let channels = self.channels.groups * self.channels.inputs;
        channels * self.unfolded.iter().map(Placement::samples).product::<usize>()
    }

    /// `y ← A x`, or `x ← Aᴴ y`.
    pub(super) fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        if !self.folds_apart(side) {
            return self.results(side, x, y, scratch);
        }
        let (unfolded, scratch) = scratch.split_at_mut(self.places());
        self.results(side, x, unfolded, scratch)?;
        fold(&self.fold, &self.unfolded, unfolded, y)
    }

    fn results(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let (from, onto) = self.placed(side);
        let cut = self.cut(side);
        let (groups, results) = (self.channels.groups, self.channels.flow(side).1);
        let mut shape = [1; 4];
        shape[0] = groups * results;
        onto.iter().zip(&mut shape[4 - D..]).for_each(|(onto, len)| *len = onto.samples());
        let Ok(y) = ArrayViewMut4::from_shape(shape, y) else {
            return Err(Error::Length { what: "y", expected: shape.iter().product(), got: 0 });
        };
        let per_part = self.part_scratch(side);
        let product = Product { tiles: self, side, from, onto, cut, x, results, per_part };
        product.share(Region::all(groups, &cut), cut.per_part(groups, per_part), y, scratch);
        Ok(())
    }

    /// Spectra that a part keeps while it computes a unit: the sum of the sources, or every source and their sum.
    fn kept(&self, side: Side) -> usize {
        match self.channels.flow(side) {
            (1, 1) => 0,
            (_, 1) => 1,
            (sources, _) => sources,
        }
    }

    fn part_scratch(&self, side: Side) -> usize {
        LINE / size_of::<T>()
            + per_complex::<T>() * ((1 + self.kept(side)) * self.fft.len() + self.fft.scratch_len())
    }

    /// Parts that a product is shared in.
    pub(super) fn parts(&self, side: Side) -> usize {
        let (cut, groups) = (self.cut(side), self.channels.groups);
        Region::all(groups, &cut).parts(cut.per_part(groups, self.part_scratch(side)))
    }

    pub(super) fn scratch_len(&self) -> usize {
        let of = |side| {
            let folding = if self.folds_apart(side) { self.places() } else { 0 };
            self.parts(side) * self.part_scratch(side) + folding
        };
        of(Side::Forward).max(of(Side::Adjoint))
    }
}

/// What all parts of a product share.
struct Product<'a, T: Scalar, const D: usize> {
    tiles: &'a Tiles<T, D>,
    side: Side,
    from: [&'a Placement; D],
    onto: [&'a Placement; D],
    cut: Cut<D>,
    x: &'a [T],
    /// Results of one group.
    results: usize,
    per_part: usize,
}

impl<T: Scalar, const D: usize> Product<'_, T, D> {
    /// Computes the region in parts of at most `most` units, shared among the threads.
    fn share(&self, region: Region<D>, most: usize, y: ArrayViewMut4<T>, scratch: &mut [T]) {
        if parallel::threads() == 1 {
            let scratch = &mut scratch[..self.per_part];
            return self.halve(region, most, y, &mut |region, y| self.part(&region, y, scratch));
        }
        let mut parts = Vec::new();
        self.halve(region, most, y, &mut |region, y| parts.push((region, y)));
        let scratch = scratch[..parts.len() * self.per_part].chunks_mut(self.per_part);
        let parts = parts.into_iter().zip(scratch);
        parallel::for_each(parts, |((region, y), scratch)| self.part(&region, y, scratch));
    }

    /// Halves the region and its results until parts are left, and calls `f` for each.
    fn halve<'y>(
        &self,
        region: Region<D>,
        most: usize,
        y: ArrayViewMut4<'y, T>,
        f: &mut dyn FnMut(Region<D>, ArrayViewMut4<'y, T>),
    ) {
        let Some((along, middle, [a, b])) = region.split(most) else { return f(region, y) };
        let (axis, at) = match along {
            Some(axis) => {
                let joint = self.cut.joint[axis];
                let at = (middle * joint).min(self.onto[axis].samples()) - region.units[axis].start * joint;
                (Axis(4 - D + axis), at)
            }
            None => (Axis(0), (middle - region.groups.start) * self.results),
        };
        let (first, second) = y.split_at(axis, at);
        self.halve(a, most, first, f);
        self.halve(b, most, second, f);
    }

    fn part(&self, region: &Region<D>, mut y: ArrayViewMut4<T>, scratch: &mut [T]) {
        let extent = region.units.each_ref().map(ExactSizeIterator::len);
        for unit in 0..region.len() {
            let (mut rest, mut first, mut apart) = (unit, [0; D], [0; D]);
            for a in (0..D).rev() {
                apart[a] = rest % extent[a] * self.cut.joint[a];
                first[a] = region.units[a].start * self.cut.joint[a] + apart[a];
                rest /= extent[a];
            }
            let channels = rest * self.results..(rest + 1) * self.results;
            let mut y = y.slice_mut(s![channels, .., .., ..]);
            for (a, &begin) in apart.iter().enumerate() {
                let axis = Axis(4 - D + a);
                let end = y.len_of(axis).min(begin + self.cut.joint[a]);
                y.slice_axis_inplace(axis, (begin..end).into());
            }
            self.unit(region.groups.start + rest, first, y, scratch);
        }
    }

    /// The results `y` of one group in the tiles of one unit, which begins with result `first` per axis.
    fn unit(&self, group: usize, first: [usize; D], mut y: ArrayViewMut4<T>, scratch: &mut [T]) {
        let (tiles, fft, total) = (self.tiles, &self.tiles.fft, self.tiles.fft.len());
        let lanes = per_complex::<T>();
        // Blocks of columns are whole cache lines if the tile begins with one.
        let skip = scratch.as_ptr().align_offset(LINE).min(LINE / size_of::<T>());
        let (tile, scratch) = scratch[skip..].split_at_mut(lanes * total);
        let (kept, scratch) = as_complex_mut(scratch).split_at_mut(tiles.kept(self.side) * total);
        let sources = tiles.channels.flow(self.side).0;
        let samples: usize = self.from.iter().map(|p| p.samples()).product();
        let result = |r: usize| group * self.results + r;
        let kernel = |r: usize, s: usize| {
            &tiles.spectra[tiles.channels.kernel_between(self.side, result(r), s) * total..][..total]
        };
        let wanted = self.wanted(&y);
        if sources == 0 || wanted[0].is_empty() {
            y.fill(T::zero());
            return;
        }
        for s in 0..sources {
            let x = &self.x[(group * sources + s) * samples..][..samples];
            let begin = [0, 1].map(|l| self.begin(first, l));
            let lane = begin.map(|begin| begin.map(|begin| Lane { x, begin }));
            let filled = load(fft, &self.from, &lane[..lanes], tile, scratch);
            let tile = as_complex_mut(tile);
            inner_forward(fft, tile, scratch);
            if (sources, self.results) == (1, 1) {
                let kernel = kernel(0, 0);
                fft.columns(0, tile, [filled, wanted[0].clone()], scratch, |start, columns, fft, scratch| {
                    fft.forward(columns, scratch);
                    multiply(self.side, columns, &kernel[start..start + columns.len()]);
                    fft.inverse(columns, scratch);
                });
                continue;
            }
            let target = if self.results > 1 { s * total } else { 0 };
            let target = &mut kept[target..target + total];
            fft.columns(0, tile, [filled, 0..0], scratch, |start, columns, fft, scratch| {
                fft.forward(columns, scratch);
                let part = start..start + columns.len();
                if self.results > 1 {
                    target[part].copy_from_slice(columns);
                } else if s == 0 {
                    multiply(self.side, columns, &kernel(0, s)[part.clone()]);
                    target[part].copy_from_slice(columns);
                } else {
                    accumulate(self.side, &mut target[part.clone()], &kernel(0, s)[part], columns);
                }
            });
        }
        for r in 0..self.results {
            let spectrum = as_complex_mut(tile);
            if (sources, self.results) != (1, 1) {
                fft.columns(
                    0,
                    spectrum,
                    [0..0, wanted[0].clone()],
                    scratch,
                    |start, columns, fft, scratch| {
                        let part = start..start + columns.len();
                        if self.results == 1 {
                            columns.copy_from_slice(&kept[part]);
                        } else {
                            for (s, source) in kept.chunks(total).enumerate() {
                                accumulate(
                                    self.side,
                                    columns,
                                    &kernel(r, s)[part.clone()],
                                    &source[part.clone()],
                                );
                            }
                        }
                        fft.inverse(columns, scratch);
                    },
                );
            }
            for (axis, wanted) in wanted.iter().enumerate().take(D - 1).skip(1) {
                let rows = [0..fft.shape()[axis], wanted.clone()];
                fft.columns(axis, spectrum, rows, scratch, |_, columns, fft, scratch| {
                    fft.inverse(columns, scratch);
                });
            }
            self.store(first, tile, y.index_axis_mut(Axis(0), r), scratch);
        }
    }

    /// The places of a tile from the first to the last that holds a result, per axis.
    fn wanted(&self, y: &ArrayViewMut4<T>) -> [Range<usize>; D] {
        std::array::from_fn(|a| match self.cut.lead[a] {
            None => 0..self.tiles.tiling.shape[a],
            Some(lead) => {
                let len = y.len_of(Axis(4 - D + a)).min(self.cut.len[a]);
                lead..lead + len.saturating_sub(1) * self.onto[a].step() + usize::from(len > 0)
            }
        })
    }

    /// The first result of tile `lane` of a unit.
    fn first(&self, first: [usize; D], lane: usize) -> [usize; D] {
        let (len, joint) = (self.cut.len, self.cut.joint);
        std::array::from_fn(|a| first[a] + if joint[a] > len[a] { lane * len[a] } else { 0 })
    }

    /// The first place of tile `lane` of a unit; nothing behind the last result.
    fn begin(&self, first: [usize; D], lane: usize) -> Option<[i64; D]> {
        let result = self.first(first, lane);
        let inside = (0..D).all(|a| result[a] < self.onto[a].samples());
        inside.then(|| std::array::from_fn(|a| self.cut.begin(a, self.onto[a], result[a])))
    }

    /// Transforms the rows of the tile back that hold results, and picks these.
    fn store(&self, first: [usize; D], tile: &mut [T], mut y: ArrayViewMut3<T>, scratch: &mut [Spectrum<T>]) {
        let (shape, fft, inner) = (self.tiles.fft.shape(), self.tiles.fft.rows(), self.onto[D - 1]);
        let lanes = per_complex::<T>();
        let width = lanes * shape[D - 1];
        // The results of both tiles, whose rows stand on the same places of their tiles. The second may have fewer.
        let (axis, at) = self.cut.seam();
        let axis = Axis(3 - D + axis);
        let at = at.min(y.len_of(axis));
        let [start, next] = [self.first(first, 0), self.first(first, 1)];
        let (mut a, mut b) = y.view_mut().split_at(axis, at);
        let extent =
            |y: &ArrayViewMut3<T>| -> [usize; D] { std::array::from_fn(|k| y.len_of(Axis(3 - D + k))) };
        let extents = [extent(&a), extent(&b)];
        let rows: usize = extents[0][..D - 1].iter().product();
        let (mut a, mut b) = (a.rows_mut().into_iter(), b.rows_mut().into_iter());
        for row in 0..rows {
            let number = indices::<D>(row, extents[0]);
            let second = (0..D - 1).all(|k| number[k] < extents[1][k]) && extents[1][D - 1] > 0;
            let mut back = false;
            for (lane, start, y) in [(0, start, a.next()), (1, next, if second { b.next() } else { None })] {
                let Some(y) = y.and_then(|y| y.into_slice()) else { continue };
                // The place of the row in the tile, if it is one.
                let place = (0..D - 1).try_fold(0, |place, k| {
                    let sample = start[k] + number[k];
                    let local = self.onto[k].place(sample) - self.cut.begin(k, self.onto[k], start[k]);
                    let local = usize::try_from(local).ok().filter(|_| self.onto[k].run().contains(&sample));
                    Some(place * shape[k] + local?)
                });
                let Some(place) = place else {
                    y.fill(T::zero());
                    continue;
                };
                let line = &mut tile[place * width..][..width];
                if !back {
                    fft.inverse(as_complex_mut(line), scratch);
                    back = true;
                }
                let begin = self.cut.begin(D - 1, inner, start[D - 1]);
                inner.pick_lane(line, (lane, lanes), begin, start[D - 1], y);
            }
        }
    }
}
