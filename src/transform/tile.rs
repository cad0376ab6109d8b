//! Transforms of tiles: small images or volumes of complex numbers that stay in the cache, in place.
//!
//! Rows are lines of the last axis. Along the other axes a few neighbouring columns at a time are copied into lines of their
//! own, transformed there, and copied back, so that every cache line that is read serves all columns of a block. What
//! happens to a column between its transform and the way back happens while it is in the first cache.

use super::line::{ColumnFft, column_fft};
use crate::scalar::Real;
use num_complex::Complex;
use num_traits::Zero;
use std::ops::Range;
use std::sync::Arc;

/// Columns of a block: one or two cache lines of complex numbers.
const COLUMNS: usize = 8;

/// Rows that are copied together, so that neighbours in a column are written at once.
const AHEAD: usize = 4;

/// Transforms of tiles of at least two axes.
#[derive(Clone)]
pub(crate) struct TileFft<R, const D: usize> {
    axes: [Arc<dyn ColumnFft<R>>; D],
}

impl<R: Real, const D: usize> TileFft<R, D> {
    /// A plan for tiles of this shape.
    pub(crate) fn new(shape: [usize; D]) -> Self {
        TileFft { axes: shape.map(column_fft) }
    }

    /// Places per axis.
    pub(crate) fn shape(&self) -> [usize; D] {
        self.axes.each_ref().map(|a| a.len())
    }

    /// Places of a tile.
    pub(crate) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Complex numbers that any of the functions here need as scratch.
    pub(crate) fn scratch_len(&self) -> usize {
        let columns = self.axes[..D - 1].iter().map(|a| a.len()).max().unwrap_or(0);
        COLUMNS * columns + self.axes.iter().map(|a| a.scratch_len()).max().unwrap_or(0)
    }

    /// The transform along the last axis, for one row or several.
    pub(crate) fn rows(&self) -> &dyn ColumnFft<R> {
        &*self.axes[D - 1]
    }

    /// `f(start, columns, transform, scratch)` for all columns along `axis`, a block at a time.
    ///
    /// Columns are taken from the rows `from` of the tile, zeros elsewhere, and put back into the rows `to`. `start` is
    /// where a block begins if all columns stand one after the other.
    pub(crate) fn columns(
        &self,
        axis: usize,
        tile: &mut [Complex<R>],
        [from, to]: [Range<usize>; 2],
        scratch: &mut [Complex<R>],
        mut f: impl FnMut(usize, &mut [Complex<R>], &dyn ColumnFft<R>, &mut [Complex<R>]),
    ) {
        let fft = &*self.axes[axis];
        let len = fft.len();
        let after: usize = self.axes[axis + 1..].iter().map(|a| a.len()).product();
        let (block, scratch) = scratch.split_at_mut(COLUMNS * len);
        for (outer, plane) in tile.chunks_mut(len * after).enumerate() {
            for first in (0..after).step_by(COLUMNS) {
                let width = COLUMNS.min(after - first);
                let columns = &mut block[..width * len];
                if from.len() < len {
                    columns.fill(Complex::zero());
                }
                if width == COLUMNS {
                    take::<R, COLUMNS>(plane, after, first, from.clone(), columns, len);
                } else {
                    for l in 0..width {
                        take::<R, 1>(plane, after, first + l, from.clone(), &mut columns[l * len..], len);
                    }
                }
                f((outer * after + first) * len, columns, fft, scratch);
                if width == COLUMNS {
                    put::<R, COLUMNS>(plane, after, first, to.clone(), columns, len);
                } else {
                    for l in 0..width {
                        put::<R, 1>(plane, after, first + l, to.clone(), &columns[l * len..], len);
                    }
                }
            }
        }
    }
}

/// `columns[l][g] ← plane[g][first + l]` for the rows `g`.
#[inline(always)]
fn take<R: Real, const W: usize>(
    plane: &[Complex<R>],
    after: usize,
    first: usize,
    rows: Range<usize>,
    columns: &mut [Complex<R>],
    len: usize,
) {
    let row = |g: usize| -> &[Complex<R>; W] {
        // A block of W columns lies inside the plane.
        plane[g * after + first..].first_chunk().unwrap_or_else(|| unreachable!("a block of columns"))
    };
    let mut g = rows.start;
    while g + AHEAD <= rows.end {
        let sources: [_; AHEAD] = std::array::from_fn(|q| row(g + q));
        for l in 0..W {
            let target = &mut columns[l * len + g..][..AHEAD];
            (0..AHEAD).for_each(|q| target[q] = sources[q][l]);
        }
        g += AHEAD;
    }
    for g in g..rows.end {
        let source = row(g);
        (0..W).for_each(|l| columns[l * len + g] = source[l]);
    }
}

/// `plane[g][first + l] ← columns[l][g]` for the rows `g`.
#[inline(always)]
fn put<R: Real, const W: usize>(
    plane: &mut [Complex<R>],
    after: usize,
    first: usize,
    rows: Range<usize>,
    columns: &[Complex<R>],
    len: usize,
) {
    let mut g = rows.start;
    while g + AHEAD <= rows.end {
        let sources: [&[Complex<R>; AHEAD]; W] = std::array::from_fn(|l| {
            columns[l * len + g..].first_chunk().unwrap_or_else(|| unreachable!("rows of a column"))
        });
        for q in 0..AHEAD {
            let target = &mut plane[(g + q) * after + first..][..W];
            (0..W).for_each(|l| target[l] = sources[l][q]);
        }
        g += AHEAD;
    }
    for g in g..rows.end {
        let target = &mut plane[g * after + first..][..W];
        (0..W).for_each(|l| target[l] = columns[l * len + g]);
    }
}
