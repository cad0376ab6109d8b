//! How images and volumes are cut into tiles: sizes, what a tile of results needs, how work is shared.

use super::axis::Line;
use crate::scalar::Scalar;
use crate::stencil::Side;
use crate::transform::{Placement, good_size, per_complex, tile_sizes};
use std::ops::Range;

/// At most this many parts of a product, each with scratch of its own.
const PARTS: usize = 16;

/// Elements of scratch of all parts together, beyond which there are fewer parts.
const SCRATCH: usize = 1 << 24;

/// Places of a tile beyond which nothing is gained: it has left the second cache in all directions.
const PLACES: usize = 1 << 20;

/// Places of a tile per axis, and along which axes it holds everything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tiling<const D: usize> {
    pub shape: [usize; D],
    pub whole: [bool; D],
}

/// How results are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<const D: usize> {
    /// Results of a tile per axis.
    pub len: [usize; D],
    /// Results of a unit: the tiles that are transformed together, neighbours along one axis.
    pub joint: [usize; D],
    /// Number of units per axis.
    pub count: [usize; D],
    /// How far the first place of a tile lies before its first result; `None` where a tile holds everything.
    pub lead: [Option<usize>; D],
}

impl<const D: usize> Tiling<D> {
    /// The tiling with which both products cost least, with their mean cost in the unit of [`whole_cost`].
    pub(super) fn best<T: Scalar>(lines: &[Line; D]) -> (f64, Self) {
        let options = lines.each_ref().map(|line| {
            let whole = good_size(line.least);
            let least = (line.span + line.span / 4).max(16);
            let cut = tile_sizes(least, PLACES).take_while(move |&n| n < whole).map(|n| (n, false));
            cut.chain([(whole, true)]).collect::<Vec<_>>()
        });
        let places = lines.each_ref().map(unfolded);
        let mut best = (f64::INFINITY, Tiling { shape: [1; D], whole: [true; D] });
        let combinations: usize = options.iter().map(Vec::len).product();
        for mut c in 0..combinations {
            let choice: [(usize, bool); D] = std::array::from_fn(|a| {
                let option = options[a][c % options[a].len()];
                c /= options[a].len();
                option
            });
            let tiling = Tiling { shape: choice.map(|c| c.0), whole: choice.map(|c| c.1) };
            let points = tiling.shape.iter().fold(1, |p: usize, &n| p.saturating_mul(n));
            if points > PLACES && best.0 < f64::INFINITY {
                continue;
            }
            let forward = tiling.cut::<T>(Side::Forward, lines, &lines.each_ref().map(|l| &l.output));
            let adjoint = tiling.cut::<T>(Side::Adjoint, lines, &places.each_ref());
            let cost = (forward.units() + adjoint.units()) / 2.0 * unit_cost::<T>(&tiling.shape);
            if cost < best.0 {
                best = (cost, tiling);
            }
        }
        best
    }

    /// How results placed `onto` lines are cut.
    pub(super) fn cut<T: Scalar>(&self, side: Side, lines: &[Line; D], onto: &[&Placement; D]) -> Cut<D> {
        let len: [usize; D] = std::array::from_fn(|a| match self.whole[a] {
            true => onto[a].samples().max(1),
            false => (self.shape[a] - lines[a].span) / onto[a].step() + 1,
        });
        let lead = std::array::from_fn(|a| match (self.whole[a], side) {
            (true, _) => None,
            (false, Side::Forward) => Some(lines[a].span - 1),
            (false, Side::Adjoint) => Some(0),
        });
        let tiles: [usize; D] = std::array::from_fn(|a| onto[a].samples().div_ceil(len[a]));
        // Tiles are joined along the axis where the fewest remain alone.
        let lanes = per_complex::<T>();
        let alone = |a: &usize| (tiles[*a].div_ceil(lanes) * lanes) as f64 / tiles[*a].max(1) as f64; // estimate
        let axis = (0..D).rev().min_by(|a, b| alone(a).total_cmp(&alone(b))).unwrap_or(0);
        let joint = std::array::from_fn(|a| if a == axis { lanes * len[a] } else { len[a] });
        Cut { len, joint, count: std::array::from_fn(|a| onto[a].samples().div_ceil(joint[a])), lead }
    }
}

