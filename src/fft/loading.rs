//! From samples to tiles: rows placed, boundaries added, and transformed. And the way back of boundaries.

use crate::error::Result;
use crate::memory::as_complex_mut;
use crate::parallel::{for_each_part, part_len};
use crate::scalar::{Real, Scalar};
use crate::transform::{Placement, Spectrum, TileFft};
use num_complex::Complex;
use std::ops::Range;

/// Rows of a tile that are loaded together, at most 32.
const ROWS: usize = 16;

/// What takes an index and its weight.
type Entry<'a> = dyn FnMut(usize, f64) + 'a;

/// What lists, for an axis and an index, what belongs to it.
type Listing<'a> = dyn Fn(usize, usize, &mut Entry) + 'a;

/// One of the tiles that are transformed together: what it is taken from, and its first place.
#[derive(Clone, Copy)]
pub(super) struct Lane<'a, T, const D: usize> {
    pub x: &'a [T],
    pub begin: [i64; D],
}

/// Fills a tile with what stands on its places, and transforms its rows. Returns the rows of the first axis, from the first to
/// the last on which anything stands.
pub(super) fn load<T: Scalar, const D: usize>(
    fft: &TileFft<T::Real, D>,
    from: &[&Placement; D],
    lanes: &[Option<Lane<T, D>>],
    tile: &mut [T],
    scratch: &mut [Spectrum<T>],
) -> Range<usize> {
    let shape = fft.shape();
    let (width, rows) = (shape[D - 1] * lanes.len(), shape[1..D - 1].iter().product::<usize>());
    let mut filled = 0..0;
    // Several rows are loaded at a time, so that the memory is asked for the next row before the last has come.
    for (batch, some) in tile.chunks_mut(ROWS * width).enumerate() {
        let mut present = 0_u32;
        for (r, row) in some.chunks_mut(width).enumerate() {
            let number = batch * ROWS + r;
            if load_row(from, shape, number, lanes, row) {
                present |= 1 << r;
                let first = number / rows;
                filled = if filled.is_empty() { first..first + 1 } else { filled.start..first + 1 };
            }
        }
        if present == u32::MAX >> (32 - ROWS) {
            fft.rows().forward(as_complex_mut(some), scratch);
            continue;
        }
        for (_, row) in some.chunks_mut(width).enumerate().filter(|(r, _)| present & 1 << r != 0) {
            fft.rows().forward(as_complex_mut(row), scratch);
        }
    }
    filled
}

/// Fills row `number` of a tile. Whether anything stands there.
fn load_row<T: Scalar, const D: usize>(
    from: &[&Placement; D],
    shape: [usize; D],
    number: usize,
    lanes: &[Option<Lane<T, D>>],
    row: &mut [T],
) -> bool {
    let samples = from[D - 1].samples();
    // Of each lane the row of samples that stands here; all of them if there are several, or if one is weighted.
    let (mut plain, mut mixed, mut any) = ([None; 2], false, false);
    for (lane, plain) in lanes.iter().zip(&mut plain) {
        let Some(lane) = lane else { continue };
        let mut sources = 0;
        for_each_source(from, shape, number, lane.begin, &mut |source, weight| {
            sources += 1;
            mixed |= sources > 1 || weight != 1.0;
            *plain = Some((&lane.x[source * samples..][..samples], lane.begin[D - 1]));
        });
        any |= sources > 0;
    }
    if !mixed {
        from[D - 1].load_lanes(&plain[..lanes.len()], row);
        return any;
    }
    row.fill(T::zero());
    for (l, lane) in lanes.iter().enumerate() {
        let Some(lane) = lane else { continue };
        for_each_source(from, shape, number, lane.begin, &mut |source, weight| {
            let x = &lane.x[source * samples..][..samples];
            from[D - 1].add(x, lane.begin[D - 1], row, (l, lanes.len()), T::Real::of(weight));
        });
    }
    any
}

/// The transforms along the axes between the first and the last.
pub(super) fn inner_forward<R: Real, const D: usize>(
    fft: &TileFft<R, D>,
    tile: &mut [Complex<R>],
    scratch: &mut [Complex<R>],
) {
    for axis in (1..D - 1).rev() {
        let all = 0..fft.shape()[axis];
        fft.columns(axis, tile, [all.clone(), all], scratch, |_, columns, fft, scratch| {
            fft.forward(columns, scratch);
        });
    }
}

/// `f(row of samples, weight)` for all that stands on row `number` of a tile.
fn for_each_source<const D: usize>(
    from: &[&Placement; D],
    shape: [usize; D],
    number: usize,
    begin: [i64; D],
    f: &mut Entry,
) {
    let sources = |axis: usize, local: usize, f: &mut Entry| {
        from[axis].sources(begin[axis] + local as i64, f); // places below 2^61, see `Band`
    };
    combine(0, &indices::<D>(number, shape)[..D - 1], &from.map(|p| p.samples()), &sources, (0, 1.0), f);
}

/// The index along each axis but the last of row `number` of an array of this shape.
pub(super) fn indices<const D: usize>(mut number: usize, shape: [usize; D]) -> [usize; D] {
    let mut all = [0; D];
    for a in (0..D - 1).rev() {
        all[a] = number % shape[a];
        number /= shape[a];
    }
    all
}

/// `f(row, weight)` for all combinations of what `of(axis, index, ..)` lists for the indices from `axis` on; rows are counted
/// in an array with `extents`.
fn combine(
    axis: usize,
    indices: &[usize],
    extents: &[usize],
    of: &Listing,
    (row, weight): (usize, f64),
    f: &mut Entry,
) {
    let Some(&index) = indices.get(axis) else { return f(row, weight) };
    of(axis, index, &mut |at, own| {
        combine(axis + 1, indices, extents, of, (row * extents[axis] + at, weight * own), f);
    });
}

/// `y ← Pᵀ z` with P the places of `samples` along every axis, and z the values on all of them, placed like `unfolded`.
pub(super) fn fold<T: Scalar, const D: usize>(
    samples: &[Placement; D],
    unfolded: &[Placement; D],
    z: &[T],
    y: &mut [T],
) -> Result<()> {
    let (inner, extents) = (&samples[D - 1], unfolded.each_ref().map(Placement::samples));
    let (shape, row) = (samples.each_ref().map(Placement::samples), extents[D - 1]);
    let places = |axis: usize, sample: usize, f: &mut Entry| samples[axis].places(sample, f);
    let part = part_len(y.len() / inner.samples(), row) * inner.samples();
    for_each_part(y, part, &mut [] as &mut [T], 0, |start, y, _| {
        for (r, y) in y.chunks_mut(inner.samples()).enumerate() {
            let number = start / inner.samples() + r;
            let channel = number / shape[..D - 1].iter().product::<usize>();
            let outer = indices::<D>(number, shape);
            let mut fresh = true;
            combine(0, &outer[..D - 1], &extents, &places, (channel, 1.0), &mut |place, weight| {
                let line = &z[place * row..][..row];
                if fresh && weight == 1.0 {
                    inner.fold(line, y); // most rows stand in one place
                } else {
                    if fresh {
                        y.fill(T::zero());
                    }
                    inner.fold_add(line, T::Real::of(weight), y);
                }
                fresh = false;
            });
            if fresh {
                y.fill(T::zero());
            }
        }
        Ok(())
    })
}