/// Where the results of the adjoint stand: the places of the extended signal as a vector of their own if the boundary repeats
/// samples.
pub(super) fn unfolded(line: &Line) -> Placement {
    if line.input.repeats() { Placement::new(line.places, 0..line.places, 0, 1) } else { line.input.clone() }
}

/// What a unit costs, in the unit of [`whole_cost`].
///
/// Measured on images of 256² to 2048² and kernels of 15² to 127²: there and back a point costs about as much as two
/// butterflies per doubling of their number and a dozen more for everything else.
pub(super) fn unit_cost<T: Scalar>(shape: &[usize]) -> f64 {
    let points: f64 = shape.iter().map(|&n| n as f64).product(); // this and all below are estimates
    // A tile and the spectrum of the kernel.
    let bytes = 2.0 * points * (size_of::<T>() * per_complex::<T>()) as f64;
    let odd = shape.iter().filter(|n| !n.is_power_of_two()).count() as f64;
    // Short rows lie far apart in memory, on a page of their own each.
    let width = shape.last().copied().unwrap_or(1);
    let per_row = 600.0 / width as f64;
    // Columns whose elements all fall into the same few sets of the cache.
    let pitch = width * size_of::<T>() * per_complex::<T>();
    let crowded = if pitch.is_power_of_two() && pitch >= 4096 { 1.15 } else { 1.0 };
    points * (points.log2() + 12.0 + per_row) * odd.mul_add(0.06, crowded) * far(bytes) + 500.0
}

/// What one transform of the whole grid costs, there and back.
pub(super) fn whole_cost<T: Scalar>(shape: &[usize]) -> f64 {
    let points: f64 = shape.iter().map(|&n| n as f64).product(); // estimate
    let bytes = 2.0 * points * size_of::<T>() as f64;
    // Half spectra of real numbers are untangled, and go through memory twice.
    1.6 * points / per_complex::<T>() as f64 * (points.log2() + 12.0) * far(bytes)
}

/// How much longer work takes on more bytes than the second cache holds.
fn far(bytes: f64) -> f64 {
    (bytes / 1.6e6).log2().mul_add(0.2, 1.0).clamp(1.0, 2.0)
}

impl<const D: usize> Cut<D> {
    /// Number of units.
    fn units(&self) -> f64 {
        self.count.iter().map(|&c| c as f64).product() // estimate
    }

    /// The axis along which the tiles of a unit are neighbours, and where there the second begins.
    pub(super) fn seam(&self) -> (usize, usize) {
        let axis = (0..D).find(|&a| self.joint[a] > self.len[a]).unwrap_or(0);
        (axis, self.len[axis])
    }

    /// The first place of a tile whose first result is `result` along `axis`.
    pub(super) fn begin(&self, axis: usize, onto: &Placement, result: usize) -> i64 {
        self.lead[axis].map_or(0, |lead| onto.place(result) - lead as i64) // below 2^61, see `Band`
    }

    /// Units of one part, at scratch of `per_part` elements.
    pub(super) fn per_part(&self, groups: usize, per_part: usize) -> usize {
        let units = self.count.iter().product::<usize>() * groups;
        units.div_ceil(PARTS.min(SCRATCH / per_part.max(1)).max(2)).max(1)
    }
}

/// Units of some groups of channels and of a box of tiles, to be shared among threads.
#[derive(Debug, Clone)]
pub(super) struct Region<const D: usize> {
    pub groups: Range<usize>,
    pub units: [Range<usize>; D],
}

impl<const D: usize> Region<D> {
    /// Everything.
    pub(super) fn all(groups: usize, cut: &Cut<D>) -> Self {
        Region { groups: 0..groups, units: cut.count.map(|c| 0..c) }
    }

    /// Number of units.
    pub(super) fn len(&self) -> usize {
        self.groups.len() * self.units.iter().map(ExactSizeIterator::len).product::<usize>()
    }

    /// Two halves, and where: along an axis, or among the groups (`None`). Nothing if there are at most `most` units.
    pub(super) fn split(&self, most: usize) -> Option<(Option<usize>, usize, [Self; 2])> {
        if self.len() <= most {
            return None;
        }
        let mut halves = [self.clone(), self.clone()];
        let axis = (0..D).max_by_key(|&a| (self.units[a].len(), D - a))?;
        let along = (self.groups.len() < self.units[axis].len()).then_some(axis);
        let range = along.map_or(&self.groups, |a| &self.units[a]);
        let middle = range.start + range.len() / 2;
        let [first, second] = &mut halves;
        match along {
            Some(a) => (first.units[a].end, second.units[a].start) = (middle, middle),
            None => (first.groups.end, second.groups.start) = (middle, middle),
        }
        Some((along, middle, halves))
    }

    /// Number of parts into which halving cuts this.
    pub(super) fn parts(&self, most: usize) -> usize {
        self.split(most).map_or(1, |(_, _, halves)| halves.iter().map(|half| half.parts(most)).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cutting, FftConv, Work};
    use super::*;
    use crate::conv::{Bank, Traversal};
    use crate::op::{Apply, LinearOperator, dottest};
    use crate::scalar::Real;
    use crate::{Boundary, Conv2d, Conv3d, ConvMode, Extension, FilterBank, Geometry, Layer};
    use ndarray::{Array, Array2, Array3};
    use num_complex::Complex;

    /// Integers from −4 to 4.
    fn integers<T: Scalar>(len: usize, seed: usize) -> Vec<T> {
        let part = |i: usize| T::Real::of(((i * 7919 + seed * 131) % 1009 % 9) as f64 - 4.0); // small
        (0..len).map(|i| T::from_parts(part(i), part(i + 500))).collect()
    }

    /// Both products against sums over the entries of the matrix, whatever the tiles.
    fn judged<T: Scalar, const D: usize>(bank: &Bank<T, D>, least: [usize; D], whole: [bool; D], what: &str) {
        let choose = |lines: &[Line; D]| {
            let shape = std::array::from_fn(|a| {
                let line = &lines[a];
                if whole[a] { line.least } else { least[a].max(line.span) }
            });
            Cutting::Tiles(Tiling { shape, whole })
        };
        let fft = FftConv::cut(bank, choose).unwrap();
        let what = format!("{what}, {} {fft:?}", T::NAME);
        if matches!(fft.work, Work::Nothing) {
            return;
        }
        assert!(matches!(fft.work, Work::Tiles(_)), "{what}");
        let walk = Traversal::new(bank).unwrap();
        let mut scratch = vec![T::zero(); walk.scratch_len()];
        for side in [Side::Forward, Side::Adjoint] {
            let taps: Vec<T> = match side {
                Side::Forward => bank.kernels().to_vec(),
                Side::Adjoint => bank.kernels().iter().map(|k| k.conj()).collect(),
            };
            let (m, n) = bank.shape();
            let (rows, cols) = if side == Side::Forward { (m, n) } else { (n, m) };
            let x = integers::<T>(cols, 3);
            let mut y = vec![T::from_real(T::Real::of(f64::NAN)); rows];
            let mut own = vec![T::from_real(T::Real::of(f64::NAN)); fft.scratch_len()];
            match side {
                Side::Forward => fft.forward(&x, &mut y, &mut own).unwrap(),
                Side::Adjoint => fft.adjoint(&x, &mut y, &mut own).unwrap(),
            }
            let bound = fft.error_bound(x.iter().map(|x| x.modulus_sq().as_f64()).sum::<f64>().sqrt());
            for (i, &got) in y.iter().enumerate() {
                let mut sum = T::zero();
                walk.for_each_entry(side, i, &taps, &mut scratch, |j, k| sum += k * x[j]);
                let error = (got - sum).modulus().as_f64();
                assert!(error <= bound, "{what} {side:?} [{i}]: {got}, expected {sum}, bound {bound:e}");
            }
        }
        assert!(dottest(&fft, 2).unwrap().passed(), "{what}");
        let x = integers::<T>(bank.shape().1, 5);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fft.apply(&x).unwrap())
        };
        assert_eq!(with(1), with(3), "{what}");
    }

    fn images<T: Scalar>() {
        let boundaries: [Boundary<T>; 6] = [
            Boundary::Zero,
            Boundary::Periodic,
            Boundary::Symmetric,
            Boundary::Reflect,
            Boundary::Replicate,
            Boundary::Antireflective,
        ];
        for (b, boundary) in boundaries.into_iter().enumerate() {
            for (m, mode) in [ConvMode::Full, ConvMode::Same, ConvMode::Valid].into_iter().enumerate() {
                for (n, taps) in [([17, 23], [3, 4]), ([9, 8], [5, 1]), ([6, 5], [9, 8]), ([1, 31], [1, 6])] {
                    for (stride, dilation) in [([1, 1], [1, 1]), ([2, 3], [1, 2]), ([1, 5], [3, 1])] {
                        let geometry = Geometry::from(mode)
                            .boundaries([boundary, boundaries[(b + m) % 6]])
                            .strides(stride)
                            .dilations(dilation);
                        let kernel = integers(taps[0] * taps[1], 1);
                        let psf = Array2::from_shape_vec(taps, kernel).unwrap();
                        let Ok(conv) = Conv2d::new(&psf, n, geometry) else { continue };
                        let what =
                            format!("{n:?} by {taps:?}, {mode:?} {boundary:?} {stride:?} {dilation:?}");
                        judged(conv.bank(), [0, 0], [false, false], &what);
                        judged(conv.bank(), [8, 12], [false, false], &what);
                        judged(conv.bank(), [9, 0], [false, true], &what);
                        judged(conv.bank(), [0, 7], [true, false], &what);
                    }
                }
            }
        }
    }

    #[test]
    fn images_in_any_tiles_are_the_definition() {
        images::<f64>();
        images::<f32>();
        images::<Complex<f64>>();
    }

    #[test]
    fn volumes_in_any_tiles_are_the_definition() {
        for boundary in [Boundary::Zero, Boundary::Periodic, Boundary::Antireflective] {
            for (mode, stride, dilation) in
                [(ConvMode::Full, 1, 1), (ConvMode::Same, 1, 2), (ConvMode::Valid, 2, 1)]
            {
                let geometry = Geometry::from(mode)
                    .boundaries([boundary, Boundary::Zero, boundary])
                    .strides([1, stride, 1])
                    .dilations([1, 1, dilation]);
                let kernel = Array3::from_shape_vec((3, 2, 4), integers::<f64>(24, 1)).unwrap();
                let conv = Conv3d::new(&kernel, [7, 9, 11], geometry).unwrap();
                for (least, whole) in [([0; 3], [false; 3]), ([5, 6, 9], [false, true, false])] {
                    judged(conv.bank(), least, whole, &format!("{mode:?} {boundary:?}"));
                }
            }
        }
    }

    #[test]
    fn channels_in_tiles_are_the_definition() {
        for (groups, inputs, outputs) in [(1, 1, 3), (1, 3, 1), (2, 2, 3), (3, 1, 1)] {
            for extension in [Extension::Zero, Extension::Reflect] {
                let layer =
                    Layer::new().stride([2, 1]).padding([1, 2]).groups(groups).padding_mode(extension);
                let kernels = integers::<f32>(groups * outputs * inputs * 12, 2);
                let weights = Array::from_shape_vec(vec![groups * outputs, inputs, 3, 4], kernels).unwrap();
                let bank = FilterBank::layer(weights.view(), [19, 15], layer).unwrap();
                judged(bank.bank(), [7, 9], [false; 2], &format!("{groups} {inputs} {outputs}"));
            }
        }
        let layer = Layer::new().stride([2, 3]).padding([1, 0]);
        let weights = Array::from_shape_vec(vec![2, 3, 3, 4], integers::<f64>(72, 2)).unwrap();
        let bank = FilterBank::transposed_layer(weights.view(), [8, 7], layer).unwrap();
        judged(bank.bank(), [7, 9], [false; 2], "transposed");
    }

    #[test]
    fn regions_are_halved_without_loss() {
        let region = Region { groups: 0..3, units: [0..5, 0..7] };
        let (along, middle, halves) = region.split(4).unwrap();
        assert_eq!((along, middle, halves[0].len() + halves[1].len()), (Some(1), 3, 105));
        assert!(region.parts(105) == 1 && region.parts(1) == 105);
    }
}
